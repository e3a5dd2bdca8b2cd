//! A node of the book: one waiting order.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::mul_div_floor;
use crate::slab::{Links, TreeNode, NIL};
use crate::units::{LotPrice, Side};

pub(super) const BID: u8 = 0;
pub(super) const ASK: u8 = 1;
const REDUCE_ONLY: u8 = 1;

/// Place in one side of the book: the better price first, then the older order. The first
/// number is the price of an ask and the complement of the price of a bid.
pub type OrderKey = (u32, u64);

/// What a node knows of the subtree it heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Sum of lots.
    pub lots: u64,
    /// Sum of lots times price, atoms.
    pub quote: u64,
}

/// An order as it enters the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Key of the trader's account.
    pub trader: [u8; 32],
    /// `Long` for a bid, `Short` for an ask.
    pub side: Side,
    /// Price.
    pub price: LotPrice,
    /// Lots, `1..=MAX_LOTS`.
    pub lots: u64,
    /// Collateral it reserves, atoms.
    pub margin: u64,
    /// The trader's own number for it; 0 none.
    pub client_id: u64,
    /// When it expires, unix seconds; 0 never.
    pub expires_at: i64,
    /// Whether it may only make a position smaller.
    pub reduce_only: bool,
}

/// An order in the book. 112 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Order {
    links: Links,
    /// The trader's next older order in the market, or `NIL`.
    pub owner_next: u32,
    /// The trader's next newer order in the market, or `NIL`.
    pub owner_previous: u32,
    /// Id: the order of joining the book, from 1.
    pub sequence: u64,
    /// The trader's own number for it; 0 none.
    pub client_id: u64,
    /// Collateral it still reserves, atoms.
    pub margin: u64,
    /// When it expires, unix seconds; 0 never.
    pub expires_at: i64,
    subtree_lots: u64,
    subtree_quote: u64,
    /// Lots left.
    pub lots: u32,
    /// Price, atoms per lot.
    pub price: u32,
    height: u8,
    side: u8,
    flags: u8,
    _pad: [u8; 5],
    /// Key of the trader's account.
    pub trader: [u8; 32],
}

const _: () = {
    assert!(core::mem::size_of::<Order>() == 112);
    assert!(core::mem::offset_of!(Order, sequence) == 16);
    assert!(core::mem::offset_of!(Order, lots) == 64);
    assert!(core::mem::offset_of!(Order, height) == 72);
    assert!(core::mem::offset_of!(Order, trader) == 80);
};

impl Order {
    /// `SizeOutOfRange` beyond 32 bits; `ZeroLots`.
    pub(super) fn new(order: &NewOrder, sequence: u64) -> Result<Self, EngineError> {
        if order.lots == 0 {
            return Err(EngineError::ZeroLots);
        }
        Ok(Self {
            links: Links::LEAF,
            owner_next: NIL,
            owner_previous: NIL,
            sequence,
            client_id: order.client_id,
            margin: order.margin,
            expires_at: order.expires_at,
            subtree_lots: 0,
            subtree_quote: 0,
            lots: u32::try_from(order.lots).map_err(|_| EngineError::SizeOutOfRange)?,
            price: u32::try_from(order.price.get()).map_err(|_| EngineError::PriceOutOfRange)?,
            height: 0,
            side: match order.side {
                Side::Long => BID,
                Side::Short => ASK,
            },
            flags: if order.reduce_only { REDUCE_ONLY } else { 0 },
            _pad: [0; 5],
            trader: order.trader,
        })
    }

    /// Id of the order in its book.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.sequence
    }

    /// `Long` for a bid, `Short` for an ask.
    #[must_use]
    pub const fn side(&self) -> Side {
        if self.side == BID {
            Side::Long
        } else {
            Side::Short
        }
    }

    /// Its price.
    #[must_use]
    pub fn price(&self) -> LotPrice {
        LotPrice::new(u64::from(self.price)).unwrap_or(LotPrice::MAX)
    }

    /// Lots left.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.lots)
    }

    /// Whether it may only make a position smaller.
    #[must_use]
    pub const fn is_reduce_only(&self) -> bool {
        self.flags & REDUCE_ONLY != 0
    }

    /// Whether its time is over at `now`, unix seconds.
    #[must_use]
    pub const fn has_expired(&self, now: i64) -> bool {
        self.expires_at != 0 && self.expires_at <= now
    }

    /// What `lots` of its lots reserve, atoms: all of it for all of them, otherwise pro rata,
    /// rounded down.
    pub fn margin_of(&self, lots: u64) -> Result<u64, EngineError> {
        if lots >= self.size() || self.margin == 0 {
            return Ok(self.margin);
        }
        mul_div_floor(self.margin, lots, self.size())
    }

    pub(super) fn quote(&self) -> u64 {
        // 32 and 31 bits.
        u64::from(self.lots).wrapping_mul(u64::from(self.price))
    }

    pub(super) const fn depth(&self) -> Depth {
        Depth {
            lots: self.subtree_lots,
            quote: self.subtree_quote,
        }
    }

    pub(super) fn key_in_side(&self) -> OrderKey {
        let rank = if self.side == BID {
            !self.price
        } else {
            self.price
        };
        (rank, self.sequence)
    }
}

impl TreeNode for Order {
    type Key = OrderKey;
    type Summary = Depth;

    fn key(&self) -> OrderKey {
        self.key_in_side()
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

    fn summary(&self) -> Depth {
        self.depth()
    }

    fn set_summary(&mut self, summary: Depth) {
        self.subtree_lots = summary.lots;
        self.subtree_quote = summary.quote;
    }

    fn summarise(&self, left: Option<&Self>, right: Option<&Self>) -> Depth {
        let mut depth = Depth {
            lots: u64::from(self.lots),
            quote: self.quote(),
        };
        for child in [left, right].into_iter().flatten() {
            // No sum exceeds that of its side, which is checked when an order joins.
            depth.lots = depth.lots.wrapping_add(child.subtree_lots);
            depth.quote = depth.quote.wrapping_add(child.subtree_quote);
        }
        depth
    }
}
