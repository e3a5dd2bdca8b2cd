//! Changing the book: orders join, shrink and leave.

use crate::error::EngineError;
use crate::slab::{Tree, TreeHeader, TreeNode, NIL};
use crate::units::{Lots, Side};

use super::order::{NewOrder, Order, OrderKey, LAST};
use super::own_orders::{OwnOrders, MAX_ORDERS, MAX_REDUCE_ONLY};
use super::{
    check, number, place, whole_pairs, BookHeader, BookRef, BOOK_HEADER_SIZE, BOOK_VERSION,
};

/// Where a book changed: of each side the best place at which an order that opens joined, shrank
/// or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    bids: OrderKey,
    asks: OrderKey,
}

impl Changes {
    /// No change.
    pub const NONE: Self = Self {
        bids: LAST,
        asks: LAST,
    };

    /// The best place of `side` that changed, if any did.
    pub(super) fn best(&self, side: Side) -> Option<OrderKey> {
        let best = match side {
            Side::Long => self.bids,
            Side::Short => self.asks,
        };
        (best != LAST).then_some(best)
    }

    /// These changes and `others`.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self {
            bids: self.bids.min(others.bids),
            asks: self.asks.min(others.asks),
        }
    }

    fn note(&mut self, order: &Order) {
        if order.is_reduce_only() {
            return;
        }
        let best = match order.side() {
            Side::Long => &mut self.bids,
            Side::Short => &mut self.asks,
        };
        *best = order.key().min(*best);
    }
}

/// A book to change.
#[derive(Debug)]
pub struct Book<'a> {
    header: &'a mut BookHeader,
    bids: &'a mut [Order],
    asks: &'a mut [Order],
    changes: Changes,
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
            migrated_height: 0,
            migrated_nodes: 0,
            reserved: [0; 40],
        };
        Ok(())
    }

    /// A book in bytes aligned to 8. `LayoutOutdated` when it is of the version before,
    /// `BookLayout` when they are not a book.
    pub fn new(bytes: &'a mut [u8]) -> Result<Self, EngineError> {
        let (header, bids, asks) = Self::parts(bytes)?;
        check(header)?;
        Ok(Self {
            header,
            bids,
            asks,
            changes: Changes::NONE,
        })
    }

    /// Header, bids and asks in bytes aligned to 8, whatever their version. `BookLayout` when they
    /// are too short.
    pub(super) fn parts(
        bytes: &mut [u8],
    ) -> Result<(&mut BookHeader, &mut [Order], &mut [Order]), EngineError> {
        let (head, rest) = bytes
            .split_at_mut_checked(BOOK_HEADER_SIZE)
            .ok_or(EngineError::BookLayout)?;
        let length = whole_pairs(rest.len());
        let nodes = rest.get_mut(..length).ok_or(EngineError::BookLayout)?;
        let header: &mut BookHeader =
            bytemuck::try_from_bytes_mut(head).map_err(|_| EngineError::BookLayout)?;
        let nodes: &mut [Order] =
            bytemuck::try_cast_slice_mut(nodes).map_err(|_| EngineError::BookLayout)?;
        let (bids, asks) = nodes.split_at_mut(nodes.len() / 2);
        Ok((header, bids, asks))
    }

    /// Where the book changed since it was opened.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
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
    /// and its id. Nothing changes on an error.
    ///
    /// `TooManyOrders`, `TooManyReduceOnly`, `BookFull`, `ZeroLots`, `SizeOutOfRange`; `OrderNotFound` when `own` is
    /// another trader's chain; `Overflow` when the side's quotes or the chain's margins leave
    /// `u64`.
    pub fn insert(
        &mut self,
        order: &NewOrder,
        own: &mut OwnOrders,
    ) -> Result<(u32, u64), EngineError> {
        if own.count >= MAX_ORDERS {
            return Err(EngineError::TooManyOrders);
        }
        if order.reduce_only && own.reduce_only >= MAX_REDUCE_ONLY {
            return Err(EngineError::TooManyReduceOnly);
        }
        let id = self.header.next_sequence;
        let next = id.checked_add(1).ok_or(EngineError::Overflow)?;
        let margin = own.margin.checked_add(order.margin);
        let margin = margin.ok_or(EngineError::Overflow)?;
        let entry = Order::new(order, id, own.head)?;
        if (own.count == 0) != (own.head == NIL) {
            return Err(EngineError::TreeCorrupt);
        }
        if own.head != NIL {
            self.check_chain(&order.trader, own)?;
        }
        let depth = self.as_ref().depth(order.side)?;
        depth.plus(entry.counted().depth)?;
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
        self.changes.note(&entry);
        *own = OwnOrders {
            head: node,
            // At most `MAX_ORDERS`.
            count: own.count.wrapping_add(1),
            reduce_only: own.reduce_only.wrapping_add(u32::from(order.reduce_only)),
            margin,
        };
        Ok((node, id))
    }

    /// Takes the order at `node` out of the book and out of its trader's chain `own`, whose
    /// margin falls by what it reserved. `OrderNotFound` when there is none or it is not of
    /// that chain's trader.
    pub fn remove(&mut self, node: u32, own: &mut OwnOrders) -> Result<Order, EngineError> {
        let order = *self.as_ref().order(node)?;
        if own.head != node {
            self.check_chain(&order.trader, own)?;
        }
        let left = own.without(node, &order)?;
        self.check_neighbours(node, &order)?;
        let (side, index) = place(node, self.bids.len())?;
        self.tree_mut(side).remove(index)?;
        let (newer, older) = (order.owner_previous, order.owner_next);
        if newer != NIL {
            self.order_mut(newer)?.owner_next = older;
        }
        if older != NIL {
            self.order_mut(older)?.owner_previous = newer;
        }
        *own = left;
        self.changes.note(&order);
        Ok(order)
    }

    /// Takes `lots` off the order at `node`, fewer than it has, and `margin` atoms off what it
    /// and its trader's chain `own` reserve; it keeps its place. Nothing changes on an error.
    ///
    /// `OrderNotFound` as for [`Self::remove`]; `ZeroLots`; `SizeOutOfRange` when no lots would
    /// be left; `Overflow` when the order reserves less than `margin`.
    pub fn reduce(
        &mut self,
        node: u32,
        lots: u64,
        margin: u64,
        own: &mut OwnOrders,
    ) -> Result<(), EngineError> {
        let order = self.as_ref().order(node)?;
        if own.head != node {
            self.check_chain(&order.trader, own)?;
        }
        let left = order.lots_without(lots)?;
        let reserve = order.margin.checked_sub(margin);
        let reserve = reserve.ok_or(EngineError::Overflow)?;
        let total = own.margin.checked_sub(margin);
        let total = total.ok_or(EngineError::TreeCorrupt)?;
        let order = self.order_mut(node)?;
        (order.lots, order.margin) = (left, reserve);
        let changed = *order;
        self.changes.note(&changed);
        own.margin = total;
        let (side, index) = place(node, self.bids.len())?;
        self.tree_mut(side).refresh(index)
    }

    /// Brings the reduce-only orders of the chain `own` down to what the position of `lots` has for
    /// them: together they never close more than it is, the newest shrink first, and where it is
    /// closed or on their side, all go. Shows what each lost to `each`, as [`Self::remove`] returns
    /// it.
    ///
    /// Errors: those of [`Self::remove`].
    pub fn cut_reduce_only(
        &mut self,
        own: &mut OwnOrders,
        lots: Lots,
        mut each: impl FnMut(&Order),
    ) -> Result<(), EngineError> {
        if own.reduce_only == 0 {
            return Ok(());
        }
        let mut excess = self.as_ref().reduce_only_beyond(own, lots)?;
        let mut node = own.head;
        while excess > 0 && node != NIL {
            let order = *self.as_ref().order(node)?;
            let next = order.owner_next;
            if order.is_reduce_only() {
                if order.size() <= excess {
                    each(&self.remove(node, own)?);
                    // Not wrapping: just compared.
                    excess = excess.wrapping_sub(order.size());
                } else {
                    self.reduce(node, excess, 0, own)?;
                    each(&order.with_lots(excess)?);
                    excess = 0;
                }
            }
            node = next;
        }
        Ok(())
    }

    /// Counts the reduce-only orders of a chain of the version before, which did not, and brings them
    /// to what this one allows: those on the side of the position of `lots` go, together they never
    /// close more than it is, and of more than [`MAX_REDUCE_ONLY`] the newest go. Shows what each lost
    /// to `each`, as [`Self::remove`] returns it.
    ///
    /// Errors: those of [`Self::remove`].
    pub fn adopt_reduce_only(
        &mut self,
        own: &mut OwnOrders,
        lots: Lots,
        mut each: impl FnMut(&Order),
    ) -> Result<(), EngineError> {
        own.reduce_only = 0;
        for step in self.as_ref().own(own) {
            let (_, order) = step?;
            // At most `MAX_ORDERS`.
            let one = u32::from(order.is_reduce_only());
            own.reduce_only = own.reduce_only.wrapping_add(one);
        }
        let closing = lots.side().map(Side::opposite);
        self.remove_reduce_only(own, &mut each, |order, _| Some(order.side()) != closing)?;
        self.cut_reduce_only(own, lots, &mut each)?;
        self.remove_reduce_only(own, &mut each, |_, left| left > MAX_REDUCE_ONLY)
    }

    /// Takes out the reduce-only orders of which `goes` says so, the newest first; it is told how many
    /// there are still.
    fn remove_reduce_only(
        &mut self,
        own: &mut OwnOrders,
        each: &mut impl FnMut(&Order),
        goes: impl Fn(&Order, u32) -> bool,
    ) -> Result<(), EngineError> {
        let mut node = own.head;
        while node != NIL && own.reduce_only > 0 {
            let order = *self.as_ref().order(node)?;
            if order.is_reduce_only() && goes(&order, own.reduce_only) {
                each(&self.remove(node, own)?);
            }
            node = order.owner_next;
        }
        Ok(())
    }

    /// Whether `own` is the chain of `trader`, by its newest order: `OrderNotFound` when that
    /// is not the trader's, or there is none; `TreeCorrupt` when it is not the newest.
    fn check_chain(&self, trader: &[u8; 32], own: &OwnOrders) -> Result<(), EngineError> {
        let newest = self.as_ref().order(own.head)?;
        if &newest.trader != trader {
            return Err(EngineError::OrderNotFound);
        }
        if newest.owner_previous != NIL || own.count == 0 {
            return Err(EngineError::TreeCorrupt);
        }
        Ok(())
    }

    /// Whether the neighbours of an order in its chain point back to it. `TreeCorrupt`.
    fn check_neighbours(&self, node: u32, order: &Order) -> Result<(), EngineError> {
        let book = self.as_ref();
        let (newer, older) = (order.owner_previous, order.owner_next);
        let sound = (newer == NIL || book.order(newer)?.owner_next == node)
            && (older == NIL || book.order(older)?.owner_previous == node);
        if sound {
            Ok(())
        } else {
            Err(EngineError::TreeCorrupt)
        }
    }

    fn order_mut(&mut self, node: u32) -> Result<&mut Order, EngineError> {
        let (side, index) = place(node, self.bids.len())?;
        let nodes = match side {
            Side::Long => &mut *self.bids,
            Side::Short => &mut *self.asks,
        };
        let index = usize::try_from(index).map_err(|_| EngineError::OrderNotFound)?;
        nodes
            .get_mut(index)
            .filter(|order| order.height() != 0)
            .ok_or(EngineError::OrderNotFound)
    }

    fn tree_mut(&mut self, side: Side) -> Tree<'_, Order> {
        match side {
            Side::Long => Tree::new(&mut self.header.bids, self.bids),
            Side::Short => Tree::new(&mut self.header.asks, self.asks),
        }
    }
}
