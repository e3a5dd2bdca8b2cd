//! A token that has fallen below its market's tick: everybody is let out at one tick.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::Quote;
use ballast_state::error::BallastError;

use crate::event;
use crate::orders::bid;
use crate::support::{done, refused, terms, Venue, TEN, USD};

impl Venue {
    /// $0.0005 where a tick is $0.001, its average too, give or take a fiftieth.
    pub fn below_tick(&mut self) {
        let quote = Quote {
            ticks: 1,
            conf_ticks: 0,
            ema_ticks: 1,
            publish_time: self.sandbox.time(),
        };
        let mut price = self.market.pyth_price(&quote, self.sandbox.slot());
        (price.price, price.ema_price, price.conf) = (50_000, 50_000, 1_000);
        self.sandbox.set_pyth_price(&self.market, &price);
    }
}

#[test]
pub fn a_price_below_one_tick_refused_everything() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.wait(10);
    venue.below_tick();
    let none = BallastError::PriceOutOfRange;
    refused(&mut venue.sandbox, none, |s| {
        s.block_trade(&market, &alice, &bob, terms(100, 1, 500 * USD, 500 * USD))
    });
    refused(&mut venue.sandbox, none, |s| {
        s.place_order(&market, &bob, bid(1, 100), &[])
    });
    refused(&mut venue.sandbox, none, |s| {
        s.remove_margin(&market, &bob, USD)
    });
    // It counts as one tick for funding, for who gets smaller, and for the waterfall.
    done(venue.sandbox.accrue_funding(&market));
    assert_eq!(venue.sandbox.market(&market).last_price.ticks, 1);
    done(venue.trade(-100, 1, 0, 0));
    assert_eq!(venue.position(&alice).lots, 9_900);
    done(venue.sandbox.flag_bankruptcy(&market, &alice.address));
    // $99 of margin, 9.9 SOL bought at $200 and worth $0.0099.
    assert_eq!(venue.position(&alice).flagged_deficit, 1_880_990_100);
    let outcome = venue
        .sandbox
        .auto_deleverage(&market, &alice.address, &bob, &[bob.address]);
    let event = event!(done(outcome), AutoDeleveraged);
    assert_eq!((event.lots_closed, event.mark_ticks), (4_950, 1));
    venue.conserves();
}

#[test]
pub fn a_position_is_liquidated_and_taken_over_below_one_tick() {
    let mut venue = Venue::new();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.wait(10);
    venue.price(3);
    // 10 SOL at three ticks with $0.020100: $0.0001 is left at one tick, maintenance is $0.00025.
    done(venue.trade(TEN, 3, 20_100, 30_000));
    venue.wait(10);
    venue.below_tick();
    let keeper = venue.trader(1_000);
    let outcome = venue.sandbox.liquidate_into_book(
        &market,
        &alice.address,
        &keeper,
        Takeover::with_margin(10_000),
        &[],
    );
    let event = event!(done(outcome), PositionLiquidated);
    assert_eq!((event.mark_ticks, event.equity_before_atoms), (1, 100));
    assert_eq!(event.lots, -event.lots_before + event.lots_after);
    assert_eq!(venue.position(&keeper).lots, -event.lots);
    assert_eq!(venue.position(&bob).lots, -TEN);
    venue.conserves();
}
