//! Funding by the premium of the book over the oracle.

use ballast_client::instructions::{anyone, orders};
use ballast_engine::funding::FundingState;
use ballast_sandbox::{MarketConfig, Sandbox, TraderCookie, TxResult};
use ballast_state::events::BallastEvent;
use ballast_state::events::FundingAccrued;
use ballast_state::exchange::{PAUSE_OPEN, PAUSE_TRADE};
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::staged::Change;

use crate::event;
use crate::orders::{ask, bid, ioc};
use crate::support::{done, quiet, Venue, START, TEN, USD};

const HOUR: u64 = 3_600;

/// Base rate of 100 ppm, at most 2,000 either way, sampled at $100.
fn sampled() -> MarketConfig {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 100;
    config.risk.impact_notional_atoms = 100 * USD;
    config.risk.max_funding_rate_ppm = 2_000;
    config
}

/// The open venue in the middle of an hour, with a trader for the book.
fn at_half_past() -> (Venue, TraderCookie) {
    let mut venue = Venue::open_with(&sampled());
    assert_eq!(venue.sandbox.time() % 3_600, 1_800);
    let carol = venue.trader(1_000);
    (venue, carol)
}

fn quote(venue: &mut Venue, trader: &TraderCookie, orders: &[PlaceOrderArgs]) {
    for order in orders {
        venue.place(trader, *order, &[]);
    }
}

fn funding(venue: &Venue) -> FundingState {
    venue.sandbox.market(&venue.market).funding
}

/// Waits so many seconds and accrues at $200.
#[track_caller]
fn after(venue: &mut Venue, seconds: u64) -> FundingAccrued {
    venue.sandbox.advance_seconds(seconds);
    venue.price(START);
    let outcome = done(venue.sandbox.accrue_funding(&venue.market));
    venue.sound();
    event!(outcome, FundingAccrued)
}

#[test]
pub fn longs_pay_in_the_hour_after_the_book_was_above_the_oracle() {
    let (mut venue, carol) = at_half_past();
    // The middle is $200.200: 1,000 ppm above, and 100 of base.
    quote(
        &mut venue,
        &carol,
        &[bid(200_100, 1_000), ask(200_300, 1_000)],
    );
    let event = after(&mut venue, HOUR / 2);
    // The half hour of 1,100 is half of the next hour's rate; this one paid nothing.
    assert_eq!(
        (event.index_after, event.rate_ppm, event.sample_ppm),
        (0, 550, 1_100)
    );
    let event = after(&mut venue, HOUR);
    // 550 millionths of 200,000 atoms a lot.
    assert_eq!((event.index_after, event.rate_ppm), (110, 1_100));
    done(venue.sandbox.cancel_all_orders(&venue.market, &carol, None));
    let event = after(&mut venue, HOUR);
    assert_eq!(
        (event.index_after, event.rate_ppm, event.sample_ppm),
        (330, 0, 0)
    );
    assert_eq!(after(&mut venue, HOUR).index_after, 330);
    // Alice's 10,000 lots pay bob's, to the atom.
    let event = event!(done(venue.trade(-TEN, START, 0, 0)), BlockTraded);
    assert_eq!(
        (event.taker.margin_before, event.maker.margin_before),
        (100_000_000 - 3_300_000, 500_000_000 + 3_300_000)
    );
    venue.conserves();
}

#[test]
pub fn shorts_pay_for_a_book_below_the_oracle() {
    let (mut venue, carol) = at_half_past();
    // 1,000 ppm below, less the base.
    quote(
        &mut venue,
        &carol,
        &[bid(199_700, 1_000), ask(199_900, 1_000)],
    );
    let event = after(&mut venue, HOUR / 2);
    assert_eq!((event.rate_ppm, event.sample_ppm), (-450, -900));
    let event = after(&mut venue, HOUR);
    assert_eq!((event.index_after, event.rate_ppm), (-90, -900));
}

#[test]
pub fn the_rate_has_a_limit_and_rounds_towards_zero() {
    // Bid, ask, sample.
    for (bought, sold, sample) in [
        (201_000, 201_100, 2_000),
        (198_000, 198_100, -2_000),
        // 4.5 thousandths of a percent up and down: 22.5 ppm.
        (199_999, 200_010, 122),
        (199_990, 200_001, 78),
    ] {
        let (mut venue, carol) = at_half_past();
        quote(&mut venue, &carol, &[bid(bought, 1_000), ask(sold, 1_000)]);
        assert_eq!(after(&mut venue, 2).sample_ppm, sample);
    }
}

#[test]
pub fn the_impact_price_is_the_average_of_the_notional() {
    let (mut venue, carol) = at_half_past();
    quote(
        &mut venue,
        &carol,
        &[
            bid(200_200, 300),
            bid(200_000, 1_000),
            ask(200_400, 300),
            ask(200_600, 1_000),
        ],
    );
    // $60.06 and 200 lots at $200; $60.12 and 199 lots at $200.600, rounded up.
    let ledger = funding(&venue);
    assert_eq!((ledger.impact_bid, ledger.impact_ask), (200_120, 200_480));
    // Taking the first bid moves it.
    let bob = venue.bob.clone();
    venue.place(&bob, ioc(ask(200_200, 300)), &[&carol]);
    let ledger = funding(&venue);
    assert_eq!((ledger.impact_bid, ledger.impact_ask), (200_000, 200_480));
}

#[test]
pub fn a_thin_or_one_sided_book_pays_nothing_at_all() {
    let books: [&[PlaceOrderArgs]; 4] = [
        &[],
        &[bid(205_000, 1_000)],
        &[ask(205_000, 1_000)],
        // One lot short of $100.
        &[bid(START, 499), ask(205_000, 1_000)],
    ];
    for book in books {
        let (mut venue, carol) = at_half_past();
        quote(&mut venue, &carol, book);
        after(&mut venue, HOUR / 2);
        for _ in 0..3 {
            let event = after(&mut venue, HOUR);
            assert_eq!((event.rate_ppm, event.sample_ppm), (0, 0));
            assert_eq!(event.index_after, 0);
        }
    }
    let (mut venue, carol) = at_half_past();
    quote(&mut venue, &carol, &[bid(START, 500), ask(205_000, 1_000)]);
    assert_eq!(after(&mut venue, HOUR / 2).sample_ppm, 2_000);
}

#[test]
pub fn accruing_more_often_changes_nothing() {
    let (mut venue, carol) = at_half_past();
    quote(
        &mut venue,
        &carol,
        &[bid(200_110, 1_000), ask(200_333, 1_000)],
    );
    let mut often = Venue {
        sandbox: venue.sandbox.fork(),
        market: venue.market.clone(),
        alice: venue.alice.clone(),
        bob: venue.bob.clone(),
    };
    // Three hours and ten minutes over four hours of the clock.
    let seconds = 3 * HOUR + 600;
    for part in [HOUR, HOUR, HOUR, 600] {
        after(&mut venue, part);
    }
    for _ in 0..seconds / 60 {
        after(&mut often, 60);
    }
    let (once, many) = (funding(&venue), funding(&often));
    assert_eq!(bytemuck::bytes_of(&once), bytemuck::bytes_of(&many));
    // 443 in 400,000, rounded down, and the base.
    assert_eq!(once.rate_ppm, 1_207);
    assert!(once.index.get() > 0 && once.rate_sum > 0);
}

#[test]
pub fn an_order_of_a_moment_counts_for_nothing() {
    let (mut venue, carol) = at_half_past();
    quote(
        &mut venue,
        &carol,
        &[bid(199_900, 1_000), ask(200_100, 1_000)],
    );
    let mut calm = Venue {
        sandbox: venue.sandbox.fork(),
        market: venue.market.clone(),
        alice: venue.alice.clone(),
        bob: venue.bob.clone(),
    };
    let (keys, alice) = (venue.market.keys, venue.alice.clone());
    let signs = alice.wallet.address();
    // Alice, who is long, pushes the middle down for the moment of one transaction, twice within
    // every second in which anything happens.
    let flash = ask(199_901, 2_000);
    let call = [
        orders::PlaceOrder {
            authority: signs,
            keys,
            trader: alice.address,
            args: flash,
            makers: &[],
        }
        .instruction(),
        anyone::AccrueFunding { keys }.instruction(),
        orders::CancelAllOrders {
            authority: signs,
            keys,
            trader: alice.address,
            side: None,
        }
        .instruction(),
        anyone::AccrueFunding { keys }.instruction(),
    ];
    for _ in 0..45 {
        for _ in 0..2 {
            let outcome = done(venue.sandbox.send(&call, &[&alice.wallet.keypair]));
            let samples: Vec<i32> = outcome.events.iter().filter_map(sample).collect();
            // While the order stands the sample is another one.
            assert_eq!(samples, [-397, 100]);
        }
        after(&mut venue, 40);
        after(&mut calm, 40);
    }
    assert_eq!(venue.sandbox.time() % 3_600, 0);
    let (flashed, quiet) = (funding(&venue), funding(&calm));
    assert_eq!(bytemuck::bytes_of(&flashed), bytemuck::bytes_of(&quiet));
    assert_eq!(flashed.rate_ppm, 50);
}

fn sample(event: &BallastEvent) -> Option<i32> {
    match event {
        BallastEvent::FundingAccrued(event) => Some(event.sample_ppm),
        _ => None,
    }
}

#[test]
pub fn a_sample_counts_for_the_seconds_it_stood() {
    let (mut venue, carol) = at_half_past();
    quote(
        &mut venue,
        &carol,
        &[bid(199_900, 1_000), ask(200_100, 1_000)],
    );
    // A quarter of the hour at 100; then a bid at $200.090 lifts the middle by 475 ppm.
    after(&mut venue, HOUR / 4);
    let alice = venue.alice.clone();
    venue.place(&alice, bid(200_090, 1_000), &[]);
    assert_eq!(after(&mut venue, 2).sample_ppm, 575);
    after(&mut venue, 358);
    done(venue.sandbox.cancel_all_orders(&venue.market, &alice, None));
    let event = after(&mut venue, HOUR / 4 - 360);
    // (1,440 * 100 + 360 * 575) / 3,600.
    assert_eq!((event.rate_ppm, event.sample_ppm), (97, 100));
}

#[test]
pub fn without_an_impact_notional_the_base_rate_alone_applies() {
    let mut config = sampled();
    config.risk.impact_notional_atoms = 0;
    let mut venue = Venue::open_with(&config);
    let carol = venue.trader(1_000);
    quote(
        &mut venue,
        &carol,
        &[bid(205_000, 1_000), ask(206_000, 1_000)],
    );
    let event = after(&mut venue, HOUR);
    assert_eq!(
        (event.index_after, event.rate_ppm, event.sample_ppm),
        (20, 100, 100)
    );
}

/// Who calls at the moment a price changes cannot choose whether the time before is charged at the
/// price that stood or at the new one.
#[test]
pub fn what_has_passed_is_charged_at_the_price_that_stood() {
    let after_a_fall = |touched_just_before: bool| {
        let (mut venue, carol) = at_half_past();
        quote(
            &mut venue,
            &carol,
            &[bid(200_100, 1_000), ask(200_300, 1_000)],
        );
        venue.sandbox.advance_seconds(1_198);
        if touched_just_before {
            venue.price(START);
            done(venue.sandbox.accrue_funding(&venue.market));
        }
        venue.sandbox.advance_seconds(2);
        venue.price(199_900);
        done(venue.sandbox.accrue_funding(&venue.market));
        venue.sound();
        funding(&venue)
    };
    let watched = after_a_fall(true);
    assert_eq!(watched, after_a_fall(false));
    // 1,200 seconds of 1,100 ppm: a book $0.200 above $200, and the base.
    assert_eq!(watched.rate_sum, 1_200 * 1_100);
}

#[test]
pub fn one_sample_was_charged_for_a_whole_halt() {
    let (mut venue, carol) = at_half_past();
    // 1,100 ppm.
    quote(
        &mut venue,
        &carol,
        &[bid(200_100, 1_000), ask(200_300, 1_000)],
    );
    // Two days later the hour of that sample has been paid, half in the next hour and half in the
    // one after, and nothing else.
    let event = after(&mut venue, 48 * HOUR);
    assert_eq!((event.index_after, event.rate_ppm), (220, 0));
    assert_eq!(funding(&venue).rate_sum, 0);
    // From now on the book is looked at again.
    let event = after(&mut venue, HOUR / 2);
    assert_eq!((event.index_after, event.rate_ppm), (220, 550));
}

#[test]
pub fn a_premium_was_charged_while_nobody_could_trade() {
    // Nor against a book that nobody may open against: a guardian's own would pay it a day long.
    for flag in [PAUSE_TRADE, PAUSE_OPEN] {
        no_premium_under(flag, &|s, flags| s.set_pause(flags));
    }
    // Nor under the longer pause.
    no_premium_under(PAUSE_OPEN, &|s, flags| {
        let slots = if flags == 0 { 0 } else { 1_000_000 };
        s.change(Change::Pause { flags, slots }, None)
    });
}

type Pausing<'a> = &'a dyn Fn(&mut Sandbox, u32) -> TxResult;

fn no_premium_under(flag: u32, pause: Pausing<'_>) {
    let (mut venue, carol) = at_half_past();
    quote(
        &mut venue,
        &carol,
        &[bid(200_100, 1_000), ask(200_300, 1_000)],
    );
    done(pause(&mut venue.sandbox, flag));
    // The base rate alone.
    let event = after(&mut venue, HOUR / 2);
    assert_eq!(
        (event.index_after, event.rate_ppm, event.sample_ppm),
        (0, 50, 100)
    );
    // Cancelling is not paused, and knows.
    venue.sandbox.advance_seconds(HOUR / 2);
    done(venue.sandbox.cancel_all_orders(&venue.market, &carol, None));
    quote_again(&mut venue, &carol, flag, pause);
    let event = after(&mut venue, HOUR / 2);
    assert_eq!(event.index_after, 10);
    // What has passed when somebody finds it resumed has none either.
    done(pause(&mut venue.sandbox, 0));
    let event = after(&mut venue, HOUR);
    assert_eq!((event.rate_ppm, event.sample_ppm), (100, 1_100));
    let event = after(&mut venue, HOUR);
    assert_eq!(event.rate_ppm, 1_100);
    venue.conserves();
}

/// Trading is resumed for as long as it takes to place the orders again.
fn quote_again(venue: &mut Venue, carol: &TraderCookie, flag: u32, pause: Pausing<'_>) {
    done(pause(&mut venue.sandbox, 0));
    venue.price(START);
    quote(venue, carol, &[bid(200_100, 1_000), ask(200_300, 1_000)]);
    done(pause(&mut venue.sandbox, flag));
}
