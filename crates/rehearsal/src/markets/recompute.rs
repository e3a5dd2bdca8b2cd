//! Recomputes every round of a rehearsal of several markets from the text of `report.json` alone, in exact
//! fractions: what each account is worth and needs, who ranks where, who had to be cut, by how much, for how much
//! money, and what became of every account's lots.
//!
//! Nothing of the engine, the program or the report's own types is used here.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use num_bigint::BigInt;
use serde_json::Value;

use super::recomputed_lots::{Ledger, Step};
use super::recomputed_round::RoundFacts;
use crate::report::exact::{integer, list};

/// What the recomputation found in one play.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rounds read.
    pub rounds: usize,
    /// Cuts read.
    pub cuts: usize,
    /// Positions and legs ranked.
    pub ranked: usize,
    /// Accounts with legs valued.
    pub accounts: usize,
    /// Departures from the rule of the ranking.
    pub order_faults: Vec<String>,
    /// Departures from the money and the lots that the rules give.
    pub money_faults: Vec<String>,
}

/// A maintenance bracket: where it ends, and its rate in basis points.
pub type Brackets = Vec<(BigInt, BigInt)>;

/// What a report says of its markets.
pub struct Markets {
    /// Maintenance brackets of each.
    pub brackets: Vec<Brackets>,
    /// Marks in atoms per lot, by time.
    pub marks: BTreeMap<String, Vec<BigInt>>,
}

/// Reads one of the plays of a report: `cross` or `isolated`.
///
/// # Errors
/// Text that is no such report.
pub fn recompute(report: &str, play: &str) -> Result<Verdict> {
    let report: Value = serde_json::from_str(report).context("the report is not JSON")?;
    let markets = Markets::read(&report)?;
    let play = &report[play];
    let mut verdict = Verdict::default();
    let mut sums = Sums::default();
    let mut ledger = Ledger::of(play)?;
    let steps = Step::all(play)?;
    for (place, value) in list(play, "adl")?.iter().enumerate() {
        ledger.liquidated(&steps, place);
        let round = RoundFacts::read(value, &markets);
        let round = round.with_context(|| format!("adl[{place}]"))?;
        ledger.check_queue(&round, &mut verdict);
        round.check(&markets, &mut verdict);
        sums.add(&round);
        ledger.closed(&round);
    }
    ledger.liquidated(&steps, verdict.rounds);
    ledger.check(&mut verdict);
    sums.check(&play["summary"], &mut verdict)?;
    Ok(verdict)
}

impl Markets {
    fn read(report: &Value) -> Result<Self> {
        let mut brackets = Vec::new();
        let mut ticks = Vec::new();
        for market in list(&report["scenario"], "markets")? {
            ticks.push(integer(market, "atoms_per_lot_tick")?);
            let tiers = list(market, "maintenance")?.iter();
            let tier = |tier: &Value| {
                Ok((
                    integer(tier, "notional_limit_atoms")?,
                    integer(tier, "maintenance_bps")?,
                ))
            };
            brackets.push(tiers.map(tier).collect::<Result<_>>()?);
        }
        let mut marks = BTreeMap::new();
        for step in list(report, "path")? {
            let prices = list(step, "price_ticks")?.iter().zip(&ticks);
            let mark = |(price, per_tick): (&Value, &BigInt)| -> Result<BigInt> {
                let ticks = price.as_u64().context("a price is not an integer")?;
                Ok(BigInt::from(ticks) * per_tick)
            };
            let all = prices.map(mark).collect::<Result<_>>()?;
            marks.insert(integer(step, "timestamp")?.to_string(), all);
        }
        Ok(Self { brackets, marks })
    }
}

/// Sums over the rounds.
#[derive(Default)]
struct Sums {
    rounds: BigInt,
    cuts: BigInt,
    legs: BigInt,
    gave_up: BigInt,
    uncovered: BigInt,
}

impl Sums {
    fn add(&mut self, round: &RoundFacts) {
        self.rounds += 1;
        self.cuts += round.cuts.len();
        self.legs += round.cuts.iter().filter(|cut| cut.leg.is_some()).count();
        self.gave_up += &round.gave_up;
        self.uncovered += &round.uncovered;
    }

    fn check(&self, summary: &Value, verdict: &mut Verdict) -> Result<()> {
        let stated = [
            ("adl_rounds", self.rounds.clone()),
            ("adl_cuts", self.cuts.clone()),
            ("leg_cuts", self.legs.clone()),
            ("winners_gave_up_atoms", self.gave_up.clone()),
            ("uncovered_deficit_atoms", self.uncovered.clone()),
            ("overshoot_atoms", &self.gave_up - &self.uncovered),
        ];
        for (field, found) in stated {
            let said = integer(summary, field).context("summary")?;
            if said != found {
                let fault = format!("summary.{field} says {said}, the rounds give {found}");
                verdict.money_faults.push(fault);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "recompute_tests.rs"]
mod tests;
