//! Bytes of a book, room for orders, and sums at their limits.

use ballast_engine::book::{
    book_size, Book, BookRef, NewOrder, OwnOrders, BOOK_HEADER_SIZE, BOOK_VERSION, MAX_ORDERS,
    ORDER_SIZE,
};
use ballast_engine::units::{Side, MAX_LOTS, MAX_LOT_PRICE};
use ballast_engine::EngineError;

use crate::fixture::{order, trader, Store, MARKET};

#[test]
fn a_full_side_refuses_and_changes_nothing() {
    for side in [Side::Long, Side::Short] {
        let (mut store, mut own) = (Store::new(3), OwnOrders::EMPTY);
        let nodes: Vec<u32> = (0..3)
            .map(|_| store.add(&order(side, 5, 1), &mut own))
            .collect();
        let (full, before) = (store.clone(), own);
        let refused = store.book().insert(&order(side, 5, 1), &mut own);
        assert_eq!(refused, Err(EngineError::BookFull));
        assert_eq!((&store, own), (&full, before));
        // The other side has room of its own; its nodes are others.
        let other = store.add(
            &order(side.opposite(), if side == Side::Long { 6 } else { 4 }, 1),
            &mut own,
        );
        assert!(!nodes.contains(&other));
        // A node that an order has left is used again.
        assert!(store.book().remove(nodes[1], &mut own).is_ok());
        assert_eq!(store.add(&order(side, 5, 1), &mut own), nodes[1]);
        assert_eq!(store.view().invariant(), Ok(()));
    }
}

#[test]
fn nodes_count_through_both_halves() {
    let (mut store, mut own) = (Store::new(4), OwnOrders::EMPTY);
    assert_eq!(store.view().capacity(), 4);
    let bids: Vec<u32> = (0..4)
        .map(|_| store.add(&order(Side::Long, 5, 1), &mut own))
        .collect();
    let asks: Vec<u32> = (0..4)
        .map(|_| store.add(&order(Side::Short, 6, 1), &mut own))
        .collect();
    assert_eq!((bids, asks), (vec![0, 1, 2, 3], vec![4, 5, 6, 7]));
    for node in [8, 9, u32::MAX - 1, u32::MAX] {
        let found = store.view().order(node).map(|order| order.id());
        assert_eq!(found, Err(EngineError::OrderNotFound));
        let removed = store.book().remove(node, &mut own);
        assert_eq!(removed, Err(EngineError::OrderNotFound));
    }
}

#[test]
fn ids_start_at_one_and_are_never_used_again() {
    let (mut store, mut own) = (Store::new(2), OwnOrders::EMPTY);
    for id in 1..=5 {
        let side = if id % 2 == 0 { Side::Long } else { Side::Short };
        let placed = store.book().insert(&order(side, 5, 1), &mut own);
        let (node, found) = placed.expect("room");
        assert_eq!(found, id);
        assert_eq!(
            store.book().remove(node, &mut own).map(|order| order.id()),
            Ok(id)
        );
    }
    assert_eq!(own, OwnOrders::EMPTY);
}

#[test]
fn sums_beyond_their_type_are_refused() {
    let largest = order(Side::Short, MAX_LOT_PRICE, MAX_LOTS);
    let (mut store, mut own) = (Store::new(8), OwnOrders::EMPTY);
    store.add(&largest, &mut own);
    store.add(&largest, &mut own);
    let (before, chain) = (store.clone(), own);
    assert_eq!(
        store.book().insert(&largest, &mut own),
        Err(EngineError::Overflow)
    );
    assert_eq!((&store, own), (&before, chain));
    let costly = NewOrder {
        margin: u64::MAX,
        ..order(Side::Long, 1, 1)
    };
    store.add(&costly, &mut own);
    let (before, chain) = (store.clone(), own);
    let one_more = NewOrder {
        margin: 1,
        ..order(Side::Long, 1, 1)
    };
    assert_eq!(
        store.book().insert(&one_more, &mut own),
        Err(EngineError::Overflow)
    );
    assert_eq!((&store, own), (&before, chain));
}

#[test]
fn a_reduction_is_of_fewer_lots_and_no_more_margin() {
    let (mut store, mut own) = (Store::new(2), OwnOrders::EMPTY);
    let node = store.add(
        &NewOrder {
            margin: 10,
            ..order(Side::Long, 5, 4)
        },
        &mut own,
    );
    for (lots, margin, error) in [
        (0, 0, EngineError::ZeroLots),
        (4, 10, EngineError::SizeOutOfRange),
        (u64::MAX, 0, EngineError::SizeOutOfRange),
        (3, 11, EngineError::Overflow),
    ] {
        let (before, chain) = (store.clone(), own);
        assert_eq!(
            store.book().reduce(node, lots, margin, &mut own),
            Err(error)
        );
        assert_eq!((&store, own), (&before, chain));
    }
    assert_eq!(store.book().reduce(node, 3, 10, &mut own), Ok(()));
    assert_eq!((own.count, own.margin), (1, 0));
}

#[test]
fn a_new_order_joins_its_own_traders_chain_only() {
    let (mut store, mut own) = (Store::new(4), OwnOrders::EMPTY);
    store.add(&order(Side::Long, 5, 1), &mut own);
    let foreign = NewOrder {
        trader: trader(1),
        ..order(Side::Long, 5, 1)
    };
    let before = store.clone();
    assert_eq!(
        store.book().insert(&foreign, &mut own),
        Err(EngineError::OrderNotFound)
    );
    for wrong in [
        OwnOrders { count: 0, ..own },
        OwnOrders {
            head: u32::MAX,
            ..own
        },
    ] {
        let mut chain = wrong;
        let refused = store.book().insert(&order(Side::Long, 5, 1), &mut chain);
        assert_eq!(refused, Err(EngineError::TreeCorrupt));
        assert_eq!(chain, wrong);
    }
    assert_eq!(store, before);
}

#[test]
fn the_layout_is_checked() {
    let mut store = Store::new(2);
    let size = book_size(2).expect("small");
    assert_eq!(size, BOOK_HEADER_SIZE + 4 * ORDER_SIZE);
    assert_eq!(store.view().header().market, MARKET);
    assert_eq!(store.view().header().version, BOOK_VERSION);
    let short = BookRef::new(&store.bytes()[..BOOK_HEADER_SIZE - 1]).map(|_| ());
    assert_eq!(short, Err(EngineError::BookLayout));
    let shifted = BookRef::new(&store.bytes()[1..]).map(|_| ());
    assert_eq!(shifted, Err(EngineError::BookLayout));
    assert_eq!(
        Book::create(&mut store.bytes()[1..], MARKET),
        Err(EngineError::BookLayout)
    );
    // What does not make a pair of nodes is left unused.
    let odd = BookRef::new(&store.bytes()[..size - 1]).map(|book| book.capacity());
    assert_eq!(odd, Ok(1));
    // Zeroed bytes and another version are not a book.
    store.bytes()[32] = 0;
    assert_eq!(
        BookRef::new(store.bytes()).map(|_| ()),
        Err(EngineError::BookLayout)
    );
    assert_eq!(
        Book::new(store.bytes()).map(|_| ()),
        Err(EngineError::BookLayout)
    );
    assert_eq!(book_size(usize::MAX / 2), None);
    assert_eq!(MAX_ORDERS, 16);
}
