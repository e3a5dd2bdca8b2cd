//! Recomputes every round of a rehearsal of several markets from the text of `report.json` alone, in exact
//! fractions: what each account is worth and needs, who ranks where, who had to be cut, by how much, for how much
//! money, and what became of every account's lots.
//!
//! Nothing of the engine, the program or the report's own types is used here.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use num_bigint::BigInt;
use serde_json::Value;

use super::recomputed_round::RoundFacts;
use crate::report::exact::{integer, list, magnitude, text};

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
    let mut lots = Ledger::of(play)?;
    for (place, value) in list(play, "adl")?.iter().enumerate() {
        let round = RoundFacts::read(value, &markets);
        let round = round.with_context(|| format!("adl[{place}]"))?;
        round.check(&markets, &mut verdict);
        sums.add(&round);
        lots.closed(&round);
    }
    lots.liquidated(play)?;
    lots.check(&mut verdict);
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

/// Lots of every account in every market: they only ever become fewer.
struct Ledger {
    /// By trader and market: at the start, liquidated, cut, closed as bankrupt.
    lots: BTreeMap<(String, usize), [BigInt; 4]>,
    /// What the report says: liquidated, cut, at the end.
    stated: BTreeMap<(String, usize), [BigInt; 3]>,
}

impl Ledger {
    fn of(play: &Value) -> Result<Self> {
        let (mut lots, mut stated) = (BTreeMap::new(), BTreeMap::new());
        for account in list(play, "accounts")? {
            let trader = text(account, "trader")?;
            let column = |field: &str| -> Result<Vec<BigInt>> {
                let numbers = list(account, field)?.iter();
                numbers
                    .map(|number| Ok(number.to_string().parse::<BigInt>()?))
                    .collect()
            };
            let (start, end) = (column("lots_start")?, column("lots_end")?);
            let (liquidated, cut) = (column("liquidated_lots")?, column("cut_lots")?);
            for (market, first) in start.iter().enumerate() {
                let key = (trader.to_owned(), market);
                let of = |all: &[BigInt]| all.get(market).cloned().unwrap_or_default();
                let zero = BigInt::default;
                lots.insert(key.clone(), [magnitude(first), zero(), zero(), zero()]);
                stated.insert(key, [of(&liquidated), of(&cut), magnitude(&of(&end))]);
            }
        }
        Ok(Self { lots, stated })
    }

    fn add(&mut self, trader: &str, market: usize, column: usize, lots: &BigInt) {
        // Keepers are no accounts of the population.
        if let Some(line) = self.lots.get_mut(&(trader.to_owned(), market)) {
            line[column] += lots;
        }
    }

    fn liquidated(&mut self, play: &Value) -> Result<()> {
        for step in list(play, "liquidations")? {
            let market = step["market"].as_u64().context("`market` is no number")?;
            let (trader, lots) = (text(step, "trader")?, integer(step, "lots")?);
            self.add(trader, usize::try_from(market)?, 1, &lots);
        }
        Ok(())
    }

    fn closed(&mut self, round: &RoundFacts) {
        for cut in &round.cuts {
            self.add(&cut.trader, round.market, 2, &cut.lots);
        }
        self.add(&round.bankrupt, round.market, 3, &round.closed);
    }

    fn check(&self, verdict: &mut Verdict) {
        for ((trader, market), [start, liquidated, cut, closed]) in &self.lots {
            let key = (trader.clone(), *market);
            let Some([said_liquidated, said_cut, said_end]) = self.stated.get(&key) else {
                continue;
            };
            let end = start - liquidated - cut - closed;
            for (what, said, found) in [
                ("liquidated", said_liquidated, liquidated),
                ("cut", said_cut, cut),
                ("left", said_end, &end),
            ] {
                if said != found {
                    verdict.money_faults.push(format!(
                        "{trader} in market {market}: {said} lots {what} in the report, {found} recomputed"
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "recompute_tests.rs"]
mod tests;
