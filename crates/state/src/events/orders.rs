//! Events of orders and triggers.

use alloc::vec::Vec;

use crate::{book_account::OrderSide, derives::*, trigger::TriggerKind, Pubkey};

/// An order that left the book unfilled.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderCancelled {
    /// Its id in the book.
    pub id: u64,
    /// The trader's own number for it; 0 when none.
    pub client_id: u64,
    /// Side of the book.
    pub side: OrderSide,
    /// Its price, ticks.
    pub price_ticks: u64,
    /// Lots it still had.
    pub lots: u32,
    /// Collateral it reserved, now free.
    pub margin_atoms: u64,
}

/// All orders of a trader in a market, taken out of the book by another instruction than its owner's.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelledOrders {
    /// The trader account.
    pub trader: Pubkey,
    /// Number of orders.
    pub orders: u32,
    /// Collateral they reserved, now free.
    pub margin_atoms: u64,
}

/// A trader cancelled orders.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct OrdersCancelled {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Free collateral after.
    pub free_after: i64,
    /// The orders, the newest first.
    pub orders: Vec<OrderCancelled>,
}

/// A position got a trigger, in place of the one of its kind before.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct TriggerPlaced {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Stop-loss or take-profit.
    pub kind: TriggerKind,
    /// Oracle price that triggers, ticks.
    pub price_ticks: u64,
    /// Worst price of the fills, ticks; 0 when only the band limits it.
    pub worst_ticks: u64,
    /// Lots to close.
    pub lots: u32,
}

/// A position lost a trigger by its owner's will.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct TriggerCancelled {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Stop-loss or take-profit.
    pub kind: TriggerKind,
    /// Oracle price that would have triggered, ticks.
    pub price_ticks: u64,
    /// Lots it had still to close.
    pub lots: u32,
}
