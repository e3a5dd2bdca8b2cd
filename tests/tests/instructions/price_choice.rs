//! Whoever calls chooses among prices: what an old one, or one alone, does not do to others.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::RemovalReason;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::OrderKind;
use ballast_state::trigger::TriggerKind;

use crate::event;
use crate::orders::{ask, bid, ioc, listed, of_kind};
use crate::support::{done, refused, terms, Venue, START, TEN, USD};

/// The open venue half a minute later: alice is long 10 SOL at $200 with $100, below maintenance
/// from $194.872 down.
fn later() -> Venue {
    let mut venue = Venue::open();
    venue.wait(30);
    venue
}

impl Venue {
    /// What was published so many seconds ago.
    fn published(&mut self, ticks: u64, seconds_ago: i64) {
        self.quote(|quote| {
            (quote.ticks, quote.ema_ticks) = (ticks, ticks);
            quote.publish_time -= seconds_ago;
        });
    }

    fn take_over(&mut self) -> TxResult {
        let (market, victim, bob) = (&self.market, self.alice.address, &self.bob);
        self.sandbox
            .liquidate_into_book(market, &victim, bob, Takeover::with_margin(0), &[])
    }
}

#[test]
pub fn a_wick_that_was_over_liquidated_a_healthy_position() {
    let mut venue = later();
    let (market, victim, bob) = (venue.market.clone(), venue.alice.address, venue.bob.clone());
    // $194 twenty seconds ago, $200 since.
    for seconds_ago in [20, 11] {
        venue.published(194_000, seconds_ago);
        let stale = BallastError::PriceStale;
        refused(&mut venue.sandbox, stale, |s| {
            s.liquidate(&market, &victim, &bob, 0)
        });
        refused(&mut venue.sandbox, stale, |s| {
            s.flag_bankruptcy(&market, &victim)
        });
        venue.published(188_000, seconds_ago);
        refused(&mut venue.sandbox, stale, |s| {
            s.auto_deleverage(&market, &victim, &bob, &[bob.address])
        });
    }
    // What somebody may still choose from.
    venue.published(194_000, 10);
    let event = event!(done(venue.take_over()), PositionLiquidated);
    assert_eq!((event.lots, event.mark_ticks), (-2_000, 194_000));
}

#[test]
pub fn a_pair_opened_and_margin_left_at_a_price_that_was_over() {
    let mut venue = later();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.published(START, 11);
    let stale = BallastError::PriceStale;
    refused(&mut venue.sandbox, stale, |s| {
        s.block_trade(
            &market,
            &alice,
            &bob,
            terms(1_000, START, 50 * USD, 50 * USD),
        )
    });
    refused(&mut venue.sandbox, stale, |s| {
        s.place_order(&market, &alice, bid(START, 1_000), &[])
    });
    refused(&mut venue.sandbox, stale, |s| {
        s.remove_margin(&market, &bob, USD)
    });
    // Both may get smaller.
    done(venue.trade(-1_000, START, 0, 0));
    venue.published(START, 10);
    done(venue.trade(1_000, START, 50 * USD, 50 * USD));
    venue.conserves();
}

/// Alice has a stop-loss at $194.5. Carol bids $199.5 for 1 SOL with initial margin: at $194 she
/// would have $4.475 of $4.85. Dave bids $194.
fn stop() -> (Venue, [TraderCookie; 3]) {
    let mut venue = Venue::open();
    let (carol, dave, keeper) = (venue.trader(100), venue.trader(100), venue.trader(0));
    let args = PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks: 194_500,
        worst_ticks: 0,
        lots: 1_000,
    };
    let market = venue.market.clone();
    let alice = venue.alice.clone();
    done(venue.sandbox.place_trigger(&market, &alice, args));
    venue.place(&carol, bid(199_500, 1_000), &[]);
    venue.place(&dave, bid(194_000, 1_000), &[]);
    venue.wait(30);
    (venue, [carol, dave, keeper])
}

#[test]
pub fn a_stop_fired_at_an_old_price_and_removed_an_honest_bid() {
    let (mut venue, [carol, dave, keeper]) = stop();
    let (market, alice) = (venue.market.clone(), venue.alice.address);
    let makers = listed(&[&carol, &dave]);
    venue.published(194_000, 20);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.execute_trigger(&market, &alice, &keeper, TriggerKind::StopLoss, &makers)
    });
    // A price of five seconds ago fires, and the bid that only it speaks against stays.
    venue.published(194_000, 5);
    let fired =
        venue
            .sandbox
            .execute_trigger(&market, &alice, &keeper, TriggerKind::StopLoss, &makers);
    let event = event!(done(fired), TriggerExecuted);
    venue.sound();
    assert_eq!((event.filled_lots, event.removed.len()), (1_000, 0));
    assert_eq!(event.fills[0].maker, dave.address);
    assert_eq!(venue.resting(OrderSide::Bid), [(199_500, 1_000)]);
    let reserve = venue.slot(&carol).order_margin;
    assert_eq!(venue.free(&carol).unsigned_abs() + reserve, 100 * USD);
}

#[test]
pub fn an_order_leaves_when_two_prices_speak_against_it() {
    let (mut venue, [carol, _, _]) = stop();
    let bob = venue.bob.clone();
    let sell = ioc(ask(199_500, 1_000));
    // The price of now, which nobody has recorded before.
    venue.price(194_000);
    let event = venue.place(&bob, sell, &[&carol]);
    assert_eq!((event.filled_lots, event.removed.len()), (0, 0));
    // The same price again, later in the slot or in a later one, is no second one.
    venue.sandbox.advance_slots(1);
    let event = venue.place(&bob, sell, &[&carol]);
    assert_eq!((event.filled_lots, event.removed.len()), (0, 0));
    // Nor does a healthy one after it remove anything.
    venue.sandbox.advance_slots(5);
    let mut fork = venue.sandbox.fork();
    fork.set_price(&venue.market, 194_600);
    let event = event!(
        done(fork.place_order(&venue.market, &bob, sell, &listed(&[&carol]))),
        OrderPlaced
    );
    assert_eq!((event.filled_lots, event.removed.len()), (1_000, 0));
    // Another one that is as bad does.
    venue.price(193_900);
    let event = venue.place(&bob, sell, &[&carol]);
    assert_eq!((event.filled_lots, event.collected_atoms), (0, 0));
    assert_eq!(event.removed[0].reason, RemovalReason::Unhealthy);
    assert_eq!(venue.resting(OrderSide::Bid), [(194_000, 1_000)]);
}

#[test]
pub fn nothing_waits_across_an_order_that_stays() {
    let (mut venue, [carol, dave, _]) = stop();
    let bob = venue.bob.clone();
    venue.price(194_000);
    let both = [&carol, &dave];
    let event = venue.place(&bob, ask(194_000, 1_500), &both);
    assert_eq!(
        (event.filled_lots, event.dropped_lots, event.resting_lots),
        (1_000, 500, 0)
    );
    assert_eq!(event.fills[0].maker, dave.address);
    let whole = of_kind(OrderKind::FillOrKill, ask(194_000, 500));
    venue.refuse(BallastError::NotFilled, &bob, whole, &both);
    let waiting = of_kind(OrderKind::PostOnly, ask(194_000, 500));
    venue.refuse(BallastError::PostOnlyCrosses, &bob, waiting, &both);
    assert_eq!(venue.resting(OrderSide::Bid), [(199_500, 1_000)]);
}

#[test]
pub fn a_flag_of_an_earlier_price_lets_an_older_one_liquidate() {
    let mut venue = later();
    let (market, victim) = (venue.market.clone(), venue.alice.address);
    venue.published(194_000, 0);
    let mut unflagged = venue.sandbox.fork();
    done(unflagged.accrue_funding(&market));
    done(venue.sandbox.flag_bankruptcy(&market, &victim));
    // 25 seconds later, with the price of the flag: it is the same one.
    venue.wait(25);
    let flagged = venue.sandbox.fork();
    let bob = venue.bob.clone();
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.liquidate(&market, &victim, &bob, 0)
    });
    // With one published a second after it.
    venue.published(193_900, 24);
    let event = event!(done(venue.take_over()), PositionLiquidated);
    assert_eq!((event.lots, event.mark_ticks), (-2_000, 193_900));
    // Without the flag it is too old, and no price is older than half a minute.
    venue.sandbox = unflagged;
    venue.wait(25);
    venue.published(193_900, 24);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.liquidate(&market, &victim, &bob, 0)
    });
    venue.sandbox = flagged;
    venue.wait(7);
    venue.published(193_900, 31);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.liquidate(&market, &victim, &bob, 0)
    });
    assert_eq!(venue.position(&venue.alice).lots, TEN);
}

#[test]
pub fn an_old_flag_let_an_old_price_liquidate() {
    let mut venue = later();
    let (market, victim, bob) = (venue.market.clone(), venue.alice.address, venue.bob.clone());
    venue.published(194_000, 0);
    done(venue.sandbox.flag_bankruptcy(&market, &victim));
    // A hundred slots later the flag still stands beside another price.
    venue.wait(40);
    venue.published(193_900, 24);
    let mut confirmed = venue.sandbox.fork();
    let takeover = Takeover::with_margin(0);
    done(confirmed.liquidate_into_book(&market, &victim, &bob, takeover, &[]));
    // Nobody looked any longer: the price has been well since, but for a moment 24 seconds ago.
    venue.wait(1);
    venue.published(193_900, 24);
    let stale = BallastError::PriceStale;
    refused(&mut venue.sandbox, stale, |s| {
        s.liquidate(&market, &victim, &bob, 0)
    });
    refused(&mut venue.sandbox, stale, |s| {
        s.flag_bankruptcy(&market, &victim)
    });
    // A look at a price of now confirms it.
    venue.published(193_900, 2);
    done(venue.sandbox.flag_bankruptcy(&market, &victim));
    venue.wait(20);
    venue.published(193_800, 20);
    done(venue.take_over());
}

#[test]
pub fn a_price_ahead_of_the_clock_has_a_bound_of_its_own() {
    let mut config = crate::support::quiet();
    config.risk.oracle_max_age_seconds = 5;
    config.risk.price_age_seconds = 5;
    let mut venue = Venue::open_with(&config);
    venue.wait(30);
    let market = venue.market.clone();
    venue.published(START, -30);
    let mut fork = venue.sandbox.fork();
    done(fork.accrue_funding(&market));
    venue.published(START, -31);
    refused(&mut venue.sandbox, BallastError::PriceFromFuture, |s| {
        s.accrue_funding(&market)
    });
}
