//! What orders and triggers did.

use alloc::vec::Vec;

use super::{OrderCancelled, PartyTraded};
use crate::{
    book_account::OrderSide, derives::*, order_args::OrderKind, trigger::TriggerKind, Pubkey,
};

/// An order of the book that traded.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFilled {
    /// The maker's trader account.
    pub maker: Pubkey,
    /// Id of the maker's order.
    pub order_id: u64,
    /// Price of the fill, ticks.
    pub price_ticks: u64,
    /// Lots traded.
    pub lots: u64,
    /// The taker's fee on this fill.
    pub taker_fee: u64,
    /// The maker's fee; a rebate when negative.
    pub maker_fee: i64,
    /// The maker's signed lots after.
    pub maker_lots_after: i64,
    /// The margin of the maker's position after.
    pub maker_margin_after: i64,
    /// Lots of the order that still wait in the book.
    pub order_left: u64,
}

/// Why an order was removed from the book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// Its time was over.
    Expired,
    /// Its trader could not have carried the position.
    Unhealthy,
    /// It was reduce-only and there was nothing to reduce.
    NothingToReduce,
    /// It would have opened a position and the queue of its side was full, or legs of its side held as many lots as
    /// they may.
    NoRoom,
    /// It was reduce-only and its trader's position became smaller than its reduce-only orders.
    Reduced,
    /// It gave way to a better order: its side was full.
    Evicted,
    /// It was a leg's and would have taken a profit that the market was too short of money to pay.
    ProfitIsHeld,
}

/// An order of the book that could not trade, or gave way, and was removed or lost lots.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRemoved {
    /// The maker's trader account.
    pub maker: Pubkey,
    /// Id of the maker's order.
    pub order_id: u64,
    /// Why.
    pub reason: RemovalReason,
    /// Limit price of the order, ticks.
    pub price_ticks: u64,
    /// Lots that it lost.
    pub lots: u64,
    /// What its trader paid for the removal.
    pub fee_atoms: u64,
}

/// An order was placed; what it traded and what waits in the book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, Default)]
pub struct OrderPlaced {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Id of the order that waits in the book; 0 when none does.
    pub order_id: u64,
    /// The trader's own number for it.
    pub client_id: u64,
    /// `Bid` buys, `Ask` sells.
    pub side: OrderSide,
    /// How it trades.
    pub kind: OrderKind,
    /// Whether it may only make the position smaller.
    pub reduce_only: bool,
    /// Limit or worst price as asked for, ticks.
    pub price_ticks: u64,
    /// When it expires, unix seconds; 0 never.
    pub expires_at: i64,
    /// Lots, a reduce-only order cut to the position.
    pub lots: u64,
    /// Lots traded at once.
    pub filled_lots: u64,
    /// Lots that wait in the book.
    pub resting_lots: u64,
    /// Lots that neither traded nor wait.
    pub dropped_lots: u64,
    /// Collateral reserved by what waits.
    pub reserved_atoms: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the taker got for removing orders.
    pub collected_atoms: u64,
    /// What the fills made of the taker; none without fills.
    pub taker: Option<PartyTraded>,
    /// The taker's own orders that it met, each with the lots and the reserve it lost.
    pub cancelled: Vec<OrderCancelled>,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Orders removed, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept_orders: u32,
}

/// A trigger closed lots against the book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct TriggerExecuted {
    /// The market.
    pub market: Pubkey,
    /// The trader account whose trigger it is.
    pub trader: Pubkey,
    /// Whoever executed it and signed.
    pub keeper: Pubkey,
    /// Stop-loss or take-profit.
    pub kind: TriggerKind,
    /// Its price, ticks.
    pub trigger_ticks: u64,
    /// Its worst price, ticks; 0 for the band.
    pub worst_ticks: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Lots closed.
    pub filled_lots: u64,
    /// Lots it still has to close.
    pub left_lots: u64,
    /// Paid to the keeper.
    pub reward_atoms: u64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the fills made of the trader.
    pub taker: PartyTraded,
    /// The trader's own orders that it met, each with the lots and the reserve it lost.
    pub cancelled: Vec<OrderCancelled>,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Orders removed, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept_orders: u32,
}
