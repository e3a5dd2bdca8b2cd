//! What the program announces, by self-CPI. Past tense; amounts in atoms unless named otherwise.

use alloc::vec::Vec;

use ballast_engine::risk::RiskParams;

use crate::{derives::*, exchange::Role, oracle_config::OracleConfig, Pubkey};

mod adl_session;
mod cross;
mod held;
mod list;
mod migration;
mod orders;
mod payout;
mod pool;
mod protection;
mod staged;
mod stakes;
mod trading;
mod wind_down;

pub use adl_session::{AdlSessionAdvanced, AdlSessionClosed, AdlSessionOpened};
pub use cross::{
    BoardCreated, CrossBlockTraded, CrossEnabled, CrossMoved, CrossRound, LegCut, LegForced,
    LegMade, LegTraded, LegsMade, MarginConverted, MarkFrozen, MarkRecorded, MarksRecorded,
    RankRefreshed, RanksRefreshed,
};
pub use held::{HeldPart, ProfitHeld, ProfitReleased, ReleasedPart};
pub use list::{BallastEvent, Event, EVENT_TAG};
pub use migration::{AccountMigrated, MigratedOrder};
pub use orders::{
    CancelledOrders, OrderCancelled, OrdersCancelled, TriggerCancelled, TriggerPlaced,
};
pub use payout::{FeesWithdrawn, InsuranceWithdrawn, StrayTokensCredited};
pub use pool::{
    PoolChanged, PoolCreated, PoolDeposited, PoolRequestCancelled, PoolRequested, PoolReset,
    PoolStopped, PoolSynced, PoolTook, PoolUnwound, PoolWithdrawn, ShareClosed, ShareCreated,
};
pub use protection::{ProtectionClosed, ProtectionCreated, ProtectionExecuted, ProtectionSet};
pub use staged::{
    ChangeCancelled, ChangeStaged, DelaysChanged, OracleChanged, OracleWitnessed, TreasuryChanged,
};
pub use stakes::{
    Staked, StakesOpened, StakesRenewed, UnstakeCancelled, UnstakeRequested, Unstaked,
};
pub use trading::{OrderFilled, OrderPlaced, OrderRemoved, RemovalReason, TriggerExecuted};
pub use wind_down::{
    BankruptWrittenOff, ClaimsCounted, DelistingScheduled, MarketClosed, OracleDeclaredDead,
    PositionSettled, ReduceOnlySet, SettlementBegun,
};

/// The exchange came into being.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ExchangeInitialized {
    /// Key of its admin.
    pub admin: Pubkey,
    /// Key of its risk authority.
    pub risk_authority: Pubkey,
    /// Key of its guardian.
    pub guardian: Pubkey,
    /// Mint of the quote currency.
    pub collateral_mint: Pubkey,
}

/// A successor took a role.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct AuthorityAccepted {
    /// The role handed over.
    pub role: Role,
    /// Key that held it before.
    pub former: Pubkey,
    /// Key that holds it now.
    pub holder: Pubkey,
}

/// Pause flags changed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PauseSet {
    /// Authority that signed, whose pause it is; of the longer pause, the one that staged it.
    pub by: Pubkey,
    /// Union of the `PAUSE_*` flags in force before, of every pause.
    pub flags_before: u32,
    /// Union of the `PAUSE_*` flags in force after.
    pub flags_after: u32,
    /// First slot in which nothing of this pause is in force; 0 when it was lifted.
    pub until_slot: u64,
}

/// A market opened.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarketCreated {
    /// The market.
    pub market: Pubkey,
    /// Its number, from 0 in the order of creation.
    pub index: u16,
    /// Its name, padded with zeros.
    pub name: [u8; 16],
    /// Its price source and units.
    pub oracle: OracleConfig,
    /// Its risk parameters.
    pub risk: RiskParams,
}

/// A market's risk parameters changed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarketRiskUpdated {
    /// The market.
    pub market: Pubkey,
    /// Parameters before.
    pub before: RiskParams,
    /// Parameters after.
    pub after: RiskParams,
}

/// A trader account opened.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct TraderCreated {
    /// The trader account.
    pub trader: Pubkey,
    /// Its owner, who signed.
    pub owner: Pubkey,
    /// Its number among the owner's.
    pub sub_id: u16,
}

/// A trader account closed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct TraderClosed {
    /// The trader account.
    pub trader: Pubkey,
    /// Its owner, who signed.
    pub owner: Pubkey,
}

/// A trader's delegate changed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct DelegateSet {
    /// The trader account.
    pub trader: Pubkey,
    /// Delegate before; the default key when none.
    pub before: Pubkey,
    /// Delegate after; the default key when none.
    pub after: Pubkey,
    /// Whether it may sign block trades.
    pub block_trades: bool,
}

/// Tokens became free collateral.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Deposited {
    /// The trader account credited.
    pub trader: Pubkey,
    /// Who paid and signed.
    pub depositor: Pubkey,
    /// Atoms of the quote currency deposited.
    pub amount: u64,
    /// Free collateral after.
    pub free_after: i64,
}

/// Free collateral became tokens.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Withdrawn {
    /// The trader account debited.
    pub trader: Pubkey,
    /// Token account credited.
    pub destination: Pubkey,
    /// Atoms of the quote currency withdrawn.
    pub amount: u64,
    /// Free collateral after.
    pub free_after: i64,
}

/// Free collateral became margin of a position.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarginAdded {
    /// The trader account.
    pub trader: Pubkey,
    /// The position's market.
    pub market: Pubkey,
    /// Atoms moved from free collateral to margin.
    pub amount: u64,
    /// The position's margin after, funding since its index not paid.
    pub margin_after: i64,
    /// Free collateral after.
    pub free_after: i64,
}

/// Margin of a position became free collateral.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarginRemoved {
    /// The trader account.
    pub trader: Pubkey,
    /// The position's market.
    pub market: Pubkey,
    /// Atoms moved from margin to free collateral.
    pub amount: u64,
    /// The position's margin after.
    pub margin_after: i64,
    /// Free collateral after.
    pub free_after: i64,
    /// Oracle price used, ticks.
    pub mark_ticks: u64,
}

/// One party of a block trade.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartyTraded {
    /// The trader account.
    pub trader: Pubkey,
    /// Signed lots before.
    pub lots_before: i64,
    /// Signed lots after.
    pub lots_after: i64,
    /// Signed entry quote after.
    pub entry_quote_after: i64,
    /// Margin before, funding paid.
    pub margin_before: i64,
    /// Margin after.
    pub margin_after: i64,
    /// Free collateral before.
    pub free_before: i64,
    /// Free collateral after.
    pub free_after: i64,
    /// Profit or loss of the closed lots.
    pub realized: i64,
    /// Margin set free by the closed lots.
    pub released: i64,
    /// Free collateral moved to margin.
    pub margin_added: u64,
    /// Fee as charged; a rebate when negative.
    pub fee: i64,
}

/// A taker and a maker traded.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct BlockTraded {
    /// The market.
    pub market: Pubkey,
    /// Lots of the taker, + bought, - sold.
    pub lots: i64,
    /// Trade price, ticks.
    pub price_ticks: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// The taker, before and after.
    pub taker: PartyTraded,
    /// The maker, before and after.
    pub maker: PartyTraded,
}

/// Funding accrued.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct FundingAccrued {
    /// The market.
    pub market: Pubkey,
    /// Index before, atoms per lot.
    pub index_before: i64,
    /// Index after, atoms per lot.
    pub index_after: i64,
    /// Oracle price used, ticks.
    pub mark_ticks: u64,
    /// Unix second up to which funding has accrued.
    pub accrued_until: i64,
    /// Rate of the hour of `accrued_until`, ppm an hour; longs pay when positive.
    pub rate_ppm: i32,
    /// What the book and the price make the rate now, ppm an hour: it counts towards the rate of
    /// the next hour for as long as it stands.
    pub sample_ppm: i32,
}

/// Somebody gave to a market's insurance.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct InsuranceDonated {
    /// The market.
    pub market: Pubkey,
    /// Who gave and signed.
    pub donor: Pubkey,
    /// Atoms given.
    pub amount: u64,
    /// Insurance ledger after.
    pub balance_after: u64,
}

/// Tokens moved so that an insurance vault holds what its ledger says.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct InsuranceSwept {
    /// The market.
    pub market: Pubkey,
    /// Tokens of the insurance vault before.
    pub vault_before: u64,
    /// Tokens of the insurance vault after; equal to the ledger.
    pub vault_after: u64,
}

/// A position was flagged, or its flags were cleared (both slots zero).
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PositionFlagged {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Slot since which the position has been below maintenance; 0 when it is not.
    pub flagged_slot: u64,
    /// Slot since which it has been bankrupt; 0 when it is not.
    pub bankrupt_slot: u64,
    /// Its deficit; 0 when it is not bankrupt.
    pub deficit_atoms: u64,
    /// What insurance may pay now.
    pub insurance_available_atoms: u64,
    /// Whether its deficit is more than insurance may pay.
    pub uncovered: bool,
}

/// A position was liquidated in part or in whole.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PositionLiquidated {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// The trader account that took over what the book did not.
    pub liquidator: Pubkey,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Signed lots of the trader's fill.
    pub lots: i64,
    /// Signed quote of the trader's fill, discount included.
    pub quote_atoms: i64,
    /// The part of `lots` that the book took.
    pub book_lots: i64,
    /// The part of `quote_atoms` that the book paid or got.
    pub book_quote_atoms: i64,
    /// What the trader paid to the liquidator for the lots the book took.
    pub book_reward_atoms: u64,
    /// What the liquidator gained against the mark.
    pub discount_atoms: u64,
    /// What the trader paid to insurance.
    pub insurance_fee_atoms: u64,
    /// What insurance paid for the closed lots.
    pub insurance_paid_atoms: u64,
    /// What held profit paid for them after it.
    pub held_paid_atoms: u64,
    /// Equity at the mark before.
    pub equity_before_atoms: i64,
    /// Maintenance margin before.
    pub maintenance_before_atoms: u64,
    /// Signed lots before.
    pub lots_before: i64,
    /// Signed lots after.
    pub lots_after: i64,
    /// Insurance ledger before.
    pub insurance_before_atoms: u64,
    /// Insurance ledger after.
    pub insurance_after_atoms: u64,
    /// Paid to the liquidator from the fee bucket, for a position insurance had to rescue.
    pub reward_atoms: u64,
    /// What the liquidator got for removing orders.
    pub collected_atoms: u64,
    /// The trader's orders in the market, which were cancelled first.
    pub cancelled: Option<CancelledOrders>,
    /// Fills of the book, in order.
    pub fills: Vec<OrderFilled>,
    /// Orders removed, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept_orders: u32,
}

/// One counterparty of a deleveraging, as it was ranked and what it became.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterpartyCut {
    /// The trader account.
    pub trader: Pubkey,
    /// Order in which it joined the queue.
    pub sequence: u64,
    /// Signed lots before.
    pub lots_before: i64,
    /// Signed entry quote before.
    pub entry_quote_before: i64,
    /// Margin before, funding paid.
    pub margin_before: i64,
    /// Whether it ranked as a winner.
    pub winner: bool,
    /// Lots closed.
    pub lots_closed: u64,
    /// Quote at which they closed: received by a long, paid by a short.
    pub quote_atoms: i64,
    /// Profit or loss of the closed lots.
    pub realized_atoms: i64,
    /// What moved to free collateral.
    pub payout_atoms: i64,
    /// Profit forgone against closing at the mark.
    pub gave_up_atoms: u64,
    /// Its orders in the market that were taken out of the book.
    pub cancelled_orders: u32,
    /// Collateral these reserved, now free.
    pub cancelled_margin_atoms: u64,
}

/// A bankrupt position was closed against its highest ranked counterparties. With the queue as it
/// stood, everything needed to decide again.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct AutoDeleveraged {
    /// The market.
    pub market: Pubkey,
    /// The trader account of the bankrupt position.
    pub bankrupt: Pubkey,
    /// Who submitted the list and signed.
    pub keeper: Pubkey,
    /// Number of the bankruptcy in its market.
    pub bankruptcy_id: u64,
    /// Lots of the bankrupt, unsigned, when its deleveraging began.
    pub bankrupt_lots: u32,
    /// First pass of the queue that counts towards caps.
    pub epoch: u32,
    /// Whether this call opened that pass.
    pub pass_opened: bool,
    /// The session that chose the counterparties, at its frozen mark and funding index; the default
    /// key when one walk did.
    pub session: Pubkey,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Close price: this many atoms
    pub close_quote_atoms: i64,
    /// for this many lots.
    pub close_lots: u64,
    /// Tolerance of the ranking, basis points.
    pub rank_tolerance_bps: u32,
    /// Least profit of a winner, basis points.
    pub min_profit_bps: u32,
    /// Cap of a pass, basis points.
    pub max_close_bps: u32,
    /// Smallest position that a cut may leave open, lots.
    pub least_lots: u32,
    /// Signed lots of the bankrupt before.
    pub lots_before: i64,
    /// Its entry quote before.
    pub entry_quote_before: i64,
    /// Its margin before, funding paid, insurance not.
    pub margin_before: i64,
    /// Lots closed by this call.
    pub lots_closed: u64,
    /// Its lots after.
    pub lots_after: i64,
    /// Its deficit before.
    pub deficit_before_atoms: u64,
    /// What insurance paid for the closed lots.
    pub insurance_paid_atoms: u64,
    /// What held profit paid for them after it.
    pub held_paid_atoms: u64,
    /// What the counterparties gave up.
    pub gave_up_atoms: u64,
    /// Deficit of the lots still open.
    pub deficit_after_atoms: u64,
    /// Insurance ledger before.
    pub insurance_before_atoms: u64,
    /// Insurance ledger after.
    pub insurance_after_atoms: u64,
    /// Paid to the keeper from the fee bucket.
    pub reward_atoms: u64,
    /// Queue nodes the proof visited.
    pub nodes_visited: u32,
    /// The counterparties, in the order of their cuts.
    pub cuts: Vec<CounterpartyCut>,
    /// The orders of the bankrupt that were taken out of the book, if any.
    pub cancelled: Option<CancelledOrders>,
}

/// A queue has room for more positions.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct QueueGrown {
    /// The market.
    pub market: Pubkey,
    /// The queue account.
    pub queue: Pubkey,
    /// Whether it is the queue of the longs.
    pub long: bool,
    /// Positions it had room for.
    pub capacity_before: u32,
    /// Positions it has room for.
    pub capacity_after: u32,
}
