//! A node of a cross queue: that of an isolated position with all of the account's equity by record, and
//! how old the record is.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::queue::{QueueEntry, QueueKey};
use crate::rank::{ClosePrice, Round};
use crate::slab::{Links, TreeNode};
use crate::units::Side;

const BELOW_MAINTENANCE: u32 = 1;
const AT_CLOSE: u32 = 2;

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
    /// 1: the account, valued exactly then, was below maintenance; 2: it could not bear the cut of a lot at
    /// `weak_close` or a worse price.
    weak: u32,
    /// See `weak`: atoms a lot; 0 otherwise.
    weak_close: u32,
}

/// Why a witness says that rounds do not need an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It is below maintenance.
    BelowMaintenance,
    /// It has maintenance margin and cannot bear the cut of a single lot at this close price or a worse one,
    /// atoms a lot.
    AtClose(u32),
}

impl Weakness {
    /// At the whole price nearest to the close price of a round that is no worse for its counterparties, and
    /// that price. `ClosePriceOutOfRange` below 0 or beyond 32 bits.
    pub fn at_close(round: &Round) -> Result<(Self, ClosePrice), EngineError> {
        let ClosePrice { quote, lots } = round.close;
        let out = EngineError::ClosePriceOutOfRange;
        let quote = u64::try_from(quote).map_err(|_| out)?;
        let price = match round.side {
            Side::Long => (lots > 0).then(|| quote.div_ceil(lots)),
            Side::Short => quote.checked_div(lots),
        };
        let price = price.and_then(|price| u32::try_from(price).ok());
        let price = price.ok_or(out)?;
        let close = ClosePrice {
            quote: price.into(),
            lots: 1,
        };
        Ok((Self::AtClose(price), close))
    }
}

const _: () = assert!(core::mem::size_of::<CrossEntry>() == 128);
const _: () = assert!(core::mem::align_of::<CrossEntry>() == 8);

impl CrossEntry {
    pub(super) const fn new(position: QueueEntry, at: Moment, weak: Option<Weakness>) -> Self {
        let (weak, weak_close) = match weak {
            None => (0, 0),
            Some(Weakness::BelowMaintenance) => (BELOW_MAINTENANCE, 0),
            Some(Weakness::AtClose(price)) => (AT_CLOSE, price),
        };
        Self {
            position,
            base: at.base,
            oldest_base: at.base,
            recorded_slot: at.slot,
            weak,
            weak_close,
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

    /// Whether a witness found anything, and is believed in `slot`.
    #[inline(always)]
    #[must_use]
    pub const fn is_witnessed(&self, slot: u64) -> bool {
        self.weak != 0 && self.is_fresh(slot)
    }

    /// Whether a witness found the account too weak for any cut of the round, and is believed in `slot`.
    #[inline(always)]
    #[must_use]
    pub fn is_weak(&self, round: &Round, slot: u64) -> bool {
        self.is_witnessed(slot) && self.is_too_weak_for(round)
    }

    #[cold]
    fn is_too_weak_for(&self, round: &Round) -> bool {
        if self.weak == BELOW_MAINTENANCE {
            return true;
        }
        // 32 bits by 32.
        let borne = i128::from(self.weak_close).wrapping_mul(round.close.lots.into());
        let close = i128::from(round.close.quote);
        match round.side {
            Side::Long => close <= borne,
            Side::Short => close >= borne,
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
