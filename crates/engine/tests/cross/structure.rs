//! The cross queue against a list: every operation, every summary, every byte of the tree.

use ballast_engine::cross::entry::{Moment, Weakness};
use ballast_engine::cross::queue::{cross_queue_size, CrossQueue, CrossQueueRef, FIRST_SEQUENCE};
use ballast_engine::cross::FRESH_SLOTS;
use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, Totals};
use ballast_engine::rank::{ClosePrice, Round};
use ballast_engine::units::{Atoms, FundingIndex, Side};
use ballast_engine::EngineError;

use crate::fixture::{position, price, Dice};

/// Bytes of a cross queue, aligned to 8.
#[derive(Clone)]
pub struct Store(Vec<u64>);

impl Store {
    pub fn new(side: Side, capacity: usize) -> Self {
        let bytes = cross_queue_size(capacity).expect("small");
        let mut store = Self(vec![0; bytes.div_ceil(8)]);
        CrossQueue::create(bytemuck::cast_slice_mut(&mut store.0), [7; 32], side).expect("aligned");
        store
    }

    pub fn queue(&mut self) -> CrossQueue<'_> {
        CrossQueue::new(bytemuck::cast_slice_mut(&mut self.0)).expect("a queue")
    }

    pub fn view(&self) -> CrossQueueRef<'_> {
        CrossQueueRef::new(bytemuck::cast_slice(&self.0)).expect("a queue")
    }
}

/// What the queue should know of one leg.
#[derive(Clone, Copy, Debug)]
struct Known {
    index: u32,
    trader: [u8; 32],
    position: Position,
    at: Moment,
    weak: bool,
    sequence: u64,
    stamp: CutStamp,
}

fn some(dice: &mut Dice, side: Side) -> Position {
    let size = i64::try_from(dice.within(1, 50)).unwrap();
    let size = if side == Side::Long { size } else { -size };
    let entry = dice.within(1, 40);
    position(size, entry, dice.signed(2_000), dice.signed(5))
}

/// A round that closes at the mark.
fn some_round(side: Side) -> Round {
    Round {
        side,
        mark: price(100),
        close: ClosePrice {
            quote: 100,
            lots: 1,
        },
        funding_index: FundingIndex::ZERO,
        min_profit_bps: 0,
        rank_tolerance_bps: 0,
        max_close_bps: 10_000,
        least_lots: 0,
        epoch: 1,
    }
}

fn compare(store: &Store, model: &[Known], newest: u32) {
    let view = store.view();
    assert_eq!(view.invariant(newest, 9), Ok(()));
    assert_eq!(usize::try_from(view.len()), Ok(model.len()));
    assert_eq!(view.is_empty(), model.is_empty());
    for known in model {
        let entry = view.entry(known.index).expect("in the tree");
        let totals = Totals::of(&known.position, view.side()).expect("in range");
        assert_eq!(entry.position.totals(), totals);
        assert_eq!(entry.position.trader, known.trader);
        assert_eq!(entry.position.sequence, known.sequence);
        assert_eq!(entry.position.stamp(), known.stamp);
        assert_eq!(entry.base, known.at.base);
        assert_eq!(entry.recorded_slot, known.at.slot);
        for (slot, fresh) in [
            (known.at.slot - 1, false),
            (known.at.slot, true),
            (known.at.slot + FRESH_SLOTS, true),
            (known.at.slot + FRESH_SLOTS + 1, false),
        ] {
            assert_eq!(entry.is_fresh(slot), fresh);
            let weak = entry.is_weak(&some_round(view.side()), slot);
            assert_eq!(weak, fresh && known.weak);
        }
    }
    let mut order: Vec<_> = model
        .iter()
        .map(|known| {
            let entry = view.entry(known.index).expect("in the tree");
            (entry.position.entry_q32, known.sequence, known.index)
        })
        .collect();
    order.sort_unstable();
    let found: Vec<_> = view.iter().map(|step| step.expect("sound").0).collect();
    let expected: Vec<_> = order.iter().map(|(_, _, index)| *index).collect();
    assert_eq!(found, expected);
    let root = view.tree().root();
    if let Ok(root) = view.entry(root) {
        let oldest = model.iter().map(|known| known.at.base).min();
        assert_eq!(Some(root.oldest_base()), oldest);
    }
}

#[test]
fn it_does_what_a_list_does() {
    for (seed, side) in [(71, Side::Long), (72, Side::Short)] {
        let mut dice = Dice(seed);
        let capacity = 40;
        let mut store = Store::new(side, capacity);
        let mut model: Vec<Known> = Vec::new();
        let mut sequence = FIRST_SEQUENCE;
        for step in 0..6_000_u32 {
            let base = step / 100;
            let at = Moment {
                base,
                slot: u64::from(step) + 1,
            };
            let pick = |dice: &mut Dice| {
                let count = u64::try_from(model.len()).unwrap();
                (count > 0).then(|| usize::try_from(dice.next() % count).unwrap())
            };
            match dice.within(0, 9) {
                0..=3 => {
                    let position = some(&mut dice, side);
                    let trader = [u8::try_from(step % 251).unwrap(); 32];
                    let inserted = store.queue().insert(trader, &position, at);
                    if model.len() == capacity {
                        assert_eq!(inserted, Err(EngineError::QueueFull));
                        continue;
                    }
                    model.push(Known {
                        index: inserted.expect("room"),
                        trader,
                        position,
                        at,
                        weak: false,
                        sequence,
                        stamp: CutStamp::default(),
                    });
                    sequence += 1;
                }
                4 | 5 => {
                    let Some(place) = pick(&mut dice) else {
                        continue;
                    };
                    let index = model.swap_remove(place).index;
                    store.queue().remove(index).expect("in the tree");
                    let again = store.queue().remove(index);
                    assert_eq!(again, Err(EngineError::NodeNotFound));
                }
                6 | 7 => {
                    let Some(place) = pick(&mut dice) else {
                        continue;
                    };
                    let known = &mut model[place];
                    // A record anew, of the same entry price as often as not.
                    let fresh = some(&mut dice, side);
                    known.position = if dice.once_in(2) {
                        Position {
                            margin: fresh.margin,
                            ..known.position
                        }
                    } else {
                        fresh
                    };
                    (known.at, known.weak) = (at, false);
                    let (index, position) = (known.index, known.position);
                    store.queue().record(index, &position, at).expect("there");
                }
                8 => {
                    let Some(place) = pick(&mut dice) else {
                        continue;
                    };
                    let known = &mut model[place];
                    let epoch = u32::try_from(dice.within(1, 9)).unwrap();
                    known.stamp = CutStamp {
                        epoch,
                        lots: u32::try_from(dice.within(1, 9)).unwrap(),
                        capped_epoch: if dice.once_in(2) { epoch } else { 0 },
                    };
                    (known.at, known.weak) = (at, false);
                    let (index, position, stamp) = (known.index, known.position, known.stamp);
                    store
                        .queue()
                        .record_cut(index, &position, at, stamp)
                        .expect("there");
                }
                _ => {
                    let Some(place) = pick(&mut dice) else {
                        continue;
                    };
                    let known = &mut model[place];
                    known.position.margin = Atoms::new(dice.signed(2_000));
                    (known.at, known.weak) = (at, true);
                    let (index, position) = (known.index, known.position);
                    let weakness = Weakness::BelowMaintenance;
                    store
                        .queue()
                        .witness(index, &position, at, weakness)
                        .expect("there");
                }
            }
            if step % 7 == 0 {
                compare(&store, &model, base);
            }
        }
        assert!(model.len() > 5);
    }
}

#[test]
fn what_is_not_a_cross_queue_is_refused() {
    let store = Store::new(Side::Short, 3);
    assert_eq!(store.view().side(), Side::Short);
    assert_eq!(store.view().capacity(), 3);
    let mut bytes = store.0.clone();
    let words: &mut [u8] = bytemuck::cast_slice_mut(&mut bytes);
    let layout = |bytes: &[u8]| CrossQueueRef::new(bytes).map(|_| ());
    assert_eq!(layout(&words[..200]), Err(EngineError::QueueLayout));
    words[36] = 2;
    assert_eq!(layout(words), Err(EngineError::QueueLayout));
    words[36] = 1;
    words[32] = 9;
    assert_eq!(layout(words), Err(EngineError::QueueLayout));
    // An isolated queue is none.
    use ballast_engine::queue::{queue_size, Queue};
    let mut other = vec![0_u64; queue_size(3).unwrap().div_ceil(8)];
    Queue::create(bytemuck::cast_slice_mut(&mut other), [7; 32], Side::Long).unwrap();
    let refused = layout(bytemuck::cast_slice(&other));
    assert_eq!(refused, Err(EngineError::QueueLayout));
}
