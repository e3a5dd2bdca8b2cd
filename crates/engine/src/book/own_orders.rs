//! The orders of one trader in one book: a chain through the nodes, the newest first.

use crate::error::EngineError;
use crate::slab::NIL;

use super::{BookRef, Order};

/// Most orders of one trader in one market, both sides together.
pub const MAX_ORDERS: u32 = 16;
/// Most of them that are reduce-only.
pub const MAX_REDUCE_ONLY: u32 = 4;

/// Where a trader's chain begins, and what it adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOrders {
    /// Node of the newest order, or `NIL`.
    pub head: u32,
    /// Number of orders.
    pub count: u32,
    /// Number of those that are reduce-only.
    pub reduce_only: u32,
    /// What they reserve together, atoms.
    pub margin: u64,
}

impl OwnOrders {
    /// No orders.
    pub const EMPTY: Self = Self {
        head: NIL,
        count: 0,
        reduce_only: 0,
        margin: 0,
    };

    /// The chain without the order at `node`. `TreeCorrupt` when it cannot be of this chain.
    pub(super) fn without(&self, node: u32, order: &Order) -> Result<Self, EngineError> {
        let is_newest = order.owner_previous == NIL;
        let count = self.count.checked_sub(1);
        let reduce_only = self
            .reduce_only
            .checked_sub(u32::from(order.is_reduce_only()));
        let margin = self.margin.checked_sub(order.margin);
        match (count, reduce_only, margin) {
            (Some(count), Some(reduce_only), Some(margin)) if is_newest == (self.head == node) => {
                Ok(Self {
                    head: if is_newest {
                        order.owner_next
                    } else {
                        self.head
                    },
                    count,
                    reduce_only,
                    margin,
                })
            }
            _ => Err(EngineError::TreeCorrupt),
        }
    }
}

/// Visits a trader's orders with their nodes, the newest first. Ends after the first error.
#[derive(Debug)]
pub struct OwnIter<'a> {
    book: BookRef<'a>,
    next: u32,
    left: u32,
}

impl<'a> OwnIter<'a> {
    pub(super) const fn new(book: BookRef<'a>, own: &OwnOrders) -> Self {
        Self {
            book,
            next: own.head,
            left: own.count,
        }
    }
}

impl<'a> Iterator for OwnIter<'a> {
    type Item = Result<(u32, &'a Order), EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == NIL && self.left == 0 {
            return None;
        }
        let node = self.next;
        let step = match (self.left.checked_sub(1), self.book.order(node)) {
            (Some(left), Ok(order)) => {
                (self.left, self.next) = (left, order.owner_next);
                Ok((node, order))
            }
            _ => {
                (self.left, self.next) = (0, NIL);
                Err(EngineError::TreeCorrupt)
            }
        };
        Some(step)
    }
}
