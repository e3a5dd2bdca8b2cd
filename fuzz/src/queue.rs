//! Sequences of changes to a queue, next to a vector that does the same.

use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, QueueRef, Totals};
use ballast_engine::units::{FundingIndex, Side};

use crate::bytes::Bytes;
use crate::store::Store;

const CAPACITY: usize = 48;

struct Member {
    index: u32,
    trader: [u8; 32],
    sequence: u64,
    totals: Totals,
    stamp: CutStamp,
}

struct Model {
    store: Store,
    side: Side,
    members: Vec<Member>,
    inserted: u64,
    passes: u32,
}

/// Runs the changes that the bytes stand for.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let side = bytes.side();
    let mut model = Model {
        store: Store::new(side, CAPACITY),
        side,
        members: Vec::new(),
        inserted: 0,
        passes: 0,
    };
    while !bytes.is_empty() {
        model.step(&mut bytes);
        assert_eq!(model.store.view().invariant(), Ok(()));
    }
    model.compare();
}

impl Model {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 8 {
            0..=2 => self.insert(bytes),
            3 => self.update(bytes, false),
            4 => self.update(bytes, true),
            5 => self.restamp(bytes),
            6 => self.remove(bytes),
            _ => self.other(bytes),
        }
    }

    fn position(&self, bytes: &mut Bytes<'_>) -> Position {
        let side = if bytes.byte() == 0xff {
            self.side.opposite()
        } else {
            self.side
        };
        let mut position = bytes.position(side, u64::MAX, u64::MAX);
        let funding = match bytes.byte() {
            0 => bytes.signed(1 << 40),
            small => i64::from(small % 4),
        };
        position.funding_index = FundingIndex::new(funding);
        position
    }

    fn insert(&mut self, bytes: &mut Bytes<'_>) {
        let position = self.position(bytes);
        let trader = [bytes.byte(); 32];
        let before = self.store.clone();
        match self.store.queue().insert(trader, &position) {
            Ok(index) => {
                self.members.push(Member {
                    index,
                    trader,
                    sequence: self.inserted,
                    totals: Totals::of(&position, self.side).expect("inserted"),
                    stamp: CutStamp::default(),
                });
                self.inserted += 1;
            }
            Err(_) => {
                let refusable = self.members.len() == CAPACITY
                    || position.side() != Some(self.side)
                    || position.funding_index != FundingIndex::ZERO;
                assert!(refusable, "{position:?}");
                assert_eq!(self.store, before, "a refusal changes nothing");
            }
        }
    }

    fn update(&mut self, bytes: &mut Bytes<'_>, cut: bool) {
        let position = self.position(bytes);
        let stamp = bytes.stamp(self.passes);
        let Some(member) = pick(&mut self.members, bytes) else {
            return;
        };
        let before = self.store.clone();
        let mut queue = self.store.queue();
        let outcome = if cut {
            queue.update_cut(member.index, &position, stamp)
        } else {
            queue.update(member.index, &position)
        };
        if outcome.is_ok() {
            member.totals = Totals::of(&position, self.side).expect("updated");
            if cut {
                member.stamp = stamp;
            }
        } else {
            assert_eq!(self.store, before, "a refusal changes nothing");
        }
    }

    fn restamp(&mut self, bytes: &mut Bytes<'_>) {
        let stamp = bytes.stamp(self.passes);
        if let Some(member) = pick(&mut self.members, bytes) {
            assert_eq!(self.store.queue().stamp(member.index, stamp), Ok(()));
            member.stamp = stamp;
        }
    }

    fn remove(&mut self, bytes: &mut Bytes<'_>) {
        if !self.members.is_empty() {
            let place = bytes.place(self.members.len());
            let member = self.members.swap_remove(place);
            assert_eq!(self.store.queue().remove(member.index), Ok(()));
        }
    }

    /// A new pass, or a node that is not there.
    fn other(&mut self, bytes: &mut Bytes<'_>) {
        let index = u32::from(bytes.byte());
        if index.is_multiple_of(4) {
            self.passes += 1;
            assert_eq!(self.store.queue().open_pass(0), Ok(self.passes));
        } else if self.members.iter().all(|member| member.index != index) {
            let before = self.store.clone();
            assert!(self.store.queue().remove(index).is_err());
            assert!(self.store.view().entry(index).is_err());
            assert_eq!(self.store, before, "a refusal changes nothing");
        }
    }

    /// The queue holds exactly the members, sorted by entry price and age.
    fn compare(&mut self) {
        // E / q by cross products.
        self.members.sort_by(|a, b| {
            let left = u128::from(a.totals.entry) * u128::from(b.totals.lots);
            let right = u128::from(b.totals.entry) * u128::from(a.totals.lots);
            left.cmp(&right)
        });
        let view = self.store.view();
        assert_eq!(view.len(), u32::try_from(self.members.len()).expect("few"));
        for member in &self.members {
            let entry = view.entry(member.index).expect("live");
            assert_eq!(entry.totals(), member.totals);
            assert_eq!(entry.stamp(), member.stamp);
            assert_eq!(
                (entry.trader, entry.sequence),
                (member.trader, member.sequence)
            );
        }
        best_of(&view, view.tree().root());
        let keys: Vec<_> = view
            .iter()
            .map(|step| step.expect("sound").1.queue_key())
            .collect();
        assert!(keys.is_sorted());
        let stored: Vec<u64> = self
            .members
            .iter()
            .map(|member| view.entry(member.index).expect("live").entry_q32)
            .collect();
        assert!(
            stored.is_sorted(),
            "rounding keeps the order of entry prices"
        );
    }
}

/// The best entry and bankruptcy price and the least cap of a subtree, which its root
/// stores.
fn best_of(view: &QueueRef<'_>, index: u32) -> Option<(u64, i64, u32)> {
    let node = view.entry(index).ok()?;
    let mut best = (node.entry_q32, node.bankruptcy_q32, node.capped_epoch);
    for child in [node.left(), node.right()] {
        let Some((entry, bankruptcy, epoch)) = best_of(view, child) else {
            continue;
        };
        best = match view.side() {
            Side::Long => (best.0.min(entry), best.1.max(bankruptcy), best.2.min(epoch)),
            Side::Short => (best.0.max(entry), best.1.min(bankruptcy), best.2.min(epoch)),
        };
    }
    let stored = (
        node.best_entry_q32,
        node.best_bankruptcy_q32,
        node.least_capped_epoch,
    );
    assert_eq!(stored, best);
    Some(best)
}

fn pick<'a>(members: &'a mut [Member], bytes: &mut Bytes<'_>) -> Option<&'a mut Member> {
    if members.is_empty() {
        return None;
    }
    let place = bytes.place(members.len());
    members.get_mut(place)
}
