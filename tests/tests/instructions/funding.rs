//! Accruing funding, and paying it.

use ballast::error::BallastError;
use ballast_sandbox::MarketConfig;

use crate::event;
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
    for _ in 0..60 {
        often.sandbox.advance_seconds(60);
        often.price(START);
        done(often.sandbox.accrue_funding(&often.market));
    }
    for venue in [&once, &often] {
        let funding = venue.sandbox.market(&venue.market).funding;
        assert_eq!((funding.index, funding.carry), (2, 1_440_000_000));
        venue.conserves();
    }
}

#[test]
pub fn longs_pay_shorts_exactly() {
    let mut venue = Venue::open_with(&MarketConfig::sol());
    venue.sandbox.advance_seconds(36_000);
    venue.price(START);
    done(venue.sandbox.accrue_funding(&venue.market));
    assert_eq!(venue.sandbox.market(&venue.market).funding.index, 24);
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
    assert_eq!((funding.index, funding.carry), (-3, 2_160_000_000));
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
    venue.quote(|quote| quote.conf_ticks = 4_001);
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
    assert_eq!(venue.sandbox.market(&venue.market).funding.index, 2);
    // Who opens now owes nothing of it.
    done(venue.trade(TEN, START, 100 * USD, 100 * USD));
    assert_eq!(venue.position(&venue.alice).funding_index, 2);
    assert_eq!(venue.position(&venue.alice).margin, 100_000_000);
    venue.conserves();
}
