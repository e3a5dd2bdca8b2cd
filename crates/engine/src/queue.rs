//! The auto-deleveraging queue of one side of a market: a tree of positions keyed
//! by entry price, in the bytes of an account.
//!
//! A node stores two prices in units of 2^-32 atoms per lot, each rounded down:
//! the entry price, and the bankruptcy price less cumulative funding. With fewer
//! than 2^32 lots the totals in whole atoms follow from them exactly, so a node
//! alone decides every comparison. Neither price moves when the mark or the
//! funding index does: the tree changes only when a position changes.

pub(crate) mod entry;
mod watch;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::position::Position;
use crate::slab::{InOrder, Journal, Tree, TreeHeader, TreeRef};
use crate::units::Side;

pub use entry::{CutStamp, QueueEntry, QueueKey, Totals};
pub use watch::Watch;

/// Layout version written by [`Queue::create`].
pub const QUEUE_VERSION: u32 = 3;
/// Layout version that [`migrate`] brings to [`QUEUE_VERSION`].
pub const OUTDATED_QUEUE_VERSION: u32 = 2;
/// Slots after which a bankruptcy that begins opens a new pass instead of taking part
/// in the current one: about an hour.
pub const PASS_SLOTS: u64 = 9_000;
/// Bytes before the nodes.
pub const QUEUE_HEADER_SIZE: usize = core::mem::size_of::<QueueHeader>();
/// Bytes of a node.
pub const QUEUE_ENTRY_SIZE: usize = core::mem::size_of::<QueueEntry>();

const LONG: u32 = 0;
const SHORT: u32 = 1;

/// What precedes the nodes of a queue.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct QueueHeader {
    /// Key of the market.
    pub market: [u8; 32],
    /// 0: long positions; 1: short positions.
    pub side: u32,
    /// [`QUEUE_VERSION`].
    pub version: u32,
    /// Root, free list and count of the tree.
    pub tree: TreeHeader,
    /// Sequence number of the next position to join.
    pub next_sequence: u64,
    /// Number of deleveraging passes opened over this queue.
    pub adl_epoch: u32,
    /// Zero.
    pub _pad: u32,
    /// The selection under way, if any.
    pub watch: Watch,
    /// Slot in which the current pass was opened.
    pub pass_opened_slot: u64,
    /// Zero.
    pub reserved: [u8; 40],
}

const _: () = assert!(QUEUE_HEADER_SIZE == 256);
const _: () = assert!(core::mem::offset_of!(QueueHeader, next_sequence) == 56);
const _: () = assert!(core::mem::offset_of!(QueueHeader, watch) == 72);

impl QueueHeader {
    /// Whether a bankruptcy that begins in `slot` takes part in the current pass. All
    /// bankruptcies of a crash share a pass, so that together they cut nobody beyond
    /// its cap.
    #[must_use]
    fn pass_lasts(&self, slot: u64) -> bool {
        let age = slot.checked_sub(self.pass_opened_slot);
        self.adl_epoch > 0 && age.is_none_or(|slots| slots <= PASS_SLOTS)
    }

    /// The pass in which a bankruptcy goes on that last took part in `joined`, or begins in
    /// `slot` when that is 0. One above [`Self::adl_epoch`] is to be opened. `PositionCorrupt`
    /// for a pass that there has not been.
    pub fn pass_at(&self, joined: u32, slot: u64) -> Result<u32, EngineError> {
        if joined > self.adl_epoch {
            return Err(EngineError::PositionCorrupt);
        }
        if joined == 0 && !self.pass_lasts(slot) {
            return self.adl_epoch.checked_add(1).ok_or(EngineError::Overflow);
        }
        Ok(self.adl_epoch)
    }

    /// The side of every position in the queue. `QueueLayout` when unknown.
    pub const fn side(&self) -> Result<Side, EngineError> {
        match self.side {
            LONG => Ok(Side::Long),
            SHORT => Ok(Side::Short),
            _ => Err(EngineError::QueueLayout),
        }
    }
}

/// Bytes of a queue of this many nodes, without an account discriminator.
#[must_use]
pub const fn queue_size(capacity: usize) -> Option<usize> {
    match capacity.checked_mul(QUEUE_ENTRY_SIZE) {
        Some(nodes) => nodes.checked_add(QUEUE_HEADER_SIZE),
        None => None,
    }
}

/// A queue to read.
#[derive(Clone, Copy, Debug)]
pub struct QueueRef<'a> {
    header: &'a QueueHeader,
    nodes: &'a [QueueEntry],
    side: Side,
}

impl<'a> QueueRef<'a> {
    /// A queue in bytes aligned to 8. `LayoutOutdated` when it is of the version before,
    /// `QueueLayout` when they are not a queue.
    pub fn new(bytes: &'a [u8]) -> Result<Self, EngineError> {
        let (header, nodes) = parts(bytes)?;
        let side = checked_side(header)?;
        Ok(Self {
            header,
            nodes,
            side,
        })
    }

    /// What precedes the nodes.
    #[must_use]
    pub const fn header(&self) -> &'a QueueHeader {
        self.header
    }

    /// The side of every position in the queue.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Number of positions.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.header.tree.len
    }

    /// Whether there are no positions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.header.tree.len == 0
    }

    /// Number of positions for which there is room.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is room for one more position.
    #[must_use]
    pub fn has_room(&self) -> bool {
        usize::try_from(self.len()).is_ok_and(|len| len < self.capacity())
    }

    /// The nodes in order of their keys.
    #[must_use]
    pub const fn tree(&self) -> TreeRef<'a, QueueEntry> {
        TreeRef::new(&self.header.tree, self.nodes)
    }

    /// The position at `index`. `NodeNotFound` when there is none.
    pub fn entry(&self, index: u32) -> Result<&'a QueueEntry, EngineError> {
        self.tree().get(index)
    }

    /// Visits all positions with their indices in order of (entry price, sequence).
    #[must_use]
    pub const fn iter(&self) -> InOrder<'a, QueueEntry> {
        self.tree().iter()
    }

    /// Walks everything: the tree, and that each node has lots, a sequence number
    /// already given out, and a recorded cap no newer than the last pass.
    pub fn invariant(&self) -> Result<(), EngineError> {
        self.tree().invariant()?;
        for step in self.iter() {
            let (_, entry) = step?;
            let sound = entry.lots > 0
                && entry.is_of(self.side)
                && entry.sequence < self.header.next_sequence
                && entry.cut_epoch <= self.header.adl_epoch
                && entry.capped_epoch <= entry.cut_epoch;
            if !sound {
                return Err(EngineError::TreeCorrupt);
            }
        }
        Ok(())
    }
}

/// A queue to change, and who is told of it.
#[derive(Debug)]
pub struct Queue<'a, J = ()> {
    header: &'a mut QueueHeader,
    nodes: &'a mut [QueueEntry],
    side: Side,
    journal: J,
}

impl<'a> Queue<'a> {
    /// Writes an empty queue over `bytes`, which become unusable for anything
    /// else. `QueueLayout` when they are too short or not aligned to 8.
    pub fn create(bytes: &mut [u8], market: [u8; 32], side: Side) -> Result<(), EngineError> {
        let head = bytes
            .get_mut(..QUEUE_HEADER_SIZE)
            .ok_or(EngineError::QueueLayout)?;
        let header: &mut QueueHeader =
            bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::QueueLayout)?;
        *header = QueueHeader {
            market,
            side: match side {
                Side::Long => LONG,
                Side::Short => SHORT,
            },
            version: QUEUE_VERSION,
            tree: TreeHeader::EMPTY,
            next_sequence: 0,
            adl_epoch: 0,
            _pad: 0,
            watch: Watch::zeroed(),
            pass_opened_slot: 0,
            reserved: [0; 40],
        };
        Ok(())
    }

    /// A queue in bytes aligned to 8. `LayoutOutdated` when it is of the version before,
    /// `QueueLayout` when they are not a queue.
    pub fn new(bytes: &'a mut [u8]) -> Result<Self, EngineError> {
        Self::noting(bytes, ())
    }
}

impl<'a, J: Journal> Queue<'a, J> {
    /// The same, where `journal` is told which nodes change. What precedes them is not among them.
    /// Errors as for [`Queue::new`].
    pub fn noting(bytes: &'a mut [u8], journal: J) -> Result<Self, EngineError> {
        let (header, nodes) = parts_mut(bytes)?;
        let side = checked_side(header)?;
        Ok(Self {
            header,
            nodes,
            side,
            journal,
        })
    }

    /// The same queue, to read.
    #[must_use]
    pub const fn as_ref(&self) -> QueueRef<'_> {
        QueueRef {
            header: self.header,
            nodes: self.nodes,
            side: self.side,
        }
    }

    /// Adds a position behind all others of equal score and returns the index it
    /// keeps until removed. Its funding need not be settled.
    ///
    /// `WrongSide`, `NoPosition`, `QueueFull`, `EntryPriceOutOfRange`,
    /// `BankruptcyPriceOutOfRange`.
    pub fn insert(&mut self, trader: [u8; 32], position: &Position) -> Result<u32, EngineError> {
        let sequence = self.header.next_sequence;
        let next = sequence.checked_add(1).ok_or(EngineError::Overflow)?;
        let totals = Totals::of(position, self.side)?;
        let entry = QueueEntry::new(trader, sequence, self.side, &totals)?;
        let index = self.tree_mut().insert(entry)?;
        self.header.next_sequence = next;
        Ok(index)
    }

    /// Follows a change of the position at `index`; its sequence number and cut
    /// stamp stay. Errors as for [`Self::insert`], or `NodeNotFound`.
    pub fn update(&mut self, index: u32, position: &Position) -> Result<(), EngineError> {
        let stamp = self.as_ref().entry(index)?.stamp();
        self.update_cut(index, position, stamp)
    }

    /// Follows a change of the position at `index` and stamps it as cut. Errors
    /// as for [`Self::update`].
    pub fn update_cut(
        &mut self,
        index: u32,
        position: &Position,
        stamp: CutStamp,
    ) -> Result<(), EngineError> {
        let old = self.as_ref().entry(index)?;
        let totals = Totals::of(position, self.side)?;
        let mut entry = QueueEntry::new(old.trader, old.sequence, self.side, &totals)?;
        entry.set_stamp(stamp);
        entry.select(old.is_selected());
        self.tree_mut().replace(index, entry)?;
        self.header.watch.follow(self.side, &entry)
    }

    /// Stamps the position at `index` as cut, without a change of the position.
    /// `NodeNotFound`.
    pub fn stamp(&mut self, index: u32, stamp: CutStamp) -> Result<(), EngineError> {
        let mut entry = *self.as_ref().entry(index)?;
        entry.set_stamp(stamp);
        self.tree_mut().replace(index, entry)
    }

    /// Marks the position at `index` as selected, or not. `NodeNotFound`.
    pub(crate) fn select(&mut self, index: u32, selected: bool) -> Result<(), EngineError> {
        self.tree_mut().get_mut(index)?.select(selected);
        Ok(())
    }

    /// Makes the watch follow the position at `index` as it stands. `NodeNotFound`.
    pub(crate) fn follow(&mut self, index: u32) -> Result<(), EngineError> {
        let entry = *self.as_ref().entry(index)?;
        self.header.watch.follow(self.side, &entry)
    }

    /// The selection under way, to change.
    pub(crate) const fn watch_mut(&mut self) -> &mut Watch {
        &mut self.header.watch
    }

    /// Takes the position at `index` out. `NodeNotFound`.
    pub fn remove(&mut self, index: u32) -> Result<(), EngineError> {
        self.tree_mut().remove(index)
    }

    /// Opens a deleveraging pass in `slot`: the number of passes so far, this one
    /// included.
    pub fn open_pass(&mut self, slot: u64) -> Result<u32, EngineError> {
        let epoch = self.header.adl_epoch.checked_add(1);
        self.header.adl_epoch = epoch.ok_or(EngineError::Overflow)?;
        self.header.pass_opened_slot = slot;
        Ok(self.header.adl_epoch)
    }

    /// The pass in which a bankruptcy takes part, opened if need be; see
    /// [`QueueHeader::pass_at`].
    pub fn join_pass(&mut self, joined: u32, slot: u64) -> Result<u32, EngineError> {
        let epoch = self.header.pass_at(joined, slot)?;
        if epoch > self.header.adl_epoch {
            return self.open_pass(slot);
        }
        Ok(epoch)
    }

    fn tree_mut(&mut self) -> Tree<'_, QueueEntry, J> {
        Tree::noting(&mut self.header.tree, self.nodes, self.journal)
    }
}

/// Header and whole nodes of a queue in bytes aligned to 8. `QueueLayout` when they are too short or not
/// aligned.
pub(crate) fn parts<H: Pod, N: Pod>(bytes: &[u8]) -> Result<(&H, &[N]), EngineError> {
    let (head, rest) = bytes
        .split_at_checked(size_of::<H>())
        .ok_or(EngineError::QueueLayout)?;
    let rest = rest
        .get(..whole_nodes::<N>(rest.len()))
        .ok_or(EngineError::QueueLayout)?;
    let header = bytemuck::try_from_bytes(head).map_err(|_| EngineError::QueueLayout)?;
    let nodes = bytemuck::try_cast_slice(rest).map_err(|_| EngineError::QueueLayout)?;
    Ok((header, nodes))
}

/// The same, to change. Errors as for [`parts`].
pub(crate) fn parts_mut<H: Pod, N: Pod>(
    bytes: &mut [u8],
) -> Result<(&mut H, &mut [N]), EngineError> {
    let (head, rest) = bytes
        .split_at_mut_checked(size_of::<H>())
        .ok_or(EngineError::QueueLayout)?;
    let rest_len = whole_nodes::<N>(rest.len());
    let rest = rest.get_mut(..rest_len).ok_or(EngineError::QueueLayout)?;
    let header = bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::QueueLayout)?;
    let nodes = bytemuck::try_cast_slice_mut(rest).map_err(|_| EngineError::QueueLayout)?;
    Ok((header, nodes))
}

/// Bytes of the nodes that fit in `len` bytes.
const fn whole_nodes<N>(len: usize) -> usize {
    match len.checked_rem(size_of::<N>()) {
        // The remainder is never larger than the whole.
        Some(rest) => len.wrapping_sub(rest),
        None => 0,
    }
}

fn checked_side(header: &QueueHeader) -> Result<Side, EngineError> {
    match header.version {
        QUEUE_VERSION => header.side(),
        OUTDATED_QUEUE_VERSION => Err(EngineError::LayoutOutdated),
        _ => Err(EngineError::QueueLayout),
    }
}

/// Brings the queue in `bytes` to this version. The nodes and the selection under way stay as they
/// are. `QueueLayout` when the bytes are not a queue of this version or the one before.
pub fn migrate(bytes: &mut [u8]) -> Result<(), EngineError> {
    let head = bytes
        .get_mut(..QUEUE_HEADER_SIZE)
        .ok_or(EngineError::QueueLayout)?;
    let header: &mut QueueHeader =
        bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::QueueLayout)?;
    if header.version == OUTDATED_QUEUE_VERSION {
        header.version = QUEUE_VERSION;
    }
    checked_side(header).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bankruptcy_joins_the_pass_that_lasts_or_opens_the_next() {
        let header = |adl_epoch, pass_opened_slot| QueueHeader {
            adl_epoch,
            pass_opened_slot,
            ..QueueHeader::zeroed()
        };
        for (passes, opened, joined, slot, pass) in [
            (0, 0, 0, 5, Ok(1)),
            (3, 100, 0, 100, Ok(3)),
            (3, 100, 0, 100 + PASS_SLOTS, Ok(3)),
            (3, 100, 0, 101 + PASS_SLOTS, Ok(4)),
            // One that has begun goes on in the newest pass, however old.
            (3, 100, 1, 101 + PASS_SLOTS, Ok(3)),
            (3, 100, 4, 100, Err(EngineError::PositionCorrupt)),
            (u32::MAX, 0, 0, u64::MAX, Err(EngineError::Overflow)),
        ] {
            assert_eq!(header(passes, opened).pass_at(joined, slot), pass);
        }
    }

    #[test]
    fn only_the_version_before_is_migrated_and_only_its_version_changes() {
        let mut words = [0_u64; QUEUE_HEADER_SIZE / 8];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        Queue::create(bytes, [3; 32], Side::Short).unwrap();
        let today = bytes.to_vec();
        let set = |bytes: &mut [u8], version: u32| {
            bytes[36..40].copy_from_slice(&version.to_le_bytes());
        };
        assert_eq!(migrate(bytes), Ok(()));
        set(bytes, OUTDATED_QUEUE_VERSION);
        let refused = |bytes: &[u8]| QueueRef::new(bytes).err();
        assert_eq!(refused(bytes), Some(EngineError::LayoutOutdated));
        assert_eq!(migrate(bytes), Ok(()));
        assert_eq!(bytes, &today[..]);
        for version in [0, OUTDATED_QUEUE_VERSION - 1, QUEUE_VERSION + 1] {
            set(bytes, version);
            assert_eq!(migrate(bytes), Err(EngineError::QueueLayout));
            assert_eq!(refused(bytes), Some(EngineError::QueueLayout));
        }
        assert_eq!(migrate(&mut bytes[..255]), Err(EngineError::QueueLayout));
    }
}
