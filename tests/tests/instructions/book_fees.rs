//! Who pays for a fill and who gets it.

use ballast_sandbox::MarketConfig;
use ballast_state::events::OrderPlaced;

use crate::orders::{ask, bid, ioc, reducing};
use crate::support::{done, quiet, Venue, START, TEN, USD};

fn fees(taker_bps: u32, maker_bps: i32, insurance_bps: u32) -> MarketConfig {
    let mut config = quiet();
    config.risk.taker_fee_bps = taker_bps;
    config.risk.maker_fee_bps = maker_bps;
    config.risk.insurance_fee_share_bps = insurance_bps;
    config
}

/// Bob asks 1,000 lots at $200.010 and alice takes 333: $66.603330.
fn taken(config: &MarketConfig) -> (Venue, OrderPlaced) {
    let mut venue = Venue::with(config);
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START + 10, 1_000), &[]);
    let event = venue.place(&alice, ioc(bid(START + 10, 333)), &[&bob]);
    (venue, event)
}

/// Insurance and fees of the market.
fn booked(venue: &Venue) -> (u64, u64) {
    let market = venue.sandbox.market(&venue.market);
    (market.insurance.balance, market.fees_atoms)
}

#[test]
pub fn taker_and_maker_pay_rounded_up() {
    let (venue, event) = taken(&fees(5, 2, 2_000));
    let fill = event.fills[0];
    // 33,301.665 and 13,320.666.
    assert_eq!((fill.taker_fee, fill.maker_fee), (33_302, 13_321));
    assert_eq!(event.taker.unwrap().fee, 33_302);
    // A fifth, rounded down, goes to insurance.
    assert_eq!(booked(&venue), (9_324, 46_623 - 9_324));
    // The maker pays out of the share of its reserve: 333 of 1,000 lots of $10.000500 and 2 bps
    // of $200.010.
    let reserve = 10_000_500 + 40_002;
    assert_eq!(fill.maker_margin_after, 3_343_487 - 13_321);
    assert_eq!(venue.holds(&venue.bob).2, reserve - 3_343_487);
}

#[test]
pub fn a_rebate_is_rounded_down_and_goes_to_free_collateral() {
    let (venue, event) = taken(&fees(5, -2, 10_000));
    let fill = event.fills[0];
    assert_eq!((fill.taker_fee, fill.maker_fee), (33_302, -13_320));
    // Insurance gets all of the rest here.
    assert_eq!(booked(&venue), (19_982, 0));
    let free = 1_000_000_000 - 10_000_500 + 13_320;
    assert_eq!(venue.free(&venue.bob), free);
    assert_eq!(fill.maker_margin_after, 3_330_166);
}

#[test]
pub fn a_rebate_is_never_more_than_the_takers_fee() {
    let (venue, event) = taken(&fees(5, -5, 2_000));
    let fill = event.fills[0];
    assert_eq!((fill.taker_fee, fill.maker_fee), (33_302, -33_301));
    assert_eq!(booked(&venue), (0, 1));
    let (venue, event) = taken(&fees(0, 0, 2_000));
    assert_eq!((event.fills[0].taker_fee, event.fills[0].maker_fee), (0, 0));
    assert_eq!(booked(&venue), (0, 0));
}

#[test]
pub fn every_fill_is_rounded_by_itself() {
    let mut venue = Venue::with(&fees(5, 1, 0));
    let (alice, bob) = venue.two();
    let carol = venue.trader(100);
    // 2,199.99 atoms: 1.1 and 0.22.
    for maker in [&bob, &carol, &bob] {
        venue.place(maker, ask(199_999, 11), &[]);
    }
    let event = venue.place(&alice, ioc(bid(START, 33)), &[&bob, &carol]);
    for fill in &event.fills {
        assert_eq!((fill.taker_fee, fill.maker_fee), (1_100, 220));
    }
    assert_eq!(booked(&venue), (0, 3 * 1_320));
}

#[test]
pub fn a_maker_that_closes_pays_as_far_as_its_collateral_reaches() {
    // Bob closes a tenth of his short $10 above its entry, all that its margin is worth.
    for (left, paid) in [(1_000_000, 42_000), (41_999, 41_999), (0, 0)] {
        let mut venue = Venue::with(&fees(5, 2, 2_000));
        let (alice, bob) = venue.two();
        done(venue.trade(TEN, START, 100 * USD, 100 * USD));
        let free = venue.free(&bob).unsigned_abs();
        done(venue.sandbox.withdraw(&bob, free - left));
        venue.place(&bob, reducing(bid(210_000, 1_000)), &[]);
        let event = venue.place(&alice, ioc(ask(START, 1_000)), &[&bob]);
        assert_eq!(event.fills[0].maker_fee, paid);
        assert_eq!(venue.free(&bob), left.cast_signed() - paid);
        assert_eq!(venue.slot(&bob).margin, 90_000_000);
    }
}
