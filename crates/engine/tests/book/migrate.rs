//! Books of the version before: whatever they knew of their subtrees, they end as if today's engine
//! had written them.

use ballast_engine::book::{
    migrate, BookRef, NewOrder, OwnOrders, BOOK_VERSION, MAX_REDUCE_ONLY, ORDER_SIZE,
    OUTDATED_BOOK_VERSION,
};
use ballast_engine::units::{Lots, Side};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_side, cases, order, trader, Store};

/// Where a header has its version.
const VERSION: usize = 32;
/// Where a node has its height.
const HEIGHT: usize = 72;

fn set_version(store: &mut Store, version: u32) {
    store.bytes()[VERSION..VERSION + 4].copy_from_slice(&version.to_le_bytes());
}

/// The book as the version before had it: with other sums at every node.
fn outdated(store: &Store, orders_a_side: u32) -> Store {
    let mut old = store.clone();
    set_version(&mut old, OUTDATED_BOOK_VERSION);
    for node in 0..2 * orders_a_side {
        if old.field(node, HEIGHT, 1)[0] != 0 {
            old.field(node, 48, 16).fill(0xab);
            old.field(node, 76, 4).fill(0);
        }
    }
    old
}

fn open(bytes: &[u8]) -> Option<EngineError> {
    BookRef::new(bytes).err()
}

#[test]
fn only_the_version_before_is_migrated() {
    let mut store = Store::new(2);
    let today = store.clone();
    assert_eq!(migrate(store.bytes(), 0), Ok(true));
    assert_eq!(store, today);
    for version in [0, BOOK_VERSION + 1, u32::MAX] {
        set_version(&mut store, version);
        assert_eq!(migrate(store.bytes(), 9), Err(EngineError::BookLayout));
        assert_eq!(open(store.bytes()), Some(EngineError::BookLayout));
    }
    set_version(&mut store, OUTDATED_BOOK_VERSION);
    assert_eq!(open(store.bytes()), Some(EngineError::LayoutOutdated));
    assert_eq!(
        migrate(&mut store.bytes()[..127], 9),
        Err(EngineError::BookLayout)
    );
    assert_eq!(migrate(store.bytes(), 0), Ok(true), "an empty book");
    assert_eq!(store, today);
    assert_eq!(ORDER_SIZE, 112);
}

/// Side, price, lots, expiry, whether it only reduces, and whether it goes again.
type Placed = (Side, u64, u64, i64, bool, bool);

fn placed() -> impl Strategy<Value = Placed> {
    let expiry = prop_oneof![Just(0), 1_i64..5_000_000_000];
    (
        any_side(),
        1_u64..200,
        1_u64..50,
        expiry,
        any::<bool>(),
        any::<bool>(),
    )
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn in_steps_of_any_size_it_ends_as_today_s_engine_has_it(
        orders in prop::collection::vec(placed(), 0..60),
        steps in prop::collection::vec(0_u32..40, 1..20),
    ) {
        let mut store = Store::new(64);
        for (number, (side, price, lots, expires_at, reduce_only, goes)) in orders.into_iter().enumerate() {
            let new = NewOrder {
                trader: trader(u8::try_from(number).unwrap()),
                expires_at,
                reduce_only,
                // The book is not crossed.
                ..order(side, if side == Side::Long { price } else { 200 + price }, lots)
            };
            let mut own = OwnOrders::EMPTY;
            let node = store.add(&new, &mut own);
            if goes {
                store.book().remove(node, &mut own).unwrap();
            }
        }
        let mut old = outdated(&store, 64);
        let (mut done, mut looked) = (false, 0);
        for most in steps.iter().cycle().map(|most| most + 1) {
            looked += most;
            if migrate(old.bytes(), most).unwrap() {
                done = true;
                break;
            }
            prop_assert_eq!(open(old.bytes()), Some(EngineError::LayoutOutdated));
            prop_assert!(looked < 10_000);
        }
        prop_assert!(done);
        prop_assert_eq!(&old, &store);
        prop_assert_eq!(old.view().invariant(), Ok(()));
    }
}

/// A chain of the version before: reduce-only orders of both sides, more than are allowed now, one
/// that opens among them; the position is of `lots`. What each lost, and what is left, newest first.
fn adopted(lots: i64, asks: &[u64], bids: &[u64]) -> (Vec<(u64, u64)>, Vec<u64>) {
    let (mut store, mut own) = (Store::new(32), OwnOrders::EMPTY);
    let opening = NewOrder {
        margin: 7,
        ..order(Side::Short, 30, 9)
    };
    store.add(&opening, &mut own);
    let mut add = |side, lots: &u64| {
        let new = NewOrder {
            reduce_only: true,
            ..order(side, if side == Side::Short { 40 } else { 10 }, *lots)
        };
        // As if it had never been counted.
        own.reduce_only = 0;
        store.add(&new, &mut own);
    };
    asks.iter().for_each(|lots| add(Side::Short, lots));
    bids.iter().for_each(|lots| add(Side::Long, lots));
    own.reduce_only = 0;
    let mut lost = Vec::new();
    let lots = Lots::new(lots).unwrap();
    store
        .book()
        .adopt_reduce_only(&mut own, lots, |order| {
            lost.push((order.id(), order.size()))
        })
        .unwrap();
    let view = store.view();
    assert_eq!(view.own_invariant(&trader(0), &own), Ok(()));
    assert_eq!(view.invariant(), Ok(()));
    assert_eq!(own.margin, 7);
    let left = view.own(&own).map(|step| step.unwrap().1);
    let left = left.filter(|order| order.is_reduce_only());
    (lost, left.map(|order| order.size()).collect())
}

#[test]
fn reduce_only_orders_of_the_version_before_come_under_today_s_rules() {
    // Nothing to do.
    assert_eq!(adopted(9, &[4, 3], &[]), (vec![], vec![3, 4]));
    // On the side of the position.
    assert_eq!(adopted(9, &[4], &[5, 5]), (vec![(4, 5), (3, 5)], vec![4]));
    assert_eq!(adopted(-9, &[4], &[5]), (vec![(2, 4)], vec![5]));
    // More than there is to close.
    assert_eq!(adopted(5, &[4, 3], &[]), (vec![(3, 2)], vec![1, 4]));
    // Too many.
    let (lost, left) = adopted(90, &[1, 2, 3, 4, 5, 6, 7], &[8]);
    assert_eq!(lost, vec![(9, 8), (8, 7), (7, 6), (6, 5)]);
    assert_eq!(left, vec![4, 3, 2, 1]);
    assert_eq!(left.len(), usize::try_from(MAX_REDUCE_ONLY).unwrap());
    // No position.
    assert_eq!(adopted(0, &[4], &[5]), (vec![(3, 5), (2, 4)], vec![]));
}
