//! The tree keeps its invariants and its nodes' places under random changes.

use std::collections::BTreeMap;

use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, Totals};
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_position, any_side, cases, trader, Dice, Scale, Store};

#[derive(Clone, Debug)]
enum Step {
    Insert(Position),
    Remove(usize),
    Update(usize, Position),
    Stamp(usize, CutStamp),
}

fn any_steps(side: Side) -> impl Strategy<Value = Vec<Step>> {
    let scale = Scale {
        lots: 9,
        price: 40,
        funding: 3,
    };
    let position = || any_position(side, scale, 20);
    let step = prop_oneof![
        4 => position().prop_map(Step::Insert),
        3 => any::<usize>().prop_map(Step::Remove),
        3 => (any::<usize>(), position()).prop_map(|(which, to)| Step::Update(which, to)),
        1 => (any::<usize>(), 0_u32..3, 0_u32..9).prop_map(|(which, epoch, lots)| {
            Step::Stamp(which, CutStamp { epoch, lots, capped_epoch: epoch.min(lots % 3) })
        }),
    ];
    prop::collection::vec(step, 0..120)
}

/// What each node should hold: trader, sequence, position, stamp.
type Model = BTreeMap<u32, ([u8; 32], u64, Position, CutStamp)>;

fn pick(model: &Model, which: usize) -> Option<u32> {
    let count = model.len().max(1);
    model.keys().nth(which % count).copied()
}

fn check(store: &Store, side: Side, model: &Model) {
    let queue = store.view();
    assert_eq!(queue.invariant(), Ok(()));
    assert_eq!(queue.len(), u32::try_from(model.len()).expect("small"));
    for (index, (trader, sequence, position, stamp)) in model {
        let entry = queue.entry(*index).expect("a live node");
        assert_eq!((entry.trader, entry.sequence), (*trader, *sequence));
        assert_eq!(Ok(entry.totals()), Totals::of(position, side));
        assert_eq!(entry.stamp(), *stamp);
    }
    let mut keys: Vec<_> = model
        .keys()
        .map(|index| queue.entry(*index).expect("live").queue_key())
        .collect();
    keys.sort_unstable();
    let walked: Vec<_> = queue
        .iter()
        .map(|step| step.expect("sound").1.queue_key())
        .collect();
    assert_eq!(walked, keys);
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn random_changes_keep_order_balance_summaries_and_places(
        (side, steps) in any_side().prop_flat_map(|side| (Just(side), any_steps(side)))
    ) {
        const ROOM: usize = 24;
        let mut store = Store::new(side, ROOM);
        while store.queue().open_pass(0).expect("few") < 3 {}
        let mut model = Model::new();
        let mut joined = 0_u64;
        for step in steps {
            match step {
                Step::Insert(position) => {
                    let name = trader(usize::try_from(joined).expect("small"));
                    let index = store.queue().insert(name, &position);
                    if model.len() == ROOM {
                        prop_assert_eq!(index, Err(EngineError::QueueFull));
                    } else {
                        let index = index.expect("room");
                        let fresh = (name, joined, position, CutStamp::default());
                        prop_assert!(model.insert(index, fresh).is_none());
                        joined += 1;
                    }
                }
                Step::Remove(which) => if let Some(index) = pick(&model, which) {
                    prop_assert_eq!(store.queue().remove(index), Ok(()));
                    model.remove(&index);
                    prop_assert!(store.view().entry(index).is_err());
                },
                Step::Update(which, position) => if let Some(index) = pick(&model, which) {
                    prop_assert_eq!(store.queue().update(index, &position), Ok(()));
                    model.get_mut(&index).expect("picked").2 = position;
                },
                Step::Stamp(which, stamp) => if let Some(index) = pick(&model, which) {
                    prop_assert_eq!(store.queue().stamp(index, stamp), Ok(()));
                    model.get_mut(&index).expect("picked").3 = stamp;
                },
            }
            check(&store, side, &model);
        }
    }
}

/// Ascending, descending and alternating keys are what unbalances a tree.
#[test]
fn sorted_input_stays_balanced() {
    let orders: [fn(u64) -> u64; 3] = [
        |n| n,
        |n| 4_000 - n,
        |n| if n % 2 == 0 { n } else { 4_000 - n },
    ];
    for price in orders {
        let mut store = Store::new(Side::Long, 2_000);
        for n in 0..2_000 {
            let long = crate::fixture::position(Side::Long, 2, 2 * (price(n) + 1), 1, 0);
            assert!(store.queue().insert(trader(0), &long).is_ok());
        }
        assert_eq!(store.view().invariant(), Ok(()));
    }
}

#[test]
fn a_thousand_removals_in_random_order_leave_nothing() {
    let mut dice = Dice(3);
    let mut store = Store::new(Side::Short, 1_000);
    let mut live = Vec::new();
    for number in 0..1_000 {
        let short = crate::fixture::position(Side::Short, 1, dice.within(1, 50), 5, 0);
        live.push(store.queue().insert(trader(number), &short).expect("room"));
    }
    while !live.is_empty() {
        let at = usize::try_from(dice.within(0, live.len() as u64 - 1)).expect("small");
        let index = live.swap_remove(at);
        assert_eq!(store.queue().remove(index), Ok(()));
        assert_eq!(store.view().invariant(), Ok(()));
    }
    assert!(store.view().is_empty());
}
