//! The form of `report.json` of a rehearsal of several markets. Integers only: atoms, ticks, lots, and basis points
//! where a field says so. A market is named by its number, from 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::market_rounds::MarketRound;
use crate::model::Check;

/// Layout of the report.
pub const MARKETS_REPORT_VERSION: u32 = 1;

/// Everything a rehearsal of several markets says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketsReport {
    /// [`MARKETS_REPORT_VERSION`].
    pub markets_report_version: u32,
    /// What was rehearsed.
    pub scenario: MarketsScenario,
    /// The prices, in order of time.
    pub path: Vec<MarketsStep>,
    /// The crash with a part of the accounts cross.
    pub cross: Play,
    /// The same people and prices, every account isolated.
    pub isolated: Play,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// What was rehearsed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketsScenario {
    /// Seed of people and generated prices.
    pub seed: u64,
    /// Accounts drawn by the seed, those that take the other side of the rest not counted.
    pub traders: usize,
    /// Part of them that is cross, per cent.
    pub cross_share_percent: u64,
    /// Most legs of an account.
    pub most_legs: usize,
    /// Whether any prices are generated.
    pub prices_generated: bool,
    /// The markets, by their numbers.
    pub markets: Vec<MarketLine>,
    /// Number of liquidation keepers.
    pub keepers: usize,
    /// Collateral of all of them together.
    pub keeper_capital_atoms: u64,
    /// Highest leverage of small positions, whole multiples.
    pub max_leverage: u64,
    /// What the model assumes, in sentences.
    pub assumptions: Vec<String>,
}

/// A market.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketLine {
    /// Its name.
    pub name: String,
    /// Where its prices come from, in words.
    pub prices: String,
    /// First oracle price, ticks.
    pub first_price_ticks: u64,
    /// Lowest oracle price, ticks.
    pub low_price_ticks: u64,
    /// Size of a tick, 1e-9 USD.
    pub tick_nano: u64,
    /// Size of a lot, 1e-9 of the base asset.
    pub lot_nano: u64,
    /// Quote atoms of one lot at one tick.
    pub atoms_per_lot_tick: u64,
    /// Lots on each side when the path begins.
    pub open_interest_lots: u64,
    /// Insurance when the path begins.
    pub insurance_atoms: u64,
    /// Maintenance margin: a rate for each bracket of notional.
    pub maintenance: Vec<Bracket>,
}

/// The maintenance rate of a part of a position's notional.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bracket {
    /// Where the bracket ends, atoms; the last one has no end.
    pub notional_limit_atoms: u64,
    /// Rate within it, basis points.
    pub maintenance_bps: u32,
}

/// The prices at one moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketsStep {
    /// When they are published, unix seconds.
    pub timestamp: i64,
    /// Of each market, ticks.
    pub price_ticks: Vec<u64>,
}

/// One crash, played to its end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// Every account but the keepers', in the order of the population.
    pub accounts: Vec<AccountLine>,
    /// Liquidation steps, in order.
    pub liquidations: Vec<StepLine>,
    /// Rounds of deleveraging, in order.
    pub adl: Vec<MarketRound>,
    /// Sums over each market.
    pub markets: Vec<MarketSums>,
    /// Sums over the whole.
    pub summary: PlaySummary,
}

/// How the legs of an account relate to each other.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::Display,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Style {
    /// All in one direction.
    #[default]
    Directional,
    /// Long in some markets and short in others, for about as much.
    Hedged,
    /// In directions and sizes of their own.
    Mixed,
    /// The other side of what the rest of a market leaves; never cross.
    Basis,
}

/// An account and what became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountLine {
    /// Trader account.
    pub trader: String,
    /// How its legs relate.
    pub style: Style,
    /// Whether it is one of the part that is cross, in the play in which there is one.
    pub chosen: bool,
    /// Leverage wanted, in tenths.
    pub leverage_tenths: u64,
    /// Lots in each market when the path begins, signed.
    pub lots_start: Vec<i64>,
    /// The same at the end.
    pub lots_end: Vec<i64>,
    /// Equity at the first prices, free collateral and held profit included.
    pub equity_start_atoms: i64,
    /// The same at the last prices.
    pub equity_end_atoms: i64,
    /// Lots of it that were liquidated, by market.
    pub liquidated_lots: Vec<u64>,
    /// Their worth at the marks.
    pub liquidated_notional_atoms: u64,
    /// Whether it, or one of its isolated positions, was bankrupt.
    pub bankrupt: bool,
    /// Lots of it that were cut for others, by market.
    pub cut_lots: Vec<u64>,
    /// Their worth at the marks.
    pub cut_notional_atoms: u64,
    /// What it gave up for them against the marks.
    pub gave_up_atoms: u64,
}

/// One liquidation step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepLine {
    /// The market.
    pub market: usize,
    /// Time of the price acted on, unix seconds.
    pub timestamp: i64,
    /// Rounds of deleveraging before it.
    pub after_rounds: u64,
    /// Trader account that was liquidated.
    pub trader: String,
    /// Trader account that took the lots over.
    pub keeper: String,
    /// Whether it was a leg.
    pub leg: bool,
    /// Lots closed, unsigned.
    pub lots: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Equity of the position before, of a leg its share.
    pub equity_atoms: i64,
    /// Paid by insurance and held profit.
    pub insurance_paid_atoms: u64,
}

/// What happened in one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketSums {
    /// Liquidation steps.
    pub liquidations: u64,
    /// Lots liquidated.
    pub liquidated_lots: u64,
    /// Rounds of deleveraging.
    pub adl_rounds: u64,
    /// Counterparties cut, once a round.
    pub adl_cuts: u64,
    /// Of these, legs.
    pub leg_cuts: u64,
    /// Lots cut.
    pub cut_lots: u64,
    /// What counterparties gave up.
    pub gave_up_atoms: u64,
    /// Insurance at the start.
    pub insurance_start_atoms: u64,
    /// Insurance at the end.
    pub insurance_end_atoms: u64,
    /// Paid by insurance and held profit, to liquidations and rounds.
    pub insurance_paid_atoms: u64,
}

/// Sums over a play.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaySummary {
    /// Over all accounts.
    pub all: GroupSums,
    /// Over the accounts of which the part that is cross was made.
    pub chosen: GroupSums,
    /// Rounds of deleveraging.
    pub adl_rounds: u64,
    /// Counterparties cut, once a round.
    pub adl_cuts: u64,
    /// Of these, legs.
    pub leg_cuts: u64,
    /// Cuts that were shorter than the cap for their accounts' sake.
    pub shortened_cuts: u64,
    /// Deficits, after insurance, of the lots closed; rounded down a round.
    pub uncovered_deficit_atoms: u64,
    /// What counterparties gave up against the marks.
    pub winners_gave_up_atoms: u64,
    /// `winners_gave_up_atoms - uncovered_deficit_atoms`.
    pub overshoot_atoms: i64,
    /// Largest absolute difference, after any price, between all claims and all tokens; lots that do not cancel
    /// count too.
    pub conservation_error_atoms: u64,
    /// Times that was looked at.
    pub conservation_checks: u64,
    /// Paid by insurance and held profit.
    pub insurance_paid_atoms: u64,
    /// Accounts and positions that are bankrupt at the last prices though a keeper could act.
    pub bankruptcies_left: u64,
    /// Calls that the program refused and about which a keeper can do nothing, in words.
    pub refusals: Vec<String>,
    /// All calls of keepers that it refused, by task and error; the rest was planned anew or put off until the next
    /// price.
    pub refused: BTreeMap<String, u64>,
}

/// What became of some accounts. The keepers' are none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSums {
    /// Accounts.
    pub accounts: u64,
    /// Of which lots were liquidated.
    pub liquidated: u64,
    /// Lots liquidated, by market.
    pub liquidated_lots: Vec<u64>,
    /// Their worth at the marks.
    pub liquidated_notional_atoms: u64,
    /// That were bankrupt.
    pub bankrupt: u64,
    /// That were liquidated, bankrupt or both.
    pub liquidated_or_bankrupt: u64,
    /// That were cut for others.
    pub cut: u64,
    /// Lots cut, by market.
    pub cut_lots: Vec<u64>,
    /// Their worth at the marks.
    pub cut_notional_atoms: u64,
    /// What they gave up for them.
    pub gave_up_atoms: u64,
    /// Equity at the first prices.
    pub equity_start_atoms: i64,
    /// Equity at the last prices.
    pub equity_end_atoms: i64,
    /// What those lost that have less at the end.
    pub lost_atoms: u64,
}

impl GroupSums {
    /// Sums over accounts.
    pub fn of<'a>(accounts: impl IntoIterator<Item = &'a AccountLine>, markets: usize) -> Self {
        let mut sums = Self {
            liquidated_lots: vec![0; markets],
            cut_lots: vec![0; markets],
            ..Self::default()
        };
        for line in accounts {
            sums.accounts += 1;
            sums.liquidated += u64::from(line.liquidated_notional_atoms > 0);
            sums.liquidated_notional_atoms += line.liquidated_notional_atoms;
            sums.bankrupt += u64::from(line.bankrupt);
            let forced = line.bankrupt || line.liquidated_notional_atoms > 0;
            sums.liquidated_or_bankrupt += u64::from(forced);
            sums.cut += u64::from(line.cut_notional_atoms > 0);
            sums.cut_notional_atoms += line.cut_notional_atoms;
            sums.gave_up_atoms += line.gave_up_atoms;
            sums.equity_start_atoms += line.equity_start_atoms;
            sums.equity_end_atoms += line.equity_end_atoms;
            let less = line.equity_start_atoms - line.equity_end_atoms;
            sums.lost_atoms += u64::try_from(less).unwrap_or(0);
            add(&mut sums.liquidated_lots, &line.liquidated_lots);
            add(&mut sums.cut_lots, &line.cut_lots);
        }
        sums
    }
}

fn add(sums: &mut [u64], lots: &[u64]) {
    for (sum, lots) in sums.iter_mut().zip(lots) {
        *sum += lots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_count_accounts_once_and_losses_alone() {
        let line = |start, end, liquidated: [u64; 2], cut: [u64; 2]| AccountLine {
            equity_start_atoms: start,
            equity_end_atoms: end,
            liquidated_notional_atoms: liquidated.iter().sum(),
            liquidated_lots: liquidated.to_vec(),
            cut_notional_atoms: cut.iter().sum(),
            cut_lots: cut.to_vec(),
            bankrupt: end < 0,
            gave_up_atoms: cut[1],
            ..AccountLine::default()
        };
        let accounts = [
            line(100, 40, [5, 7], [0, 0]),
            line(50, -10, [1, 0], [0, 0]),
            line(70, 90, [0, 0], [2, 3]),
        ];
        let sums = GroupSums::of(&accounts, 2);
        let expected = GroupSums {
            accounts: 3,
            liquidated: 2,
            liquidated_lots: vec![6, 7],
            liquidated_notional_atoms: 13,
            bankrupt: 1,
            liquidated_or_bankrupt: 2,
            cut: 1,
            cut_lots: vec![2, 3],
            cut_notional_atoms: 5,
            gave_up_atoms: 3,
            equity_start_atoms: 220,
            equity_end_atoms: 120,
            lost_atoms: 120,
        };
        assert_eq!(sums, expected);
    }
}
