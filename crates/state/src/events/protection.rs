//! Events of protective steps.

use ballast_engine::protection::ProtectiveStep;

use super::*;
use crate::book_account::OrderSide;

/// An account for the protective steps of a trader in a market opened.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ProtectionCreated {
    /// The account.
    pub protection: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Who owns it, and paid the rent.
    pub owner: Pubkey,
}

/// Protective steps of a position were set, or cleared.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ProtectionSet {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Lots of the position that they are for, + long, - short; 0 without steps.
    pub base_lots: i64,
    /// How far from the mark their fills may lie, basis points of the mark; 0 without steps.
    pub slip_bps: u32,
    /// The steps; none where they were cleared.
    pub steps: Vec<ProtectiveStep>,
}

/// An account for protective steps closed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ProtectionClosed {
    /// The account.
    pub protection: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Who owned it, and received its rent.
    pub owner: Pubkey,
}

/// A protective step closed lots against the book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ProtectionExecuted {
    /// The market.
    pub market: Pubkey,
    /// The trader account whose step it is.
    pub trader: Pubkey,
    /// Whoever executed it and signed.
    pub keeper: Pubkey,
    /// The step.
    pub step: ProtectiveStep,
    /// Worst price of the fills, ticks.
    pub worst_ticks: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Side of the order that it became.
    pub side: OrderSide,
    /// Lots closed.
    pub filled_lots: u64,
    /// Lots that it still had to close.
    pub left_lots: u64,
    /// Paid to the keeper.
    pub reward_atoms: u64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the fills made of the trader; none of a leg, of which `LegTraded` tells.
    pub taker: Option<PartyTraded>,
    /// The trader's own orders that it met, each with the lots and the reserve it lost.
    pub cancelled: Vec<OrderCancelled>,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Orders removed, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept_orders: u32,
}
