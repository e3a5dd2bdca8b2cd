//! A node of the book: one waiting order.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::slab::{Adjusted, Links, TreeNode, NIL};
use crate::units::{LotPrice, Side};

const BID: u8 = 0;
const ASK: u8 = 1;
const REDUCE_ONLY: u8 = 1;

/// Place in one side of the book: the better price first, then the older order. The first
/// number is the price of an ask and the complement of the price of a bid.
pub type OrderKey = (u32, u64);

/// Ahead of every order.
pub(super) const FIRST: OrderKey = (0, 0);
/// Behind every order.
pub(super) const LAST: OrderKey = (u32::MAX, u64::MAX);

/// What orders add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Sum of lots.
    pub lots: u64,
    /// Sum of lots times price, atoms.
    pub quote: u64,
}

impl Depth {
    /// No orders.
    pub const ZERO: Self = Self { lots: 0, quote: 0 };

    /// Sum. `Overflow` outside `u64`.
    pub fn plus(self, other: Self) -> Result<Self, EngineError> {
        let lots = self.lots.checked_add(other.lots);
        let quote = self.quote.checked_add(other.quote);
        match (lots, quote) {
            (Some(lots), Some(quote)) => Ok(Self { lots, quote }),
            _ => Err(EngineError::Overflow),
        }
    }
}

/// What counts for the impact price, of an order or of a subtree: the orders that open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What they add up to.
    pub depth: Depth,
    /// [`Haste`] of the one that expires first.
    haste: Haste,
}

impl Counted {
    const NOTHING: Self = Self {
        depth: Depth::ZERO,
        haste: Haste::NEVER,
    };

    /// With what counts of a subtree. No sum exceeds that of its side, which is checked when an
    /// order joins.
    const fn with(self, child: Option<&Order>) -> Self {
        match child {
            None => self,
            Some(child) => Self {
                depth: Depth {
                    lots: self.depth.lots.wrapping_add(child.subtree_lots),
                    quote: self.depth.quote.wrapping_add(child.subtree_quote),
                },
                haste: if child.subtree_haste > self.haste.0 {
                    Haste(child.subtree_haste)
                } else {
                    self.haste
                },
            },
        }
    }
}

/// How soon an order expires: the complement of its expiry, so that 0 is never and a larger number
/// is sooner. Expiries from the year 2106 on count as never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Haste(u32);

impl Haste {
    /// Never.
    const NEVER: Self = Self(0);

    /// Of an order that expires at `time`, unix seconds; 0 never.
    pub(super) fn of(time: i64) -> Self {
        match u32::try_from(time) {
            Ok(time) if time > 0 => Self(!time),
            _ => Self::NEVER,
        }
    }
}

/// An order as it enters the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Key of the trader's account.
    pub trader: [u8; 32],
    /// `Long` for a bid, `Short` for an ask.
    pub side: Side,
    /// Limit price, atoms per lot.
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
    _pad: u8,
    subtree_haste: u32,
    /// Key of the trader's account.
    pub trader: [u8; 32],
}

const _: () = {
    assert!(core::mem::size_of::<Order>() == 112);
    assert!(core::mem::offset_of!(Order, sequence) == 16);
    assert!(core::mem::offset_of!(Order, lots) == 64);
    assert!(core::mem::offset_of!(Order, height) == 72);
    assert!(core::mem::offset_of!(Order, subtree_haste) == 76);
    assert!(core::mem::offset_of!(Order, trader) == 80);
};

impl Order {
    /// An order ahead of the one at `older` in its trader's chain. `ZeroLots`;
    /// `SizeOutOfRange` beyond `MAX_LOTS`.
    pub(super) fn new(order: &NewOrder, sequence: u64, older: u32) -> Result<Self, EngineError> {
        if order.lots == 0 {
            return Err(EngineError::ZeroLots);
        }
        Ok(Self {
            links: Links::LEAF,
            owner_next: older,
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
            _pad: 0,
            subtree_haste: 0,
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

    /// Its limit price, atoms per lot.
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
    /// rounded down. `Overflow` when an order without lots reserves anything.
    pub fn margin_of(&self, lots: u64) -> Result<u64, EngineError> {
        let size = self.size();
        if lots >= size || self.margin == 0 {
            return Ok(self.margin);
        }
        let each = self.margin.checked_div(size).ok_or(EngineError::Overflow)?;
        let odd = self.margin.checked_rem(size).ok_or(EngineError::Overflow)?;
        // Fewer lots than `size`: the first product is at most the margin, and the second
        // is one of two numbers below 2^32.
        let whole = each.wrapping_mul(lots);
        let part = odd.wrapping_mul(lots).checked_div(size);
        Ok(whole.wrapping_add(part.ok_or(EngineError::Overflow)?))
    }

    /// Lots left when `lots` are taken off. `ZeroLots`; `SizeOutOfRange` when none would be.
    pub(super) fn lots_without(&self, lots: u64) -> Result<u32, EngineError> {
        if lots == 0 {
            return Err(EngineError::ZeroLots);
        }
        let lots = u32::try_from(lots).map_err(|_| EngineError::SizeOutOfRange)?;
        match self.lots.checked_sub(lots) {
            None | Some(0) => Err(EngineError::SizeOutOfRange),
            Some(left) => Ok(left),
        }
    }

    /// The order with so many lots and no others. `SizeOutOfRange`.
    pub(super) fn with_lots(mut self, lots: u64) -> Result<Self, EngineError> {
        self.lots = u32::try_from(lots).map_err(|_| EngineError::SizeOutOfRange)?;
        Ok(self)
    }

    /// What its lots are worth at its price, atoms.
    pub(super) fn quote(&self) -> u64 {
        // 32 and 31 bits.
        u64::from(self.lots).wrapping_mul(u64::from(self.price))
    }

    /// What it counts for the impact price: nothing where it only reduces.
    pub(super) fn counted(&self) -> Counted {
        if self.is_reduce_only() {
            return Counted::NOTHING;
        }
        Counted {
            depth: Depth {
                lots: self.size(),
                quote: self.quote(),
            },
            haste: Haste::of(self.expires_at),
        }
    }

    /// Whether it counts for the impact price no longer, because it expires too soon.
    pub(super) fn is_short_lived(&self, latest: Haste) -> bool {
        self.counted().haste > latest
    }

    /// Whether an order that counts in the subtree that the node heads is short-lived.
    pub(super) const fn heads_short_lived(&self, latest: Haste) -> bool {
        self.subtree_haste > latest.0
    }

    /// As many of its lots as are worth `quote` atoms, not more than all are, rounded up.
    pub(super) fn part(&self, quote: u64) -> Depth {
        let price = self.price().get();
        let lots = quote.div_ceil(price);
        Depth {
            lots,
            // At most its own quote.
            quote: lots.wrapping_mul(price),
        }
    }

    /// What counts of the subtree that the node heads.
    pub(super) const fn depth(&self) -> Depth {
        Depth {
            lots: self.subtree_lots,
            quote: self.subtree_quote,
        }
    }

    /// Whether side and flags are ones that the book writes, and the side is `side`.
    pub(super) const fn is_well_formed(&self, side: Side) -> bool {
        let expected = match side {
            Side::Long => BID,
            Side::Short => ASK,
        };
        self.side == expected && self.flags & !REDUCE_ONLY == 0
    }
}

impl TreeNode for Order {
    type Key = OrderKey;
    type Summary = Counted;

    fn key(&self) -> OrderKey {
        let rank = if self.side == BID {
            !self.price
        } else {
            self.price
        };
        (rank, self.sequence)
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

    fn summary(&self) -> Counted {
        Counted {
            depth: self.depth(),
            haste: Haste(self.subtree_haste),
        }
    }

    fn set_summary(&mut self, summary: Counted) {
        self.subtree_lots = summary.depth.lots;
        self.subtree_quote = summary.depth.quote;
        self.subtree_haste = summary.haste.0;
    }

    fn summarise(&self, left: Option<&Self>, right: Option<&Self>) -> Counted {
        self.counted().with(left).with(right)
    }

    fn join(&mut self, leaf: &Counted) -> Adjusted {
        if *leaf == Counted::NOTHING {
            return Adjusted::Same;
        }
        self.subtree_lots = self.subtree_lots.wrapping_add(leaf.depth.lots);
        self.subtree_quote = self.subtree_quote.wrapping_add(leaf.depth.quote);
        self.subtree_haste = self.subtree_haste.max(leaf.haste.0);
        Adjusted::Changed
    }

    fn leave(&mut self, leaf: &Counted) -> Adjusted {
        if *leaf == Counted::NOTHING {
            return Adjusted::Same;
        }
        // It may have been the one that expires first.
        if leaf.haste != Haste::NEVER && leaf.haste.0 == self.subtree_haste {
            return Adjusted::Unknown;
        }
        self.subtree_lots = self.subtree_lots.wrapping_sub(leaf.depth.lots);
        self.subtree_quote = self.subtree_quote.wrapping_sub(leaf.depth.quote);
        Adjusted::Changed
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::units::{MAX_LOTS, MAX_LOT_PRICE};

    fn order(side: Side, lots: u64, margin: u64) -> Order {
        let order = NewOrder {
            trader: [1; 32],
            side,
            price: LotPrice::new(5).expect("in range"),
            lots,
            margin,
            client_id: 0,
            expires_at: 0,
            reduce_only: false,
        };
        Order::new(&order, 1, NIL).expect("in range")
    }

    #[test]
    fn a_share_of_the_margin_rounds_down_and_the_whole_is_all_of_it() {
        let third = order(Side::Long, 3, 10);
        let shares: [Result<u64, EngineError>; 5] =
            core::array::from_fn(|lots| third.margin_of(u64::try_from(lots).expect("small")));
        assert_eq!(shares, [Ok(0), Ok(3), Ok(6), Ok(10), Ok(10)]);
        assert_eq!(order(Side::Long, 3, 0).margin_of(1), Ok(0));
    }

    #[test]
    fn a_share_of_the_margin_is_exact_at_the_limits() {
        for margin in [u64::MAX, u64::MAX - 1, 1 << 63, MAX_LOTS, MAX_LOTS - 1, 1] {
            for size in [MAX_LOTS, MAX_LOTS - 1, 1 << 31, 7, 2] {
                for lots in [1, size / 2, size - 1] {
                    let exact = u128::from(margin) * u128::from(lots) / u128::from(size);
                    let share = order(Side::Long, size, margin).margin_of(lots);
                    assert_eq!(share.map(u128::from), Ok(exact), "{margin} {size} {lots}");
                }
            }
        }
    }

    #[test]
    fn keys_order_by_the_better_price_then_the_older_order() {
        let key = |side, price, sequence| {
            let mut order = order(side, 1, 0);
            (order.price, order.sequence) = (price, sequence);
            order.key()
        };
        let highest = u32::try_from(MAX_LOT_PRICE).expect("31 bits");
        assert!(key(Side::Long, highest, 9) < key(Side::Long, 1, 1));
        assert!(key(Side::Short, 1, 9) < key(Side::Short, highest, 1));
        for side in [Side::Long, Side::Short] {
            assert!(key(side, 5, 1) < key(side, 5, 2));
        }
    }

    #[test]
    fn an_order_expires_when_its_time_is_reached() {
        let mut order = order(Side::Long, 1, 0);
        assert!(!order.has_expired(i64::MAX));
        order.expires_at = 100;
        let expired = [99, 100, 101].map(|now| order.has_expired(now));
        assert_eq!(expired, [false, true, true]);
    }

    #[test]
    fn the_last_part_of_an_order_is_rounded_up_to_whole_lots() {
        let ten = order(Side::Short, 10, 0);
        let part = |quote| (ten.part(quote).lots, ten.part(quote).quote);
        assert_eq!(
            [part(1), part(5), part(6), part(50)],
            [(1, 5), (1, 5), (2, 10), (10, 50)]
        );
    }
}
