//! What becomes of every account's lots, from line to line of a report. See [`super::recompute`].

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use num_bigint::BigInt;
use serde_json::Value;

use super::recompute::Verdict;
use super::recomputed_round::RoundFacts;
use crate::report::exact::{integer, list, magnitude, text};

/// A liquidation step.
pub struct Step {
    trader: String,
    market: usize,
    lots: BigInt,
    /// Rounds before it.
    after_rounds: usize,
}

impl Step {
    /// All of a play.
    pub fn all(play: &Value) -> Result<Vec<Self>> {
        let number = |step: &Value, field: &str| -> Result<usize> {
            let number = step[field].as_u64();
            let number = number.with_context(|| format!("`{field}` is no number"))?;
            Ok(usize::try_from(number)?)
        };
        let steps = list(play, "liquidations")?.iter();
        steps
            .map(|step| {
                Ok(Self {
                    trader: text(step, "trader")?.to_owned(),
                    market: number(step, "market")?,
                    lots: integer(step, "lots")?,
                    after_rounds: number(step, "after_rounds")?,
                })
            })
            .collect()
    }
}

/// An account in one market.
#[derive(Default)]
struct Line {
    /// Signed lots at the start.
    start: BigInt,
    liquidated: BigInt,
    cut: BigInt,
    /// Closed in rounds for its own bankruptcy.
    closed: BigInt,
    /// What the report says: liquidated, cut, at the end.
    stated: [BigInt; 3],
}

impl Line {
    /// Lots that are left, without sign: nobody of the population opens any.
    fn left(&self) -> BigInt {
        magnitude(&self.start) - &self.liquidated - &self.cut - &self.closed
    }
}

/// Lots of every account of the population in every market. Keepers and market makers are none of them.
pub struct Ledger(BTreeMap<(String, usize), Line>);

impl Ledger {
    /// Those with which a play begins.
    pub fn of(play: &Value) -> Result<Self> {
        let mut lines = BTreeMap::new();
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
            for (market, first) in start.into_iter().enumerate() {
                let of = |all: &[BigInt]| all.get(market).cloned().unwrap_or_default();
                let line = Line {
                    start: first,
                    stated: [of(&liquidated), of(&cut), magnitude(&of(&end))],
                    ..Line::default()
                };
                lines.insert((trader.to_owned(), market), line);
            }
        }
        Ok(Self(lines))
    }

    fn line(&mut self, trader: &str, market: usize) -> Option<&mut Line> {
        self.0.get_mut(&(trader.to_owned(), market))
    }

    /// The steps that came after so many rounds, and before the next.
    pub fn liquidated(&mut self, steps: &[Step], rounds: usize) {
        for step in steps.iter().filter(|step| step.after_rounds == rounds) {
            if let Some(line) = self.line(&step.trader, step.market) {
                line.liquidated += &step.lots;
            }
        }
    }

    /// What a round closed.
    pub fn closed(&mut self, round: &RoundFacts) {
        for cut in &round.cuts {
            if let Some(line) = self.line(&cut.trader, round.market) {
                line.cut += &cut.lots;
            }
        }
        if let Some(line) = self.line(&round.bankrupt, round.market) {
            line.closed += &round.closed;
        }
    }

    /// Everybody who has lots on the counterparties' side stands in the queue of a round with just as many.
    pub fn check_queue(&self, round: &RoundFacts, verdict: &mut Verdict) {
        let nothing = BigInt::from(0);
        for ((trader, market), line) in &self.0 {
            let against = &line.start * &round.sign > nothing;
            if *market != round.market || !against {
                continue;
            }
            let left = line.left();
            let shown = round.lots_of(trader).unwrap_or(&nothing);
            if *shown != left {
                verdict.order_faults.push(format!(
                    "round {}: {trader} stands in the queue with {shown} lots, by the lines before with {left}",
                    round.number
                ));
            }
        }
    }

    /// What is left, against what the report says.
    pub fn check(&self, verdict: &mut Verdict) {
        for ((trader, market), line) in &self.0 {
            let [said_liquidated, said_cut, said_end] = &line.stated;
            for (what, said, found) in [
                ("liquidated", said_liquidated, &line.liquidated),
                ("cut", said_cut, &line.cut),
                ("left", said_end, &line.left()),
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
