//! The completeness proof: one pruned walk of the queue which finds any position
//! that was passed over.

pub(crate) mod accounts;
mod bound;
mod narrow;
mod ratio;
mod sweep;

use core::cmp::Ordering;

use crate::error::EngineError;
use crate::queue::{QueueEntry, QueueRef};
use crate::rank::{Class, Exposure, Ranked, Round, Score};
use crate::slab::{MAX_HEIGHT, NIL};
use crate::units::Side;

use accounts::ranks_above;
use bound::{Bound, Solvency};
use narrow::Narrow;
pub(crate) use sweep::next_admitted;

/// Runs `$walk` with two closures over entry and bankruptcy price: whether a subtree
/// or position may rank too high, by the cheapest bound there is, and whether a
/// position admitted by it is worth an exact comparison. Every kind of bound gets a
/// walk compiled for it.
macro_rules! bounded {
    ($bound:expr, $round:expr, $best:expr, |$admits:ident, $confirms:ident| $walk:expr) => {{
        let solvency = Solvency::new($round);
        let solvent = |price| match $round.side {
            Side::Long => solvency.admits_long(price),
            Side::Short => solvency.admits_short(price),
        };
        match $bound {
            Bound::All => {
                let ($admits, $confirms) = (|_: u64, _: i64| true, |_: u64, price| solvent(price));
                $walk
            }
            Bound::Long(fast) => match Narrow::long(&fast, $best) {
                Some(narrow) => {
                    let $admits = |e, b| narrow.admits_long(e, b);
                    let $confirms = |e, b| solvent(b) && fast.admits_long(e, b);
                    $walk
                }
                None => {
                    let $admits = |e, b| fast.admits_long(e, b);
                    let $confirms = |_: u64, b| solvent(b);
                    $walk
                }
            },
            Bound::Short(fast) => match Narrow::short(&fast, $best) {
                Some(narrow) => {
                    let $admits = |e, b| narrow.admits_short(e, b);
                    let $confirms = |e, b| solvent(b) && fast.admits_short(e, b);
                    $walk
                }
                None => {
                    let $admits = |e, b| fast.admits_short(e, b);
                    let $confirms = |_: u64, b| solvent(b);
                    $walk
                }
            },
            Bound::Exact(bound) => {
                let ($admits, $confirms) = (|e, b| bound.admits(e, b), |_: u64, b| solvent(b));
                $walk
            }
        }
    }};
}
use bounded;

/// How far down the ranking a deleveraging reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// To the end: nobody eligible may be left.
    Everyone,
    /// To this position, as it was before it was cut.
    Beyond(Exposure),
}

/// Outcome of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// A position that was passed over, if any.
    pub skipped: Option<u32>,
    /// Nodes looked at.
    pub visited: u32,
}

/// Finds an eligible position that is not at its cap, is not `ignore`, and should
/// have been cut before the threshold was reached.
///
/// With `Beyond(last)` that is one of a higher class than `last`, or of its class
/// and above it by more than `rank_tolerance_bps`; with a tolerance of 0, one that
/// precedes `last` in the total order. `ignore` is the node of `last`, which a
/// partial cut leaves in the queue with its rounding moved.
pub fn first_skipped(
    queue: &QueueRef<'_>,
    round: &Round,
    threshold: &Threshold,
    ignore: Option<u32>,
) -> Result<Walk, EngineError> {
    let last = match threshold {
        Threshold::Everyone => None,
        Threshold::Beyond(last) => Some(Ranked::new(round, last)?),
    };
    first_skipped_beyond(queue, round, last.as_ref(), ignore)
}

/// The same where `last` is ranked already: as it has to be where it is a leg of a cross account
/// ([`Ranked::of_account`]), whose class its exposure does not tell.
pub fn first_skipped_beyond(
    queue: &QueueRef<'_>,
    round: &Round,
    last: Option<&Ranked>,
    ignore: Option<u32>,
) -> Result<Walk, EngineError> {
    check(queue, round)?;
    let search = Search {
        queue,
        round,
        last,
        ignore: ignore.unwrap_or(NIL),
    };
    let bound = Bound::new(round, last, round.rank_tolerance_bps)?;
    let best = best_entry(queue)?;
    bounded!(bound, round, best, |admits, confirms| search
        .walk(admits, confirms))
}

/// The best entry price of a queue, 2^-32 atoms per lot; 0 when it is empty.
fn best_entry(queue: &QueueRef<'_>) -> Result<u64, EngineError> {
    match queue.tree().root() {
        NIL => Ok(0),
        root => Ok(queue.tree().linked(root)?.best_entry_q32),
    }
}

/// A search for somebody passed over.
struct Search<'a> {
    queue: &'a QueueRef<'a>,
    round: &'a Round,
    last: Option<&'a Ranked>,
    ignore: u32,
}

impl Search<'_> {
    /// Depth first, into subtrees that are admitted by their best entry and
    /// bankruptcy prices and not at their cap as a whole. A position admitted by
    /// its own prices is compared exactly unless a closer bound denies it.
    #[inline(never)]
    fn walk(
        &self,
        admits: impl Fn(u64, i64) -> bool,
        confirms: impl Fn(u64, i64) -> bool,
    ) -> Result<Walk, EngineError> {
        let nodes = self.queue.tree().nodes();
        let epoch = self.round.first_epoch();
        let all = u64::from(self.queue.len());
        let mut left = all;
        let mut waiting = Waiting::new();
        let mut next = slot(self.queue.tree().root());
        let ignore = slot(self.ignore);
        let mut skipped = None;
        while next != NOWHERE {
            let node = nodes.get(next).ok_or(EngineError::TreeCorrupt)?;
            // More nodes than there are: a loop.
            left = left.checked_sub(1).ok_or(EngineError::TreeCorrupt)?;
            if node.least_capped_epoch >= epoch
                || !admits(node.best_entry_q32, node.best_bankruptcy_q32)
            {
                next = waiting.pop();
                continue;
            }
            let (entry, price) = (node.entry_q32, node.bankruptcy_q32);
            if admits(entry, price)
                && node.capped_epoch < epoch
                && next != ignore
                && confirms(entry, price)
                && passed_over(self.round, self.last, node)?
            {
                skipped = u32::try_from(next).ok();
                break;
            }
            next = waiting.descend(slot(node.left()), slot(node.right()))?;
        }
        Ok(Walk {
            skipped,
            visited: u32::try_from(all.wrapping_sub(left)).unwrap_or(u32::MAX),
        })
    }
}

/// [`NIL`] as a place in the slice of nodes.
pub(crate) const NOWHERE: usize = 0xffff_ffff;

/// Where a link leads in the slice of nodes.
#[inline(always)]
pub(crate) fn slot(link: u32) -> usize {
    usize::try_from(link).unwrap_or(NOWHERE)
}

/// Places still to look at, above one that leads nowhere.
pub(crate) struct Waiting {
    stack: [usize; MAX_HEIGHT],
    top: usize,
}

impl Waiting {
    pub(crate) const fn new() -> Self {
        Self {
            stack: [NOWHERE; MAX_HEIGHT],
            top: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> usize {
        let next = self.stack.get(self.top).copied().unwrap_or(NOWHERE);
        self.top = self.top.wrapping_sub(1);
        next
    }

    /// The next place after a node with these children: the left child, while the
    /// right one waits.
    #[inline(always)]
    pub(crate) fn descend(&mut self, left: usize, right: usize) -> Result<usize, EngineError> {
        if left == NOWHERE {
            return Ok(if right == NOWHERE { self.pop() } else { right });
        }
        if right != NOWHERE {
            self.push(right)?;
        }
        Ok(left)
    }

    #[inline(always)]
    fn push(&mut self, place: usize) -> Result<(), EngineError> {
        self.top = self.top.wrapping_add(1);
        let slot = self.stack.get_mut(self.top);
        *slot.ok_or(EngineError::TreeCorrupt)? = place;
        Ok(())
    }
}

/// The highest ranked eligible position that is not at its cap and comes strictly
/// after `after` in the total order, or `None`.
pub fn best_below(
    queue: &QueueRef<'_>,
    round: &Round,
    after: Option<&Exposure>,
) -> Result<Option<u32>, EngineError> {
    check(queue, round)?;
    let after = after.map(|after| Ranked::new(round, after)).transpose()?;
    let tree = queue.tree();
    let epoch = round.first_epoch();
    let mut bound = Bound::new(round, None, 0)?;
    let mut best: Option<(u32, Ranked)> = None;
    let mut waiting = Waiting::new();
    let mut visited = 0_u32;
    let mut next = slot(tree.root());
    while next != NOWHERE {
        let node = tree.nodes().get(next).ok_or(EngineError::TreeCorrupt)?;
        visited = count(visited, queue.len())?;
        if node.least_capped_epoch >= epoch
            || !bound.admits(node.best_entry_q32, node.best_bankruptcy_q32)
        {
            next = waiting.pop();
            continue;
        }
        if bound.admits(node.entry_q32, node.bankruptcy_q32) && may_be_cut(round, node)? {
            let found = Ranked::new(round, &exposure(round, node))?;
            let best_so_far = best.as_ref().map(|(_, ranked)| ranked);
            if follows(after.as_ref(), &found)? && precedes(&found, best_so_far)? {
                bound = Bound::new(round, Some(&found), 0)?;
                let index = u32::try_from(next).map_err(|_| EngineError::TreeCorrupt)?;
                best = Some((index, found));
            }
        }
        next = better_first(queue, round, node, &mut waiting)?;
    }
    Ok(best.map(|(index, _)| index))
}

/// Visits every position that may be cut, the highest ranked first. Each step is
/// one [`best_below`]. Ends after the first error.
#[derive(Clone, Copy, Debug)]
pub struct BestFirst<'a> {
    queue: QueueRef<'a>,
    round: Round,
    after: Option<Exposure>,
    ended: bool,
}

impl<'a> BestFirst<'a> {
    /// From the top of the ranking.
    #[must_use]
    pub const fn new(queue: QueueRef<'a>, round: Round) -> Self {
        Self {
            queue,
            round,
            after: None,
            ended: false,
        }
    }

    fn step(&mut self) -> Result<Option<(u32, &'a QueueEntry)>, EngineError> {
        let Some(index) = best_below(&self.queue, &self.round, self.after.as_ref())? else {
            return Ok(None);
        };
        let node = self.queue.entry(index)?;
        self.after = Some(exposure(&self.round, node));
        Ok(Some((index, node)))
    }
}

impl<'a> Iterator for BestFirst<'a> {
    type Item = Result<(u32, &'a QueueEntry), EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

/// Whether the position is solvent at the close price and not at its cap.
fn may_be_cut(round: &Round, node: &QueueEntry) -> Result<bool, EngineError> {
    Ok(round.cap_left(u64::from(node.lots), node.stamp())? > 0
        && exposure(round, node).class(round)? > Class::Ineligible)
}

fn exposure(round: &Round, node: &QueueEntry) -> Exposure {
    Exposure::of_entry(node, round.side, round.funding_index)
}

#[cold]
#[inline(never)]
fn passed_over(
    round: &Round,
    last: Option<&Ranked>,
    node: &QueueEntry,
) -> Result<bool, EngineError> {
    if !may_be_cut(round, node)? {
        return Ok(false);
    }
    let Some(last) = last else {
        return Ok(true);
    };
    let found = Ranked::new(round, &exposure(round, node))?;
    ranks_above(round, &found, Some(last))
}

fn precedes(found: &Ranked, other: Option<&Ranked>) -> Result<bool, EngineError> {
    match other {
        None => Ok(true),
        Some(other) => Ok(found.compare(other)? == Ordering::Greater),
    }
}

fn follows(after: Option<&Ranked>, found: &Ranked) -> Result<bool, EngineError> {
    match after {
        None => Ok(true),
        Some(after) => Ok(found.compare(after)? == Ordering::Less),
    }
}

/// The child that promises the higher score, while the other one waits.
fn better_first(
    queue: &QueueRef<'_>,
    round: &Round,
    node: &QueueEntry,
    waiting: &mut Waiting,
) -> Result<usize, EngineError> {
    let (left, right) = (node.left(), node.right());
    let promise = |index| -> Result<Score, EngineError> {
        let child = queue.tree().linked(index)?;
        let (entry, bankruptcy) = (child.best_entry_q32, child.best_bankruptcy_q32);
        Ok(bound::promise(round, entry, bankruptcy))
    };
    let both = left != NIL && right != NIL;
    if both && promise(left)?.compare(&promise(right)?) != Ordering::Greater {
        return waiting.descend(slot(right), slot(left));
    }
    waiting.descend(slot(left), slot(right))
}

fn check(queue: &QueueRef<'_>, round: &Round) -> Result<(), EngineError> {
    if queue.side() != round.side {
        return Err(EngineError::WrongSide);
    }
    round.check()
}

/// One more node; `TreeCorrupt` when there are more than the queue holds.
fn count(visited: u32, len: u32) -> Result<u32, EngineError> {
    if visited >= len {
        return Err(EngineError::TreeCorrupt);
    }
    Ok(visited.wrapping_add(1))
}
