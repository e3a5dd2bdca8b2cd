//! The cross queue of one side of a market: a tree of legs keyed by entry price, in the bytes of an
//! account.
//!
//! Passes are those of the isolated queue of the side, whose number counts for both.

use bytemuck::{Pod, Zeroable};

use super::entry::{CrossEntry, Moment, Weakness};
use super::limits::CrossDraws;
use crate::error::EngineError;
use crate::position::Position;
use crate::queue::{parts, parts_mut, CutStamp, QueueEntry, Totals};
use crate::slab::{InOrder, Tree, TreeHeader, TreeRef};
use crate::units::Side;

/// Layout version written by [`CrossQueue::create`].
pub const CROSS_QUEUE_VERSION: u32 = 1;
/// Bytes before the nodes.
pub const CROSS_HEADER_SIZE: usize = core::mem::size_of::<CrossHeader>();
/// Bytes of a node.
pub const CROSS_ENTRY_SIZE: usize = core::mem::size_of::<CrossEntry>();
/// The first sequence number: above every one of an isolated queue, so that no two positions of a market
/// share one, and of two that are equal in all else the isolated one comes first.
pub const FIRST_SEQUENCE: u64 = 1 << 63;

const LONG: u32 = 0;
const SHORT: u32 = 1;

/// What precedes the nodes of a cross queue.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct CrossHeader {
    /// Key of the market.
    pub market: [u8; 32],
    /// 0: long positions; 1: short positions.
    pub side: u32,
    /// [`CROSS_QUEUE_VERSION`].
    pub version: u32,
    /// Root, free list and count of the tree.
    pub tree: TreeHeader,
    /// Sequence number of the next leg to join, from [`FIRST_SEQUENCE`].
    pub next_sequence: u64,
    /// Sum of the lots of its legs.
    pub lots: u64,
    /// In the queue of longs: what insurance has paid lately for legs of either side. Zero in the other.
    pub draws: CrossDraws,
    /// Zero.
    pub reserved: [u8; 136],
}

const _: () = assert!(CROSS_HEADER_SIZE == 256);

impl CrossHeader {
    /// The side of every leg in the queue. `QueueLayout` when unknown, or of another version.
    pub const fn side(&self) -> Result<Side, EngineError> {
        match (self.version, self.side) {
            (CROSS_QUEUE_VERSION, LONG) => Ok(Side::Long),
            (CROSS_QUEUE_VERSION, SHORT) => Ok(Side::Short),
            _ => Err(EngineError::QueueLayout),
        }
    }
}

/// Bytes of a queue of this many nodes, without an account discriminator.
#[must_use]
pub const fn cross_queue_size(capacity: usize) -> Option<usize> {
    match capacity.checked_mul(CROSS_ENTRY_SIZE) {
        Some(nodes) => nodes.checked_add(CROSS_HEADER_SIZE),
        None => None,
    }
}

/// A cross queue to read.
#[derive(Clone, Copy, Debug)]
pub struct CrossQueueRef<'a> {
    header: &'a CrossHeader,
    nodes: &'a [CrossEntry],
    side: Side,
}

impl<'a> CrossQueueRef<'a> {
    /// A queue in bytes aligned to 8. `QueueLayout` when they are not one.
    pub fn new(bytes: &'a [u8]) -> Result<Self, EngineError> {
        let (header, nodes): (&CrossHeader, _) = parts(bytes)?;
        Ok(Self {
            header,
            nodes,
            side: header.side()?,
        })
    }

    /// What precedes the nodes.
    #[must_use]
    pub const fn header(&self) -> &'a CrossHeader {
        self.header
    }

    /// The side of every leg in the queue.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Number of legs.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.header.tree.len
    }

    /// Whether there are no legs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.header.tree.len == 0
    }

    /// Number of legs for which there is room.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.nodes.len()
    }

    /// Lots by which the legs of this side may grow, which may hold `most`, and of them a leg that is `new` to the
    /// queue: none where that is full.
    #[must_use]
    pub fn room(&self, most: u64, new: bool) -> u64 {
        let full = !usize::try_from(self.len()).is_ok_and(|len| len < self.capacity());
        if new && full {
            return 0;
        }
        let held = self.header.lots;
        most.max(held).wrapping_sub(held)
    }

    /// The nodes in order of their keys.
    #[must_use]
    pub const fn tree(&self) -> TreeRef<'a, CrossEntry> {
        TreeRef::new(&self.header.tree, self.nodes)
    }

    /// The leg at `index`. `NodeNotFound` when there is none.
    pub fn entry(&self, index: u32) -> Result<&'a CrossEntry, EngineError> {
        self.tree().get(index)
    }

    /// Visits all legs with their indices in order of (entry price, sequence).
    #[must_use]
    pub const fn iter(&self) -> InOrder<'a, CrossEntry> {
        self.tree().iter()
    }

    /// Walks everything: the tree, and that each node has lots, the queue's side, a sequence number
    /// already given out, a base no newer than `newest_base` and a cap no newer than `passes`; and that their
    /// lots add up.
    pub fn invariant(&self, newest_base: u32, passes: u32) -> Result<(), EngineError> {
        self.tree().invariant()?;
        let mut lots = 0_u64;
        for step in self.iter() {
            let (_, entry) = step?;
            let position = &entry.position;
            lots = lots.wrapping_add(u64::from(position.lots));
            let sound = position.lots > 0
                && position.is_of(self.side)
                && (FIRST_SEQUENCE..self.header.next_sequence).contains(&position.sequence)
                && entry.base <= newest_base
                && !position.is_selected()
                && position.cut_epoch <= passes
                && position.capped_epoch <= position.cut_epoch;
            if !sound {
                return Err(EngineError::TreeCorrupt);
            }
        }
        if lots != self.header.lots {
            return Err(EngineError::TreeCorrupt);
        }
        Ok(())
    }
}

/// A cross queue to change.
#[derive(Debug)]
pub struct CrossQueue<'a> {
    header: &'a mut CrossHeader,
    nodes: &'a mut [CrossEntry],
    side: Side,
}

impl<'a> CrossQueue<'a> {
    /// Writes an empty queue over `bytes`, which become unusable for anything else. `QueueLayout` when
    /// they are too short or not aligned to 8.
    pub fn create(bytes: &mut [u8], market: [u8; 32], side: Side) -> Result<(), EngineError> {
        let head = bytes
            .get_mut(..CROSS_HEADER_SIZE)
            .ok_or(EngineError::QueueLayout)?;
        let header: &mut CrossHeader =
            bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::QueueLayout)?;
        *header = CrossHeader {
            market,
            side: match side {
                Side::Long => LONG,
                Side::Short => SHORT,
            },
            version: CROSS_QUEUE_VERSION,
            tree: TreeHeader::EMPTY,
            next_sequence: FIRST_SEQUENCE,
            lots: 0,
            draws: CrossDraws::default(),
            reserved: [0; 136],
        };
        Ok(())
    }

    /// A queue in bytes aligned to 8. `QueueLayout` when they are not one.
    pub fn new(bytes: &'a mut [u8]) -> Result<Self, EngineError> {
        let (header, nodes): (&mut CrossHeader, _) = parts_mut(bytes)?;
        let side = header.side()?;
        Ok(Self {
            header,
            nodes,
            side,
        })
    }

    /// The same queue, to read.
    #[must_use]
    pub const fn as_ref(&self) -> CrossQueueRef<'_> {
        CrossQueueRef {
            header: self.header,
            nodes: self.nodes,
            side: self.side,
        }
    }

    /// Adds a leg behind all others of equal score and returns the index it keeps until removed. The
    /// position's margin is its record ([`record`](super::record::record)).
    ///
    /// `WrongSide`, `NoPosition`, `QueueFull`, `EntryPriceOutOfRange`, `BankruptcyPriceOutOfRange`.
    pub fn insert(
        &mut self,
        trader: [u8; 32],
        position: &Position,
        at: Moment,
    ) -> Result<u32, EngineError> {
        let sequence = self.header.next_sequence;
        let next = sequence.checked_add(1).ok_or(EngineError::Overflow)?;
        let totals = Totals::of(position, self.side)?;
        let node = QueueEntry::new(trader, sequence, self.side, &totals)?;
        let lots = self.lots_after(0, node.lots)?;
        let index = self.tree_mut().insert(CrossEntry::new(node, at, None))?;
        self.header.next_sequence = next;
        self.header.lots = lots;
        Ok(index)
    }

    /// Records the leg at `index` anew; its sequence number and cut stamp stay.
    /// Errors as for [`Self::insert`], or `NodeNotFound`.
    pub fn record(
        &mut self,
        index: u32,
        position: &Position,
        at: Moment,
    ) -> Result<(), EngineError> {
        let stamp = self.as_ref().entry(index)?.position.stamp();
        self.replace(index, position, at, stamp, None)
    }

    /// The same for an account that, valued exactly now, is too weak for a cut: walks of rounds for which it
    /// is pass over it while the record is fresh. Errors as for [`Self::record`].
    pub fn witness(
        &mut self,
        index: u32,
        position: &Position,
        at: Moment,
        weakness: Weakness,
    ) -> Result<(), EngineError> {
        let stamp = self.as_ref().entry(index)?.position.stamp();
        self.replace(index, position, at, stamp, Some(weakness))
    }

    /// Records the leg at `index` anew and stamps it as cut. Errors as for [`Self::record`].
    pub fn record_cut(
        &mut self,
        index: u32,
        position: &Position,
        at: Moment,
        stamp: CutStamp,
    ) -> Result<(), EngineError> {
        self.replace(index, position, at, stamp, None)
    }

    fn replace(
        &mut self,
        index: u32,
        position: &Position,
        at: Moment,
        stamp: CutStamp,
        weak: Option<Weakness>,
    ) -> Result<(), EngineError> {
        let old = self.as_ref().entry(index)?.position;
        let totals = Totals::of(position, self.side)?;
        let mut node = QueueEntry::new(old.trader, old.sequence, self.side, &totals)?;
        node.set_stamp(stamp);
        let lots = self.lots_after(old.lots, node.lots)?;
        let entry = CrossEntry::new(node, at, weak);
        self.tree_mut().replace(index, entry)?;
        self.header.lots = lots;
        Ok(())
    }

    /// Takes the leg at `index` out. `NodeNotFound`.
    pub fn remove(&mut self, index: u32) -> Result<(), EngineError> {
        let old = self.as_ref().entry(index)?.position.lots;
        let lots = self.lots_after(old, 0)?;
        self.tree_mut().remove(index)?;
        self.header.lots = lots;
        Ok(())
    }

    /// Records what insurance has paid for legs.
    pub const fn set_draws(&mut self, draws: CrossDraws) {
        self.header.draws = draws;
    }

    /// The sum of lots once a leg of `old` lots has `new` ones. `TreeCorrupt` where it has more than all.
    fn lots_after(&self, old: u32, new: u32) -> Result<u64, EngineError> {
        let rest = self.header.lots.checked_sub(u64::from(old));
        rest.and_then(|rest| rest.checked_add(u64::from(new)))
            .ok_or(EngineError::TreeCorrupt)
    }

    fn tree_mut(&mut self) -> Tree<'_, CrossEntry> {
        Tree::new(&mut self.header.tree, self.nodes)
    }
}
