//! Recomputes every auto-deleveraging round from the text of `report.json` alone, in exact
//! fractions: who ranks where, who had to be cut, by how much and for how much money.
//!
//! Nothing of the engine, the program or the report's own types is used here.

use anyhow::{Context, Result};
use num_bigint::BigInt;
use num_rational::BigRational;
use serde_json::Value;

use super::exact::{fraction, integer, list, magnitude, share, skipped, text, Cap, Rank, Terms};

/// What the recomputation found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rounds read.
    pub rounds: usize,
    /// Cuts read.
    pub cuts: usize,
    /// Positions ranked.
    pub ranked: usize,
    /// Departures from the rule of the ranking.
    pub order_faults: Vec<String>,
    /// Departures from the money the rule gives.
    pub money_faults: Vec<String>,
}

/// Reads a report.
pub fn recompute(report: &str) -> Result<Verdict> {
    let report: Value = serde_json::from_str(report).context("the report is not JSON")?;
    let rounds = report["adl"].as_array().context("`adl` is not a list")?;
    let mut verdict = Verdict::default();
    let (mut gave_up, mut uncovered) = (BigInt::from(0), BigInt::from(0));
    for (index, round) in rounds.iter().enumerate() {
        let round = RoundFacts::read(round).with_context(|| format!("adl[{index}]"))?;
        round.check_order(&mut verdict);
        let money = round.check_money(&mut verdict);
        gave_up += money.gave_up;
        uncovered += money.uncovered;
    }
    verdict.rounds = rounds.len();
    let summary = &report["summary"];
    let stated = [
        ("winners_gave_up_atoms", gave_up.clone()),
        ("uncovered_deficit_atoms", uncovered.clone()),
        ("overshoot_atoms", gave_up - uncovered),
        ("adl_rounds", BigInt::from(rounds.len())),
    ];
    for (field, found) in stated {
        let said = integer(summary, field).context("summary")?;
        if said != found {
            verdict.money_faults.push(format!(
                "summary.{field} says {said}, the rounds give {found}"
            ));
        }
    }
    Ok(verdict)
}

struct Candidate {
    trader: String,
    lots: BigInt,
    entry: BigInt,
    cap_left: BigInt,
    /// `None` when it must not be cut.
    rank: Option<Rank>,
}

struct CutFacts {
    trader: String,
    lots: BigInt,
    realized: BigInt,
}

struct RoundFacts {
    number: String,
    /// +1 when the counterparties are long, -1 when short.
    sign: BigInt,
    mark: BigInt,
    tolerance_bps: BigInt,
    /// Lots of the bankrupt position.
    size: BigInt,
    to_close: BigInt,
    /// Quote at which the whole bankrupt position closes.
    close_quote: BigInt,
    /// `n/d` of the report, in atoms per lot.
    stated_close: BigRational,
    deficit: BigInt,
    stated_deficit: BigInt,
    /// What insurance pays of the deficit if every lot is closed.
    insured: BigInt,
    insurance_paid: BigInt,
    queue: Vec<Candidate>,
    listed: Vec<String>,
    cuts: Vec<CutFacts>,
}

struct Money {
    gave_up: BigInt,
    uncovered: BigInt,
}

impl RoundFacts {
    fn read(value: &Value) -> Result<Self> {
        let per_tick = integer(value, "atoms_per_lot_tick")?;
        let mark = integer(value, "mark_ticks")? * &per_tick;
        let bankrupt = &value["bankrupt"];
        let lots = integer(bankrupt, "lots")?;
        let sign = if lots > BigInt::from(0) {
            BigInt::from(-1)
        } else {
            BigInt::from(1)
        };
        let size = magnitude(&lots);
        let insurance_paid =
            integer(value, "insurance_paid_atoms")? + integer(value, "held_paid_atoms")?;
        // Long: what it cost less what backs it. Short: what it brought plus what backs it.
        let entry = magnitude(&integer(bankrupt, "entry_quote_atoms")?);
        let bare_quote = entry + &sign * integer(bankrupt, "margin_atoms")?;
        let deficit = &sign * (&size * &mark - &bare_quote);
        let cover =
            integer(value, "insurance_before_atoms")? + integer(value, "held_before_atoms")?;
        let insured = cover.min(deficit.clone());
        let close_quote = &bare_quote + &sign * &insured;
        let mut round = Self {
            number: integer(value, "round")?.to_string(),
            stated_close: fraction(text(value, "close_price")?)? * BigRational::from(per_tick),
            tolerance_bps: integer(value, "rank_tolerance_bps")?,
            to_close: integer(value, "max_lots")?.min(size.clone()),
            stated_deficit: integer(value, "deficit_atoms")?,
            listed: list(value, "listed")?
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            cuts: list(value, "cut")?
                .iter()
                .map(CutFacts::read)
                .collect::<Result<_>>()?,
            queue: Vec::new(),
            sign,
            mark,
            size,
            close_quote,
            deficit,
            insured,
            insurance_paid,
        };
        let max_close = integer(value, "max_close_bps")?;
        let least = integer(value, "min_position_lots")?;
        let min_profit = integer(value, "min_profit_bps")?;
        round.queue = list(value, "queue")?
            .iter()
            .map(|line| round.candidate(line, &max_close, &least, &min_profit))
            .collect::<Result<_>>()?;
        Ok(round)
    }

    fn candidate(
        &self,
        line: &Value,
        max_close: &BigInt,
        least: &BigInt,
        min_profit: &BigInt,
    ) -> Result<Candidate> {
        let lots = magnitude(&integer(line, "lots")?);
        let entry = magnitude(&integer(line, "entry_quote_atoms")?);
        let margin = integer(line, "margin_atoms")?;
        let already = integer(line, "already_cut_in_pass")?;
        let at_cap = line["at_cap"]
            .as_bool()
            .context("`at_cap` is not a boolean")?;
        let cap_left = Cap {
            max_close_bps: max_close,
            least_lots: least,
        }
        .left(&lots, &already, at_cap);
        let terms = Terms {
            sign: &self.sign,
            mark: &self.mark,
            close: &self.close_price(),
            min_profit_bps: min_profit,
        };
        let standing = terms.standing(&lots, &entry, &margin);
        let rank = standing
            .solvent
            .then(|| -> Result<Rank> { Ok(standing.rank(&self.sign, integer(line, "sequence")?)) });
        let trader = text(line, "trader")?.to_owned();
        Ok(Candidate {
            trader,
            lots,
            entry,
            cap_left,
            rank: rank.transpose()?,
        })
    }

    fn close_price(&self) -> BigRational {
        BigRational::new(self.close_quote.clone(), self.size.clone())
    }

    fn find(&self, trader: &str) -> Option<&Candidate> {
        self.queue
            .iter()
            .find(|candidate| candidate.trader == trader)
    }

    fn check_order(&self, verdict: &mut Verdict) {
        verdict.ranked += self.queue.len();
        verdict.cuts += self.cuts.len();
        let mut fault = |what: String| {
            verdict
                .order_faults
                .push(format!("round {}: {what}", self.number))
        };
        let mut last: Option<&Rank> = None;
        let mut listed = self.listed.iter();
        for cut in &self.cuts {
            if !listed.any(|trader| *trader == cut.trader) {
                fault(format!(
                    "{} was cut but not listed in that order",
                    cut.trader
                ));
            }
            let Some(candidate) = self.find(&cut.trader) else {
                fault(format!("{} was cut but was not in the queue", cut.trader));
                continue;
            };
            let Some(rank) = &candidate.rank else {
                fault(format!(
                    "{} was cut but is insolvent at the close price",
                    cut.trader
                ));
                continue;
            };
            if last.is_some_and(|last| rank <= last) {
                fault(format!(
                    "{} was cut after somebody who ranks below it",
                    cut.trader
                ));
            }
            last = Some(rank);
        }
        let Some(last) = last else {
            fault("nobody was cut".to_owned());
            return;
        };
        for candidate in &self.queue {
            let spared = candidate.cap_left > BigInt::from(0)
                && self.cuts.iter().all(|cut| cut.trader != candidate.trader);
            if spared
                && candidate
                    .rank
                    .as_ref()
                    .is_some_and(|rank| skipped(rank, last, &self.tolerance_bps))
            {
                fault(format!("{} was skipped", candidate.trader));
            }
        }
    }

    fn check_money(&self, verdict: &mut Verdict) -> Money {
        let mut fault = |what: String| {
            verdict
                .money_faults
                .push(format!("round {}: {what}", self.number))
        };
        let mut equal = |what: &str, said: &BigInt, found: &BigInt| {
            if said != found {
                fault(format!(
                    "{what} is {said} in the report, {found} recomputed"
                ));
            }
        };
        equal("deficit", &self.stated_deficit, &self.deficit);
        let (mut closed, mut closed_quote) = (BigInt::from(0), BigInt::from(0));
        let mut allowed = self.to_close.clone();
        let mut gave_up = BigInt::from(0);
        for cut in &self.cuts {
            let Some(candidate) = self.find(&cut.trader) else {
                continue;
            };
            let lots = allowed
                .clone()
                .min(candidate.lots.clone())
                .min(candidate.cap_left.clone());
            equal(&format!("{}: lots", cut.trader), &cut.lots, &lots);
            closed += &cut.lots;
            // In the counterparties' favour: longs sell dear, shorts buy cheap.
            let so_far = share(
                &self.close_quote,
                &closed,
                &self.size,
                self.sign > BigInt::from(0),
            );
            let quote = &so_far - closed_quote;
            closed_quote = so_far;
            // The entry of the closed lots rounds against the counterparty.
            let entry = share(
                &candidate.entry,
                &cut.lots,
                &candidate.lots,
                self.sign > BigInt::from(0),
            );
            equal(
                &format!("{}: realized", cut.trader),
                &cut.realized,
                &(&self.sign * (&quote - entry)),
            );
            gave_up += &self.sign * (&cut.lots * &self.mark - &quote);
            allowed -= &cut.lots;
        }
        equal(
            "insurance paid",
            &self.insurance_paid,
            &share(&self.insured, &closed, &self.size, false),
        );
        let remaining = &self.deficit - &self.insured;
        let uncovered = share(&remaining, &closed, &self.size, false);
        if self.stated_close != self.close_price() {
            fault(format!(
                "close price is {} atoms a lot in the report, {} recomputed",
                self.stated_close,
                self.close_price()
            ));
        }
        if magnitude(&(&gave_up - &uncovered)) > BigInt::from(self.cuts.len()) {
            fault(format!(
                "the counterparties gave up {gave_up} for an uncovered deficit of {uncovered}"
            ));
        }
        Money { gave_up, uncovered }
    }
}

impl CutFacts {
    fn read(value: &Value) -> Result<Self> {
        Ok(Self {
            trader: text(value, "trader")?.to_owned(),
            lots: integer(value, "lots")?,
            realized: integer(value, "realized_atoms")?,
        })
    }
}

#[cfg(test)]
#[path = "recompute_tests.rs"]
mod tests;
