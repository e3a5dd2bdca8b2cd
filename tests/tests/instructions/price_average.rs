//! A price far from its moving average: at first it forces nobody out, and lets no risk in.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::trigger::TriggerKind;

use crate::event;
use crate::orders::{ask, bid, ioc, listed};
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

/// $155 where the average is $200: 22.5% off, 20% is the limit.
const FAR: u64 = 155_000;

/// The open venue at [`FAR`]: alice is bankrupt by $350, bob has a profit of $450.
fn far() -> Venue {
    let mut venue = Venue::open();
    venue.wait(30);
    venue.far(FAR);
    venue
}

impl Venue {
    /// A price with the average of $200.
    fn far(&mut self, ticks: u64) {
        self.quote(|quote| quote.ticks = ticks);
    }

    /// The same five seconds later, recorded; how long such prices have lasted.
    fn lasts(&mut self, ticks: u64) -> u32 {
        self.wait(5);
        self.far(ticks);
        done(self.sandbox.accrue_funding(&self.market));
        self.sandbox.market(&self.market).price_clock.diverged_for
    }

    fn deleverage(&mut self) -> TxResult {
        let (victim, bob) = (self.alice.address, self.bob.clone());
        self.sandbox
            .auto_deleverage(&self.market, &victim, &bob, &[bob.address])
    }
}

#[test]
pub fn the_guard_against_wild_prices_disabled_what_it_guards() {
    let mut venue = far();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let args = PlaceTriggerArgs {
        kind: TriggerKind::StopLoss,
        price_ticks: 190_000,
        worst_ticks: 0,
        lots: 1_000,
    };
    done(venue.sandbox.place_trigger(&market, &alice, args));
    done(venue.sandbox.add_margin(&market, &alice, 10 * USD));
    let diverged = BallastError::PriceDiverged;
    let makers = listed(&[]);
    let forced: [&dyn Fn(&mut ballast_sandbox::Sandbox) -> TxResult; 5] = [
        &|s| s.liquidate(&market, &alice.address, &bob, 0),
        &|s| s.liquidate_into_book(&market, &alice.address, &bob, Takeover::none(), &[]),
        &|s| s.auto_deleverage(&market, &alice.address, &bob, &[bob.address]),
        &|s| {
            s.execute_trigger(
                &market,
                &alice.address,
                &bob,
                TriggerKind::StopLoss,
                &makers,
            )
        },
        &|s| s.remove_margin(&market, &bob, USD),
    ];
    for call in forced {
        refused(&mut venue.sandbox, diverged, |s| call(s));
    }
    // The bankruptcy is known.
    done(venue.sandbox.flag_bankruptcy(&market, &alice.address));
    assert_ne!(venue.position(&alice).bankrupt_slot, 0);
    assert_eq!(venue.position(&alice).flagged_deficit, 340_000_000);
    // Half a minute of such prices, and the waterfall goes on.
    let lasted: Vec<u32> = (0..4).map(|_| venue.lasts(FAR)).collect();
    assert_eq!(lasted, [10, 15, 20, 25]);
    refused(&mut venue.sandbox, diverged, |s| {
        s.liquidate(&market, &alice.address, &bob, 0)
    });
    venue.wait(5);
    venue.far(FAR);
    let event = event!(done(venue.deleverage()), AutoDeleveraged);
    assert_eq!(event.lots_closed, 5_000);
    assert_eq!(venue.sandbox.market(&market).price_clock.diverged_for, 30);
    venue.conserves();
}

#[test]
pub fn one_print_neither_starts_nor_resets_the_wait() {
    let mut venue = far();
    for _ in 0..4 {
        venue.lasts(FAR);
    }
    assert_eq!(venue.lasts(FAR), 25);
    // One at the average takes five away, and one far from it gives them back.
    assert_eq!(venue.lasts(START), 20);
    assert_eq!(venue.lasts(FAR), 25);
    // An hour between two counts no more.
    venue.wait(3_600);
    assert_eq!(venue.lasts(START), 20);
    venue.wait(3_600);
    assert_eq!(venue.lasts(FAR), 25);
    // It counts no further than to the end of the wait.
    for expected in [30, 30] {
        assert_eq!(venue.lasts(FAR), expected);
    }
    assert_eq!(venue.lasts(START), 25);
}

/// Carol asks $155 for 1 SOL while the price is far from its average.
fn offered() -> (Venue, TraderCookie) {
    let mut venue = far();
    let carol = venue.trader(1_000);
    venue.place(&carol, ask(FAR, 1_000), &[]);
    (venue, carol)
}

#[test]
pub fn who_leaves_meets_makers_who_can_carry_the_average() {
    let (mut venue, carol) = offered();
    let bob = venue.bob.clone();
    // 5% of $200 and the $45 from $155 to it.
    assert_eq!(venue.slot(&carol).order_margin, 55_000_000);
    let event = venue.place(&bob, ioc(bid(FAR, 1_000)), &[&carol]);
    assert_eq!(
        (event.filled_lots, event.open_interest_after),
        (1_000, 10_000)
    );
    assert_eq!(venue.holds(&carol), (-1_000, 55_000_000, 0));
    // An order that reserved for $155 alone does not carry it, and stays.
    let mut venue = Venue::open();
    let erin = venue.trader(1_000);
    let buyer = venue.trader(1_000);
    venue.place(&erin, ask(START, 1_000), &[]);
    venue.wait(30);
    venue.quote(|quote| (quote.ticks, quote.ema_ticks) = (START, 251_000));
    let bob = venue.bob.clone();
    for _ in 0..2 {
        let event = venue.place(&bob, ioc(bid(START, 1_000)), &[&erin]);
        assert_eq!((event.filled_lots, event.removed.len()), (0, 0));
        venue.wait(5);
        venue.quote(|quote| (quote.ticks, quote.ema_ticks) = (START, 251_000));
    }
    assert_eq!(venue.resting(OrderSide::Ask), [(START, 1_000)]);
    // Near the average it trades.
    venue.price(START);
    let event = venue.place(&buyer, ioc(bid(START, 1_000)), &[&erin]);
    assert_eq!(event.filled_lots, 1_000);
}

#[test]
pub fn no_trade_raises_open_interest_far_from_the_average() {
    let (mut venue, carol) = offered();
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    let buyer = venue.trader(1_000);
    let diverged = BallastError::PriceDiverged;
    venue.refuse(diverged, &buyer, ioc(bid(FAR, 1_000)), &[&carol]);
    refused(&mut venue.sandbox, diverged, |s| {
        s.block_trade(
            &market,
            &buyer,
            &carol,
            terms(100, FAR, 100 * USD, 100 * USD),
        )
    });
    // A position handed on needs its margin at the average as well.
    let handed = |margin| terms(-1_000, FAR, margin, 0);
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.block_trade(&market, &carol, &bob, handed(54_999_999))
    });
    let handed = handed(55_000_000);
    done(venue.sandbox.block_trade(&market, &carol, &bob, handed));
    assert_eq!(venue.position(&bob).lots, 1_000 - TEN);
    assert_eq!(venue.sandbox.market(&market).open_interest_lots, 10_000);
    venue.conserves();
    // Once such prices have lasted, it is a price like any other.
    for _ in 0..5 {
        venue.lasts(FAR);
    }
    venue.place(&buyer, ioc(bid(FAR, 1_000)), &[&carol]);
    assert_eq!(venue.sandbox.market(&market).open_interest_lots, 11_000);
}

#[test]
pub fn how_long_prices_must_last_is_a_parameter_with_bounds() {
    let mut config = quiet();
    config.risk.divergence_grace_seconds = 10;
    let mut venue = Venue::open_with(&config);
    venue.wait(30);
    assert_eq!(venue.lasts(FAR), 5);
    venue.wait(5);
    venue.far(FAR);
    done(venue.deleverage());
    for seconds in [9, 121] {
        let mut risk = config.risk;
        risk.divergence_grace_seconds = seconds;
        let market = venue.market.clone();
        refused(&mut venue.sandbox, BallastError::RiskOracle, |s| {
            s.set_market_risk(&market, risk)
        });
    }
}
