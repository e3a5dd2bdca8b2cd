//! What traders and keepers do with orders and triggers.

use super::Queues;
use crate::model::Listed;

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookSide {
    /// Buys.
    Bid,
    /// Sells.
    Ask,
}

impl BookSide {
    /// 1 for bids, -1 for asks.
    pub fn sign(self) -> i128 {
        match self {
            Self::Bid => 1,
            Self::Ask => -1,
        }
    }
}

/// Kind of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Trades, then waits.
    Limit,
    /// Trades; the rest is dropped.
    ImmediateOrCancel,
    /// Trades whole or not at all.
    FillOrKill,
    /// Only waits.
    PostOnly,
    /// Trades down to the band.
    Market,
}

/// What happens where an order meets one of the same trader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTrade {
    /// The waiting one goes.
    CancelProvide,
    /// Both lose the lots of the smaller.
    DecrementAndCancel,
    /// The call fails.
    Abort,
}

/// Which of the trader's orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// By the order's number.
    Id(u64),
    /// By the trader's own number.
    Client(u64),
}

/// Which trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// Against a loss.
    StopLoss,
    /// For a profit.
    TakeProfit,
}

/// An order on its way.
#[derive(Clone, Debug)]
pub struct Placing {
    /// Number of the market.
    pub market: usize,
    /// Number of the trader.
    pub trader: usize,
    /// Side.
    pub side: BookSide,
    /// Kind.
    pub kind: OrderKind,
    /// Limit, ticks.
    pub price: u64,
    /// Lots.
    pub lots: u64,
    /// Margin for all lots.
    pub margin: u64,
    /// The trader's own number.
    pub client_id: u64,
    /// Unix seconds; 0 never.
    pub expires_at: i64,
    /// Never opens.
    pub reduce_only: bool,
    /// On meeting the trader's own.
    pub self_trade: SelfTrade,
    /// Accounts of the makers.
    pub makers: Vec<Listed>,
}

/// A call of `liquidate`.
#[derive(Clone, Debug)]
pub struct Liquidation {
    /// Number of the market.
    pub market: usize,
    /// The victim.
    pub trader: usize,
    /// Who liquidates.
    pub liquidator: usize,
    /// Whether the market's pool stands in its place.
    pub into_pool: bool,
    /// Margin that the liquidator adds.
    pub margin: u64,
    /// Most lots that the liquidator takes of what the book does not.
    pub take_over: u64,
    /// Accounts of the makers.
    pub makers: Vec<Listed>,
}

/// An unwind of a pool.
#[derive(Clone, Debug)]
pub struct Unwinding {
    /// Number of the market.
    pub market: usize,
    /// The wallet that signs.
    pub keeper: usize,
    /// The trader account that gets the keeper's part.
    pub receiver: usize,
    /// Accounts of the makers.
    pub makers: Vec<Listed>,
}

/// A trigger to be.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Number of the market.
    pub market: usize,
    /// Number of the trader.
    pub trader: usize,
    /// Kind.
    pub kind: TriggerKind,
    /// Oracle price, ticks.
    pub price: u64,
    /// Worst price of fills, ticks; 0 only the band.
    pub worst: u64,
    /// Lots.
    pub lots: u64,
}

/// A protective step: below this margin ratio, only so much stays open, both basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Equity over maintenance margin.
    pub ratio: u32,
    /// Of the lots when the steps were set.
    pub keep: u32,
}

/// Protective steps to be; none to clear them.
#[derive(Clone, Debug)]
pub struct Protecting {
    /// Number of the market.
    pub market: usize,
    /// Number of the trader.
    pub trader: usize,
    /// The steps.
    pub steps: Vec<Step>,
    /// How far from the mark fills may lie, basis points.
    pub slip: u32,
}

/// A call of `execute_protection`.
#[derive(Clone, Debug)]
pub struct Stepping {
    /// Number of the market.
    pub market: usize,
    /// Whose steps.
    pub trader: usize,
    /// The trader who earns the reward.
    pub receiver: usize,
    /// Cross queues that the call lists after the board; none where that is not listed either.
    pub queues: Queues,
    /// Accounts of the makers.
    pub makers: Vec<Listed>,
}

/// A call of `execute_trigger`.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Number of the market.
    pub market: usize,
    /// Whose trigger.
    pub trader: usize,
    /// Kind.
    pub kind: TriggerKind,
    /// The trader who earns the reward.
    pub receiver: usize,
    /// Cross queues that the call lists after the board; none where that is not listed either.
    pub queues: Queues,
    /// Accounts of the makers.
    pub makers: Vec<Listed>,
}
