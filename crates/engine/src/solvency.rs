//! Who of a queue has equity below zero at a price, and how much is missing: exact, and without
//! anybody having flagged it.
//!
//! With mark `p`, cumulative funding `F` and a position of `q` lots whose bankruptcy price less
//! funding is `b = X / q`, all in atoms per lot, the equity in atoms is `q (p - F) - X` for a long
//! and `X - q (p - F)` for a short. A node stores `s = floor(2^32 b)`. With `P = 2^32 (p - F)`,
//! which is a multiple of 2^32, and `q < 2^32`:
//!
//! ```text
//! long   equity < 0  <=>  X >= q (p - F) + 1  <=>  s > P      one atom more is 2^32 / q > 1
//! short  equity < 0  <=>  b < p - F           <=>  s < P      floor(x) < n  <=>  x < n
//! ```
//!
//! So the stored price decides, equality is an equity of exactly nothing, and the best price of a
//! subtree, greatest for longs and least for shorts, says whether it holds a bankrupt at all.

use crate::error::EngineError;
use crate::position::Position;
use crate::proof::{slot, Waiting, NOWHERE};
use crate::queue::{QueueEntry, QueueRef, Totals};
use crate::rank::Exposure;
use crate::slab::NIL;
use crate::units::{FundingIndex, LotPrice, Side, BPS_ONE};

/// What is missing in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deficits {
    /// Sum of what the equity of each bankrupt position is below zero, atoms, not negative.
    pub atoms: u64,
    /// Positions with an equity below zero.
    pub count: u32,
    /// Nodes looked at.
    pub visited: u32,
}

/// Whether any position of the queue has an equity below zero at `mark`. Exact; looks at the root
/// only. An empty queue has none.
///
/// `TreeCorrupt` when the root lies outside the queue.
pub fn anybody_bankrupt(
    queue: &QueueRef<'_>,
    mark: LotPrice,
    index: FundingIndex,
) -> Result<bool, EngineError> {
    let root = queue.tree().root();
    if root == NIL {
        return Ok(false);
    }
    let best = queue.tree().linked(root)?.best_bankruptcy_q32;
    Ok(Pivot::new(queue.side(), mark, index).is_beyond(best))
}

/// Whether no position of either queue lies farther beyond the mark, per lot, than one of `side`
/// whose queue entry stores this bankruptcy price, 2^-32 atoms per lot; looks at the roots only.
///
/// `TreeCorrupt` when a root lies outside its queue.
pub fn is_farthest(
    long: &QueueRef<'_>,
    short: &QueueRef<'_>,
    side: Side,
    bankruptcy_q32: i64,
    mark: LotPrice,
    index: FundingIndex,
) -> Result<bool, EngineError> {
    let own = Pivot::new(side, mark, index).distance_q32(bankruptcy_q32);
    for queue in [long, short] {
        let root = queue.tree().root();
        if root == NIL {
            continue;
        }
        let best = queue.tree().linked(root)?.best_bankruptcy_q32;
        if Pivot::new(queue.side(), mark, index).distance_q32(best) > own {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How far the bankruptcy price of a position, as its queue entry stores it, lies beyond the mark,
/// 2^-32 atoms per lot; not positive for who is not bankrupt. What [`is_farthest`] compares.
///
/// `NoPosition`; errors of a queue's entry.
pub fn beyond_q32(
    position: &Position,
    mark: LotPrice,
    index: FundingIndex,
) -> Result<i128, EngineError> {
    let side = position.side().ok_or(EngineError::NoPosition)?;
    let stored = Totals::of(position, side)?.bankruptcy_q32()?;
    Ok(Pivot::new(side, mark, index).distance_q32(stored))
}

/// The bankrupt positions of the queue at `mark` and what they lack in all; exact. `None` when
/// looking at `max_nodes` nodes was not enough to see every one, which is no statement about how
/// many there are.
///
/// A solvent queue takes one node, or none when it is empty. Else each bankrupt position takes at
/// most two for each level above it, so `n` of them in a tree of height `h` at most `1 + 2 n h`.
///
/// `Overflow` when the sum leaves `u64`; `TreeCorrupt`.
pub fn deficits(
    queue: &QueueRef<'_>,
    mark: LotPrice,
    index: FundingIndex,
    max_nodes: u32,
) -> Result<Option<Deficits>, EngineError> {
    let nodes = queue.tree().nodes();
    let pivot = Pivot::new(queue.side(), mark, index);
    let mut found = Deficits::default();
    let mut waiting = Waiting::new();
    let mut next = slot(queue.tree().root());
    while next != NOWHERE {
        if found.visited >= max_nodes {
            return Ok(None);
        }
        let node = nodes.get(next).ok_or(EngineError::TreeCorrupt)?;
        // More nodes than there are: a loop.
        if found.visited >= queue.len() {
            return Err(EngineError::TreeCorrupt);
        }
        found.visited = found.visited.wrapping_add(1);
        if !pivot.is_beyond(node.best_bankruptcy_q32) {
            next = waiting.pop();
            continue;
        }
        if pivot.is_beyond(node.bankruptcy_q32) {
            found.add(deficit(node, queue.side(), mark, index)?)?;
        }
        next = waiting.descend(slot(node.left()), slot(node.right()))?;
    }
    Ok(Some(found))
}

/// No less than what the bankrupt positions of the queue lack at `mark`, atoms, and 0 when nobody is
/// bankrupt; looks at the root only. As many lots as the queue may hold, `open_interest_lots`, times
/// how far the worst bankruptcy price lies beyond the mark, rounded up; `u64::MAX` where that is
/// more.
///
/// `TreeCorrupt` when the root lies outside the queue.
pub fn deficit_bound(
    queue: &QueueRef<'_>,
    mark: LotPrice,
    index: FundingIndex,
    open_interest_lots: u64,
) -> Result<u64, EngineError> {
    let root = queue.tree().root();
    if root == NIL {
        return Ok(0);
    }
    let best = queue.tree().linked(root)?.best_bankruptcy_q32;
    let beyond = Pivot::new(queue.side(), mark, index).beyond_q32(best);
    // 64 by 65 bits do not fit where the sum of the lots is beyond any market's.
    let atoms = u128::from(open_interest_lots)
        .checked_mul(beyond)
        .and_then(|scaled| u64::try_from(scaled.div_ceil(1 << 32)).ok());
    Ok(atoms.unwrap_or(u64::MAX))
}

/// What is missing in a queue after a move of the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The move, basis points of the mark; a fall is negative.
    pub move_bps: i32,
    /// The price after it.
    pub price: LotPrice,
    /// What is missing then, before insurance pays anything.
    pub deficits: Deficits,
}

/// For each move of the mark what would be missing in the queue if the price jumped there before
/// anybody could be liquidated. A price between two atoms is the one farther from the mark.
/// Looks at all of the queue if need be: not for a program.
///
/// Items: `PriceOutOfRange` where the price leaves the range of prices; errors of [`deficits`].
pub fn gap_curve<'a>(
    queue: QueueRef<'a>,
    mark: LotPrice,
    index: FundingIndex,
    moves_bps: impl IntoIterator<Item = i32> + 'a,
) -> impl Iterator<Item = Result<Gap, EngineError>> + 'a {
    moves_bps.into_iter().map(move |move_bps| {
        let price = moved(mark, move_bps)?;
        let all = deficits(&queue, price, index, u32::MAX)?;
        Ok(Gap {
            move_bps,
            price,
            deficits: all.ok_or(EngineError::TreeCorrupt)?,
        })
    })
}

/// `mark` moved by basis points of itself; the distance is rounded up. `PriceOutOfRange`.
fn moved(mark: LotPrice, move_bps: i32) -> Result<LotPrice, EngineError> {
    // 31 by 32 bits.
    let scaled = mark.get().wrapping_mul(u64::from(move_bps.unsigned_abs()));
    let distance = scaled.div_ceil(BPS_ONE);
    let price = if move_bps < 0 {
        mark.get().checked_sub(distance)
    } else {
        mark.get().checked_add(distance)
    };
    LotPrice::new(price.ok_or(EngineError::PriceOutOfRange)?)
}

/// The bankruptcy price, less funding, of an equity of exactly nothing.
struct Pivot {
    side: Side,
    /// Mark less the funding index, 2^-32 atoms per lot.
    q32: i128,
}

impl Pivot {
    fn new(side: Side, mark: LotPrice, index: FundingIndex) -> Self {
        // 31 and 64 bits, then 32 more.
        let pivot = i128::from(mark.get()).wrapping_sub(i128::from(index.get()));
        Self {
            side,
            q32: pivot << 32,
        }
    }

    /// Whether a stored bankruptcy price is that of an equity below zero.
    fn is_beyond(&self, bankruptcy_q32: i64) -> bool {
        let bankruptcy = i128::from(bankruptcy_q32);
        match self.side {
            Side::Long => bankruptcy > self.q32,
            Side::Short => bankruptcy < self.q32,
        }
    }

    /// How far a stored bankruptcy price lies beyond the mark, 2^-32 atoms per lot, positive for
    /// who is bankrupt.
    fn distance_q32(&self, bankruptcy_q32: i64) -> i128 {
        // 64 and 97 bits.
        let above = i128::from(bankruptcy_q32).wrapping_sub(self.q32);
        match self.side {
            Side::Long => above,
            Side::Short => above.wrapping_neg(),
        }
    }
}

impl Pivot {
    /// How far at most the bankruptcy price that is stored as this lies beyond the mark, 2^-32 atoms
    /// per lot; 0 when it does not.
    fn beyond_q32(&self, bankruptcy_q32: i64) -> u128 {
        if !self.is_beyond(bankruptcy_q32) {
            return 0;
        }
        // Stored rounded down: a long's may lie up to one more beyond.
        let distance = i128::from(bankruptcy_q32).abs_diff(self.q32);
        match self.side {
            Side::Long => distance.wrapping_add(1),
            Side::Short => distance,
        }
    }
}

impl Deficits {
    fn add(&mut self, atoms: u64) -> Result<(), EngineError> {
        let sum = self.atoms.checked_add(atoms);
        self.atoms = sum.ok_or(EngineError::Overflow)?;
        // No more than the nodes visited.
        self.count = self.count.wrapping_add(1);
        Ok(())
    }
}

/// What a bankrupt position lacks, atoms.
fn deficit(
    node: &QueueEntry,
    side: Side,
    mark: LotPrice,
    index: FundingIndex,
) -> Result<u64, EngineError> {
    let exposure = Exposure::of_entry(node, side, index);
    let worth = i128::from(mark.notional(exposure.lots)?);
    // 63 and 97 bits.
    let missing = match side {
        Side::Long => exposure.bankruptcy.wrapping_sub(worth),
        Side::Short => worth.wrapping_sub(exposure.bankruptcy),
    };
    u64::try_from(missing).map_err(|_| EngineError::Overflow)
}
