//! Reduce-only orders that shrink with the position, and orders that give way.

use ballast_engine::book::{NewOrder, OwnOrders, MAX_REDUCE_ONLY};
use ballast_engine::units::{Lots, Side};
use ballast_engine::EngineError;

use crate::fixture::{order, trader, Store};

fn reducing(price: u64, lots: u64) -> NewOrder {
    NewOrder {
        reduce_only: true,
        ..order(Side::Short, price, lots)
    }
}

/// Asks of 4, 3 and 2 lots that reduce, the oldest first, and one of 9 that opens between them.
fn asks() -> (Store, OwnOrders) {
    let (mut store, mut own) = (Store::new(8), OwnOrders::EMPTY);
    store.add(&reducing(20, 4), &mut own);
    let opening = NewOrder {
        margin: 7,
        ..order(Side::Short, 21, 9)
    };
    store.add(&opening, &mut own);
    store.add(&reducing(19, 3), &mut own);
    store.add(&reducing(22, 2), &mut own);
    (store, own)
}

/// What each order lost, the newest first, and the lots of those left.
fn cut(lots: i64) -> (Vec<(u64, u64)>, Vec<u64>) {
    let (mut store, mut own) = asks();
    let mut lost = Vec::new();
    let mut book = store.book();
    let lots = Lots::new(lots).expect("in range");
    book.cut_reduce_only(&mut own, lots, |order| {
        lost.push((order.id(), order.size()));
    })
    .expect("sound");
    let view = store.view();
    assert_eq!(view.own_invariant(&trader(0), &own), Ok(()));
    assert_eq!(view.invariant(), Ok(()));
    assert_eq!(own.margin, 7);
    let left = view.own(&own).map(|step| step.expect("sound").1);
    (lost, left.map(|order| order.size()).collect())
}

#[test]
fn the_newest_shrink_first_until_they_close_no_more_than_there_is() {
    assert_eq!(cut(9), (vec![], vec![2, 3, 9, 4]));
    assert_eq!(cut(8), (vec![(4, 1)], vec![1, 3, 9, 4]));
    assert_eq!(cut(5), (vec![(4, 2), (3, 2)], vec![1, 9, 4]));
    assert_eq!(cut(1), (vec![(4, 2), (3, 3), (1, 3)], vec![9, 1]));
    for gone in [0, -50] {
        assert_eq!(cut(gone), (vec![(4, 2), (3, 3), (1, 4)], vec![9]));
    }
}

#[test]
fn a_trader_has_at_most_four_of_them() {
    let (mut store, mut own) = asks();
    store.add(&reducing(23, 1), &mut own);
    assert_eq!((own.count, own.reduce_only), (5, MAX_REDUCE_ONLY));
    let (before, chain) = (store.clone(), own);
    let refused = store.book().insert(&reducing(23, 1), &mut own);
    assert_eq!(refused, Err(EngineError::TooManyReduceOnly));
    assert_eq!((&store, own), (&before, chain));
    store.add(&order(Side::Short, 23, 1), &mut own);
    let newest = own.head;
    store.book().remove(newest, &mut own).expect("there");
    let reducing = own.head;
    store.book().remove(reducing, &mut own).expect("there");
    assert_eq!((own.count, own.reduce_only), (4, 3));
}

/// Ten bids of as many traders at 11 to 20, the n-th of n lots, in a side with room for ten.
fn bids() -> Store {
    let mut store = Store::new(10);
    for number in 1..=10_u8 {
        let bid = NewOrder {
            trader: trader(number),
            reduce_only: number == 2,
            ..order(Side::Long, 10 + u64::from(number), u64::from(number))
        };
        let mut own = OwnOrders::EMPTY;
        store.add(&bid, &mut own);
    }
    store
}

#[test]
fn of_the_last_eight_the_worst_listed_gives_way_to_a_better_one_of_as_many_lots() {
    let store = bids();
    assert!(store.view().is_full(Side::Long));
    assert!(!store.view().is_full(Side::Short));
    let everybody = |_: &[u8; 32]| true;
    let gives = |order: &NewOrder, listed: &dyn Fn(&[u8; 32]) -> bool| {
        let view = store.view();
        let node = view.giving_way(order, listed).expect("sound");
        node.map(|node| view.order(node).expect("there").lots)
    };
    let best = order(Side::Long, 30, 100);
    assert_eq!(gives(&best, &everybody), Some(1));
    let but = |gone: u8| move |key: &[u8; 32]| key[0] > gone + 1;
    assert_eq!(gives(&best, &but(1)), Some(2));
    assert_eq!(gives(&best, &but(7)), Some(8));
    assert_eq!(gives(&best, &but(8)), None);
    // It stands at a worse price and has no more lots.
    assert_eq!(gives(&order(Side::Long, 13, 100), &but(2)), None);
    assert_eq!(gives(&order(Side::Long, 14, 100), &but(2)), Some(3));
    assert_eq!(gives(&order(Side::Long, 14, 2), &but(2)), None);
    assert_eq!(gives(&order(Side::Long, 11, 100), &everybody), None);
    // One that opens does not give way to one that does not, nor any to its own trader's.
    let closing = NewOrder {
        reduce_only: true,
        ..best
    };
    assert_eq!(gives(&closing, &everybody), Some(2));
    let own = NewOrder {
        trader: trader(1),
        ..best
    };
    assert_eq!(gives(&own, &everybody), Some(2));
}
