//! What can happen to an exchange.

mod cross;
mod funds;
mod orders;

use crate::model::{Listed, Quoted};
pub use cross::{CrossCall, Queues, Witnessing};
pub use funds::{FundCall, FundName, Who};
pub use orders::{
    BookSide, Execution, Liquidation, OrderKind, Placing, Protecting, SelfTrade, Setting, Step,
    Stepping, TriggerKind, Unwinding, Which,
};

/// Kinds of calls that are not about funds; they come first.
const OTHERS: usize = 35;
/// Kinds of steps that call the program; they come before those that do not.
pub const CALLS: usize = LEGS + CrossCall::KINDS.len();
/// Kinds of calls that are not about legs; they come first.
const LEGS: usize = OTHERS + FundCall::KINDS.len();
/// Kinds of steps.
pub const KINDS: usize = CALLS + 2;

/// A trade between two traders of the model.
#[derive(Clone, Debug)]
pub struct Trade {
    /// Number of the market.
    pub market: usize,
    /// Number of the taker.
    pub taker: usize,
    /// Number of the maker.
    pub maker: usize,
    /// Lots of the taker.
    pub lots: i64,
    /// Price, ticks.
    pub price: u64,
    /// Margin the taker adds.
    pub taker_margin: u64,
    /// Margin the maker adds.
    pub maker_margin: u64,
}

/// A call of `auto_deleverage`.
#[derive(Clone, Debug)]
pub struct Call {
    /// Number of the market.
    pub market: usize,
    /// The bankrupt trader.
    pub bankrupt: usize,
    /// The trader who earns the reward.
    pub receiver: usize,
    /// The listed accounts.
    pub list: Vec<Listed>,
}

/// A session as a call names it, rightly or not.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Market of the session.
    pub market: usize,
    /// Queue of the session: 0 longs, 1 shorts.
    pub side: usize,
    /// The market that the call names.
    pub of_market: usize,
    /// The bankrupt trader that the call names.
    pub bankrupt: usize,
}

/// One step of a history. Traders are numbered `2 * wallet + sub_id`.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Opens a trader account.
    CreateTrader { trader: usize },
    /// Closes one.
    CloseTrader { trader: usize },
    /// Tokens become free collateral.
    Deposit { trader: usize, amount: u64 },
    /// Free collateral becomes tokens.
    Withdraw { trader: usize, amount: u64 },
    /// Free collateral becomes margin.
    AddMargin {
        market: usize,
        trader: usize,
        amount: u64,
    },
    /// Margin becomes free collateral.
    RemoveMargin {
        market: usize,
        trader: usize,
        amount: u64,
    },
    /// A block trade.
    Trade(Trade),
    /// Accrues funding.
    AccrueFunding { market: usize },
    /// Flags a position.
    Flag { market: usize, trader: usize },
    /// Liquidates a step.
    Liquidate(Liquidation),
    /// Deleverages.
    Deleverage(Call),
    /// Gives to insurance.
    Donate {
        market: usize,
        wallet: usize,
        amount: u64,
    },
    /// Levels a vault.
    Sweep { market: usize },
    /// Frees held profit.
    Release { market: usize, traders: Vec<usize> },
    /// Opens a session.
    OpenSession { market: usize, bankrupt: usize },
    /// Walks on for a session.
    AdvanceSession {
        session: Named,
        max_nodes: u32,
        hints: Vec<u32>,
    },
    /// Executes a session.
    ExecuteSession {
        session: Named,
        receiver: usize,
        list: Vec<Listed>,
    },
    /// Closes a session.
    CloseSession { session: Named },
    /// Places an order.
    PlaceOrder(Placing),
    /// Cancels an order.
    CancelOrder {
        market: usize,
        trader: usize,
        which: Which,
    },
    /// Cancels all orders, or those of a side.
    CancelAllOrders {
        market: usize,
        trader: usize,
        side: Option<BookSide>,
    },
    /// Cancels an order and places another of the same trader.
    ReplaceOrder { which: Which, placing: Placing },
    /// Sets a trigger.
    PlaceTrigger(Setting),
    /// Takes a trigger away.
    CancelTrigger {
        market: usize,
        trader: usize,
        kind: TriggerKind,
    },
    /// Executes a trigger.
    ExecuteTrigger(Execution),
    /// Opens an account for protective steps.
    CreateProtection { market: usize, trader: usize },
    /// Sets or clears protective steps.
    SetProtection(Protecting),
    /// Closes the account for protective steps.
    CloseProtection { market: usize, trader: usize },
    /// Executes a protective step.
    ExecuteProtection(Stepping),
    /// The admin makes a market reduce-only, or opens it again.
    SetMode { market: usize, reduce_only: bool },
    /// Names a delegate by its wallet, or none.
    SetDelegate {
        trader: usize,
        delegate: Option<usize>,
        block_trades: bool,
    },
    /// A call of a trader, signed by a wallet that need not be the owner's.
    Signed { by: usize, call: Box<Operation> },
    /// Closes a part of a pool's position.
    UnwindPool(Unwinding),
    /// Moves margin of a pool's position.
    SyncPool { market: usize },
    /// Something about the pool or the stakes of a market.
    Fund { market: usize, call: FundCall },
    /// Something about accounts with legs.
    Cross(CrossCall),
    /// The oracle publishes.
    Quote { market: usize, quoted: Quoted },
    /// Time passes.
    Advance { slots: u64, seconds: u32 },
}

impl Operation {
    /// Names of all kinds, in the order of [`Operation::kind`].
    pub fn kinds() -> Vec<&'static str> {
        let all = [
            &Self::OTHERS[..],
            &FundCall::KINDS,
            &CrossCall::KINDS,
            &["(price)", "(clock)"],
        ];
        all.concat()
    }

    const OTHERS: [&'static str; OTHERS] = [
        "create_trader",
        "close_trader",
        "deposit",
        "withdraw",
        "add_margin",
        "remove_margin",
        "block_trade",
        "accrue_funding",
        "flag_bankruptcy",
        "liquidate",
        "auto_deleverage",
        "donate_insurance",
        "sweep_insurance",
        "open_adl_session",
        "advance_adl_session",
        "execute_adl_session",
        "close_adl_session",
        "place_order",
        "cancel_order",
        "cancel_all_orders",
        "replace_order",
        "place_trigger",
        "cancel_trigger",
        "execute_trigger",
        "release_profit",
        "set_delegate",
        "set_reduce_only",
        "by another's key",
        "liquidate_into_pool",
        "unwind_pool",
        "sync_pool",
        "create_protection",
        "set_protection",
        "close_protection",
        "execute_protection",
    ];

    /// Whether it is a round of deleveraging.
    pub const fn deleverages(&self) -> bool {
        matches!(
            self,
            Self::Deleverage(_)
                | Self::ExecuteSession { .. }
                | Self::Cross(CrossCall::Round { .. })
        )
    }

    /// The call, whoever signs it.
    pub fn call(&self) -> &Self {
        match self {
            Self::Signed { call, .. } => call,
            other => other,
        }
    }

    /// The trader account that acts, where its owner or its delegate has to sign.
    pub fn actor(&self) -> Option<usize> {
        match self.call() {
            Self::CloseTrader { trader }
            | Self::Withdraw { trader, .. }
            | Self::AddMargin { trader, .. }
            | Self::RemoveMargin { trader, .. }
            | Self::CancelOrder { trader, .. }
            | Self::CancelAllOrders { trader, .. }
            | Self::CancelTrigger { trader, .. }
            | Self::CreateProtection { trader, .. }
            | Self::CloseProtection { trader, .. }
            | Self::SetDelegate { trader, .. } => Some(*trader),
            Self::Trade(trade) => Some(trade.taker),
            Self::PlaceOrder(placing) | Self::ReplaceOrder { placing, .. } => Some(placing.trader),
            Self::PlaceTrigger(setting) => Some(setting.trader),
            Self::SetProtection(setting) => Some(setting.trader),
            Self::Liquidate(call) => Some(call.liquidator),
            Self::Cross(call) => call.actor(),
            _ => None,
        }
    }

    /// Index of its kind.
    pub fn kind(&self) -> usize {
        match self {
            Self::CreateTrader { .. } => 0,
            Self::CloseTrader { .. } => 1,
            Self::Deposit { .. } => 2,
            Self::Withdraw { .. } => 3,
            Self::AddMargin { .. } => 4,
            Self::RemoveMargin { .. } => 5,
            Self::Trade(_) => 6,
            Self::AccrueFunding { .. } => 7,
            Self::Flag { .. } => 8,
            Self::Liquidate(call) if call.into_pool => 28,
            Self::Liquidate(_) => 9,
            Self::Deleverage(_) => 10,
            Self::Donate { .. } => 11,
            Self::Sweep { .. } => 12,
            Self::OpenSession { .. } => 13,
            Self::AdvanceSession { .. } => 14,
            Self::ExecuteSession { .. } => 15,
            Self::CloseSession { .. } => 16,
            Self::PlaceOrder(_) => 17,
            Self::CancelOrder { .. } => 18,
            Self::CancelAllOrders { .. } => 19,
            Self::ReplaceOrder { .. } => 20,
            Self::PlaceTrigger(_) => 21,
            Self::CancelTrigger { .. } => 22,
            Self::ExecuteTrigger(_) => 23,
            Self::Release { .. } => 24,
            Self::SetDelegate { .. } => 25,
            Self::SetMode { .. } => 26,
            Self::Signed { .. } => 27,
            Self::UnwindPool(_) => 29,
            Self::SyncPool { .. } => 30,
            Self::CreateProtection { .. } => 31,
            Self::SetProtection(_) => 32,
            Self::CloseProtection { .. } => 33,
            Self::ExecuteProtection(_) => 34,
            Self::Fund { call, .. } => OTHERS + call.kind(),
            Self::Cross(call) => LEGS + call.kind(),
            Self::Quote { .. } => CALLS,
            Self::Advance { .. } => CALLS + 1,
        }
    }

    /// Whether the program is called at all.
    pub fn is_call(&self) -> bool {
        self.kind() < CALLS
    }

    /// Whether positions may be others afterwards.
    pub fn moves_positions(&self) -> bool {
        matches!(
            self.call(),
            Self::AddMargin { .. }
                | Self::RemoveMargin { .. }
                | Self::Trade(_)
                | Self::Liquidate(_)
                | Self::UnwindPool(_)
                | Self::SyncPool { .. }
                | Self::Deleverage(_)
                | Self::OpenSession { .. }
                | Self::ExecuteSession { .. }
                | Self::PlaceOrder(_)
                | Self::ReplaceOrder { .. }
                | Self::ExecuteTrigger(_)
                | Self::ExecuteProtection(_)
                | Self::Cross(
                    CrossCall::Join { .. }
                        | CrossCall::Leave { .. }
                        | CrossCall::Trade { .. }
                        | CrossCall::Liquidate { .. }
                        | CrossCall::Round { .. }
                        | CrossCall::Part { .. }
                )
        )
    }
}
