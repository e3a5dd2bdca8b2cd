//! A node of the queue: the exact encoding of a position.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::product_signed;
use crate::position::Position;
use crate::slab::{Links, TreeNode};
use crate::units::Side;

const LONG: u8 = 0;
const SHORT: u8 = 1;
const LOW_32: u64 = 0xffff_ffff;

/// Tree key: entry price (2^-32 atoms per lot), then sequence number.
pub type QueueKey = (u64, u64);

/// A position as whole atoms, independent of when funding was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Lots, `1..=MAX_LOTS`.
    pub lots: u32,
    /// What the lots were worth at entry, atoms, positive.
    pub entry: u64,
    /// What the lots are worth when the equity is zero, less `lots` times the
    /// funding index, atoms, of any sign.
    pub bankruptcy: i64,
}

impl Totals {
    /// Reads a position of `side`; its funding need not be settled.
    ///
    /// `NoPosition`; `WrongSide`; `BankruptcyPriceOutOfRange` when the total
    /// leaves `i64`.
    pub fn of(position: &Position, side: Side) -> Result<Self, EngineError> {
        match position.side() {
            None => return Err(EngineError::NoPosition),
            Some(found) if found != side => return Err(EngineError::WrongSide),
            Some(_) => {}
        }
        let lots = u32::try_from(position.size()).map_err(|_| EngineError::SizeOutOfRange)?;
        let entry = position.entry_quote.get().unsigned_abs();
        // Factors of 33 and 64 bits, then three terms of at most 97 bits.
        let paid = product_signed(position.lots.get(), position.funding_index.get());
        let margin = i128::from(position.margin.get()).wrapping_add(paid);
        let bankruptcy = match side {
            Side::Long => i128::from(entry).wrapping_sub(margin),
            Side::Short => i128::from(entry).wrapping_add(margin),
        };
        Ok(Self {
            lots,
            entry,
            bankruptcy: i64::try_from(bankruptcy)
                .map_err(|_| EngineError::BankruptcyPriceOutOfRange)?,
        })
    }

    /// Whether a queue can hold the position: `EntryPriceOutOfRange` from 2^31 atoms per
    /// lot on, `BankruptcyPriceOutOfRange` outside +-2^31.
    pub fn check_range(&self) -> Result<(), EngineError> {
        let end = u64::from(self.lots) << 31;
        if self.entry >= end {
            return Err(EngineError::EntryPriceOutOfRange);
        }
        if self.bankruptcy.unsigned_abs() >= end {
            return Err(EngineError::BankruptcyPriceOutOfRange);
        }
        Ok(())
    }

    /// Entry price, 2^-32 atoms per lot, rounded down. `EntryPriceOutOfRange`
    /// from 2^31 atoms per lot on.
    fn entry_q32(&self) -> Result<u64, EngineError> {
        let (q32, _) = per_lot(self.entry, self.lots).ok_or(EngineError::EntryPriceOutOfRange)?;
        Ok(q32)
    }

    /// Bankruptcy price less funding, 2^-32 atoms per lot, rounded down.
    /// `BankruptcyPriceOutOfRange` outside +-2^31 atoms per lot.
    pub(crate) fn bankruptcy_q32(&self) -> Result<i64, EngineError> {
        per_lot(self.bankruptcy.unsigned_abs(), self.lots)
            .and_then(|(q32, exact)| {
                let q32 = i64::try_from(q32).ok()?;
                if self.bankruptcy >= 0 {
                    return Some(q32);
                }
                let below = if exact { q32 } else { q32.checked_add(1)? };
                below.checked_neg()
            })
            .ok_or(EngineError::BankruptcyPriceOutOfRange)
    }
}

/// `total * 2^32 / lots` rounded down when it is below 2^63, and whether it is
/// exact. Two 64-bit divisions.
fn per_lot(total: u64, lots: u32) -> Option<(u64, bool)> {
    let lots = u64::from(lots);
    let whole = total.checked_div(lots)?;
    if whole >> 31 != 0 {
        return None;
    }
    let rest = total.checked_rem(lots)?;
    // The rest is below 2^32, so the shift loses nothing and the digit is below 2^32.
    let digit = (rest << 32).checked_div(lots)?;
    let exact = (rest << 32).checked_rem(lots)? == 0;
    Some(((whole << 32) | digit, exact))
}

/// What deleveraging has done to a position lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CutStamp {
    /// Number of passes opened when the position was last cut; 0 never.
    pub epoch: u32,
    /// Lots cut since the pass in which that cut happened began.
    pub lots: u32,
    /// `epoch` of the cut that reached the cap of its pass; 0 never.
    pub capped_epoch: u32,
}

/// A position in the queue. 104 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct QueueEntry {
    links: Links,
    height: u8,
    /// 0: a long position; 1: a short one.
    pub side: u8,
    /// 1 while a selection under way includes the position; 0 otherwise.
    selected: u16,
    /// Lots, `1..=MAX_LOTS`.
    pub lots: u32,
    /// Entry price, 2^-32 atoms per lot, rounded down, below 2^63.
    pub entry_q32: u64,
    /// Bankruptcy price less the funding index, 2^-32 atoms per lot, rounded
    /// down, of any sign.
    pub bankruptcy_q32: i64,
    /// Least `entry_q32` of the subtree for longs, greatest for shorts.
    pub best_entry_q32: u64,
    /// Greatest `bankruptcy_q32` of the subtree for longs, least for shorts.
    pub best_bankruptcy_q32: i64,
    /// Order of joining: the smaller is the older.
    pub sequence: u64,
    /// See [`CutStamp::epoch`].
    pub cut_epoch: u32,
    /// See [`CutStamp::lots`].
    pub cut_lots: u32,
    /// See [`CutStamp::capped_epoch`].
    pub capped_epoch: u32,
    /// Least `capped_epoch` of the subtree.
    pub least_capped_epoch: u32,
    /// Key of the trader's account.
    pub trader: [u8; 32],
}

const _: () = assert!(core::mem::size_of::<QueueEntry>() == 104);
const _: () = assert!(core::mem::align_of::<QueueEntry>() == 8);
const _: () = assert!(core::mem::offset_of!(QueueEntry, trader) == 72);

impl QueueEntry {
    pub(crate) fn new(
        trader: [u8; 32],
        sequence: u64,
        side: Side,
        totals: &Totals,
    ) -> Result<Self, EngineError> {
        let entry_q32 = totals.entry_q32()?;
        let bankruptcy_q32 = totals.bankruptcy_q32()?;
        Ok(Self {
            links: Links::LEAF,
            height: 1,
            side: match side {
                Side::Long => LONG,
                Side::Short => SHORT,
            },
            selected: 0,
            lots: totals.lots,
            entry_q32,
            bankruptcy_q32,
            best_entry_q32: entry_q32,
            best_bankruptcy_q32: bankruptcy_q32,
            sequence,
            cut_epoch: 0,
            cut_lots: 0,
            capped_epoch: 0,
            least_capped_epoch: 0,
            trader,
        })
    }

    /// The child towards lower entry prices, or `NIL`.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.links.left
    }

    /// The child towards higher entry prices, or `NIL`.
    #[must_use]
    pub const fn right(&self) -> u32 {
        self.links.right
    }

    /// Key of the node in the tree.
    #[must_use]
    pub const fn queue_key(&self) -> QueueKey {
        (self.entry_q32, self.sequence)
    }

    /// The exact totals of the position.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            lots: self.lots,
            entry: total_of_entry(self.entry_q32, self.lots),
            bankruptcy: total_of_bankruptcy(self.bankruptcy_q32, self.lots),
        }
    }

    /// What deleveraging has done to the position lately.
    #[must_use]
    pub const fn stamp(&self) -> CutStamp {
        CutStamp {
            epoch: self.cut_epoch,
            lots: self.cut_lots,
            capped_epoch: self.capped_epoch,
        }
    }

    pub(crate) const fn set_stamp(&mut self, stamp: CutStamp) {
        self.cut_epoch = stamp.epoch;
        self.cut_lots = stamp.lots;
        self.capped_epoch = stamp.capped_epoch;
    }

    /// Whether a selection under way includes the position.
    #[must_use]
    pub const fn is_selected(&self) -> bool {
        self.selected != 0
    }

    pub(super) const fn select(&mut self, selected: bool) {
        self.selected = if selected { 1 } else { 0 };
    }

    pub(crate) const fn is_of(&self, side: Side) -> bool {
        match side {
            Side::Long => self.side == LONG,
            Side::Short => self.side == SHORT,
        }
    }
}

/// The only total whose price per lot rounds down to `q32`: one atom more is
/// 2^32 / lots, which is above 1, more.
fn total_of_entry(q32: u64, lots: u32) -> u64 {
    let lots = u64::from(lots);
    // 31 by 32 bits and 32 by 32 bits: neither product wraps.
    let whole = (q32 >> 32).wrapping_mul(lots);
    let part = (q32 & LOW_32).wrapping_mul(lots);
    let up = u64::from(part & LOW_32 != 0);
    whole.wrapping_add(part >> 32).wrapping_add(up)
}

fn total_of_bankruptcy(q32: i64, lots: u32) -> i64 {
    // The shift rounds down, so the low digit is added also below zero.
    let whole = (q32 >> 32).wrapping_mul(i64::from(lots));
    let low = q32.cast_unsigned() & LOW_32;
    let part = low.wrapping_mul(u64::from(lots));
    let up = u64::from(part & LOW_32 != 0);
    // Below 2^32 each, next to a product of at most 63 bits: see `Totals`.
    whole.wrapping_add_unsigned((part >> 32).wrapping_add(up))
}

/// What a node knows of its subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSummary {
    best_entry_q32: u64,
    best_bankruptcy_q32: i64,
    least_capped_epoch: u32,
}

impl TreeNode for QueueEntry {
    type Key = QueueKey;
    type Summary = QueueSummary;

    fn key(&self) -> QueueKey {
        self.queue_key()
    }

    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }

    fn height(&self) -> u8 {
        self.height
    }

    fn set_height(&mut self, height: u8) {
        self.height = height;
    }

    fn summary(&self) -> QueueSummary {
        QueueSummary {
            best_entry_q32: self.best_entry_q32,
            best_bankruptcy_q32: self.best_bankruptcy_q32,
            least_capped_epoch: self.least_capped_epoch,
        }
    }

    fn set_summary(&mut self, summary: QueueSummary) {
        self.best_entry_q32 = summary.best_entry_q32;
        self.best_bankruptcy_q32 = summary.best_bankruptcy_q32;
        self.least_capped_epoch = summary.least_capped_epoch;
    }

    fn summarise(&self, left: Option<&Self>, right: Option<&Self>) -> QueueSummary {
        let mut best = QueueSummary {
            best_entry_q32: self.entry_q32,
            best_bankruptcy_q32: self.bankruptcy_q32,
            least_capped_epoch: self.capped_epoch,
        };
        for child in [left, right].into_iter().flatten() {
            let (entry, bankruptcy) = (child.best_entry_q32, child.best_bankruptcy_q32);
            if self.side == LONG {
                best.best_entry_q32 = best.best_entry_q32.min(entry);
                best.best_bankruptcy_q32 = best.best_bankruptcy_q32.max(bankruptcy);
            } else {
                best.best_entry_q32 = best.best_entry_q32.max(entry);
                best.best_bankruptcy_q32 = best.best_bankruptcy_q32.min(bankruptcy);
            }
            best.least_capped_epoch = best.least_capped_epoch.min(child.least_capped_epoch);
        }
        best
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_holds_prices_below_2_31_atoms_a_lot() {
        let end = 3_u64 << 31;
        let check = |entry: u64, bankruptcy: i64| {
            let totals = Totals {
                lots: 3,
                entry,
                bankruptcy,
            };
            totals.check_range()?;
            Ok((totals.entry_q32()?, totals.bankruptcy_q32()?))
        };
        let most = end.cast_signed();
        // 2^31 less a third of an atom, rounded down.
        let q32 = (1_u64 << 63) - 1_431_655_766;
        assert_eq!(check(end - 1, most - 1), Ok((q32, q32.cast_signed())));
        assert_eq!(check(3, 1 - most), Ok((1 << 32, -q32.cast_signed() - 1)));
        let entry = Err(EngineError::EntryPriceOutOfRange);
        assert_eq!(check(end, 0), entry);
        let bankruptcy = Err(EngineError::BankruptcyPriceOutOfRange);
        assert_eq!(check(3, most), bankruptcy);
        assert_eq!(check(3, -most), bankruptcy);
        // The prices by themselves end there too.
        assert_eq!(per_lot(end, 3), None);
        assert_eq!(per_lot(end - 1, 3), Some((q32, false)));
    }
}
