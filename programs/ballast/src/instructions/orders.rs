//! What the instructions that take orders out of the book have in common.

use anchor_lang::prelude::*;
use ballast_engine::{
    book::Order,
    settlement::Settlement,
    units::{Lots, Side},
};
use ballast_state::{
    error::BallastError,
    events::{CancelledOrders, OrderCancelled, OrderRemoved, RemovalReason},
    instructions::OrderRef,
    market::Market,
    position_slot::PositionSlot,
    queue_account::NO_NODE,
    trader::Trader,
};

use crate::{
    error::{error, require, OrBallast},
    instructions::position_change::leave,
    loaders::book_account::MarketBook,
};

/// Takes one order of the slot out of the book. Its reserve is the caller's to credit.
///
/// # Errors
/// `OrderNotFound`.
#[inline(never)]
pub fn cancel_order(book: &MarketBook, slot: &mut PositionSlot, order: OrderRef) -> Result<Order> {
    require!(slot.order_count > 0, BallastError::OrderNotFound);
    book.write(|book| {
        let mut own = slot.own_orders();
        let node = order.find(&book.as_ref(), &own)?;
        let removed = book.remove(node, &mut own).or_ballast()?;
        slot.store_own_orders(&own);
        Ok(removed)
    })
}

/// Takes the slot's orders of `side`, or of both sides, out of the book, the newest first, and
/// shows each to `each`. Returns what they reserved, which is the caller's to credit.
///
/// # Errors
/// `OrderNotFound` when the slot names orders that the book does not have.
#[inline(never)]
pub fn cancel_own_orders(
    book: &MarketBook,
    slot: &mut PositionSlot,
    side: Option<Side>,
    mut each: impl FnMut(&Order),
) -> Result<u64> {
    if slot.order_count == 0 {
        return Ok(0);
    }
    let before = slot.order_margin;
    book.write(|book| {
        let mut own = slot.own_orders();
        let mut node = own.head;
        while node != NO_NODE {
            let order = book.as_ref().order(node).or_ballast()?;
            let next = order.owner_next;
            if side.is_none_or(|side| order.side() == side) {
                each(&book.remove(node, &mut own).or_ballast()?);
            }
            node = next;
        }
        slot.store_own_orders(&own);
        Ok(())
    })?;
    before
        .checked_sub(slot.order_margin)
        .ok_or_else(|| error!(BallastError::Overflow))
}

/// Takes all orders of the slot out of the book, where its position is liquidated or deleveraged;
/// none when it has none. What they reserved is the caller's to credit.
///
/// # Errors
/// Those of [`cancel_own_orders`].
pub fn cancel_for(
    trader: &Pubkey,
    book: &MarketBook,
    slot: &mut PositionSlot,
) -> Result<Option<CancelledOrders>> {
    let orders = u32::from(slot.order_count);
    if orders == 0 {
        return Ok(None);
    }
    let margin_atoms = cancel_own_orders(book, slot, None, |_| ())?;
    Ok(Some(CancelledOrders {
        trader: *trader,
        orders,
        margin_atoms,
    }))
}

/// The last step of a trader who took orders of its own out: `freed` becomes free collateral and
/// must be what its orders in `market`, which reserved `reserve`, reserve no more.
///
/// # Errors
/// `Unbalanced`, `TraderInvariant`, `Overflow`.
pub fn give_back(trader: &mut Trader, market: &Pubkey, reserve: u64, freed: u64) -> Result<()> {
    let mut settlement = Settlement::default();
    settlement.trader_before(trader.free(), reserve);
    trader.credit(freed)?;
    leave(&mut settlement, trader, market)?;
    settlement.close().or_ballast()
}

/// Brings the slot's reduce-only orders down to a position of so many `lots`, the newest first, and shows what each
/// lost to `each`. They reserve nothing.
///
/// # Errors
/// `OrderNotFound` when the slot names orders that the book does not have.
#[inline(never)]
pub fn cut_reduce_only(
    book: &MarketBook,
    slot: &mut PositionSlot,
    lots: Lots,
    each: impl FnMut(&Order),
) -> Result<()> {
    if slot.reduce_only_count == 0 {
        return Ok(());
    }
    book.write(|book| {
        let mut own = slot.own_orders();
        book.cut_reduce_only(&mut own, lots, each).or_ballast()?;
        slot.store_own_orders(&own);
        Ok(())
    })
}

/// An order that left the book, or lost lots, because of `reason`, as an event has it.
pub fn removed(
    maker: &Pubkey,
    order: &Order,
    atoms_per_lot_tick: u64,
    reason: RemovalReason,
    fee_atoms: u64,
) -> OrderRemoved {
    let ticks = order.price().get().checked_div(atoms_per_lot_tick);
    OrderRemoved {
        maker: *maker,
        order_id: order.id(),
        reason,
        price_ticks: ticks.unwrap_or(0),
        lots: order.size(),
        fee_atoms,
    }
}

/// The order as an event has it.
pub fn record(market: &Market, order: &Order) -> OrderCancelled {
    let ticks = order
        .price()
        .get()
        .checked_div(market.oracle.atoms_per_lot_tick);
    OrderCancelled {
        id: order.id(),
        client_id: order.client_id,
        side: order.side().into(),
        price_ticks: ticks.unwrap_or(0),
        lots: order.lots,
        margin_atoms: order.margin,
    }
}

#[cfg(test)]
mod tests {
    use ballast_state::trader::TRADER_VERSION;
    use bytemuck::Zeroable;

    use super::*;

    const MARKET: Pubkey = Pubkey::new_from_array([5; 32]);

    /// One of two orders, which reserved 70 together, is taken out: `left` stays reserved and
    /// `freed` is given back.
    fn cancelled(left: u64, freed: u64) -> Result<i64> {
        let mut trader = Trader {
            version: TRADER_VERSION,
            free: 5,
            position_count: 1,
            ..Trader::zeroed()
        };
        trader.positions[0] = PositionSlot {
            market: MARKET,
            queue_node: NO_NODE,
            order_head: 2,
            order_count: 1,
            order_margin: left,
            ..PositionSlot::zeroed()
        };
        give_back(&mut trader, &MARKET, 70, freed)?;
        Ok(trader.free)
    }

    #[test]
    fn nothing_but_what_is_reserved_no_more_is_given_back() {
        assert_eq!(cancelled(30, 40), Ok(45));
        for (left, freed) in [(29, 40), (31, 40), (30, 39), (30, 41), (70, 40), (30, 0)] {
            let refused = Err(BallastError::Unbalanced.into());
            assert_eq!(cancelled(left, freed), refused, "{left} {freed}");
        }
    }
}
