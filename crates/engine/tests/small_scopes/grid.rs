//! The grid: kinds of positions, rounds, and all multisets of kinds.

use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::rank::{ClosePrice, Round};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};

/// Most positions of a queue.
pub const MOST: usize = 5;

/// Whether the grid is the wide one.
fn wide() -> bool {
    std::env::var("BALLAST_SCOPES").is_ok_and(|value| value == "wide")
}

/// Lots, entry total and margin of every kind.
fn sizes() -> Vec<(u64, i64, i64)> {
    let mut sizes = Vec::new();
    let (singles, margins): (&[i64], &[i64]) = if wide() {
        (&[3, 4, 5, 6], &[0, 1, 2, 4])
    } else {
        (&[3, 4, 6], &[0, 1, 4])
    };
    for entry in singles {
        sizes.extend(margins.iter().map(|margin| (1, *entry, *margin)));
    }
    // Thirds of an atom per lot, twice; half an atom; a hundredth of one beside a single.
    sizes.extend([(3, 16, 3), (6, 32, 6), (2, 7, 1)]);
    sizes.extend([(100, 401, 100), (100, 599, 100)]);
    sizes
}

pub fn kinds(side: Side) -> Vec<Position> {
    let signed = |(lots, entry, margin): (u64, i64, i64)| Position {
        lots: Lots::on_side(side, lots).expect("few"),
        entry_quote: Atoms::new(if side == Side::Long { entry } else { -entry }),
        margin: Atoms::new(margin),
        funding_index: FundingIndex::ZERO,
    };
    sizes().into_iter().map(signed).collect()
}

/// Every round of the grid without a cap: marks, close prices at the mark, half an atom
/// and one atom beyond it, funding, least profits and tolerances.
pub fn rounds(side: Side) -> Vec<Round> {
    let mut rounds = Vec::new();
    for mark in [4_u64, 5, 6] {
        for half_atoms in [0_i64, 1, 2] {
            for (funding, min_profit_bps) in [(0, 0), (1, 2_500), (-1, 0)] {
                for rank_tolerance_bps in [0, 500, 5_000] {
                    rounds.push(Round {
                        side,
                        mark: LotPrice::new(mark).expect("small"),
                        close: close(side, mark, half_atoms),
                        funding_index: FundingIndex::new(funding),
                        min_profit_bps,
                        rank_tolerance_bps,
                        max_close_bps: 10_000,
                        least_lots: 0,
                        epoch: 1,
                    });
                }
            }
        }
    }
    rounds
}

fn close(side: Side, mark: u64, half_atoms: i64) -> ClosePrice {
    let worth = 2 * i64::try_from(mark).expect("small");
    ClosePrice {
        quote: match side {
            Side::Long => worth - half_atoms,
            Side::Short => worth + half_atoms,
        },
        lots: 2,
    }
}

/// Calls `visit` with every multiset of up to `most` of `kinds` numbers, ascending and
/// descending.
pub fn for_each_queue(kinds: usize, most: usize, mut visit: impl FnMut(&[usize])) {
    let mut chosen = vec![Vec::new()];
    while let Some(queue) = chosen.pop() {
        visit(&queue);
        let turned: Vec<usize> = queue.iter().rev().copied().collect();
        if turned != queue {
            visit(&turned);
        }
        if queue.len() < most {
            for kind in queue.last().copied().unwrap_or(0)..kinds {
                let mut longer = queue.clone();
                longer.push(kind);
                chosen.push(longer);
            }
        }
    }
}

/// Bytes of a queue of [`MOST`] positions, aligned to 8.
pub struct Store(Vec<u64>);

impl Store {
    pub fn new() -> Self {
        Self(vec![0; queue_size(MOST).expect("small").div_ceil(8)])
    }

    /// Refills the queue with these positions in order; indices are their places.
    pub fn fill(&mut self, side: Side, kinds: &[Position], chosen: &[usize]) {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0);
        Queue::create(bytes, [7; 32], side).expect("aligned");
        let mut queue = self.queue();
        queue.open_pass(0).expect("the first");
        for kind in chosen {
            queue.insert([1; 32], &kinds[*kind]).expect("room");
        }
    }

    pub fn queue(&mut self) -> Queue<'_> {
        Queue::new(bytemuck::cast_slice_mut(&mut self.0)).expect("a queue")
    }

    pub fn view(&self) -> QueueRef<'_> {
        QueueRef::new(bytemuck::cast_slice(&self.0)).expect("a queue")
    }
}

pub fn index(place: usize) -> u32 {
    u32::try_from(place).expect("small")
}

pub fn place(index: u32) -> usize {
    usize::try_from(index).expect("small")
}

#[test]
fn pairs_of_three_kinds_in_both_orders() {
    let mut seen = Vec::new();
    for_each_queue(3, 2, |queue| seen.push(queue.to_vec()));
    seen.sort();
    let mut expected = vec![vec![]];
    for a in 0..3 {
        expected.push(vec![a]);
        expected.extend((0..3).map(|b| vec![a, b]));
    }
    assert_eq!(seen, expected);
}
