//! The contents of `report.json`. Every amount is an integer in quote atoms, every price an
//! integer in ticks, every size an integer in lots, unless a field says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::policy::PolicyLine;
use crate::pool::PoolSummary;
use crate::protection::ProtectionSummary;
use crate::traders::{Direction, TraderLine};
use crate::trading::{
    BookLine, BookSummary, FillLine, MakerLine, RemovalLine, StageLine, TradeLine,
};

/// Layout version of `report.json`.
pub const REPORT_VERSION: u32 = 4;

/// A whole rehearsal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Layout version of this file.
    pub report_version: u32,
    /// What was rehearsed.
    pub scenario: Scenario,
    /// The result in numbers.
    pub summary: Summary,
    /// Checks and their figures; all must hold.
    pub checks: Vec<Check>,
    /// Auto-deleveraging rounds of the crash, in order.
    pub adl: Vec<Round>,
    /// What other rules would have done in the same rounds.
    pub policies: Vec<PolicyLine>,
    /// Calls that must be refused.
    pub dishonest_keepers: Dishonest,
    /// Trader accounts.
    pub traders: Vec<TraderLine>,
    /// One line for each price.
    pub path: Vec<PathLine>,
    /// Liquidations, in order.
    pub liquidations: Vec<LiquidationLine>,
    /// What each stage of the waterfall absorbed, in order.
    pub waterfall: Vec<StageLine>,
    /// Orders that met the book, other than liquidations, in order.
    pub trades: Vec<TradeLine>,
    /// Accounts that quoted.
    pub market_makers: Vec<MakerLine>,
    /// The price at which the rehearsal ended before its path did, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplayed: Option<Unplayed>,
    /// What protective steps saved; none where nobody set any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<ProtectionSummary>,
}

/// A price that was not played, nor any after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unplayed {
    /// When it would have been published, unix seconds.
    pub timestamp: i64,
    /// The price, 1e-9 USD.
    pub price_nano: i64,
    /// Why it was not played.
    pub reason: String,
    /// Whether the path asks for something that no market plays, as opposed to something that went
    /// wrong.
    pub by_design: bool,
    /// Prices of the path that were left out, this one among them.
    pub left_out: usize,
}

/// What was rehearsed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name of the market.
    pub market: String,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Trader accounts of the population, keepers not counted.
    pub traders: usize,
    /// Accounts by kind and direction.
    pub population: BTreeMap<String, usize>,
    /// Whether the prices are generated.
    pub prices_generated: bool,
    /// Where the prices come from, in words.
    pub prices: String,
    /// Oracle prices of the path.
    pub price_points: usize,
    /// First oracle price of the path, ticks.
    pub first_price_ticks: u64,
    /// Lowest oracle price of the path, ticks.
    pub low_price_ticks: u64,
    /// Size of a tick, 1e-9 USD.
    pub tick_nano: u64,
    /// Size of a lot, 1e-9 of the base asset.
    pub lot_nano: u64,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// Lots on each side when the path begins.
    pub open_interest_lots: u64,
    /// Highest leverage at the opening, whole multiples.
    pub max_leverage: u64,
    /// Largest part of a counterparty closed in one pass, basis points.
    pub adl_step_bps: u32,
    /// Smallest position that may be left open, lots.
    pub min_position_lots: u64,
    /// Tolerance of the ranking, basis points; 0 is exact.
    pub rank_tolerance_bps: u32,
    /// Least profit at the mark to rank as a winner, basis points.
    pub min_profit_bps: u32,
    /// Number of liquidation keepers.
    pub keepers: usize,
    /// Trader accounts of the liquidation keepers.
    pub keeper_accounts: Vec<String>,
    /// Collateral of all liquidation keepers together.
    pub keeper_capital_atoms: u64,
    /// Equity over maintenance margin at which the liquidator's discount is the last one at once,
    /// basis points; 0: it grows with time alone.
    pub discount_full_ratio_bps: u32,
    /// Trader account of the backstop pool; empty where there is none.
    pub pool_account: String,
    /// What was deposited into it.
    pub pool_deposit_atoms: u64,
    /// Largest notional that it holds, basis points of its worth.
    pub pool_cap_bps: u32,
    /// Part of the insurance at the start that is staked.
    pub staked_atoms: u64,
    /// Number of market makers; without any there is no book.
    pub market_makers: usize,
    /// What they quote together on a side when calm, lots.
    pub maker_depth_lots: u64,
    /// Distance of their best orders from the oracle price when calm, basis points.
    pub maker_spread_bps: u64,
    /// Collateral of all market makers together.
    pub maker_capital_atoms: u64,
    /// Maker's fee, basis points; a rebate when negative.
    pub maker_fee_bps: i32,
    /// Trader accounts of the takers.
    pub taker_accounts: Vec<String>,
    /// Positions with a stop-loss when the path begins.
    pub stop_losses: u64,
    /// Notional whose average price in the book counts for funding.
    pub impact_notional_atoms: u64,
    /// What the model assumes, in sentences.
    pub assumptions: Vec<String>,
}

/// The result in numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Liquidation steps that went through.
    pub liquidations: u64,
    /// Notional of the lots liquidated, at the marks, atoms.
    pub liquidated_notional_atoms: u64,
    /// Positions that went bankrupt.
    pub bankruptcies: u64,
    /// Auto-deleveraging rounds.
    pub adl_rounds: u64,
    /// Counterparties cut, counted once a round.
    pub adl_cuts: u64,
    /// Insurance ledger when the path begins, atoms.
    pub insurance_start_atoms: u64,
    /// Insurance ledger at the end, atoms.
    pub insurance_end_atoms: u64,
    /// Fees of liquidations and trades that went to insurance.
    pub insurance_received_atoms: u64,
    /// Paid by insurance for liquidated bankruptcies.
    pub insurance_paid_in_liquidations_atoms: u64,
    /// Paid by insurance in auto-deleveraging rounds.
    pub insurance_paid_in_adl_atoms: u64,
    /// Deficits, after insurance, of the lots closed by auto-deleveraging; rounded down a round.
    pub uncovered_deficit_atoms: i64,
    /// What counterparties gave up against the mark.
    pub winners_gave_up_atoms: i64,
    /// `winners_gave_up_atoms - uncovered_deficit_atoms`.
    pub overshoot_atoms: i64,
    /// Largest absolute difference, at any step, between the ledgers and the vaults.
    pub conservation_error_atoms: u64,
    /// Liquidation steps that no keeper could afford, counted once a price.
    pub unaffordable_liquidations: u64,
    /// Positions bankrupt at the last price that insurance cannot pay or whose grace is over.
    pub bankruptcies_left: u64,
    /// Positions bankrupt at the last price that insurance can pay and that wait for a keeper.
    pub bankruptcies_waiting: u64,
    /// Prices on which the oracle rules stopped the keepers.
    pub unusable_prices: u64,
    /// Orders, fills and fees of the book.
    pub book: BookSummary,
    /// What the backstop pool took, closed and earned.
    pub pool: PoolSummary,
    /// Staked insurance at the end.
    pub staked_end_atoms: u64,
    /// Most compute units of a transaction, by instruction.
    pub max_compute_units: BTreeMap<String, u64>,
    /// Compute units by instruction.
    pub compute_units: BTreeMap<String, ComputeUnits>,
}

/// Compute units of one instruction's transactions.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputeUnits {
    /// Transactions that went through.
    pub count: u64,
    /// Most compute units of one of them.
    pub max: u64,
    /// Sum of their compute units.
    pub total: u64,
}

/// A statement that was tested.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The statement that must hold.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// The figures compared, in words.
    pub figure: String,
}

/// One `auto_deleverage` transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Number of the round, from 1.
    pub round: u64,
    /// Slot of the transaction.
    pub slot: u64,
    /// Time of the price acted on, unix seconds.
    pub timestamp: i64,
    /// Oracle price acted on, ticks.
    pub mark_ticks: u64,
    /// Close price in ticks, exact, `n/d`.
    pub close_price: String,
    /// Tolerance of the ranking, basis points; 0 is exact.
    pub rank_tolerance_bps: u32,
    /// Least profit at the mark to rank as a winner, basis points.
    pub min_profit_bps: u32,
    /// Largest part of a counterparty closed in one pass, basis points.
    pub max_close_bps: u32,
    /// Smallest position that a cut may leave open, lots.
    pub min_position_lots: u64,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// The market's funding index, atoms per lot.
    pub funding_index: i64,
    /// Side of the counterparties.
    pub counterparty_side: Direction,
    /// The position to close, before the round.
    pub bankrupt: Holding,
    /// Most lots the round may close: all of the position.
    pub max_lots: u64,
    /// Pass of the queue in which the round takes part; 0 when its bankruptcy begins and opens one.
    pub pass_before: u32,
    /// Passes that the counterparties' queue had opened before the round.
    pub passes_before: u32,
    /// Whether earlier rounds had cut everybody to the cap, so that this round opened another
    /// pass; `already_cut_in_pass` is then 0.
    pub new_pass: bool,
    /// Every position of the opposite side before the round, by falling rank.
    pub queue: Vec<QueueLine>,
    /// Trader accounts as the keeper listed them.
    pub listed: Vec<String>,
    /// What was cut, in order.
    pub cut: Vec<CutLine>,
    /// Shortfall of the bankrupt position at the mark before the round.
    pub deficit_atoms: i64,
    /// Paid by insurance in this round.
    pub insurance_paid_atoms: u64,
    /// Insurance before the round.
    pub insurance_before_atoms: u64,
    /// Paid by profit that the market held, after insurance.
    pub held_paid_atoms: u64,
    /// Profit that the market held before the round.
    pub held_before_atoms: u64,
    /// Lots closed in this round, unsigned.
    pub closed_lots: u64,
    /// Deficit after insurance of the closed lots, rounded down.
    pub uncovered_deficit_atoms: i64,
    /// What the counterparties gave up against the mark.
    pub winners_gave_up_atoms: i64,
    /// Compute units of the transaction.
    pub compute_units: u64,
}

/// A position.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Trader account.
    pub trader: String,
    /// Size in lots, + long, - short.
    pub lots: i64,
    /// Signed sum over the fills of lots * price, atoms; sign of `lots`.
    pub entry_quote_atoms: i64,
    /// Isolated margin, funding paid, atoms; may be negative.
    pub margin_atoms: i64,
}

/// A position in the queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueLine {
    /// Trader account.
    pub trader: String,
    /// Size in lots, + long, - short.
    pub lots: i64,
    /// Signed sum over the fills of lots * price, atoms; sign of `lots`.
    pub entry_quote_atoms: i64,
    /// Isolated margin, funding paid, atoms; may be negative.
    pub margin_atoms: i64,
    /// Lots the current pass has cut before this round.
    pub already_cut_in_pass: u64,
    /// Whether that has used up what one pass may cut; it then stands outside the ranking.
    pub at_cap: bool,
    /// Age of the position; the smaller is older and decides the last tie.
    pub sequence: u64,
    /// Indicator lights, 5 next to be cut, 1 last; 0 cannot be cut.
    pub lights: u8,
    /// The same position as the queue account stores it.
    pub node: NodeLine,
}

/// A node of a queue account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeLine {
    /// Entry price, 2^-32 atoms per lot, rounded down.
    pub entry_q32: u64,
    /// Bankruptcy price less the funding index, 2^-32 atoms per lot, rounded down.
    pub bankruptcy_q32: i64,
    /// Passes the queue had opened when the position was last cut; 0 never.
    pub cut_epoch: u32,
    /// Lots cut since the pass of that cut began.
    pub cut_lots: u32,
    /// `cut_epoch` of the cut that reached the cap of its pass; 0 never.
    pub capped_epoch: u32,
}

/// A counterparty that was cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutLine {
    /// Trader account.
    pub trader: String,
    /// Lots closed, unsigned.
    pub lots: u64,
    /// Profit of the closed lots, atoms; a loss when negative.
    pub realized_atoms: i64,
    /// Margin set free with them, atoms.
    pub margin_released_atoms: i64,
    /// What the lots were closed for, unsigned.
    pub quote_atoms: i64,
    /// Atoms less than the mark would have given.
    pub gave_up_atoms: i64,
}

/// The calls of dishonest keepers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dishonest {
    /// What they were played against.
    pub setting: String,
    /// One for each way of cheating.
    pub cases: Vec<DishonestCase>,
    /// Ways that could not be tried in this state, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Whether the honest list passed in the same state.
    pub honest_call_accepted: bool,
}

/// One dishonest call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DishonestCase {
    /// What was tried.
    pub attempt: String,
    /// Error that must come.
    pub expected_error: String,
    /// Error that came; empty when the call went through.
    pub error: String,
    /// Program, token and oracle accounts compared byte by byte.
    pub accounts_compared: usize,
    /// How many of them changed.
    pub accounts_changed: usize,
}

impl DishonestCase {
    /// Refused by the right error, with nothing changed.
    pub fn passed(&self) -> bool {
        self.error == self.expected_error
            && self.accounts_changed == 0
            && self.accounts_compared > 0
    }
}

/// The state after the keepers have acted on a price.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathLine {
    /// When the price was published, unix seconds.
    pub timestamp: i64,
    /// Slot in which the keepers acted on it.
    pub slot: u64,
    /// Oracle price, ticks.
    pub price_ticks: u64,
    /// Insurance ledger, atoms.
    pub insurance_atoms: u64,
    /// Free collateral of the liquidation keepers.
    pub keeper_free_atoms: u64,
    /// Signed lots of the backstop pool.
    pub pool_lots: i64,
    /// Its worth at the price: free collateral, equity and held profit.
    pub pool_atoms: i64,
    /// Sum of the long lots.
    pub open_interest_lots: u64,
    /// The market's funding index, atoms per lot.
    pub funding_index: i64,
    /// Funding rate of the hour, millionths an hour; longs pay when positive.
    pub funding_rate_ppm: i32,
    /// Best prices and depth of the book.
    pub book: BookLine,
}

/// One liquidation step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiquidationLine {
    /// Slot of the transaction.
    pub slot: u64,
    /// Time of the price acted on, unix seconds.
    pub timestamp: i64,
    /// Auto-deleveraging rounds before it.
    pub after_rounds: u64,
    /// Trader account of the position liquidated.
    pub trader: String,
    /// Trader account of the liquidator.
    pub keeper: String,
    /// Side of the position.
    pub direction: Direction,
    /// Lots closed, unsigned: those of the fills and those taken over, by whomever.
    pub lots: u64,
    /// Oracle price acted on, ticks.
    pub mark_ticks: u64,
    /// Equity at the mark before, atoms; negative when bankrupt.
    pub equity_atoms: i64,
    /// Lots that the liquidator's account took over.
    pub taken_lots: u64,
    /// What they were taken over for, unsigned.
    pub taken_quote_atoms: u64,
    /// Lots that the backstop pool took over.
    pub pool_lots: u64,
    /// What it took them over for, unsigned.
    pub pool_quote_atoms: u64,
    /// What insurance paid it beside; not part of what it paid to the deficit.
    pub pool_premium_atoms: u64,
    /// What the trader paid to the liquidator for the lots that the book took.
    pub book_reward_atoms: u64,
    /// Orders of the book that took lots, in order.
    pub fills: Vec<FillLine>,
    /// Orders removed, in order.
    pub removed: Vec<RemovalLine>,
    /// Best price left in the book that could take lots, ticks; 0 for none.
    pub best_left_ticks: u64,
    /// Paid by insurance to the deficit, atoms.
    pub insurance_paid_atoms: u64,
    /// Fee that insurance received, atoms.
    pub insurance_fee_atoms: u64,
    /// Compute units of the transaction.
    pub compute_units: u64,
}
