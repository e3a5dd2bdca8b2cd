//! A pruned walk in order of keys, which can stop anywhere and go on later.

use crate::error::EngineError;
use crate::queue::{QueueKey, QueueRef};
use crate::rank::{Ranked, Round};
use crate::slab::NIL;
use crate::units::Side;

use super::bound::{Bound, Solvency};
use super::narrow::Narrow;
use super::{best_entry, bounded, Pending};

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
    #[inline(always)]
    fn walk(
        mut self,
        admits: impl Fn(u64, i64) -> bool,
        confirms: impl Fn(u64, i64) -> bool,
    ) -> Result<Stretch, EngineError> {
        let tree = self.queue.tree();
        let mut pending = Pending::new();
        let mut visited = 0_u32;
        let mut next = tree.root();
        loop {
            while next != NIL {
                if visited >= self.budget {
                    return Ok(self.stretch(None, visited, false));
                }
                let node = tree.linked(next)?;
                visited = visited.wrapping_add(1);
                if node.least_capped_epoch >= self.epoch
                    || !admits(node.best_entry_q32, node.best_bankruptcy_q32)
                {
                    next = NIL;
                } else if node.queue_key() <= self.cursor {
                    // Seen, and so is everything to the left.
                    next = node.right();
                } else {
                    pending.push(next)?;
                    next = node.left();
                }
            }
            let Some(index) = pending.pop() else {
                return Ok(self.stretch(None, visited, true));
            };
            let node = tree.linked(index)?;
            self.cursor = node.queue_key();
            if node.capped_epoch < self.epoch
                && !node.is_selected()
                && admits(node.entry_q32, node.bankruptcy_q32)
                && confirms(node.entry_q32, node.bankruptcy_q32)
            {
                return Ok(self.stretch(Some(index), visited, false));
            }
            next = node.right();
        }
    }

    const fn stretch(&self, found: Option<u32>, visited: u32, ended: bool) -> Stretch {
        Stretch {
            found,
            cursor: self.cursor,
            visited,
            ended,
        }
    }
}
