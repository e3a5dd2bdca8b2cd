//! What an order reserves, and what its fills make of both parties, to the atom.

use ballast_sandbox::TraderCookie;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};

use crate::orders::{ask, bid, ioc, of_kind};
use crate::support::{done, quiet, refused, Venue, START, TEN, USD};

/// A market whose maker's fee is 2 basis points, with the price within $1.
fn unsure() -> Venue {
    let mut config = quiet();
    config.risk.maker_fee_bps = 2;
    let mut venue = Venue::with(&config);
    venue.quote(|quote| quote.conf_ticks = 1_000);
    venue
}

/// A trader with so many atoms.
fn with(venue: &mut Venue, atoms: u64) -> TraderCookie {
    venue.sandbox.create_trader(atoms).unwrap()
}

#[test]
pub fn an_order_reserves_what_its_position_would_need_at_once() {
    let rows = [
        // Above the mark: 5% of $205, $6 down to $199, 2 bps of $205.
        (bid(205_000, 1_000), 10_250_000 + 6_000_000 + 41_000),
        // Between the worse mark and the mark: 5% at the mark, 50 cents.
        (bid(199_500, 1_000), 10_000_000 + 500_000 + 39_900),
        // Below: no loss.
        (bid(191_000, 1_000), 10_000_000 + 38_200),
        // Asks at 5% of at least $201.
        (ask(195_000, 1_000), 10_050_000 + 6_000_000 + 39_000),
        (ask(200_500, 1_000), 10_050_000 + 500_000 + 40_100),
        (ask(209_000, 1_000), 10_450_000 + 41_800),
        // Everything rounds up: 110,001.65, 11,033, 440.0066.
        (bid(200_003, 11), 110_002 + 11_033 + 441),
    ];
    for (args, reserve) in rows {
        let mut venue = unsure();
        let poor = with(&mut venue, reserve - 1);
        venue.refuse(BallastError::InsufficientCollateral, &poor, args, &[]);
        let trader = with(&mut venue, reserve);
        let event = venue.place(&trader, args, &[]);
        assert_eq!(event.reserved_atoms, reserve);
        assert_eq!(venue.holds(&trader), (0, 0, reserve));
        assert_eq!(venue.free(&trader), 0);
        let post = of_kind(OrderKind::PostOnly, args);
        let trader = with(&mut venue, reserve);
        assert_eq!(venue.place(&trader, post, &[]).reserved_atoms, reserve);
    }
}

#[test]
pub fn a_rebate_is_not_counted_on() {
    let mut config = quiet();
    config.risk.maker_fee_bps = -2;
    let mut venue = Venue::with(&config);
    let bob = venue.bob.clone();
    let event = venue.place(&bob, bid(START, 1_000), &[]);
    assert_eq!(event.reserved_atoms, 10 * USD);
}

#[test]
pub fn the_margin_argument_is_the_least_that_goes_behind_the_order() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 400), &[]);
    let args = PlaceOrderArgs {
        margin: 50_000_001,
        ..bid(START, 1_000)
    };
    let event = venue.place(&alice, args, &[&bob]);
    // Four tenths go behind the position, rounded down; the rest waits.
    assert_eq!(event.taker.unwrap().margin_added, 20_000_000);
    assert_eq!(event.reserved_atoms, 30_000_001);
    assert_eq!(venue.free(&alice), 950_000_000 - 1 - 40_000);
    // A sixth of the reserve for a sixth of the order, rounded down.
    venue.place(&bob, ask(START, 100), &[&alice]);
    assert_eq!(venue.holds(&alice), (500, 25_000_000, 25_000_001));
    venue.place(&bob, ask(START, 500), &[&alice]);
    assert_eq!(venue.holds(&alice), (1_000, 50_000_001, 0));
    // Less than what is needed is no less.
    let args = PlaceOrderArgs {
        margin: 1,
        ..bid(START, 1_000)
    };
    assert_eq!(venue.place(&alice, args, &[]).reserved_atoms, 10 * USD);
    for margin in [1_000 * USD, u64::MAX / 2] {
        let args = PlaceOrderArgs {
            margin,
            ..bid(START, 1_000)
        };
        venue.refuse(BallastError::InsufficientCollateral, &alice, args, &[]);
    }
    let args = PlaceOrderArgs {
        margin: u64::MAX,
        ..bid(START, 1_000)
    };
    venue.refuse(BallastError::Overflow, &alice, args, &[]);
}

#[test]
pub fn a_taker_ends_with_initial_margin_at_the_worse_mark() {
    // 1 SOL: 5% of $200 and $1 of possible loss; of $201 for a seller.
    let rows = [
        (bid(START, 1_000), ask(START, 1_000), 11_000_000),
        (ask(START, 1_000), bid(START, 1_000), 11_050_000),
        // Bought $2 above the mark.
        (bid(202_000, 1_000), ask(202_000, 1_000), 13_000_000),
    ];
    for (taking, waiting, margin) in rows {
        let mut venue = Venue::new();
        venue.quote(|quote| quote.conf_ticks = 1_000);
        let bob = venue.bob.clone();
        venue.place(&bob, waiting, &[]);
        let fee = waiting.price_ticks / 2;
        let poor = with(&mut venue, margin + fee - 1);
        let short = BallastError::InsufficientCollateral;
        venue.refuse(short, &poor, ioc(taking), &[&bob]);
        let taker = with(&mut venue, margin + fee);
        let event = venue.place(&taker, ioc(taking), &[&bob]);
        let party = event.taker.unwrap();
        assert_eq!((party.margin_added, party.fee), (margin, fee.cast_signed()));
        assert_eq!(venue.free(&taker), 0);
    }
}

#[test]
pub fn margin_a_position_has_already_counts() {
    // Alice has $100 behind $2,000 and adds $1,000: $150 needed.
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 5_000), &[]);
    let mut fork = venue.sandbox.fork();
    let event = venue.place(&alice, ioc(bid(START, 5_000)), &[&bob]);
    assert_eq!(event.taker.unwrap().margin_added, 50_000_000);
    // With $80 more there is nothing to add.
    fork.add_margin(&venue.market, &alice, 80 * USD).unwrap();
    venue.sandbox = fork;
    let event = venue.place(&alice, ioc(bid(START, 5_000)), &[&bob]);
    assert_eq!(event.taker.unwrap().margin_added, 0);
}

#[test]
pub fn both_parties_of_a_fill_may_change_sides() {
    // Alice is long and bob short 10 SOL with $100 and $500; she sells him 15.
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&bob, bid(START, 15_000), &[]);
    assert_eq!(venue.holds(&bob), (-TEN, 500_000_000, 150 * USD));
    let event = venue.place(&alice, ioc(ask(START, 15_000)), &[&bob]);
    assert_eq!(event.open_interest_after, 5_000);
    let party = event.taker.unwrap();
    assert_eq!((party.lots_before, party.lots_after), (TEN, -5_000));
    assert_eq!(
        (party.released, party.realized, party.margin_added),
        (100_000_000, 0, 50_000_000)
    );
    assert_eq!(venue.holds(&alice), (-5_000, 50_000_000, 0));
    assert_eq!(
        venue.free(&alice),
        899_000_000 + 100_000_000 - 50_000_000 - 1_500_000
    );
    // All of the reserve is behind what he has now, all of his margin is free.
    assert_eq!(venue.holds(&bob), (5_000, 150_000_000, 0));
    assert_eq!(venue.free(&bob), 850_000_000);
    let fill = event.fills[0];
    assert_eq!(
        (fill.maker_lots_after, fill.maker_margin_after),
        (5_000, 150_000_000)
    );
}

#[test]
pub fn a_fill_that_only_reduces_moves_no_margin_in() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    // Bob's bid reserves $20 and comes back to him; a fifth of his margin is free.
    venue.place(&bob, bid(START, 2_000), &[]);
    let event = venue.place(&alice, ioc(ask(START, 2_000)), &[&bob]);
    let party = event.taker.unwrap();
    assert_eq!((party.margin_added, party.released), (0, 20_000_000));
    assert_eq!(venue.holds(&alice), (8_000, 80_000_000, 0));
    assert_eq!(venue.holds(&bob), (-8_000, 400_000_000, 0));
    assert_eq!(venue.free(&alice), 899_000_000 + 20_000_000 - 200_000);
    assert_eq!(venue.free(&bob), 600_000_000);
    assert_eq!(event.open_interest_after, 8_000);
    // Closing in full frees both slots.
    venue.place(&bob, bid(START, 8_000), &[]);
    venue.place(&alice, ioc(ask(START, 8_000)), &[&bob]);
    for trader in [&alice, &bob] {
        let slot = venue.sandbox.position(&venue.market, &trader.address);
        assert!(slot.is_none());
    }
    assert_eq!(venue.free(&bob), 1_000_000_000);
    assert_eq!(venue.free(&alice), 1_000_000_000 - 2_000_000);
}

#[test]
pub fn a_taker_that_closes_pays_its_fee_as_far_as_the_close_leaves() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&bob, bid(190_000, 10_000), &[]);
    let free = venue.free(&alice).unsigned_abs();
    // At $190 her margin is gone; of the fee of 95 cents an atom is missing.
    venue.sandbox.withdraw(&alice, free - 949_999).unwrap();
    let close = ioc(ask(190_000, 10_000));
    let event = venue.place(&alice, close, &[&bob]);
    assert_eq!(event.taker.unwrap().fee, 949_999);
    assert_eq!(venue.free(&alice), 0);
}

#[test]
pub fn funding_is_paid_before_an_order_trades() {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 100;
    config.risk.impact_notional_atoms = 0;
    let mut venue = Venue::open_with(&config);
    let (alice, bob) = venue.two();
    venue.place(&bob, bid(START, 5_000), &[]);
    venue.sandbox.advance_seconds(3_600);
    venue.price(START);
    // 20 atoms a lot: $0.20 of each of them.
    let event = venue.place(&alice, ioc(ask(START, 5_000)), &[&bob]);
    assert_eq!(event.funding_index, 20);
    assert_eq!(event.taker.unwrap().margin_before, 99_800_000);
    assert_eq!(venue.slot(&bob).margin, 250_100_000);
    assert_eq!(venue.slot(&bob).funding_index, 20);
}

#[test]
pub fn a_loss_of_the_maker_comes_out_of_its_collateral() {
    // Bob closes half of his short $20 above his entry, at a mark far below.
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&bob, bid(210_000, 5_000), &[]);
    let before = venue.free(&bob);
    venue.place(&alice, ioc(ask(START, 5_000)), &[&bob]);
    // Half of his margin less $50 and the whole reserve.
    let reserve = 52_500_000 + 50_000_000;
    assert_eq!(
        venue.free(&bob),
        before + 250_000_000 - 50_000_000 + reserve
    );
    assert_eq!(venue.resting(OrderSide::Bid), []);
}

#[test]
pub fn who_opens_by_a_waiting_order_owes_nothing_of_the_past() {
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = 100;
    config.risk.impact_notional_atoms = 0;
    let mut venue = Venue::open_with(&config);
    let alice = venue.alice.clone();
    let carol = venue.trader(100);
    venue.place(&carol, bid(START, 1_000), &[]);
    venue.sandbox.advance_seconds(3_600);
    venue.price(START);
    venue.place(&alice, ioc(ask(START, 1_000)), &[&carol]);
    assert_eq!(venue.holds(&carol), (1_000, 10_000_000, 0));
    assert_eq!(venue.slot(&carol).funding_index, 20);
    // Nor a taker who opens at once.
    let dave = venue.trader(100);
    venue.place(&alice, ask(START, 1_000), &[]);
    venue.place(&dave, ioc(bid(START, 1_000)), &[&alice]);
    assert_eq!(venue.holds(&dave), (1_000, 10_000_000, 0));
    assert_eq!(venue.slot(&dave).funding_index, 20);
}

#[test]
pub fn what_an_order_reserves_is_not_withdrawn_or_reserved_again() {
    let mut venue = Venue::new();
    let poor = with(&mut venue, 10 * USD);
    venue.place(&poor, bid(START, 600), &[]);
    let short = BallastError::InsufficientCollateral;
    venue.refuse(short, &poor, ask(START + 1, 600), &[]);
    venue.refuse(short, &poor, bid(START, 401), &[]);
    let market = venue.market.clone();
    refused(&mut venue.sandbox, short, |s| {
        s.withdraw(&poor, 4 * USD + 1)
    });
    venue.place(&poor, bid(START, 400), &[]);
    assert_eq!(venue.free(&poor), 0);
    done(venue.sandbox.cancel_all_orders(&market, &poor, None));
    done(venue.sandbox.withdraw(&poor, 10 * USD));
}
