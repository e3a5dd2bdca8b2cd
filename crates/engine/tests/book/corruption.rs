//! A book with one field changed breaks its invariant.

use ballast_engine::book::{NewOrder, Order, OwnOrders};
use ballast_engine::slab::NIL;
use ballast_engine::units::{Side, MAX_LOTS, MAX_LOT_PRICE};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, order, trader, Store};

const LEFT: usize = 0;
const OWNER_NEXT: usize = 8;
const OWNER_PREVIOUS: usize = 12;
const SEQUENCE: usize = 16;
const SUBTREE_LOTS: usize = 48;
const SUBTREE_QUOTE: usize = 56;
const LOTS: usize = 64;
const PRICE: usize = 68;
const HEIGHT: usize = 72;
const SIDE: usize = 73;
const FLAGS: usize = 74;
const TRADER: usize = 80;

/// Three bids and three asks of two traders in turns.
fn sample() -> (Store, [OwnOrders; 2]) {
    let (mut store, mut chains) = (Store::new(4), [OwnOrders::EMPTY; 2]);
    for number in 0..6_u8 {
        let who = usize::from(number % 2);
        let (side, price) = if number < 3 {
            (Side::Long, 10 + u64::from(number))
        } else {
            (Side::Short, 20 + u64::from(number))
        };
        let placed = NewOrder {
            trader: trader(number % 2),
            margin: 5,
            ..order(side, price, 3)
        };
        store.add(&placed, &mut chains[who]);
    }
    assert_eq!(store.view().invariant(), Ok(()));
    (store, chains)
}

/// Writes over a field of `node` and expects the invariant to break.
fn breaks(node: u32, offset: usize, value: &[u8]) {
    let (mut store, _) = sample();
    let field = store.field(node, offset, value.len());
    assert_ne!(field, value, "no change");
    field.copy_from_slice(value);
    let found = store.view().invariant();
    assert_eq!(found, Err(EngineError::TreeCorrupt), "{node} {offset}");
}

#[test]
fn a_walk_ends_with_the_first_error() {
    for node in 0..3 {
        let (mut store, _) = sample();
        store
            .field(node, LEFT, 4)
            .copy_from_slice(&99_u32.to_le_bytes());
        let view = store.view();
        let walked: Vec<_> = view.iter(Side::Long).take(10).collect();
        let errors = walked.iter().filter(|step| step.is_err()).count();
        assert_eq!(errors, 1, "{node}");
        assert!(walked.last().is_some_and(Result::is_err), "{node}");
    }
}

#[test]
fn every_changed_field_is_noticed() {
    for node in [0, 1, 2, 4, 5, 6] {
        for link in [LEFT, LEFT + 4, OWNER_NEXT, OWNER_PREVIOUS] {
            for value in [NIL, node, 3, 7, 99] {
                let (mut store, _) = sample();
                if store.field(node, link, 4) != value.to_le_bytes() {
                    breaks(node, link, &value.to_le_bytes());
                }
            }
        }
        for sequence in [0_u64, 7, u64::MAX] {
            breaks(node, SEQUENCE, &sequence.to_le_bytes());
        }
        for sum in [SUBTREE_LOTS, SUBTREE_QUOTE] {
            breaks(node, sum, &1_000_u64.to_le_bytes());
        }
        for number in [0_u32, 9] {
            breaks(node, LOTS, &number.to_le_bytes());
        }
        for price in [0_u32, 1 << 31, u32::MAX] {
            breaks(node, PRICE, &price.to_le_bytes());
        }
        breaks(node, HEIGHT, &[0]);
        breaks(node, SIDE, &[u8::from(node < 4)]);
        breaks(node, SIDE, &[2]);
        breaks(node, FLAGS, &[2]);
        breaks(node, TRADER, &trader(9));
    }
}

#[test]
fn a_crossed_book_is_refused() {
    for (ask, expected) in [
        (11, Ok(())),
        (10, Err(EngineError::TreeCorrupt)),
        (9, Err(EngineError::TreeCorrupt)),
    ] {
        let (mut store, mut own) = (Store::new(2), OwnOrders::EMPTY);
        store.add(&order(Side::Long, 10, 1), &mut own);
        store.add(&order(Side::Short, ask, 1), &mut own);
        assert_eq!(store.view().invariant(), expected, "{ask}");
    }
}

#[test]
fn a_trader_with_two_chains_is_refused() {
    let (mut store, mut one, mut two) = (Store::new(4), OwnOrders::EMPTY, OwnOrders::EMPTY);
    store.add(&order(Side::Long, 10, 1), &mut one);
    assert_eq!(store.view().invariant(), Ok(()));
    // The second order does not know of the first.
    store.add(&order(Side::Short, 11, 1), &mut two);
    assert_eq!(store.view().invariant(), Err(EngineError::TreeCorrupt));
}

#[test]
fn a_chain_longer_than_allowed_is_refused() {
    let (mut store, mut own) = (Store::new(20), OwnOrders::EMPTY);
    for number in 0..17 {
        if number == 16 {
            assert_eq!(store.view().invariant(), Ok(()));
            own.count = 15;
        }
        store.add(&order(Side::Long, 10, 1), &mut own);
    }
    assert_eq!(store.view().invariant(), Err(EngineError::TreeCorrupt));
}

#[test]
fn a_chain_that_is_not_the_traders_is_refused() {
    let (store, [own, other]) = sample();
    let view = store.view();
    assert_eq!(view.own_invariant(&trader(0), &own), Ok(()));
    assert_eq!(view.own_invariant(&trader(1), &other), Ok(()));
    assert_eq!(view.own_invariant(&trader(9), &OwnOrders::EMPTY), Ok(()));
    for wrong in [
        other,
        OwnOrders::EMPTY,
        OwnOrders { count: 2, ..own },
        OwnOrders { count: 4, ..own },
        OwnOrders { margin: 14, ..own },
        OwnOrders {
            reduce_only: own.reduce_only + 1,
            ..own
        },
        OwnOrders {
            head: 0,
            count: 1,
            margin: 5,
            ..own
        },
        OwnOrders { head: NIL, ..own },
        OwnOrders {
            count: 0,
            margin: 0,
            ..own
        },
    ] {
        let found = view.own_invariant(&trader(0), &wrong);
        assert_eq!(found, Err(EngineError::TreeCorrupt), "{wrong:?}");
    }
}

#[test]
fn a_chain_out_of_order_is_refused() {
    let (mut store, mut own) = (Store::new(2), OwnOrders::EMPTY);
    let bid = store.add(&order(Side::Long, 10, 1), &mut own);
    let ask = store.add(&order(Side::Short, 11, 1), &mut own);
    store
        .field(bid, SEQUENCE, 8)
        .copy_from_slice(&2_u64.to_le_bytes());
    store
        .field(ask, SEQUENCE, 8)
        .copy_from_slice(&1_u64.to_le_bytes());
    assert_eq!(store.view().invariant(), Err(EngineError::TreeCorrupt));
}

#[test]
fn a_chain_of_two_traders_is_refused() {
    let (mut store, mut own) = (Store::new(2), OwnOrders::EMPTY);
    store.add(&order(Side::Long, 10, 1), &mut own);
    let newest = store.add(&order(Side::Long, 10, 1), &mut own);
    store.field(newest, TRADER, 32).copy_from_slice(&trader(9));
    assert_eq!(store.view().invariant(), Err(EngineError::TreeCorrupt));
}

/// Sums that have gone once around agree with each other.
#[test]
fn sums_that_wrapped_are_refused() {
    let largest = order(Side::Short, MAX_LOT_PRICE, MAX_LOTS);
    let whole = MAX_LOTS * MAX_LOT_PRICE;
    let (mut store, mut own) = (Store::new(3), OwnOrders::EMPTY);
    for lots in [MAX_LOTS, MAX_LOTS, 1] {
        store.add(&NewOrder { lots, ..largest }, &mut own);
    }
    // Of three orders of one price the second heads the tree.
    let (root, last) = (4, 5);
    store.field(last, LOTS, 4).fill(0xff);
    for (node, count) in [(last, 1_u64), (root, 3)] {
        let (lots, quote) = (count * MAX_LOTS, whole.wrapping_mul(count));
        let sums = store.field(node, SUBTREE_LOTS, 16);
        sums[..8].copy_from_slice(&lots.to_le_bytes());
        sums[8..].copy_from_slice(&quote.to_le_bytes());
    }
    assert_eq!(store.view().invariant(), Err(EngineError::TreeCorrupt));
}

/// A neighbour that does not point back is noticed before anything changes.
#[test]
fn a_removal_through_a_broken_chain_changes_nothing() {
    let (store, [own, _]) = sample();
    let nodes: Vec<u32> = store
        .view()
        .own(&own)
        .map(|step| step.expect("sound").0)
        .collect();
    let [newest, middle, oldest] = nodes[..] else {
        panic!("three orders");
    };
    for (neighbour, link) in [(newest, OWNER_NEXT), (oldest, OWNER_PREVIOUS)] {
        for value in [NIL, neighbour] {
            let (mut store, [mut own, _]) = sample();
            let field = store.field(neighbour, link, 4);
            field.copy_from_slice(&value.to_le_bytes());
            let (before, chain) = (store.clone(), own);
            let removed = store.book().remove(middle, &mut own);
            assert_eq!(
                removed.map(|order| order.id()),
                Err(EngineError::TreeCorrupt)
            );
            assert_eq!((&store, own), (&before, chain));
        }
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// Bytes that are not a book are an error or a book, never a panic or an endless walk.
    #[test]
    fn changed_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        notional in any::<u64>(),
    ) {
        let (mut store, chains) = sample();
        let bytes = store.bytes();
        for (at, value) in changes {
            bytes[at.index(bytes.len())] = value;
        }
        let Ok(view) = ballast_engine::book::BookRef::new(store.bytes()) else {
            return Ok(());
        };
        let sound = view.invariant().is_ok();
        for side in [Side::Long, Side::Short] {
            let best = view.best(side);
            let params = ballast_engine::risk::RiskParams {
                impact_notional_atoms: notional,
                ..ballast_engine::risk::RiskParams::default()
            };
            let terms = ballast_engine::book::Sampling {
                params: &params,
                mark: None,
                now: i64::from(u32::MAX / 2),
            };
            let impact = view.impact_price(side, &terms);
            if sound {
                prop_assert!(best.is_ok() && impact.is_ok());
                let walked: Result<Vec<(u32, &Order)>, EngineError> = view.iter(side).collect();
                prop_assert!(walked.is_ok());
            }
        }
        for mut own in chains {
            let mut store = store.clone();
            let visited = store.view().own(&own).count();
            prop_assert!(visited <= 4);
            let (newest, count) = (own.head, own.count);
            if store.book().remove(newest, &mut own).is_ok() {
                prop_assert_eq!(own.count, count - 1);
                prop_assert!(store.view().order(newest).is_err());
            }
        }
    }
}
