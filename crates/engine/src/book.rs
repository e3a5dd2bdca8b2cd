//! The order book of a market: bids and asks in price-time priority, in the bytes of an
//! account.
//!
//! One slab of nodes, its first half for bids and its second for asks, each a tree ordered
//! by the better price and then the older order. A node's number counts through both halves.
//! The orders of one trader form a chain, so that all of them are found without a search.

mod change;
mod impact;
mod invariant;
mod migrate;
mod order;
mod own_orders;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::slab::{InOrder, TreeHeader, TreeNode, TreeRef, MAX_HEIGHT, NIL};
use crate::units::{LotPrice, Lots, Side};

pub use change::{Book, Changes};
pub use impact::{Impact, Sampling, MIN_LIFE_SECONDS};
pub use migrate::migrate;
use order::FIRST;
pub use order::{Depth, NewOrder, Order, OrderKey};
pub use own_orders::{OwnIter, OwnOrders, MAX_ORDERS, MAX_REDUCE_ONLY};

/// Layout version written by [`Book::create`].
pub const BOOK_VERSION: u32 = 2;
/// Layout version that [`migrate`] brings to [`BOOK_VERSION`].
pub const OUTDATED_BOOK_VERSION: u32 = 1;
/// Bytes before the nodes.
pub const BOOK_HEADER_SIZE: usize = core::mem::size_of::<BookHeader>();
/// Orders at the end of a full side of which one may give way to a better one.
pub const MAX_GIVING_WAY: usize = 8;
/// Bytes of a node.
pub const ORDER_SIZE: usize = core::mem::size_of::<Order>();

/// What precedes the nodes of a book.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct BookHeader {
    /// Key of the market.
    pub market: [u8; 32],
    /// [`BOOK_VERSION`].
    pub version: u32,
    /// Zero.
    pub _pad: u32,
    /// Id of the next order.
    pub next_sequence: u64,
    /// Tree of the bids.
    pub bids: TreeHeader,
    /// Tree of the asks.
    pub asks: TreeHeader,
    /// Height up to which [`migrate`] has summed up the nodes; 0 when it is not under way.
    pub migrated_height: u32,
    /// Nodes that it has looked at for the next height.
    pub migrated_nodes: u32,
    /// Zero.
    pub reserved: [u8; 40],
}

const _: () = assert!(BOOK_HEADER_SIZE == 128);
const _: () = assert!(core::mem::offset_of!(BookHeader, migrated_height) == 80);

/// Bytes of a book with room for so many orders a side, without an account discriminator.
#[must_use]
pub const fn book_size(orders_a_side: usize) -> Option<usize> {
    let Some(orders) = orders_a_side.checked_mul(2) else {
        return None;
    };
    match orders.checked_mul(ORDER_SIZE) {
        Some(nodes) => nodes.checked_add(BOOK_HEADER_SIZE),
        None => None,
    }
}

/// A book to read.
#[derive(Clone, Copy, Debug)]
pub struct BookRef<'a> {
    header: &'a BookHeader,
    bids: &'a [Order],
    asks: &'a [Order],
}

impl<'a> BookRef<'a> {
    /// A book in bytes aligned to 8. `LayoutOutdated` when it is of the version before,
    /// `BookLayout` when they are not a book.
    pub fn new(bytes: &'a [u8]) -> Result<Self, EngineError> {
        let (head, rest) = bytes
            .split_at_checked(BOOK_HEADER_SIZE)
            .ok_or(EngineError::BookLayout)?;
        let nodes = rest
            .get(..whole_pairs(rest.len()))
            .ok_or(EngineError::BookLayout)?;
        let header: &BookHeader =
            bytemuck::try_from_bytes(head).map_err(|_| EngineError::BookLayout)?;
        let nodes: &[Order] =
            bytemuck::try_cast_slice(nodes).map_err(|_| EngineError::BookLayout)?;
        check(header)?;
        let (bids, asks) = nodes.split_at(nodes.len() / 2);
        Ok(Self { header, bids, asks })
    }

    /// What precedes the nodes.
    #[must_use]
    pub const fn header(&self) -> &'a BookHeader {
        self.header
    }

    /// Number of orders on `side`.
    #[must_use]
    pub const fn len(&self, side: Side) -> u32 {
        self.tree(side).len()
    }

    /// Whether `side` has no orders.
    #[must_use]
    pub const fn is_empty(&self, side: Side) -> bool {
        self.tree(side).is_empty()
    }

    /// Number of orders a side has room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.bids.len()
    }

    /// Lots and quote of the orders on `side` that open.
    pub fn depth(&self, side: Side) -> Result<Depth, EngineError> {
        impact::depth_of(&self.tree(side), self.tree(side).root())
    }

    /// Node of the best order on `side`, if there is one.
    pub fn best(&self, side: Side) -> Result<Option<u32>, EngineError> {
        let tree = self.tree(side);
        let mut index = tree.root();
        if index == NIL {
            return Ok(None);
        }
        for _ in 0..MAX_HEIGHT {
            let left = tree.linked(index)?.links().left;
            if left == NIL {
                return self.node(side, index).map(Some);
            }
            index = left;
        }
        Err(EngineError::TreeCorrupt)
    }

    /// Node of the next worse order of the side of the one at `node`, if there is one.
    /// `OrderNotFound` when there is none at `node`.
    pub fn next_after(&self, node: u32) -> Result<Option<u32>, EngineError> {
        let (side, _) = place(node, self.bids.len())?;
        let key = self.order(node)?.key();
        let tree = self.tree(side);
        let (mut index, mut found) = (tree.root(), NIL);
        for _ in 0..MAX_HEIGHT {
            if index == NIL {
                let found = (found != NIL).then_some(found);
                return found.map(|index| self.node(side, index)).transpose();
            }
            let order = tree.linked(index)?;
            index = if key < order.key() {
                found = index;
                order.links().left
            } else {
                order.links().right
            };
        }
        Err(EngineError::TreeCorrupt)
    }

    /// Price of the best order on `side` that is not `trader`'s, if there is one.
    pub fn best_price_but_of(
        &self,
        side: Side,
        trader: &[u8; 32],
    ) -> Result<Option<LotPrice>, EngineError> {
        for step in self.iter(side) {
            let (_, order) = step?;
            if order.trader != *trader {
                return Ok(Some(order.price()));
            }
        }
        Ok(None)
    }

    /// The order at `node`. `OrderNotFound` when there is none.
    pub fn order(&self, node: u32) -> Result<&'a Order, EngineError> {
        let (side, index) = place(node, self.bids.len())?;
        self.tree(side)
            .get(index)
            .map_err(|_| EngineError::OrderNotFound)
    }

    /// Visits the orders of `side` with their nodes, the best first.
    pub fn iter(
        &self,
        side: Side,
    ) -> impl Iterator<Item = Result<(u32, &'a Order), EngineError>> + 'a {
        let book = *self;
        let steps: InOrder<'a, Order> = self.tree(side).iter();
        steps.map(move |step| {
            let (index, order) = step?;
            Ok((book.node(side, index)?, order))
        })
    }

    /// Whether `side` has no room for another order.
    #[must_use]
    pub fn is_full(&self, side: Side) -> bool {
        usize::try_from(self.len(side)).is_ok_and(|orders| orders >= self.capacity())
    }

    /// The order of a full side that gives way to `order`: of the last [`MAX_GIVING_WAY`] the worst
    /// that another trader placed at a worse price, with no more lots, whose trader `listed`
    /// accepts. One that opens gives way only to one that opens.
    pub fn giving_way(
        &self,
        order: &NewOrder,
        listed: impl Fn(&[u8; 32]) -> bool,
    ) -> Result<Option<u32>, EngineError> {
        for step in self.tree(order.side).iter_back().take(MAX_GIVING_WAY) {
            let (index, last) = step?;
            let worse = match order.side {
                Side::Long => last.price() < order.price,
                Side::Short => last.price() > order.price,
            };
            if !worse {
                return Ok(None);
            }
            if last.size() <= order.lots
                && (last.is_reduce_only() || !order.reduce_only)
                && last.trader != order.trader
                && listed(&last.trader)
            {
                return self.node(order.side, index).map(Some);
            }
        }
        Ok(None)
    }

    /// Visits a trader's orders with their nodes, the newest first.
    #[must_use]
    pub const fn own(&self, own: &OwnOrders) -> OwnIter<'a> {
        OwnIter::new(*self, own)
    }

    /// Node of the trader's order with this id, if it is in the book.
    pub fn find_id(&self, own: &OwnOrders, id: u64) -> Result<Option<u32>, EngineError> {
        self.find(own, |order| order.sequence == id)
    }

    /// Node of the trader's order with this client id, if there is one; 0 is none's.
    pub fn find_client(&self, own: &OwnOrders, client_id: u64) -> Result<Option<u32>, EngineError> {
        self.find(own, |order| client_id != 0 && order.client_id == client_id)
    }

    /// The average price of trading the impact notional into the orders of `side` that
    /// [count](Sampling), whole lots from the best one on; rounded down for bids and up for asks.
    /// `None` when the side is not that deep.
    pub fn impact_price(
        &self,
        side: Side,
        sampling: &Sampling<'_>,
    ) -> Result<Option<LotPrice>, EngineError> {
        match impact::impact_price(&self.tree(side), side, sampling, &FIRST)? {
            Impact::Now(price) => Ok(price),
            Impact::Unchanged => Err(EngineError::TreeCorrupt),
        }
    }

    /// What `changes` did to the impact price of `side`, with the book as they left it.
    pub fn impact_after(
        &self,
        changes: &Changes,
        side: Side,
        sampling: &Sampling<'_>,
    ) -> Result<Impact, EngineError> {
        match changes.best(side) {
            Some(best) => impact::impact_price(&self.tree(side), side, sampling, &best),
            None => Ok(Impact::Unchanged),
        }
    }

    /// Lots of the chain's reduce-only orders together.
    pub fn reduce_only_lots(&self, own: &OwnOrders) -> Result<u64, EngineError> {
        let mut lots = 0_u64;
        if own.reduce_only > 0 {
            for step in self.own(own) {
                let (_, order) = step?;
                if order.is_reduce_only() {
                    // At most 16 times 32 bits.
                    lots = lots.wrapping_add(order.size());
                }
            }
        }
        Ok(lots)
    }

    /// Lots of the chain's reduce-only orders that a position of `lots` has no room for.
    fn reduce_only_beyond(&self, own: &OwnOrders, lots: Lots) -> Result<u64, EngineError> {
        let total = self.reduce_only_lots(own)?;
        let newest = self.own(own).find(|step| match step {
            Ok((_, order)) => order.is_reduce_only(),
            Err(_) => true,
        });
        // All of them lie on one side.
        match newest.transpose()? {
            Some((_, order)) if lots.side() == Some(order.side().opposite()) => {
                Ok(total.max(lots.size()).wrapping_sub(lots.size()))
            }
            _ => Ok(total),
        }
    }

    fn find(
        &self,
        own: &OwnOrders,
        wanted: impl Fn(&Order) -> bool,
    ) -> Result<Option<u32>, EngineError> {
        for step in self.own(own) {
            let (node, order) = step?;
            if wanted(order) {
                return Ok(Some(node));
            }
        }
        Ok(None)
    }

    const fn tree(&self, side: Side) -> TreeRef<'a, Order> {
        match side {
            Side::Long => TreeRef::new(&self.header.bids, self.bids),
            Side::Short => TreeRef::new(&self.header.asks, self.asks),
        }
    }

    fn node(&self, side: Side, index: u32) -> Result<u32, EngineError> {
        number(side, index, self.bids.len())
    }
}

/// Side of a node and its place in that side's half.
fn place(node: u32, half: usize) -> Result<(Side, u32), EngineError> {
    let half = u32::try_from(half).map_err(|_| EngineError::BookLayout)?;
    Ok(match node.checked_sub(half) {
        None => (Side::Long, node),
        Some(index) => (Side::Short, index),
    })
}

/// The node at `index` of a side's half.
fn number(side: Side, index: u32, half: usize) -> Result<u32, EngineError> {
    match side {
        Side::Long => Ok(index),
        Side::Short => {
            let half = u32::try_from(half).map_err(|_| EngineError::BookLayout)?;
            index.checked_add(half).ok_or(EngineError::TreeCorrupt)
        }
    }
}

/// Bytes of the node pairs that fit in `len` bytes.
const fn whole_pairs(len: usize) -> usize {
    // The remainder is never larger than the whole.
    len.wrapping_sub(len % (2 * ORDER_SIZE))
}

fn check(header: &BookHeader) -> Result<(), EngineError> {
    match header.version {
        BOOK_VERSION => Ok(()),
        OUTDATED_BOOK_VERSION => Err(EngineError::LayoutOutdated),
        _ => Err(EngineError::BookLayout),
    }
}
