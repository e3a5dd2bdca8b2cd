//! Accruing funding, and paying it.

use ballast_client::funding;
use ballast_client::instructions::admin;
use ballast_client::moment::Moment;
use ballast_engine::funding::FundingRates;
use ballast_engine::funding::FundingState;
use ballast_sandbox::MarketConfig;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::staged::Change;

use crate::event;
use crate::orders::limit;
use crate::support::{done, refused, Venue, START, TEN, USD};

#[test]
pub fn funding_accrues_to_the_atom_however_often() {
    let mut once = Venue::open_with(&MarketConfig::sol());
    let mut often = Venue::open_with(&MarketConfig::sol());
    // 12 ppm an hour of 200,000 atoms: 2.4 atoms a lot.
    once.sandbox.advance_seconds(3_600);
    once.price(START);
    let outcome = done(once.sandbox.accrue_funding(&once.market));
    let event = event!(outcome, FundingAccrued);
    assert_eq!(
        (event.index_before, event.index_after, event.mark_ticks),
        (0, 2, START)
    );
    assert_eq!(event.accrued_until, once.sandbox.time());
    assert_eq!((event.rate_ppm, event.sample_ppm), (12, 12));
    for _ in 0..60 {
        often.sandbox.advance_seconds(60);
        often.price(START);
        done(often.sandbox.accrue_funding(&often.market));
    }
    for venue in [&once, &often] {
        let funding = venue.sandbox.market(&venue.market).funding;
        assert_eq!((funding.index.get(), funding.carry), (2, 1_440_000_000));
        venue.conserves();
    }
}

#[test]
pub fn longs_pay_shorts_exactly() {
    let mut venue = Venue::open_with(&MarketConfig::sol());
    venue.sandbox.advance_seconds(36_000);
    venue.price(START);
    done(venue.sandbox.accrue_funding(&venue.market));
    assert_eq!(venue.sandbox.market(&venue.market).funding.index.get(), 24);
    // Nobody has paid yet; a trade settles it.
    assert_eq!(venue.position(&venue.alice).margin, 100_000_000);
    let outcome = done(venue.trade(-5_000, START, 0, 0));
    let event = event!(outcome, BlockTraded);
    assert_eq!(
        (event.taker.margin_before, event.maker.margin_before),
        (99_760_000, 500_240_000)
    );
    assert_eq!(venue.position(&venue.alice).funding_index, 24);
    venue.conserves();
    done(venue.trade(-5_000, START, 0, 0));
    // 24 atoms of each of 10,000 lots changed hands.
    let fees = 1_000_000 + 500_000 + 500_000;
    assert_eq!(venue.free(&venue.alice), 1_000_000_000 - 240_000 - fees);
    assert_eq!(venue.free(&venue.bob), 1_000_240_000);
    venue.conserves();
}

#[test]
pub fn a_negative_rate_pays_longs() {
    let mut config = MarketConfig::sol();
    config.risk.funding_rate_ppm_per_hour = -12;
    let mut venue = Venue::open_with(&config);
    venue.sandbox.advance_seconds(3_600);
    venue.price(START);
    done(venue.sandbox.accrue_funding(&venue.market));
    // -2.4 rounds down to -3, with 0.6 carried.
    let funding = venue.sandbox.market(&venue.market).funding;
    assert_eq!((funding.index.get(), funding.carry), (-3, 2_160_000_000));
    venue.conserves();
}

#[test]
pub fn an_unfit_price_accrues_nothing() {
    let mut venue = Venue::open_with(&MarketConfig::sol());
    venue.sandbox.advance_seconds(60);
    refused(&mut venue.sandbox, BallastError::PriceStale, |s| {
        s.accrue_funding(&venue.market)
    });
    venue.quote(|quote| quote.publish_time += 31);
    refused(&mut venue.sandbox, BallastError::PriceFromFuture, |s| {
        s.accrue_funding(&venue.market)
    });
    venue.quote(|quote| quote.conf_ticks = 4_002);
    refused(&mut venue.sandbox, BallastError::PriceWideConfidence, |s| {
        s.accrue_funding(&venue.market)
    });
    venue.quote(|quote| quote.publish_time -= 61);
    refused(&mut venue.sandbox, BallastError::PriceOlder, |s| {
        s.accrue_funding(&venue.market)
    });
    // A price far from its average is good enough.
    venue.quote(|quote| quote.ema_ticks = 100_000);
    done(venue.sandbox.accrue_funding(&venue.market));
}

#[test]
pub fn a_market_without_positions_accrues_too() {
    let mut venue = Venue::with(&MarketConfig::sol());
    done(venue.sandbox.accrue_funding(&venue.market));
    venue.sandbox.advance_seconds(3_600);
    venue.price(START);
    done(venue.sandbox.accrue_funding(&venue.market));
    assert_eq!(venue.sandbox.market(&venue.market).funding.index.get(), 2);
    // Who opens now owes nothing of it.
    done(venue.trade(TEN, START, 100 * USD, 100 * USD));
    assert_eq!(venue.position(&venue.alice).funding_index, 2);
    assert_eq!(venue.position(&venue.alice).margin, 100_000_000);
    venue.conserves();
}

/// 12 ppm an hour and the premium of a book averaged to $100.
fn with_premium() -> MarketConfig {
    let mut config = MarketConfig::sol();
    config.risk.impact_notional_atoms = 100 * USD;
    config
}

/// Open positions, at the start of an hour, and a book around $200.10.
fn with_a_book(config: &MarketConfig) -> Venue {
    let mut venue = Venue::open_with(config);
    let into = venue.sandbox.time().unsigned_abs() % 3_600;
    wait(&mut venue, 3_600 - into);
    rest(&mut venue);
    venue
}

/// Lets half a SOL be bid at $200 and offered at $200.20, 500 ppm above the price on average.
fn rest(venue: &mut Venue) {
    for (side, price) in [(OrderSide::Bid, START), (OrderSide::Ask, START + 200)] {
        let (market, bob) = (venue.market.clone(), venue.bob.clone());
        let args = limit(side, price, 500);
        done(venue.sandbox.place_order(&market, &bob, args, &[]));
    }
}

fn wait(venue: &mut Venue, seconds: u64) {
    venue.sandbox.advance_seconds(seconds);
    venue.price(START);
}

fn ledger(venue: &Venue) -> FundingState {
    venue.sandbox.market(&venue.market).funding
}

#[test]
pub fn an_hour_pays_the_premium_of_the_hour_before() {
    let mut venue = with_a_book(&with_premium());
    let funding = ledger(&venue);
    assert_eq!((funding.impact_bid, funding.impact_ask), (200_000, 200_200));
    wait(&mut venue, 3_600);
    let outcome = done(venue.sandbox.accrue_funding(&venue.market));
    let event = event!(outcome, FundingAccrued);
    assert_eq!((event.index_before, event.index_after), (0, 0));
    assert_eq!((event.rate_ppm, event.sample_ppm), (512, 512));
    // Half of the next hour with the book, half without.
    wait(&mut venue, 1_800);
    let moment = Moment {
        slot: 0,
        unix_timestamp: venue.sandbox.time(),
        price_ticks: START,
    };
    let foreseen = venue.sandbox.market(&venue.market);
    let rates = funding::rates_at(&foreseen, &moment).unwrap();
    assert_eq!(
        rates,
        FundingRates {
            current_ppm: 512,
            sample_ppm: 512,
            next_ppm: 512,
        }
    );
    let foreseen = funding::state_at(&foreseen, &moment).unwrap();
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    done(venue.sandbox.cancel_all_orders(&market, &bob, None));
    assert_eq!(foreseen.index, ledger(&venue).index);
    wait(&mut venue, 1_800);
    let outcome = done(venue.sandbox.accrue_funding(&venue.market));
    let event = event!(outcome, FundingAccrued);
    // 512 ppm of 200,000 atoms are 102.4 atoms.
    assert_eq!((event.index_before, event.index_after), (51, 102));
    assert_eq!((event.rate_ppm, event.sample_ppm), (256, 0));
    venue.conserves();
}

#[test]
pub fn orders_that_stand_no_time_leave_no_trace_in_funding() {
    let mut venue = Venue::open_with(&with_premium());
    wait(&mut venue, 60);
    done(venue.sandbox.accrue_funding(&venue.market));
    let before = ledger(&venue);
    rest(&mut venue);
    assert_ne!(ledger(&venue), before);
    done(venue.sandbox.accrue_funding(&venue.market));
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    done(venue.sandbox.cancel_all_orders(&market, &bob, None));
    assert_eq!(ledger(&venue), before);
}

#[test]
pub fn another_impact_notional_averages_the_book_anew() {
    let mut venue = with_a_book(&MarketConfig::sol());
    let impact = |venue: &Venue| (ledger(venue).impact_bid, ledger(venue).impact_ask);
    assert_eq!(impact(&venue), (0, 0));
    let mut risk = venue.market.config.risk;
    for (notional, expected) in [
        (100 * USD, (200_000, 200_200)),
        // The asks alone are as deep as that.
        (100 * USD + 1, (0, 200_200)),
        (101 * USD, (0, 0)),
        (50 * USD, (200_000, 200_200)),
        (0, (0, 0)),
    ] {
        risk.impact_notional_atoms = notional;
        done(venue.sandbox.set_market_risk(&venue.market, risk));
        assert_eq!(impact(&venue), expected, "{notional}");
    }
    let mut keys = venue.market.keys;
    keys.book = keys.queue_long;
    let change = Change::Risk(risk);
    let staged = venue.sandbox.stage(change, Some(&venue.market)).unwrap();
    refused(&mut venue.sandbox, BallastError::WrongBook, |s| {
        let apply = admin::ApplyMarketChange { keys, staged };
        s.send(&[apply.instruction()], &[])
    });
}
