//! Rounds of a rehearsal of several markets, with everything that their cuts follow from. Units as in
//! [`crate::markets`].

use serde::{Deserialize, Serialize};

use crate::model::Holding;
use crate::traders::Direction;

/// One round of deleveraging, with everything that its cuts follow from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketRound {
    /// Number of the round in its play, from 1.
    pub round: u64,
    /// The market.
    pub market: usize,
    /// Slot of the transaction.
    pub slot: u64,
    /// Time of the prices acted on, unix seconds.
    pub timestamp: i64,
    /// What every account was valued at, by market.
    pub marks: Vec<MarkLine>,
    /// Close price: this many atoms
    pub close_quote_atoms: i64,
    /// for this many lots.
    pub close_lots: u64,
    /// Tolerance of the ranking, basis points.
    pub rank_tolerance_bps: u32,
    /// Least profit at the mark to rank as a winner, basis points.
    pub min_profit_bps: u32,
    /// Largest part of a counterparty closed in one pass, basis points.
    pub max_close_bps: u32,
    /// Smallest position that a cut may leave open, lots.
    pub min_position_lots: u64,
    /// Side of the counterparties.
    pub counterparty_side: Direction,
    /// Whether everybody had been cut to the cap, so that this round opened another pass.
    pub new_pass: bool,
    /// Whether the ranking of legs that were not listed went by their records.
    pub by_record: bool,
    /// Whether accounts were cut as far as their equity lasts, not only to their maintenance margin.
    pub to_equity: bool,
    /// The position to close, before the round; a leg with its share of the deficit.
    pub bankrupt: Holding,
    /// The account of the bankrupt leg; nothing where the position is isolated.
    pub bankrupt_account: Option<AccountFacts>,
    /// What insurance and held profit may pay of the deficit.
    pub cover_atoms: u64,
    /// Every position and leg of the counterparties' side before the round, in no order.
    pub queue: Vec<Candidate>,
    /// Trader accounts as the keeper listed them.
    pub listed: Vec<String>,
    /// What was cut, in order.
    pub cut: Vec<LegCutLine>,
    /// Shortfall of the bankrupt position at the mark.
    pub deficit_atoms: u64,
    /// Paid by insurance and held profit.
    pub insurance_paid_atoms: u64,
    /// Lots closed, unsigned.
    pub closed_lots: u64,
    /// Deficit after insurance of the closed lots, rounded down.
    pub uncovered_deficit_atoms: u64,
    /// What the counterparties gave up against the mark.
    pub winners_gave_up_atoms: u64,
    /// Compute units of the transaction.
    pub compute_units: u64,
}

/// What legs of a market are valued at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkLine {
    /// Atoms per lot.
    pub mark_atoms: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
}

/// A cross account before a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFacts {
    /// The collateral that its legs share; may be negative.
    pub pool_atoms: i64,
    /// Its legs.
    pub legs: Vec<LegFacts>,
}

/// A leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegFacts {
    /// The market.
    pub market: usize,
    /// Size in lots, + long, - short.
    pub lots: i64,
    /// Signed sum over the fills of lots * price, atoms.
    pub entry_quote_atoms: i64,
    /// Funding index up to which it has paid.
    pub funding_index: i64,
}

/// A position or leg of the counterparties' side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Trader account.
    pub trader: String,
    /// Size in lots, + long, - short.
    pub lots: i64,
    /// Signed sum over the fills of lots * price, atoms.
    pub entry_quote_atoms: i64,
    /// Isolated margin, funding paid; 0 for a leg, whose account stands behind it.
    pub margin_atoms: i64,
    /// Lots the current pass has cut before this round.
    pub already_cut_in_pass: u64,
    /// Whether that has used up what one pass may cut.
    pub at_cap: bool,
    /// Age in its queue; the smaller is older and decides the last tie.
    pub sequence: u64,
    /// The account of a leg.
    pub account: Option<AccountFacts>,
}

/// A counterparty that was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegCutLine {
    /// Trader account.
    pub trader: String,
    /// Lots closed, unsigned.
    pub lots: u64,
    /// What they were closed for.
    pub quote_atoms: i64,
    /// Profit of the closed lots; a loss when negative.
    pub realized_atoms: i64,
    /// Atoms less than the mark would have given.
    pub gave_up_atoms: u64,
    /// Of a leg, how its account stood.
    pub leg: Option<LegCutFacts>,
}

/// How the account of a leg that was cut stood, as the program says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegCutFacts {
    /// Equity before.
    pub equity_atoms: i64,
    /// Maintenance margin before.
    pub requirement_atoms: u64,
    /// That of the leg.
    pub leg_requirement_atoms: u64,
    /// Whether the cut was shorter than the cap for the account's sake.
    pub shortened: bool,
    /// The pool after.
    pub pool_after_atoms: i64,
}
