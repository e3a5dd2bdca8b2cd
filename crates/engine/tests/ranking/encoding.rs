//! A node gives back the totals it was made from, at every size.

use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, Queue, QueueRef, Totals, QUEUE_HEADER_SIZE};
use ballast_engine::units::{Side, MAX_LOTS, MAX_LOT_PRICE};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_side, cases, position, trader, Store, MARKET};

fn around(limit: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        1..=limit,
        1..=limit.min(9),
        limit - limit.min(9) + 1..=limit
    ]
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn totals_survive_the_queue(
        side in any_side(),
        lots in around(MAX_LOTS),
        price in around(MAX_LOT_PRICE),
        down in any::<u64>(),
        bankruptcy in any::<i64>(),
        funding in prop_oneof![Just(0_i64), -1_000_000_i64..=1_000_000],
    ) {
        let entry = (lots * price - down % lots).max(lots);
        // The bankruptcy total is chosen and the margin follows.
        let limit = i128::from(lots) * i128::from(MAX_LOT_PRICE);
        let total = i128::from(bankruptcy) % (limit + 1);
        let signed = if side == Side::Long { 1 } else { -1 };
        let margin = signed * (i128::from(entry) - total) - signed * i128::from(lots) * i128::from(funding);
        let Ok(margin) = i64::try_from(margin) else { return Ok(()) };
        let found = position(side, lots, entry, margin, funding);
        let totals = Totals::of(&found, side).expect("within range");
        prop_assert_eq!(u64::from(totals.lots), lots);
        prop_assert_eq!(totals.entry, entry);
        prop_assert_eq!(i128::from(totals.bankruptcy), total);
        let mut store = Store::new(side, 1);
        let index = store.queue().insert(trader(1), &found).expect("room");
        prop_assert_eq!(store.view().entry(index).expect("there").totals(), totals);
        prop_assert_eq!(store.view().invariant(), Ok(()));
    }

    #[test]
    fn settling_funding_changes_no_node(
        side in any_side(),
        lots in 1_u64..1_000_000,
        price in 1_u64..1_000_000,
        margin in -1_000_000_i64..1_000_000_000,
        before in -1_000_i64..1_000,
        now in -1_000_i64..1_000,
    ) {
        let found = position(side, lots, lots * price, margin, before);
        let settled = found.settle(ballast_engine::units::FundingIndex::new(now)).expect("small");
        prop_assert_eq!(Totals::of(&found, side), Totals::of(&settled, side));
    }
}

#[test]
fn positions_that_do_not_belong_are_refused() {
    let mut store = Store::new(Side::Long, 1);
    let long = position(Side::Long, 10, 1_000, 100, 0);
    let short = position(Side::Short, 10, 1_000, 100, 0);
    let mut queue = store.queue();
    assert_eq!(
        queue.insert(trader(0), &Position::default()),
        Err(EngineError::NoPosition)
    );
    assert_eq!(queue.insert(trader(0), &short), Err(EngineError::WrongSide));
    let rich = position(Side::Long, 1, 1_000, i64::MAX, 0);
    assert_eq!(
        queue.insert(trader(0), &rich),
        Err(EngineError::BankruptcyPriceOutOfRange)
    );
    assert_eq!(queue.insert(trader(0), &long), Ok(0));
    assert_eq!(queue.insert(trader(1), &long), Err(EngineError::QueueFull));
    assert_eq!(queue.update(0, &short), Err(EngineError::WrongSide));
    assert_eq!(queue.update(1, &long), Err(EngineError::NodeNotFound));
    assert_eq!(queue.remove(7), Err(EngineError::NodeNotFound));
    assert_eq!(queue.remove(0), Ok(()));
    assert_eq!(queue.remove(0), Err(EngineError::NodeNotFound));
    assert_eq!(
        queue.stamp(0, CutStamp::default()),
        Err(EngineError::NodeNotFound)
    );
    // The freed node is used again, with a new sequence number.
    assert_eq!(queue.insert(trader(2), &long), Ok(0));
    assert_eq!(queue.as_ref().entry(0).map(|entry| entry.sequence), Ok(1));
}

#[test]
fn only_a_queue_is_read_as_one() {
    let mut words = vec![0_u64; 64];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    assert!(matches!(
        QueueRef::new(bytes),
        Err(EngineError::QueueLayout)
    ));
    assert_eq!(
        Queue::create(&mut bytes[..QUEUE_HEADER_SIZE - 1], MARKET, Side::Long),
        Err(EngineError::QueueLayout)
    );
    assert_eq!(Queue::create(bytes, MARKET, Side::Short), Ok(()));
    let queue = QueueRef::new(bytes).expect("a queue");
    assert_eq!((queue.side(), queue.len()), (Side::Short, 0));
    assert_eq!(queue.capacity(), (512 - 256) / 104);
    assert_eq!(queue.header().market, MARKET);
    assert!(matches!(
        QueueRef::new(&bytes[1..]),
        Err(EngineError::QueueLayout)
    ));
}
