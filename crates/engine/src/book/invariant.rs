//! What holds of a book between any two changes.

use crate::error::EngineError;
use crate::slab::NIL;
use crate::units::{LotPrice, Side};

use super::order::{Depth, Order};
use super::own_orders::{OwnOrders, MAX_ORDERS, MAX_REDUCE_ONLY};
use super::BookRef;

impl BookRef<'_> {
    /// Walks everything; takes the square of the number of traders. `TreeCorrupt` unless
    /// - both trees are sound, their summaries included, and no sum leaves `u64`;
    /// - every order has lots, a price in range, the side it lies on, known flags, and an id
    ///   already given out;
    /// - the orders of each trader form one chain, linked both ways, newer ids before older
    ///   ones, at most [`MAX_ORDERS`] long;
    /// - the best bid is below the best ask.
    pub fn invariant(&self) -> Result<(), EngineError> {
        for side in [Side::Long, Side::Short] {
            self.tree(side).invariant()?;
            let mut depth = Depth::ZERO;
            for step in self.iter(side) {
                let (node, order) = step?;
                self.order_invariant(side, order)?;
                self.links_invariant(node, order)?;
                let sum = depth.plus(order.counted().depth);
                depth = sum.map_err(|_| EngineError::TreeCorrupt)?;
            }
        }
        self.one_chain_each()?;
        match (self.best_price(Side::Long)?, self.best_price(Side::Short)?) {
            (Some(bid), Some(ask)) if bid >= ask => Err(EngineError::TreeCorrupt),
            _ => Ok(()),
        }
    }

    /// Whether `own` is the whole chain of `trader` in a book that holds its
    /// [invariant](Self::invariant): the newest order first, as many and with as much margin
    /// as it says. `TreeCorrupt`.
    pub fn own_invariant(&self, trader: &[u8; 32], own: &OwnOrders) -> Result<(), EngineError> {
        let (mut count, mut reduce_only, mut margin) = (0_u32, 0_u32, 0_u64);
        let mut newer = NIL;
        for step in self.own(own) {
            let (node, order) = step?;
            if &order.trader != trader || order.owner_previous != newer {
                return Err(EngineError::TreeCorrupt);
            }
            newer = node;
            // The visit ends after `own.count` steps.
            count = count.wrapping_add(1);
            reduce_only = reduce_only.wrapping_add(u32::from(order.is_reduce_only()));
            let sum = margin.checked_add(order.margin);
            margin = sum.ok_or(EngineError::TreeCorrupt)?;
        }
        sound(
            count <= MAX_ORDERS
                && reduce_only <= MAX_REDUCE_ONLY
                && reduce_only == own.reduce_only
                && margin == own.margin,
        )?;
        if own.head == NIL {
            return sound(!self.heads().any(|head| is_of(head, trader)));
        }
        Ok(())
    }

    fn order_invariant(&self, side: Side, order: &Order) -> Result<(), EngineError> {
        sound(
            order.lots > 0
                && LotPrice::new(u64::from(order.price)).is_ok()
                && order.is_well_formed(side)
                && order.sequence > 0
                && order.sequence < self.header.next_sequence,
        )
    }

    /// The order in front of it in its chain is newer, both neighbours point back, and what
    /// follows is the same trader's and short enough.
    fn links_invariant(&self, node: u32, order: &Order) -> Result<(), EngineError> {
        if order.owner_previous != NIL {
            let newer = self.chained(order.owner_previous)?;
            sound(newer.owner_next == node && newer.sequence > order.sequence)?;
        }
        let (mut before, mut at) = (node, order);
        for _ in 0..MAX_ORDERS {
            if at.owner_next == NIL {
                return Ok(());
            }
            let older = self.chained(at.owner_next)?;
            sound(older.owner_previous == before && older.trader == order.trader)?;
            (before, at) = (at.owner_next, older);
        }
        Err(EngineError::TreeCorrupt)
    }

    /// No trader has the newest order of two chains.
    fn one_chain_each(&self) -> Result<(), EngineError> {
        for (number, head) in self.heads().enumerate() {
            let trader = head?.trader;
            let mut before = self.heads().take(number);
            sound(!before.any(|other| is_of(other, &trader)))?;
        }
        Ok(())
    }

    /// The newest order of each chain.
    fn heads(&self) -> impl Iterator<Item = Result<&Order, EngineError>> {
        self.iter(Side::Long)
            .chain(self.iter(Side::Short))
            .map(|step| step.map(|(_, order)| order))
            .filter(|order| !order.is_ok_and(|order| order.owner_previous != NIL))
    }

    fn chained(&self, node: u32) -> Result<&Order, EngineError> {
        self.order(node).map_err(|_| EngineError::TreeCorrupt)
    }

    fn best_price(&self, side: Side) -> Result<Option<LotPrice>, EngineError> {
        match self.best(side)? {
            Some(node) => Ok(Some(self.order(node)?.price())),
            None => Ok(None),
        }
    }
}

fn is_of(order: Result<&Order, EngineError>, trader: &[u8; 32]) -> bool {
    order.is_ok_and(|order| &order.trader == trader)
}

const fn sound(holds: bool) -> Result<(), EngineError> {
    if holds {
        Ok(())
    } else {
        Err(EngineError::TreeCorrupt)
    }
}
