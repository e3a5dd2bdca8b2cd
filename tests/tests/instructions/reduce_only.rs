//! Reduce-only orders: cut to the position when they are placed and when they trade.

use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};

use crate::orders::{ask, bid, ioc, of_kind, reducing};
use crate::support::{done, Venue, START, TEN, USD};

#[test]
pub fn it_is_cut_to_the_position_and_reserves_nothing() {
    let mut venue = Venue::open();
    let alice = venue.alice.clone();
    let args = PlaceOrderArgs {
        margin: 500 * USD,
        ..reducing(ask(START + 1, 12_345))
    };
    let event = venue.place(&alice, args, &[]);
    assert_eq!((event.lots, event.resting_lots), (10_000, 10_000));
    assert!(event.reduce_only);
    assert_eq!(event.reserved_atoms, 0);
    assert_eq!(venue.holds(&alice), (TEN, 100_000_000, 0));
    assert_eq!(venue.free(&alice), 899_000_000);
    // The whole position waits; nothing is left for another.
    let more = reducing(ask(START + 1, 1));
    venue.refuse(BallastError::NothingToReduce, &alice, more, &[]);
    done(venue.sandbox.cancel_all_orders(&venue.market, &alice, None));
    // Smaller than the least position it may be.
    let small = venue.place(&alice, more, &[]);
    assert_eq!(small.resting_lots, 1);
}

#[test]
pub fn there_must_be_a_position_on_the_other_side() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    let carol = venue.trader(100);
    let nothing = BallastError::NothingToReduce;
    venue.refuse(nothing, &alice, reducing(bid(START, 10)), &[&bob]);
    venue.refuse(nothing, &bob, reducing(ask(START, 10)), &[&alice]);
    for args in [bid(START, 10), ask(START, 10)] {
        venue.refuse(nothing, &carol, reducing(args), &[&bob]);
    }
}

#[test]
pub fn a_taker_never_turns_its_position() {
    for kind in [
        OrderKind::Limit,
        OrderKind::ImmediateOrCancel,
        OrderKind::FillOrKill,
        OrderKind::Market,
    ] {
        let mut venue = Venue::open();
        let alice = venue.alice.clone();
        let carol = venue.trader(1_000);
        venue.place(&carol, bid(START, 15_000), &[]);
        let args = of_kind(kind, reducing(ask(START, 15_000)));
        let event = venue.place(&alice, args, &[&carol]);
        assert_eq!(
            (
                event.lots,
                event.filled_lots,
                event.resting_lots,
                event.dropped_lots
            ),
            (10_000, 10_000, 0, 0)
        );
        assert!(venue
            .sandbox
            .position(&venue.market, &alice.address)
            .is_none());
    }
}

#[test]
pub fn a_waiting_order_is_cut_again_when_it_trades() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    let carol = venue.trader(1_000);
    venue.place(&alice, reducing(ask(START, 10_000)), &[]);
    venue.place(&bob, ask(START, 2_000), &[]);
    done(venue.trade(-6_000, START, 0, 0));
    let event = venue.place(&carol, bid(START, 5_000), &[&alice, &bob]);
    // 4,000 were left of her position; the order is gone with it, without a fee.
    assert_eq!((event.fills.len(), event.removed.len()), (2, 0));
    let fill = event.fills[0];
    assert_eq!(
        (fill.maker, fill.lots, fill.order_left),
        (alice.address, 4_000, 0)
    );
    assert_eq!((fill.maker_lots_after, fill.maker_margin_after), (0, 0));
    assert_eq!(event.fills[1].lots, 1_000);
    assert!(venue
        .sandbox
        .position(&venue.market, &alice.address)
        .is_none());
    assert_eq!(venue.resting(OrderSide::Ask), [(START, 1_000)]);
    assert_eq!(venue.free(&alice), 1_000_000_000 - 1_000_000 - 600_000);
}

#[test]
pub fn of_two_orders_the_second_has_what_the_first_leaves() {
    let mut venue = Venue::open();
    let alice = venue.alice.clone();
    let carol = venue.trader(1_000);
    venue.place(&alice, reducing(ask(START, 7_000)), &[]);
    venue.place(&alice, reducing(ask(START, 7_000)), &[]);
    let event = venue.place(&carol, ioc(bid(START, 12_000)), &[&alice]);
    let lots: Vec<u64> = event.fills.iter().map(|fill| fill.lots).collect();
    assert_eq!(lots, [7_000, 3_000]);
    assert_eq!((event.removed.len(), event.dropped_lots), (0, 2_000));
    assert_eq!(venue.slot(&alice).order_count, 0);
}

#[test]
pub fn what_is_left_of_a_position_may_be_dust() {
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.place(&bob, reducing(bid(START, 9_995)), &[]);
    venue.place(&alice, ioc(reducing(ask(START, 9_995))), &[&bob]);
    assert_eq!((venue.slot(&alice).lots, venue.slot(&bob).lots), (5, -5));
    // And goes the same way.
    venue.place(&bob, reducing(bid(START, 3)), &[]);
    venue.place(&alice, ioc(reducing(ask(START, 100))), &[&bob]);
    assert_eq!((venue.slot(&alice).lots, venue.slot(&bob).lots), (2, -2));
}

#[test]
pub fn it_closes_whatever_the_health() {
    // At $194.800 alice is below maintenance and not bankrupt.
    let mut venue = Venue::open();
    let (alice, bob) = venue.two();
    venue.price(194_800);
    venue.place(&alice, reducing(ask(194_800, 10_000)), &[]);
    let event = venue.place(&bob, ioc(bid(194_800, 4_000)), &[&alice]);
    assert_eq!(event.fills[0].order_left, 6_000);
    // Two fifths of her margin less $20.80 come free.
    assert_eq!(venue.free(&alice), 899_000_000 + 40_000_000 - 20_800_000);
    assert_eq!(venue.slot(&alice).margin, 60_000_000);
}
