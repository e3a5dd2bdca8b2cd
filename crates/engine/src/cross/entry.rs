//! A node of a cross queue: that of an isolated position with all of the account's equity by record, and
//! how old the record is.

use bytemuck::{Pod, Zeroable};

use crate::queue::{QueueEntry, QueueKey};
use crate::slab::{Links, TreeNode};

/// A leg in its cross queue. 120 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct CrossEntry {
    /// Lots, prices, age, stamp and trader, as of an isolated position.
    pub position: QueueEntry,
    /// Number of the board's newest checkpoint when the record was made.
    pub base: u32,
    /// Least `base` of the subtree.
    oldest_base: u32,
    /// Slot in which the account, valued exactly, was below maintenance or too weak for any cut; 0 never
    /// since the record.
    pub witnessed_slot: u64,
}

const _: () = assert!(core::mem::size_of::<CrossEntry>() == 120);
const _: () = assert!(core::mem::align_of::<CrossEntry>() == 8);

impl CrossEntry {
    pub(super) const fn new(position: QueueEntry, base: u32) -> Self {
        Self {
            position,
            base,
            oldest_base: base,
            witnessed_slot: 0,
        }
    }

    /// Least `base` of the subtree.
    #[inline(always)]
    #[must_use]
    pub const fn oldest_base(&self) -> u32 {
        self.oldest_base
    }

    /// Whether a witness's stamp is believed in `slot`.
    #[inline(always)]
    #[must_use]
    pub const fn is_witnessed(&self, slot: u64) -> bool {
        match slot.checked_sub(self.witnessed_slot) {
            Some(age) => self.witnessed_slot > 0 && age <= super::FRESH_SLOTS,
            None => false,
        }
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
