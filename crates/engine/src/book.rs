//! The order book of a market: bids and asks in price-time priority, in the bytes of an
//! account.
//!
//! One slab of nodes, its first half for bids and its second for asks, each a tree ordered
//! by the better price and then the older order. A node's number counts through both halves.
//! The orders of one trader form a chain, so that all of them are found without a search.

mod impact;
mod order;
mod own_orders;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::slab::{InOrder, Tree, TreeHeader, TreeNode, TreeRef, NIL};
use crate::units::{LotPrice, Side};

pub use order::{Depth, NewOrder, Order, OrderKey};
pub use own_orders::{OwnIter, OwnOrders, MAX_ORDERS};

/// Layout version written by [`Book::create`].
pub const BOOK_VERSION: u32 = 1;
/// Bytes before the nodes.
pub const BOOK_HEADER_SIZE: usize = core::mem::size_of::<BookHeader>();
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
    /// Zero.
    pub reserved: [u8; 48],
}

const _: () = assert!(BOOK_HEADER_SIZE == 128);

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
    /// A book in bytes aligned to 8. `BookLayout` when they are not a book of this version.
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

    /// Node of the best order on `side`, if there is one.
    pub fn best(&self, side: Side) -> Result<Option<u32>, EngineError> {
        let tree = self.tree(side);
        let mut index = tree.root();
        if index == NIL {
            return Ok(None);
        }
        for _ in 0..crate::slab::MAX_HEIGHT {
            let left = tree.linked(index)?.links().left;
            if left == NIL {
                return self.node(side, index).map(Some);
            }
            index = left;
        }
        Err(EngineError::TreeCorrupt)
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

    /// The average price of trading `notional` atoms into `side`, whole lots from the best
    /// order on; rounded down for bids and up for asks. `None` when the side is not that
    /// deep.
    pub fn impact_price(&self, side: Side, notional: u64) -> Result<Option<LotPrice>, EngineError> {
        impact::impact_price(&self.tree(side), side, notional)
    }

    /// Walks everything: both trees; that every order has lots, a price, the side it lies on
    /// and an id already given out; that the chains are linked both ways within one trader,
    /// at most [`MAX_ORDERS`] long and without a loop; that the book is not crossed.
    pub fn invariant(&self) -> Result<(), EngineError> {
        for side in [Side::Long, Side::Short] {
            self.tree(side).invariant()?;
            for step in self.iter(side) {
                let (node, order) = step?;
                let sound = order.lots > 0
                    && order.price > 0
                    && order.side() == side
                    && order.sequence > 0
                    && order.sequence < self.header.next_sequence;
                if !sound || !self.is_linked(node, order)? {
                    return Err(EngineError::TreeCorrupt);
                }
            }
        }
        let best = |side| -> Result<Option<LotPrice>, EngineError> {
            let Some(node) = self.best(side)? else {
                return Ok(None);
            };
            Ok(Some(self.order(node)?.price()))
        };
        match (best(Side::Long)?, best(Side::Short)?) {
            (Some(bid), Some(ask)) if bid >= ask => Err(EngineError::TreeCorrupt),
            _ => Ok(()),
        }
    }

    /// Whether both neighbours of an order in its chain are the same trader's and point back,
    /// and the chain from here on is short.
    fn is_linked(&self, node: u32, order: &Order) -> Result<bool, EngineError> {
        if order.owner_previous != NIL {
            let newer = self.order(order.owner_previous)?;
            if newer.owner_next != node || newer.trader != order.trader {
                return Ok(false);
            }
        }
        let (mut next, mut before) = (order.owner_next, node);
        for _ in 0..MAX_ORDERS {
            if next == NIL {
                return Ok(true);
            }
            let older = self.order(next)?;
            if older.owner_previous != before || older.trader != order.trader {
                return Ok(false);
            }
            (before, next) = (next, older.owner_next);
        }
        Ok(false)
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

/// A book to change.
#[derive(Debug)]
pub struct Book<'a> {
    header: &'a mut BookHeader,
    bids: &'a mut [Order],
    asks: &'a mut [Order],
}

impl<'a> Book<'a> {
    /// Writes an empty book over `bytes`. `BookLayout` when they are too short or not aligned
    /// to 8.
    pub fn create(bytes: &mut [u8], market: [u8; 32]) -> Result<(), EngineError> {
        let head = bytes
            .get_mut(..BOOK_HEADER_SIZE)
            .ok_or(EngineError::BookLayout)?;
        let header: &mut BookHeader =
            bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::BookLayout)?;
        *header = BookHeader {
            market,
            version: BOOK_VERSION,
            _pad: 0,
            next_sequence: 1,
            bids: TreeHeader::EMPTY,
            asks: TreeHeader::EMPTY,
            reserved: [0; 48],
        };
        Ok(())
    }

    /// A book in bytes aligned to 8. `BookLayout` when they are not a book of this version.
    pub fn new(bytes: &'a mut [u8]) -> Result<Self, EngineError> {
        let (head, rest) = bytes
            .split_at_mut_checked(BOOK_HEADER_SIZE)
            .ok_or(EngineError::BookLayout)?;
        let length = whole_pairs(rest.len());
        let nodes = rest.get_mut(..length).ok_or(EngineError::BookLayout)?;
        let header: &mut BookHeader =
            bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::BookLayout)?;
        let nodes: &mut [Order] =
            bytemuck::try_cast_slice_mut(nodes).map_err(|_| EngineError::BookLayout)?;
        check(header)?;
        let (bids, asks) = nodes.split_at_mut(nodes.len() / 2);
        Ok(Self { header, bids, asks })
    }

    /// The same book, to read.
    #[must_use]
    pub const fn as_ref(&self) -> BookRef<'_> {
        BookRef {
            header: self.header,
            bids: self.bids,
            asks: self.asks,
        }
    }

    /// Adds an order behind all others of its price; the node it keeps until it is removed,
    /// and its id. `TooManyOrders`, `BookFull`, `ZeroLots`, `SizeOutOfRange`; `Overflow` when
    /// the side's quotes leave `u64`. Nothing changes on an error.
    pub fn insert(
        &mut self,
        order: &NewOrder,
        own: &mut OwnOrders,
    ) -> Result<(u32, u64), EngineError> {
        if own.count >= MAX_ORDERS {
            return Err(EngineError::TooManyOrders);
        }
        let id = self.header.next_sequence;
        let next = id.checked_add(1).ok_or(EngineError::Overflow)?;
        let mut entry = Order::new(order, id)?;
        entry.owner_next = own.head;
        let margin = own.margin.checked_add(order.margin);
        let margin = margin.ok_or(EngineError::Overflow)?;
        let tree = self.as_ref().tree(order.side);
        if tree.root() != NIL {
            let whole = tree.linked(tree.root())?.depth().quote;
            whole
                .checked_add(entry.quote())
                .ok_or(EngineError::Overflow)?;
        }
        let index = self.tree_mut(order.side).insert(entry);
        let index = index.map_err(|error| match error {
            EngineError::QueueFull => EngineError::BookFull,
            other => other,
        })?;
        let node = number(order.side, index, self.bids.len())?;
        if own.head != NIL {
            self.order_mut(own.head)?.owner_previous = node;
        }
        self.header.next_sequence = next;
        *own = OwnOrders {
            head: node,
            count: own.count.wrapping_add(1),
            margin,
        };
        Ok((node, id))
    }

    /// Takes the order at `node` out of the book and out of its trader's chain `own`.
    /// `OrderNotFound`.
    pub fn remove(&mut self, node: u32, own: &mut OwnOrders) -> Result<Order, EngineError> {
        let order = *self.as_ref().order(node)?;
        let count = own.count.checked_sub(1).ok_or(EngineError::TreeCorrupt)?;
        let margin = own.margin.checked_sub(order.margin);
        let margin = margin.ok_or(EngineError::TreeCorrupt)?;
        if order.owner_previous == NIL {
            if own.head != node {
                return Err(EngineError::TreeCorrupt);
            }
            own.head = order.owner_next;
        } else {
            self.order_mut(order.owner_previous)?.owner_next = order.owner_next;
        }
        if order.owner_next != NIL {
            self.order_mut(order.owner_next)?.owner_previous = order.owner_previous;
        }
        (own.count, own.margin) = (count, margin);
        self.tree_mut(order.side()).remove(order.key_in_side())?;
        Ok(order)
    }

    /// Takes `lots` off the order at `node`, fewer than it has, and `margin` atoms off what it
    /// reserves; it keeps its place. `OrderNotFound`, `SizeOutOfRange`.
    pub fn reduce(
        &mut self,
        node: u32,
        lots: u64,
        margin: u64,
        own: &mut OwnOrders,
    ) -> Result<(), EngineError> {
        let mut order = *self.as_ref().order(node)?;
        let lots = u32::try_from(lots).map_err(|_| EngineError::SizeOutOfRange)?;
        order.lots = order
            .lots
            .checked_sub(lots)
            .filter(|left| *left > 0)
            .ok_or(EngineError::SizeOutOfRange)?;
        order.margin = order
            .margin
            .checked_sub(margin)
            .ok_or(EngineError::TreeCorrupt)?;
        own.margin = own
            .margin
            .checked_sub(margin)
            .ok_or(EngineError::TreeCorrupt)?;
        let (side, index) = place(node, self.bids.len())?;
        self.tree_mut(side).replace(index, order)
    }

    fn order_mut(&mut self, node: u32) -> Result<&mut Order, EngineError> {
        let (side, index) = place(node, self.bids.len())?;
        let (header, nodes) = match side {
            Side::Long => (&mut self.header.bids, &mut *self.bids),
            Side::Short => (&mut self.header.asks, &mut *self.asks),
        };
        Tree::new(header, nodes).into_node(index)
    }

    fn tree_mut(&mut self, side: Side) -> Tree<'_, Order> {
        match side {
            Side::Long => Tree::new(&mut self.header.bids, self.bids),
            Side::Short => Tree::new(&mut self.header.asks, self.asks),
        }
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
    if header.version == BOOK_VERSION {
        Ok(())
    } else {
        Err(EngineError::BookLayout)
    }
}
