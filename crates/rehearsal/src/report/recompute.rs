//! Recomputes every auto-deleveraging round from the text of `report.json` alone, in exact
//! fractions: who ranks where, who had to be cut, by how much and for how much money.
//!
//! Nothing of the engine, the program or the report's own types is used here.

use std::cmp::{Ordering, Reverse};

use anyhow::{Context, Result};
use num_bigint::BigInt;
use num_rational::BigRational;
use serde_json::Value;

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

/// A score; a counterparty at its own bankruptcy price scores without bound.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Score {
    Finite(BigRational),
    Infinite,
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(one), Self::Finite(two)) => one.cmp(two),
            (Self::Infinite, Self::Infinite) => Ordering::Equal,
            (Self::Infinite, Self::Finite(_)) => Ordering::Greater,
            (Self::Finite(_), Self::Infinite) => Ordering::Less,
        }
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Order of the queue; the least is cut first: winners before others, then higher score, then
/// nearer to bankruptcy, then older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: u8,
    score: Reverse<Score>,
    bankruptcy: Reverse<BigRational>,
    sequence: BigInt,
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
        let base = &lots + &already;
        let at_cap = line["at_cap"]
            .as_bool()
            .context("`at_cap` is not a boolean")?;
        let cap: BigInt = if at_cap {
            already.clone()
        } else {
            (max_close * base + 9_999) / 10_000
        };
        let mut cap_left = (cap - &already).min(lots.clone());
        // A rest below the least position goes along.
        if cap_left > BigInt::from(0) && &lots - &cap_left < *least {
            cap_left = lots.clone();
        }
        let price = |quote: BigInt| BigRational::new(quote, lots.clone());
        // Everything as if long: `ahead` is positive when `one` is better than `two`.
        let ahead = |one: &BigRational, two: &BigRational| {
            (one - two) * BigRational::from(self.sign.clone())
        };
        let zero = BigRational::from(BigInt::from(0));
        let (mark, close) = (BigRational::from(self.mark.clone()), self.close_price());
        let entry_price = price(entry.clone());
        let bankruptcy = price(&entry - &self.sign * margin);
        let profit = ahead(&mark, &entry_price) / &entry_price;
        let cushion = ahead(&mark, &bankruptcy);
        let least = BigRational::new(min_profit.clone(), BigInt::from(10_000));
        let wins = ahead(&close, &entry_price) >= zero && profit > zero && profit >= least;
        let score = if profit > zero && cushion == zero {
            Score::Infinite
        } else if profit > zero {
            Score::Finite(&profit * &mark / &cushion)
        } else {
            Score::Finite(&profit * &cushion / &mark)
        };
        let solvent = ahead(&close, &bankruptcy) >= zero;
        let rank = solvent.then(|| -> Result<Rank> {
            Ok(Rank {
                class: u8::from(!wins),
                score: Reverse(score),
                bankruptcy: Reverse(bankruptcy * BigRational::from(self.sign.clone())),
                sequence: integer(line, "sequence")?,
            })
        });
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
                    .is_some_and(|rank| self.skipped(rank, last))
            {
                fault(format!("{} was skipped", candidate.trader));
            }
        }
    }

    /// Whether sparing `rank` while cutting `last` breaks the rule.
    fn skipped(&self, rank: &Rank, last: &Rank) -> bool {
        if rank.class != last.class || self.tolerance_bps == BigInt::from(0) {
            return rank < last;
        }
        let zero = BigRational::from(BigInt::from(0));
        let more = BigRational::new(&self.tolerance_bps + 10_000, BigInt::from(10_000));
        match (&rank.score.0, &last.score.0) {
            (Score::Infinite, Score::Finite(_)) => true,
            (_, Score::Infinite) => false,
            (Score::Finite(spared), Score::Finite(cut)) if *cut >= zero => *spared > cut * more,
            (Score::Finite(spared), Score::Finite(cut)) => spared * more > *cut,
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

/// `whole * part / all`, rounded up or down.
fn share(whole: &BigInt, part: &BigInt, all: &BigInt, up: bool) -> BigInt {
    let exact = BigRational::new(whole * part, all.clone());
    if up { exact.ceil() } else { exact.floor() }.to_integer()
}

fn magnitude(number: &BigInt) -> BigInt {
    BigInt::from(number.magnitude().clone())
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field]
        .as_array()
        .with_context(|| format!("`{field}` is not a list"))
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("`{field}` is not text"))
}

fn integer(value: &Value, field: &str) -> Result<BigInt> {
    let number = value[field]
        .as_number()
        .with_context(|| format!("`{field}` is not a number"))?;
    number
        .to_string()
        .parse()
        .with_context(|| format!("`{field}` is not an integer"))
}

fn fraction(text: &str) -> Result<BigRational> {
    let (over, under) = text
        .split_once('/')
        .with_context(|| format!("`{text}` is not n/d"))?;
    Ok(BigRational::new(over.parse()?, under.parse()?))
}

#[cfg(test)]
#[path = "recompute_tests.rs"]
mod tests;
