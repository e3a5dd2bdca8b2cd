//! Orders of one trader account do not trade with each other.

use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::OrderCancelled;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};

use crate::orders::{ask, bid, ioc, of_kind};
use crate::support::{Venue, START, USD};

fn with_mode(self_trade: SelfTrade, args: PlaceOrderArgs) -> PlaceOrderArgs {
    PlaceOrderArgs { self_trade, ..args }
}

/// Alice bids for 100 lots at $200 before bob does; she reserves $1.
fn alice_first() -> Venue {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    let args = PlaceOrderArgs {
        client_id: 3,
        ..bid(START, 100)
    };
    venue.place(&alice, args, &[]);
    venue.place(&bob, bid(START, 100), &[]);
    assert_eq!(venue.holds(&alice), (0, 0, USD));
    venue
}

#[test]
pub fn cancel_provide_takes_the_waiting_order_out() {
    let mut venue = alice_first();
    let (alice, bob) = venue.two();
    let args = with_mode(SelfTrade::CancelProvide, ask(START, 60));
    let event = venue.place(&alice, args, &[&bob]);
    assert_eq!(
        event.cancelled,
        [OrderCancelled {
            id: 1,
            client_id: 3,
            side: OrderSide::Bid,
            price_ticks: START,
            lots: 100,
            margin_atoms: USD,
        }]
    );
    assert_eq!(event.filled_lots, 60);
    assert_eq!(event.fills[0].maker, bob.address);
    assert_eq!(venue.holds(&alice), (-60, 600_000, 0));
    assert_eq!(venue.free(&alice), 1_000_000_000 - 600_000 - 6_000);
    assert_eq!(venue.resting(OrderSide::Bid), [(START, 40)]);
}

#[test]
pub fn cancel_provide_needs_no_makers_and_may_rest() {
    let mut venue = alice_first();
    let alice = venue.alice.clone();
    // Her own order goes; bob's is not listed.
    let args = with_mode(SelfTrade::CancelProvide, ask(START, 60));
    let event = venue.place(&alice, args, &[]);
    assert_eq!((event.cancelled.len(), event.dropped_lots), (1, 60));
    assert!(venue
        .sandbox
        .position(&venue.market, &alice.address)
        .is_none());
    assert_eq!(venue.free(&alice), 1_000_000_000);
    // Alone in the book, the new one waits.
    let mut venue = Venue::new();
    venue.place(&alice, bid(START, 100), &[]);
    let event = venue.place(&alice, args, &[]);
    assert_eq!((event.cancelled.len(), event.resting_lots), (1, 60));
    assert_eq!(venue.resting(OrderSide::Ask), [(START, 60)]);
    assert_eq!(venue.resting(OrderSide::Bid), []);
}

#[test]
pub fn decrement_takes_the_smaller_off_both() {
    let mut venue = alice_first();
    let (alice, bob) = venue.two();
    let mode = |args| with_mode(SelfTrade::DecrementAndCancel, args);
    // The new one is smaller: nothing trades, 60 of 100 lots and their reserve are gone.
    let event = venue.place(&alice, mode(ask(START, 60)), &[&bob]);
    assert_eq!((event.filled_lots, event.resting_lots), (0, 0));
    assert!(event.taker.is_none());
    let lost = OrderCancelled {
        id: 1,
        client_id: 3,
        side: OrderSide::Bid,
        price_ticks: START,
        lots: 60,
        margin_atoms: 600_000,
    };
    assert_eq!((event.cancelled, event.dropped_lots), (vec![lost], 60));
    assert_eq!(venue.holds(&alice), (0, 0, 400_000));
    assert_eq!(venue.free(&alice), 999_600_000);
    assert_eq!(
        venue.resting(OrderSide::Bid),
        [(START, 40), (START, 100)],
        "it keeps its place"
    );
    // The new one is larger: the old one goes, 50 are left for bob's.
    let event = venue.place(&alice, mode(ask(START, 90)), &[&bob]);
    assert_eq!((event.cancelled[0].lots, event.dropped_lots), (40, 40));
    assert_eq!((event.filled_lots, event.fills[0].lots), (50, 50));
    assert_eq!(venue.holds(&alice), (-50, 500_000, 0));
    assert_eq!(venue.resting(OrderSide::Bid), [(START, 50)]);
}

#[test]
pub fn decrement_of_equal_orders_leaves_neither() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    venue.place(&alice, bid(START, 100), &[]);
    let args = with_mode(SelfTrade::DecrementAndCancel, ask(START, 100));
    let event = venue.place(&alice, args, &[]);
    assert_eq!((event.cancelled[0].lots, event.resting_lots), (100, 0));
    assert!(venue
        .sandbox
        .position(&venue.market, &alice.address)
        .is_none());
    assert_eq!(venue.free(&alice), 1_000_000_000);
}

#[test]
pub fn abort_fails() {
    let mut venue = alice_first();
    let (alice, bob) = venue.two();
    for kind in [
        OrderKind::Limit,
        OrderKind::ImmediateOrCancel,
        OrderKind::FillOrKill,
        OrderKind::Market,
    ] {
        let args = with_mode(SelfTrade::Abort, of_kind(kind, ask(START, 60)));
        venue.refuse(BallastError::SelfTrade, &alice, args, &[&bob]);
    }
    // Only where they meet.
    let args = with_mode(SelfTrade::Abort, ask(START + 1, 60));
    assert_eq!(venue.place(&alice, args, &[&bob]).resting_lots, 60);
    // Behind bob's better bid there is none of hers.
    let mut venue = Venue::new();
    venue.place(&alice, bid(START - 1, 100), &[]);
    venue.place(&bob, bid(START, 100), &[]);
    let args = with_mode(SelfTrade::Abort, ioc(ask(START - 1, 100)));
    assert_eq!(venue.place(&alice, args, &[&bob]).filled_lots, 100);
    let args = with_mode(SelfTrade::Abort, ioc(ask(START - 1, 100)));
    venue.refuse(BallastError::SelfTrade, &alice, args, &[&bob]);
}

#[test]
pub fn another_account_of_the_same_owner_is_another_trader() {
    let mut venue = Venue::new();
    let alice = venue.alice.clone();
    let second = venue.sandbox.create_trader_of(&alice.wallet, 1).unwrap();
    let wallet = venue.sandbox.create_wallet(100 * USD).unwrap();
    venue
        .sandbox
        .deposit_from(&wallet, &second.address, 100 * USD)
        .unwrap();
    venue.place(&alice, bid(START, 100), &[]);
    let args = with_mode(SelfTrade::Abort, ask(START, 100));
    assert_eq!(venue.place(&second, args, &[&alice]).filled_lots, 100);
}
