//! A node of a cross queue: that of an isolated position with all of the account's equity by record, and
//! how old the record is.

use bytemuck::{Pod, Zeroable};

use crate::queue::{QueueEntry, QueueKey};
use crate::slab::{Links, TreeNode};

/// When a record is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Number of the board's newest checkpoint.
    pub base: u32,
    /// The present slot.
    pub slot: u64,
}

/// A leg in its cross queue. 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct CrossEntry {
    /// Lots, prices, age, stamp and trader, as of an isolated position.
    pub position: QueueEntry,
    /// Number of the board's newest checkpoint when the record was made.
    pub base: u32,
    /// Least `base` of the subtree.
    oldest_base: u32,
    /// Slot in which the record was made.
    pub recorded_slot: u64,
    /// 1: the account, valued exactly then, was below maintenance or too weak for any cut.
    weak: u32,
    /// Zero.
    _pad: u32,
}

const _: () = assert!(core::mem::size_of::<CrossEntry>() == 128);
const _: () = assert!(core::mem::align_of::<CrossEntry>() == 8);

impl CrossEntry {
    pub(super) const fn new(position: QueueEntry, at: Moment, weak: bool) -> Self {
        Self {
            position,
            base: at.base,
            oldest_base: at.base,
            recorded_slot: at.slot,
            weak: if weak { 1 } else { 0 },
            _pad: 0,
        }
    }

    /// Least `base` of the subtree.
    #[inline(always)]
    #[must_use]
    pub const fn oldest_base(&self) -> u32 {
        self.oldest_base
    }

    /// Whether the record is fresh in `slot`.
    #[inline(always)]
    #[must_use]
    pub const fn is_fresh(&self, slot: u64) -> bool {
        super::record::is_fresh(self.recorded_slot, slot)
    }

    /// Whether a witness found the account too weak, and is believed in `slot`.
    #[inline(always)]
    #[must_use]
    pub const fn is_weak(&self, slot: u64) -> bool {
        self.weak != 0 && self.is_fresh(slot)
    }
}

/// What a node knows of its subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossSummary {
    position: <QueueEntry as TreeNode>::Summary,
    oldest_base: u32,
}

impl TreeNode for CrossEntry {
    type Key = QueueKey;
    type Summary = CrossSummary;

    fn key(&self) -> QueueKey {
        self.position.queue_key()
    }

    fn links(&self) -> &Links {
        self.position.links()
    }

    fn links_mut(&mut self) -> &mut Links {
        self.position.links_mut()
    }

    fn height(&self) -> u8 {
        self.position.height()
    }

    fn set_height(&mut self, height: u8) {
        self.position.set_height(height);
    }

    fn summary(&self) -> CrossSummary {
        CrossSummary {
            position: self.position.summary(),
            oldest_base: self.oldest_base,
        }
    }

    fn set_summary(&mut self, summary: CrossSummary) {
        self.position.set_summary(summary.position);
        self.oldest_base = summary.oldest_base;
    }

    fn summarise(&self, left: Option<&Self>, right: Option<&Self>) -> CrossSummary {
        let position = |node: Option<&'_ Self>| node.map(|node| node.position);
        let (low, high) = (position(left), position(right));
        let children = [left, right].into_iter().flatten();
        CrossSummary {
            position: self.position.summarise(low.as_ref(), high.as_ref()),
            oldest_base: children.fold(self.base, |oldest, child| oldest.min(child.oldest_base)),
        }
    }
}
