//! Ballast: perpetual futures whose auto-deleveraging is provably in order.
//!
//! The engine decides, this program moves: it checks accounts, reads prices, keeps the books and
//! the tokens. The entry points below are grouped by who may call them.
//!
//! An account of this program with the right discriminator was created by the program at its
//! derived address, so owner and discriminator identify an exchange, a market and a trader; other
//! accounts are checked by address or by the key stored in one of these.

#![deny(clippy::as_conversions)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::unwrap_used))]

use anchor_lang::prelude::*;

pub mod collateral;
mod emit;
#[cfg(any(test, target_os = "solana"))]
mod entrypoint;
pub mod error;
#[cfg(all(test, feature = "idl-build"))]
mod idl;
pub mod instructions;
pub mod loaders;
pub mod nonce;
pub mod oracle;

use ballast_engine::pool::PoolParams;
#[cfg(feature = "idl-build")]
use ballast_state::layouts::EngineLayout;
use ballast_state::{
    book_account::OrderSide,
    cross::EnableCrossArgs,
    exchange::Delays,
    instructions::{
        BlockTradeArgs, BlockTradeCrossArgs, InitializeExchangeArgs, OrderRef, PlaceTriggerArgs,
        SetProtectionArgs,
    },
    order_args::PlaceOrderArgs,
    staged::Change,
    trigger::TriggerKind,
};

// `#[program]` looks for every accounts struct, and for what Anchor derives from it for clients,
// at the root of the crate.
pub use instructions::{
    admin::{
        accept_authority::*, apply_exchange_change::*, apply_market_change::*,
        apply_oracle_change::*, apply_pool_change::*, cancel_staged::*, create_market::*,
        create_pool::*, initialize_exchange::*, raise_delays::*, set_pause::*, set_reduce_only::*,
        stage_change::*, stop_pool::*,
    },
    anyone::{
        accrue_funding::*, advance_adl_session::*, auto_deleverage::*, begin_settlement::*,
        close_adl_session::*, close_market::*, count_claims::*, declare_dead::*,
        donate_insurance::*, execute_adl_session::*, execute_protection::*, execute_trigger::*,
        flag_bankruptcy::*, grow_queue::*, liquidate::*, liquidate_into_pool::*, migrate_book::*,
        migrate_exchange::*, migrate_market::*, migrate_queue::*, migrate_trader::*,
        open_adl_session::*, release_profit::*, reset_pool::*, settle_position::*,
        sweep_insurance::*, sync_pool::*, unwind_pool::*, withdraw_fees::*, withdraw_insurance::*,
        witness_oracle::*, write_off_bankrupt::*,
    },
    cross::{
        auto_deleverage_cross::*, block_trade_cross::*, convert_margin::*, create_board::*,
        enable_cross::*, flag_leg::*, freeze_mark::*, liquidate_leg::*, move_cross::*, part_leg::*,
        record_marks::*, refresh_ranks::*, trade_leg::*, witness_ranks::*,
    },
    fund::{
        cancel_pool_request::*, close_share::*, create_share::*, deposit_pool::*, request_pool::*,
        withdraw_pool::*,
    },
    stakes::{cancel_unstake::*, open_stakes::*, request_unstake::*, stake::*, unstake::*},
    trader::{
        add_margin::*, block_trade::*, cancel_all_orders::*, cancel_order::*, cancel_trigger::*,
        close_protection::*, close_trader::*, create_protection::*, create_trader::*, deposit::*,
        place_order::*, place_trigger::*, remove_margin::*, set_delegate::*, set_protection::*,
        withdraw::*,
    },
};

declare_id!(ballast_state::ID);

#[cfg(all(target_os = "solana", not(feature = "cpi")))]
solana_security_txt::security_txt! {
    name: "Ballast",
    project_url: "https://ballast.example",
    contacts: "email:security@ballast.example",
    policy: "https://ballast.example/security",
    preferred_languages: "en",
    auditors: "none"
}

#[program]
pub mod ballast {
    use super::*;

    // The program looks for an instruction in the order below: what is called most comes first.

    // --- a trader's orders and trades ---

    /// Trades with the book and leaves the rest of a limit order in it.
    pub fn place_order<'info>(
        ctx: Context<'info, PlaceOrder<'info>>,
        args: PlaceOrderArgs,
    ) -> Result<()> {
        PlaceOrder::handle(ctx, args)
    }

    /// Cancels an order and places another in its stead.
    pub fn replace_order<'info>(
        ctx: Context<'info, PlaceOrder<'info>>,
        replaced: OrderRef,
        args: PlaceOrderArgs,
    ) -> Result<()> {
        PlaceOrder::handle_replace(ctx, replaced, args)
    }

    /// Takes one of the trader's orders out of the book.
    pub fn cancel_order(ctx: Context<CancelOrder>, order: OrderRef) -> Result<()> {
        CancelOrder::handle(ctx, order)
    }

    /// Takes all of the trader's orders in a market out of the book, of one side or both.
    pub fn cancel_all_orders(ctx: Context<CancelAllOrders>, side: Option<OrderSide>) -> Result<()> {
        CancelAllOrders::handle(ctx, side)
    }

    /// Executes a trade that taker and maker both signed.
    pub fn block_trade(ctx: Context<BlockTrade>, args: BlockTradeArgs) -> Result<()> {
        BlockTrade::handle(ctx, args)
    }

    /// Sets a stop-loss or take-profit.
    pub fn place_trigger(ctx: Context<PlaceTrigger>, args: PlaceTriggerArgs) -> Result<()> {
        PlaceTrigger::handle(ctx, args)
    }

    /// Clears a stop-loss or take-profit.
    pub fn cancel_trigger(ctx: Context<CancelTrigger>, kind: TriggerKind) -> Result<()> {
        CancelTrigger::handle(ctx, kind)
    }

    /// Opens an account for the protective steps of a trader in a market.
    pub fn create_protection(ctx: Context<CreateProtection>) -> Result<()> {
        CreateProtection::handle(ctx)
    }

    /// Sets or clears the protective steps of a position.
    pub fn set_protection(ctx: Context<SetProtection>, args: SetProtectionArgs) -> Result<()> {
        SetProtection::handle(ctx, &args)
    }

    /// Closes an account of protective steps.
    pub fn close_protection(ctx: Context<CloseProtection>) -> Result<()> {
        CloseProtection::handle(ctx)
    }

    // --- anyone: what keepers send all the time ---

    /// Takes one liquidation step over.
    pub fn liquidate<'info>(
        ctx: Context<'info, Liquidate<'info>>,
        liquidator_margin: u64,
        take_over_lots: u64,
    ) -> Result<()> {
        Liquidate::handle(ctx, liquidator_margin, take_over_lots)
    }

    /// Takes one liquidation step over into the market's pool.
    pub fn liquidate_into_pool<'info>(ctx: Context<'info, LiquidateIntoPool<'info>>) -> Result<()> {
        LiquidateIntoPool::handle(ctx)
    }

    /// Executes a trigger that the oracle price has reached.
    pub fn execute_trigger<'info>(
        ctx: Context<'info, ExecuteTrigger<'info>>,
        kind: TriggerKind,
    ) -> Result<()> {
        ExecuteTrigger::handle(ctx, kind)
    }

    /// Executes a protective step below whose margin ratio a position has fallen.
    pub fn execute_protection<'info>(ctx: Context<'info, ExecuteProtection<'info>>) -> Result<()> {
        ExecuteProtection::handle(ctx)
    }

    /// Closes a bankrupt position against its highest ranked counterparties.
    pub fn auto_deleverage<'info>(ctx: Context<'info, AutoDeleverage<'info>>) -> Result<()> {
        AutoDeleverage::handle(ctx)
    }

    /// Closes a part of a pool's position against the book.
    pub fn unwind_pool<'info>(ctx: Context<'info, UnwindPool<'info>>) -> Result<()> {
        UnwindPool::handle(ctx)
    }

    /// Moves margin between a pool's free collateral and its position.
    pub fn sync_pool(ctx: Context<SyncPool>) -> Result<()> {
        SyncPool::handle(ctx)
    }

    /// Records how a position stands.
    pub fn flag_bankruptcy(ctx: Context<FlagBankruptcy>) -> Result<()> {
        FlagBankruptcy::handle(ctx)
    }

    /// Gives traders held profit back that the market is not short of any more.
    pub fn release_profit<'info>(ctx: Context<'info, ReleaseProfit<'info>>) -> Result<()> {
        ReleaseProfit::handle(ctx)
    }

    /// Accrues a market's funding.
    pub fn accrue_funding(ctx: Context<AccrueFunding>) -> Result<()> {
        AccrueFunding::handle(ctx)
    }

    // --- a trader's account and margin ---

    /// Turns tokens into free collateral.
    pub fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
        Deposit::handle(ctx, amount)
    }

    /// Turns free collateral into tokens.
    pub fn withdraw(ctx: Context<Withdraw>, amount: u64) -> Result<()> {
        Withdraw::handle(ctx, amount)
    }

    /// Moves free collateral to a position's margin.
    pub fn add_margin(ctx: Context<AddMargin>, amount: u64) -> Result<()> {
        AddMargin::handle(ctx, amount)
    }

    /// Moves a position's margin to free collateral.
    pub fn remove_margin(ctx: Context<RemoveMargin>, amount: u64) -> Result<()> {
        RemoveMargin::handle(ctx, amount)
    }

    /// Opens a trader account.
    pub fn create_trader(ctx: Context<CreateTrader>, sub_id: u16) -> Result<()> {
        CreateTrader::handle(ctx, sub_id)
    }

    /// Closes an empty trader account.
    pub fn close_trader(ctx: Context<CloseTrader>) -> Result<()> {
        CloseTrader::handle(ctx)
    }

    /// Names or dismisses a delegate.
    pub fn set_delegate(
        ctx: Context<SetDelegate>,
        delegate: Option<Pubkey>,
        block_trades: bool,
    ) -> Result<()> {
        SetDelegate::handle(ctx, delegate, block_trades)
    }

    // --- owners of shares of a fund ---

    /// Puts tokens into a pool, for shares of it.
    pub fn deposit_pool(ctx: Context<DepositPool>, amount: u64) -> Result<()> {
        DepositPool::handle(ctx, amount)
    }

    /// Asks for the worth of shares of a pool.
    pub fn request_pool(ctx: Context<RequestPool>, shares: u64) -> Result<()> {
        RequestPool::handle(ctx, shares)
    }

    /// Withdraws a request for the worth of shares of a pool.
    pub fn cancel_pool_request(ctx: Context<CancelPoolRequest>) -> Result<()> {
        CancelPoolRequest::handle(ctx)
    }

    /// Takes tokens out of a pool, for shares of it.
    pub fn withdraw_pool(ctx: Context<WithdrawPool>, least_atoms: u64) -> Result<()> {
        WithdrawPool::handle(ctx, least_atoms)
    }

    /// Opens an account for shares of a fund.
    pub fn create_share(ctx: Context<CreateShare>) -> Result<()> {
        CreateShare::handle(ctx)
    }

    /// Closes an account for shares of a fund.
    pub fn close_share(ctx: Context<CloseShare>) -> Result<()> {
        CloseShare::handle(ctx)
    }

    // --- those who stake behind insurance ---

    /// Opens the stakes of a market.
    pub fn open_stakes(ctx: Context<OpenStakes>) -> Result<()> {
        OpenStakes::handle(ctx)
    }

    /// Stakes tokens behind a market's insurance, for shares.
    pub fn stake(ctx: Context<Stake>, amount: u64) -> Result<()> {
        Stake::handle(ctx, amount)
    }

    /// Asks for shares of stakes to be paid out.
    pub fn request_unstake(ctx: Context<RequestUnstake>, shares: u64) -> Result<()> {
        RequestUnstake::handle(ctx, shares)
    }

    /// Withdraws such a request.
    pub fn cancel_unstake(ctx: Context<CancelUnstake>) -> Result<()> {
        CancelUnstake::handle(ctx)
    }

    /// Pays what was asked for and is due.
    pub fn unstake(ctx: Context<Unstake>, least_atoms: u64) -> Result<()> {
        Unstake::handle(ctx, least_atoms)
    }

    // --- anyone: the rest ---

    /// Begins a deleveraging over several transactions.
    pub fn open_adl_session(ctx: Context<OpenAdlSession>) -> Result<()> {
        OpenAdlSession::handle(ctx)
    }

    /// Walks on through the queue for a session.
    pub fn advance_adl_session(
        ctx: Context<AdvanceAdlSession>,
        max_nodes: u32,
        hints: Vec<u32>,
    ) -> Result<()> {
        AdvanceAdlSession::handle(ctx, max_nodes, hints)
    }

    /// Closes a bankrupt position against those a session has selected.
    pub fn execute_adl_session<'info>(ctx: Context<'info, ExecuteAdlSession<'info>>) -> Result<()> {
        ExecuteAdlSession::handle(ctx)
    }

    /// Closes a session that came to nothing.
    pub fn close_adl_session(ctx: Context<CloseAdlSession>) -> Result<()> {
        CloseAdlSession::handle(ctx)
    }

    /// Gives to a market's insurance.
    pub fn donate_insurance(ctx: Context<DonateInsurance>, amount: u64) -> Result<()> {
        DonateInsurance::handle(ctx, amount)
    }

    /// Brings an insurance vault level with its ledger.
    pub fn sweep_insurance(ctx: Context<SweepInsurance>) -> Result<()> {
        SweepInsurance::handle(ctx)
    }

    /// Makes room for more positions in a queue.
    pub fn grow_queue(ctx: Context<GrowQueue>, positions: u32) -> Result<()> {
        GrowQueue::handle(ctx, positions)
    }

    /// Begins a new epoch of a spent pool.
    pub fn reset_pool(ctx: Context<ResetPool>) -> Result<()> {
        ResetPool::handle(ctx)
    }

    /// Declares the oracle of a market dead.
    pub fn declare_dead(ctx: Context<DeclareDead>) -> Result<()> {
        DeclareDead::handle(ctx)
    }

    /// Ends a market whose end has come.
    pub fn begin_settlement(ctx: Context<BeginSettlement>) -> Result<()> {
        BeginSettlement::handle(ctx)
    }

    /// Pays out what an account has in a market that has ended.
    pub fn settle_position(ctx: Context<SettlePosition>) -> Result<()> {
        SettlePosition::handle(ctx)
    }

    /// Takes over a bankrupt position that can be closed against nobody.
    pub fn write_off_bankrupt(ctx: Context<WriteOffBankrupt>) -> Result<()> {
        WriteOffBankrupt::handle(ctx)
    }

    /// Counts what the positions of a market in which deficits were written off are worth together.
    pub fn count_claims(ctx: Context<CountClaims>, max_nodes: u32) -> Result<()> {
        CountClaims::handle(ctx, max_nodes)
    }

    /// Closes the queues and the book of a market in which nobody has anything any more.
    pub fn close_market(ctx: Context<CloseMarket>) -> Result<()> {
        CloseMarket::handle(ctx)
    }

    /// Brings the exchange to today's layout.
    pub fn migrate_exchange(ctx: Context<MigrateExchange>) -> Result<()> {
        MigrateExchange::handle(ctx)
    }

    /// Brings a market to today's layout.
    pub fn migrate_market(ctx: Context<MigrateMarket>) -> Result<()> {
        MigrateMarket::handle(ctx)
    }

    /// Brings a queue to today's layout.
    pub fn migrate_queue(ctx: Context<MigrateQueue>) -> Result<()> {
        MigrateQueue::handle(ctx)
    }

    /// Brings a book further towards today's layout.
    pub fn migrate_book(ctx: Context<MigrateBook>, max_nodes: u32) -> Result<()> {
        MigrateBook::handle(ctx, max_nodes)
    }

    /// Brings a trader account to today's layout.
    pub fn migrate_trader<'info>(ctx: Context<'info, MigrateTrader<'info>>) -> Result<()> {
        MigrateTrader::handle(ctx)
    }

    // --- authorities; a change that has waited is put in force by anyone ---

    /// Creates the exchange and its collateral vault.
    pub fn initialize_exchange(
        ctx: Context<InitializeExchange>,
        args: InitializeExchangeArgs,
    ) -> Result<()> {
        InitializeExchange::handle(ctx, args)
    }

    /// Lets changes wait for longer.
    pub fn raise_delays(ctx: Context<RaiseDelays>, delays: Delays) -> Result<()> {
        RaiseDelays::handle(ctx, delays)
    }

    /// Stages a change, which may be applied once its delay is over.
    pub fn stage_change(ctx: Context<StageChange>, change: Change) -> Result<()> {
        StageChange::handle(ctx, change)
    }

    /// Takes a staged change back.
    pub fn cancel_staged(ctx: Context<CancelStaged>, id: [u8; 32]) -> Result<()> {
        CancelStaged::handle(ctx, id)
    }

    /// Puts a staged change of the exchange in force; anyone, once it is due.
    pub fn apply_exchange_change(ctx: Context<ApplyExchangeChange>, id: [u8; 32]) -> Result<()> {
        ApplyExchangeChange::handle(ctx, id)
    }

    /// Puts a staged change of a market in force; anyone, once it is due.
    pub fn apply_market_change(ctx: Context<ApplyMarketChange>, id: [u8; 32]) -> Result<()> {
        ApplyMarketChange::handle(ctx, id)
    }

    /// Puts a staged price source in force; anyone, once it is due and both sources have agreed.
    pub fn apply_oracle_change(ctx: Context<ApplyOracleChange>, id: [u8; 32]) -> Result<()> {
        ApplyOracleChange::handle(ctx, id)
    }

    /// Shows a price of both sources of a change that waits: whether they agree.
    pub fn witness_oracle(ctx: Context<WitnessOracle>, id: [u8; 32]) -> Result<()> {
        WitnessOracle::handle(ctx, id)
    }

    /// Takes a role that was staged for the signer, once it is due.
    pub fn accept_authority(ctx: Context<AcceptAuthority>, id: [u8; 32]) -> Result<()> {
        AcceptAuthority::handle(ctx, id)
    }

    /// Begins or lifts the signer's own pause.
    pub fn set_pause(ctx: Context<SetPause>, flags: u32, slots: u64) -> Result<()> {
        SetPause::handle(ctx, flags, slots)
    }

    /// Makes a market reduce-only.
    pub fn set_reduce_only(ctx: Context<SetReduceOnly>) -> Result<()> {
        SetReduceOnly::handle(ctx)
    }

    /// Opens a staged market over two zeroed queues and a zeroed book, once it is due.
    pub fn create_market(ctx: Context<CreateMarket>, id: [u8; 32]) -> Result<()> {
        CreateMarket::handle(ctx, id)
    }

    /// Gives a market a pool.
    pub fn create_pool(ctx: Context<CreatePool>, params: PoolParams) -> Result<()> {
        CreatePool::handle(ctx, params)
    }

    /// Has a pool take nothing that enlarges its position.
    pub fn stop_pool(ctx: Context<StopPool>) -> Result<()> {
        StopPool::handle(ctx)
    }

    /// Puts staged parameters of a pool in force; anyone, once they are due.
    pub fn apply_pool_change(ctx: Context<ApplyPoolChange>, id: [u8; 32]) -> Result<()> {
        ApplyPoolChange::handle(ctx, id)
    }

    // --- cross margin ---

    /// Creates the board of cross margin.
    pub fn create_board(ctx: Context<CreateBoard>) -> Result<()> {
        CreateBoard::handle(ctx)
    }

    /// Gives a market cross margin over two zeroed queues.
    pub fn enable_cross(ctx: Context<EnableCross>, args: EnableCrossArgs) -> Result<()> {
        EnableCross::handle(ctx, args)
    }

    /// Records the marks of cross markets on the board.
    pub fn record_marks<'info>(ctx: Context<'info, RecordMarks<'info>>) -> Result<()> {
        RecordMarks::handle(ctx)
    }

    /// Freezes the board's mark of a market whose price has died.
    pub fn freeze_mark(ctx: Context<FreezeMark>) -> Result<()> {
        FreezeMark::handle(ctx)
    }

    /// Moves collateral into the pool that an account's legs share, or out of it.
    pub fn move_cross<'info>(ctx: Context<'info, MoveCross<'info>>, amount: i64) -> Result<()> {
        MoveCross::handle(ctx, amount)
    }

    /// Makes an isolated position a leg, or a leg an isolated position with so much margin.
    pub fn convert_margin<'info>(
        ctx: Context<'info, ConvertMargin<'info>>,
        to_cross: bool,
        margin: u64,
    ) -> Result<()> {
        ConvertMargin::handle(ctx, to_cross, margin)
    }

    /// Renews the records of legs.
    pub fn refresh_ranks<'info>(ctx: Context<'info, RefreshRanks<'info>>) -> Result<()> {
        RefreshRanks::handle(ctx)
    }

    /// Renews the records of legs, and notes which accounts a round for this bankrupt could not cut.
    pub fn witness_ranks<'info>(ctx: Context<'info, WitnessRanks<'info>>) -> Result<()> {
        WitnessRanks::handle(ctx)
    }

    /// Flags a leg of an account below maintenance or bankrupt, or takes the flag back.
    pub fn flag_leg(ctx: Context<FlagLeg>) -> Result<()> {
        FlagLeg::handle(ctx)
    }

    /// Liquidates one step of a leg.
    pub fn liquidate_leg<'info>(
        ctx: Context<'info, LiquidateLeg<'info>>,
        liquidator_margin: u64,
        take_over_lots: u64,
    ) -> Result<()> {
        LiquidateLeg::handle(ctx, liquidator_margin, take_over_lots)
    }

    /// Closes a bankrupt position or leg against its highest ranked counterparties, and proves the order over
    /// both queues.
    pub fn auto_deleverage_cross<'info>(
        ctx: Context<'info, AutoDeleverageCross<'info>>,
    ) -> Result<()> {
        AutoDeleverageCross::handle(ctx)
    }

    /// Lets a leg trade with the orders of the listed makers, best first, and leaves the rest of a limit order in the
    /// book.
    pub fn trade_leg<'info>(
        ctx: Context<'info, TradeLeg<'info>>,
        args: PlaceOrderArgs,
    ) -> Result<()> {
        TradeLeg::handle(ctx, args)
    }

    /// Executes a trade that taker and maker both signed, of whom one or both trade a leg.
    pub fn block_trade_cross<'info>(
        ctx: Context<'info, BlockTradeCross<'info>>,
        args: BlockTradeCrossArgs,
    ) -> Result<()> {
        BlockTradeCross::handle(ctx, args)
    }

    /// Takes a leg of a market that has ended out of its account.
    pub fn part_leg<'info>(ctx: Context<'info, PartLeg<'info>>) -> Result<()> {
        PartLeg::handle(ctx)
    }

    // --- earnings, by anyone ---

    /// Pays a market's fees to the treasury.
    pub fn withdraw_fees(ctx: Context<WithdrawFees>) -> Result<()> {
        WithdrawFees::handle(ctx)
    }

    /// Pays what the insurance of a closed market has left to the treasury.
    pub fn withdraw_insurance(ctx: Context<WithdrawInsurance>) -> Result<()> {
        WithdrawInsurance::handle(ctx)
    }
}
