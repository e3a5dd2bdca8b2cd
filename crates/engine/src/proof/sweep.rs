//! A pruned walk in order of keys, which can stop anywhere and go on later.

use crate::error::EngineError;
use crate::queue::{QueueKey, QueueRef};
use crate::rank::{Ranked, Round};
use crate::units::Side;

use super::bound::{Bound, Solvency};
use super::narrow::Narrow;
use super::{best_entry, bounded, slot, Waiting, NOWHERE};

/// What one stretch of the walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// A position that the bound does not deny and that is not at its cap.
    pub(crate) found: Option<u32>,
    /// Everything up to this key has been seen, the position found included.
    pub(crate) cursor: QueueKey,
    /// Nodes looked at.
    pub(crate) visited: u32,
    /// Whether the end was reached.
    pub(crate) ended: bool,
}

/// Walks on beyond `cursor`, up to the first position that may rank above `last` or,
/// without one, may be cut at all; looks at no more than `budget` nodes.
pub(crate) fn next_admitted(
    queue: &QueueRef<'_>,
    round: &Round,
    last: Option<&Ranked>,
    cursor: QueueKey,
    budget: u32,
) -> Result<Stretch, EngineError> {
    let sweep = Sweep {
        queue,
        epoch: round.first_epoch(),
        cursor,
        budget,
    };
    let bound = Bound::new(round, last, 0)?;
    let best = best_entry(queue)?;
    bounded!(bound, round, best, |admits, confirms| sweep
        .walk(admits, confirms))
}

struct Sweep<'a> {
    queue: &'a QueueRef<'a>,
    epoch: u32,
    cursor: QueueKey,
    budget: u32,
}

impl Sweep<'_> {
    #[inline(never)]
    fn walk(
        mut self,
        admits: impl Fn(u64, i64) -> bool,
        confirms: impl Fn(u64, i64) -> bool,
    ) -> Result<Stretch, EngineError> {
        let nodes = self.queue.tree().nodes();
        let mut waiting = Waiting::new();
        let mut left = self.budget;
        let mut next = slot(self.queue.tree().root());
        loop {
            while next != NOWHERE {
                let node = nodes.get(next).ok_or(EngineError::TreeCorrupt)?;
                let Some(rest) = left.checked_sub(1) else {
                    return Ok(self.stretch(None, left, false));
                };
                left = rest;
                if !admits(node.best_entry_q32, node.best_bankruptcy_q32)
                    || node.least_capped_epoch >= self.epoch
                {
                    next = NOWHERE;
                } else if node.queue_key() <= self.cursor {
                    // Seen, and so is everything to the left.
                    next = slot(node.right());
                } else {
                    waiting.push(next)?;
                    next = slot(node.left());
                }
            }
            let place = waiting.pop();
            if place == NOWHERE {
                return Ok(self.stretch(None, left, true));
            }
            let node = nodes.get(place).ok_or(EngineError::TreeCorrupt)?;
            self.cursor = node.queue_key();
            if admits(node.entry_q32, node.bankruptcy_q32)
                && node.capped_epoch < self.epoch
                && !node.is_selected()
                && confirms(node.entry_q32, node.bankruptcy_q32)
            {
                return Ok(self.stretch(u32::try_from(place).ok(), left, false));
            }
            next = slot(node.right());
        }
    }

    const fn stretch(&self, found: Option<u32>, left: u32, ended: bool) -> Stretch {
        Stretch {
            found,
            cursor: self.cursor,
            // What is left of the budget is never more than all of it.
            visited: self.budget.wrapping_sub(left),
            ended,
        }
    }
}
