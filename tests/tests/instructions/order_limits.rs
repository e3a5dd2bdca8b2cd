//! How many orders and lots there may be; orders by the trader's own numbers.

use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::instructions::OrderRef;
use ballast_state::order_args::PlaceOrderArgs;

use crate::event;
use crate::orders::{ask, bid, ioc, listed};
use crate::support::{done, quiet, refused, Venue, START, USD};

fn numbered(client_id: u64, args: PlaceOrderArgs) -> PlaceOrderArgs {
    PlaceOrderArgs { client_id, ..args }
}

#[test]
pub fn a_trader_has_sixteen_orders_a_market() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    for _ in 0..8 {
        venue.place(&bob, bid(START - 1, 10), &[]);
        venue.place(&bob, ask(START + 1, 10), &[]);
    }
    for args in [bid(START - 1, 10), ask(START + 1, 10)] {
        venue.refuse(BallastError::TooManyOrders, &bob, args, &[]);
    }
    // What does not wait is not counted, and others are not kept out.
    assert_eq!(venue.place(&bob, ioc(bid(START, 10)), &[]).dropped_lots, 10);
    venue.place(&alice, bid(START + 1, 10), &[&bob]);
    venue.place(&bob, ask(START + 1, 10), &[]);
    venue.refuse(BallastError::TooManyOrders, &bob, bid(START, 10), &[]);
    // Another market has its own.
    let second = venue.second_market();
    done(
        venue
            .sandbox
            .place_order(&second, &bob, bid(START, 10), &[]),
    );
}

#[test]
pub fn a_full_side_of_the_book_refuses() {
    let mut config = quiet();
    config.book_capacity = 16;
    let mut venue = Venue::with(&config);
    let (alice, bob) = venue.two();
    for _ in 0..15 {
        done(venue.order(&bob, bid(START, 10), &[]));
    }
    venue.place(&alice, bid(START - 1, 10), &[]);
    venue.refuse(BallastError::BookFull, &alice, bid(START, 10), &[]);
    // The other side has room, and so has this one after a fill.
    venue.place(&alice, ask(START + 1, 10), &[]);
    let event = venue.place(&alice, ask(START, 20), &[&bob]);
    assert_eq!(event.fills.len(), 2);
    venue.place(&alice, bid(START - 1, 10), &[]);
}

#[test]
pub fn a_number_names_one_waiting_order() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&alice, numbered(7, bid(START - 1, 10)), &[]);
    let duplicate = BallastError::DuplicateClientId;
    for args in [bid(START - 2, 10), ask(START + 1, 10)] {
        venue.refuse(duplicate, &alice, numbered(7, args), &[]);
    }
    // Others use the number too; an order that never waits may have it.
    venue.place(&bob, numbered(7, bid(START - 1, 10)), &[]);
    venue.place(&alice, ioc(numbered(7, bid(START, 10))), &[]);
    venue.place(&alice, bid(START - 2, 10), &[]);
    venue.place(&alice, bid(START - 2, 10), &[]);
    // Once it is filled the number is free again.
    venue.place(&bob, ioc(ask(START - 1, 10)), &[&alice]);
    assert_eq!(venue.slot(&alice).order_count, 2);
    venue.place(&alice, numbered(7, bid(START - 1, 10)), &[]);
}

#[test]
pub fn what_is_left_of_an_order_is_cancelled() {
    for by_number in [false, true] {
        let mut venue = Venue::new();
        let (alice, bob) = venue.two();
        venue.place(&bob, numbered(9, ask(START, 1_000)), &[]);
        venue.place(&alice, bid(START, 300), &[&bob]);
        let order = if by_number {
            OrderRef::ClientId(9)
        } else {
            OrderRef::Id(1)
        };
        let outcome = venue.sandbox.cancel_order(&venue.market, &bob, order);
        let event = event!(done(outcome), OrdersCancelled);
        assert_eq!(
            (event.orders[0].lots, event.orders[0].margin_atoms),
            (700, 7 * USD)
        );
        venue.sound();
        assert_eq!(venue.holds(&bob), (-300, 3_000_000, 0));
        assert_eq!(venue.free(&bob), 997_000_000);
        refused(&mut venue.sandbox, BallastError::OrderNotFound, |s| {
            s.cancel_order(&venue.market, &bob, order)
        });
    }
}

#[test]
pub fn an_order_is_replaced_in_one_call() {
    let mut venue = Venue::new();
    let (alice, bob) = venue.two();
    venue.place(&bob, numbered(9, ask(START + 10, 1_000)), &[]);
    venue.place(&alice, bid(START, 500), &[]);
    // The same number at once; the new one trades and waits.
    let outcome = venue.sandbox.replace_order(
        &venue.market,
        &bob,
        OrderRef::ClientId(9),
        numbered(9, ask(START, 800)),
        &listed(&[&alice]),
    );
    let event = event!(done(outcome), OrderPlaced);
    venue.sound();
    assert_eq!(event.cancelled.len(), 1);
    assert_eq!((event.cancelled[0].id, event.cancelled[0].lots), (1, 1_000));
    assert_eq!(
        (event.order_id, event.filled_lots, event.resting_lots),
        (3, 500, 300)
    );
    assert_eq!(venue.resting(OrderSide::Ask), [(START, 300)]);
    assert_eq!(venue.holds(&bob), (-500, 5_000_000, 3 * USD));
    // The old id is gone, and nobody ends up with two.
    for gone in [OrderRef::Id(1), OrderRef::Id(2), OrderRef::ClientId(8)] {
        refused(&mut venue.sandbox, BallastError::OrderNotFound, |s| {
            s.replace_order(&venue.market, &bob, gone, ask(START, 100), &[])
        });
    }
    // Filled in full meanwhile.
    venue.place(&alice, bid(START, 300), &[&bob]);
    refused(&mut venue.sandbox, BallastError::OrderNotFound, |s| {
        s.replace_order(
            &venue.market,
            &bob,
            OrderRef::ClientId(9),
            ask(START, 100),
            &[],
        )
    });
}

#[test]
pub fn a_replacement_may_use_what_the_old_order_reserved() {
    let mut venue = Venue::new();
    let poor = venue.trader(10);
    venue.place(&poor, bid(START, 1_000), &[]);
    let market = venue.market.clone();
    let replace = |s: &mut ballast_sandbox::Sandbox, lots| {
        s.replace_order(&market, &poor, OrderRef::Id(1), bid(START - 1, lots), &[])
    };
    let short = BallastError::InsufficientCollateral;
    refused(&mut venue.sandbox, short, |s| replace(s, 1_001));
    done(replace(&mut venue.sandbox, 1_000));
    venue.sound();
    assert_eq!(venue.resting(OrderSide::Bid), [(START - 1, 1_000)]);
    assert_eq!(venue.free(&poor), 0);
}

#[test]
pub fn positions_of_takers_and_makers_have_a_largest_size() {
    let mut config = quiet();
    config.risk.max_position_lots = 1_000;
    let mut venue = Venue::with(&config);
    let (alice, bob) = venue.two();
    let carol = venue.trader(1_000);
    venue.place(&bob, ask(START, 900), &[]);
    venue.place(&carol, ask(START, 900), &[]);
    let large = ioc(bid(START, 1_001));
    venue.refuse(
        BallastError::PositionTooLarge,
        &alice,
        large,
        &[&bob, &carol],
    );
    venue.place(&alice, ioc(bid(START, 1_000)), &[&bob, &carol]);
    // A maker that would get too large leaves the book.
    venue.wait(2);
    venue.price_twice(START);
    venue.place(&bob, ask(START, 101), &[]);
    let dave = venue.trader(1_000);
    let event = venue.place(&dave, ioc(bid(START, 901)), &[&bob, &carol]);
    assert_eq!((event.filled_lots, event.removed.len()), (800, 1));
    assert_eq!(event.removed[0].maker, bob.address);
}

#[test]
pub fn open_interest_has_a_limit() {
    let mut config = quiet();
    config.risk.max_open_interest_lots = 12_000;
    let mut venue = Venue::open_with(&config);
    let (alice, bob) = venue.two();
    let carol = venue.trader(1_000);
    venue.place(&bob, ask(START, 5_000), &[]);
    let limit = BallastError::OpenInterestLimit;
    venue.refuse(limit, &carol, ioc(bid(START, 2_001)), &[&bob]);
    let event = venue.place(&carol, ioc(bid(START, 2_000)), &[&bob]);
    assert_eq!(event.open_interest_after, 12_000);
    venue.refuse(limit, &alice, ioc(bid(START, 10)), &[&bob]);
    // At the limit positions still change hands.
    venue.place(&alice, ask(START - 1, 1_000), &[]);
    let event = venue.place(&bob, bid(START - 1, 500), &[&alice]);
    assert_eq!(event.open_interest_after, 11_500);
    let dave = venue.trader(1_000);
    let event = venue.place(&dave, ioc(bid(START - 1, 500)), &[&alice]);
    assert_eq!(event.open_interest_after, 11_500);
    venue.refuse(limit, &dave, ioc(bid(START, 501)), &[&bob]);
}

#[test]
pub fn orders_alone_take_a_slot() {
    let mut config = quiet();
    config.queue_capacity = 16;
    config.book_capacity = 16;
    let mut venue = Venue::with(&config);
    let (alice, bob) = venue.two();
    venue.place(&bob, ask(START, 100), &[]);
    let mut last = venue.market.clone();
    for _ in 0..16 {
        last = venue.sandbox.create_market(&config).unwrap();
        done(
            venue
                .sandbox
                .place_order(&last, &alice, bid(START, 10), &[]),
        );
    }
    let full = BallastError::NoFreeSlot;
    venue.refuse(full, &alice, bid(START, 100), &[&bob]);
    venue.refuse(full, &alice, ioc(bid(START - 1, 100)), &[]);
    done(venue.sandbox.cancel_all_orders(&last, &alice, None));
    assert_eq!(
        venue.place(&alice, bid(START, 100), &[&bob]).filled_lots,
        100
    );
}
