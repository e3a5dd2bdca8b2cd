//! One round of a rehearsal of several markets, decided again in exact fractions. See [`super::recompute`].

use anyhow::{Context, Result};
use num_bigint::BigInt;
use num_rational::BigRational;
use serde_json::Value;

use super::recompute::{Brackets, Markets, Verdict};
use super::recomputed_account::{Account, Stands};
use crate::report::exact::{integer, list, magnitude, share, skipped, text, Cap, Rank, Terms};

/// A position or leg of the counterparties' side.
struct Candidate {
    trader: String,
    lots: BigInt,
    entry: BigInt,
    cap_left: BigInt,
    /// How the account of a leg stands.
    stands: Option<Stands>,
    solvent: bool,
    rank: Rank,
}

/// A counterparty that was cut.
pub struct CutFacts {
    /// Trader account.
    pub trader: String,
    /// Lots closed.
    pub lots: BigInt,
    quote: BigInt,
    realized: BigInt,
    gave_up: BigInt,
    /// Of a leg: equity, requirement, that of the leg, pool after; and whether it was shortened.
    pub leg: Option<([BigInt; 4], bool)>,
}

/// A round as the report has it.
pub struct RoundFacts {
    /// Number of the round.
    pub number: String,
    /// The market.
    pub market: usize,
    /// Trader account of the bankrupt.
    pub bankrupt: String,
    time: String,
    /// +1 when the counterparties are long, -1 when short.
    pub sign: BigInt,
    marks: Vec<BigInt>,
    tolerance_bps: BigInt,
    by_record: bool,
    to_equity: bool,
    least: BigInt,
    /// Lots of the bankrupt.
    size: BigInt,
    /// Its margin as recorded and, of a leg, as its account gives it.
    margins: [BigInt; 2],
    /// What closing all of it at its zero price comes to once insurance has paid.
    close_quote: BigInt,
    stated_close: BigRational,
    deficit: BigInt,
    insured: BigInt,
    queue: Vec<Candidate>,
    listed: Vec<String>,
    /// What was cut, in order.
    pub cuts: Vec<CutFacts>,
    /// Lots closed.
    pub closed: BigInt,
    /// What counterparties gave up, recomputed.
    pub gave_up: BigInt,
    /// The deficit of the closed lots after insurance, recomputed.
    pub uncovered: BigInt,
    stated: Stated,
}

/// Totals that the report states.
struct Stated {
    deficit: BigInt,
    insurance_paid: BigInt,
    closed: BigInt,
    gave_up: BigInt,
    uncovered: BigInt,
}

impl RoundFacts {
    /// Reads a round and recomputes what its cuts follow from.
    pub fn read(value: &Value, markets: &Markets) -> Result<Self> {
        let market = usize::try_from(value["market"].as_u64().context("`market` is no number")?)?;
        let brackets = &markets.brackets;
        let marks = Marks::read(value)?;
        let mark = marks.mark(market)?.clone();
        let bankrupt = &value["bankrupt"];
        let lots = integer(bankrupt, "lots")?;
        let sign = BigInt::from(if lots > BigInt::from(0) { -1 } else { 1 });
        let size = magnitude(&lots);
        let stated_margin = integer(bankrupt, "margin_atoms")?;
        let margin = match &value["bankrupt_account"] {
            Value::Null => stated_margin.clone(),
            account => Account::read(account, &marks, brackets)?
                .stands(market)?
                .margin_of_share(),
        };
        let entry = magnitude(&integer(bankrupt, "entry_quote_atoms")?);
        let bare_quote = entry + &sign * &margin;
        let deficit = &sign * (&size * &mark - &bare_quote);
        let insured = integer(value, "cover_atoms")?.min(deficit.clone());
        let close_quote = &bare_quote + &sign * &insured;
        let cuts: Vec<CutFacts> = list(value, "cut")?
            .iter()
            .map(CutFacts::read)
            .collect::<Result<_>>()?;
        let closed: BigInt = cuts.iter().map(|cut| &cut.lots).sum();
        let uncovered = share(&(&deficit - &insured), &closed, &size, false);
        let listed = list(value, "listed")?.iter().filter_map(Value::as_str);
        let mut round = Self {
            number: integer(value, "round")?.to_string(),
            market,
            bankrupt: text(bankrupt, "trader")?.to_owned(),
            time: integer(value, "timestamp")?.to_string(),
            tolerance_bps: integer(value, "rank_tolerance_bps")?,
            by_record: flag(value, "by_record")?,
            to_equity: flag(value, "to_equity")?,
            least: integer(value, "min_position_lots")?,
            margins: [stated_margin, margin],
            stated_close: BigRational::new(
                integer(value, "close_quote_atoms")?,
                integer(value, "close_lots")?,
            ),
            queue: Vec::new(),
            listed: listed.map(str::to_owned).collect(),
            gave_up: BigInt::from(0),
            stated: Stated {
                deficit: integer(value, "deficit_atoms")?,
                insurance_paid: integer(value, "insurance_paid_atoms")?,
                closed: integer(value, "closed_lots")?,
                gave_up: integer(value, "winners_gave_up_atoms")?,
                uncovered: integer(value, "uncovered_deficit_atoms")?,
            },
            marks: marks.all(),
            sign,
            size,
            close_quote,
            deficit,
            insured,
            cuts,
            closed,
            uncovered,
        };
        round.queue = list(value, "queue")?
            .iter()
            .map(|line| round.candidate(line, value, &marks, brackets))
            .collect::<Result<_>>()?;
        let (_, quote) = round.quotes(&round.closed);
        round.gave_up = &round.sign * (&round.closed * &mark - quote);
        Ok(round)
    }

    fn candidate(
        &self,
        line: &Value,
        round: &Value,
        marks: &Marks,
        brackets: &[Brackets],
    ) -> Result<Candidate> {
        let lots = magnitude(&integer(line, "lots")?);
        let entry = magnitude(&integer(line, "entry_quote_atoms")?);
        let stands = match &line["account"] {
            Value::Null => None,
            account => Some(Account::read(account, marks, brackets)?.stands(self.market)?),
        };
        let margin = match &stands {
            Some(stands) => stands.margin_of_all(),
            None => integer(line, "margin_atoms")?,
        };
        let cap = Cap {
            max_close_bps: &integer(round, "max_close_bps")?,
            least_lots: &self.least,
        };
        let already = integer(line, "already_cut_in_pass")?;
        let terms = Terms {
            sign: &self.sign,
            mark: marks.mark(self.market)?,
            close: &self.close_price(),
            min_profit_bps: &integer(round, "min_profit_bps")?,
        };
        let standing = terms.standing(&lots, &entry, &margin);
        Ok(Candidate {
            trader: text(line, "trader")?.to_owned(),
            cap_left: cap.left(&lots, &already, flag(line, "at_cap")?),
            solvent: standing.solvent,
            rank: standing.rank(&self.sign, integer(line, "sequence")?),
            stands,
            lots,
            entry,
        })
    }

    fn close_price(&self) -> BigRational {
        BigRational::new(self.close_quote.clone(), self.size.clone())
    }

    /// Worth of so many lots at the close price, rounded against and in favour of counterparties.
    fn quotes(&self, lots: &BigInt) -> (BigInt, BigInt) {
        let long = self.sign > BigInt::from(0);
        let quote = |up| share(&self.close_quote, lots, &self.size, up);
        (quote(!long), quote(long))
    }

    /// Lots with which somebody stands in the queue, without sign.
    pub fn lots_of(&self, trader: &str) -> Option<&BigInt> {
        self.find(trader).map(|candidate| &candidate.lots)
    }

    fn find(&self, trader: &str) -> Option<&Candidate> {
        let mut queue = self.queue.iter();
        queue.find(|candidate| candidate.trader == trader)
    }

    /// Lots by which one may be cut; nothing where it may not be.
    fn borne(&self, candidate: &Candidate, to_equity: bool) -> BigInt {
        let Some(stands) = &candidate.stands else {
            return match candidate.solvent {
                true => candidate.cap_left.clone(),
                false => BigInt::from(0),
            };
        };
        let mark = self.marks.get(self.market).cloned().unwrap_or_default();
        let (against, _) = self.quotes(&candidate.lots);
        let loss = &self.sign * (&candidate.lots * mark - against);
        let borne = stands.borne(&loss, &candidate.lots, &candidate.cap_left, to_equity);
        let whole = &candidate.lots - &self.least;
        match borne {
            None => BigInt::from(0),
            Some(borne) if borne < candidate.cap_left && borne < candidate.lots => {
                borne.min(whole.max(BigInt::from(0)))
            }
            Some(borne) => borne,
        }
    }

    /// Holds everything against the rules.
    pub fn check(&self, markets: &Markets, verdict: &mut Verdict) {
        verdict.rounds += 1;
        verdict.cuts += self.cuts.len();
        verdict.ranked += self.queue.len();
        let legs = self.queue.iter().filter(|one| one.stands.is_some());
        verdict.accounts += legs.count();
        self.check_order(verdict);
        self.check_money(markets, verdict);
    }

    fn check_order(&self, verdict: &mut Verdict) {
        let mut fault = |what: String| {
            let fault = format!("round {}: {what}", self.number);
            verdict.order_faults.push(fault);
        };
        let mut last: Option<&Rank> = None;
        let mut listed = self.listed.iter();
        for CutFacts { trader, .. } in &self.cuts {
            if !listed.any(|other| other == trader) {
                fault(format!("{trader} was cut but not listed in that order"));
            }
            let Some(candidate) = self.find(trader) else {
                fault(format!("{trader} was cut but was not in a queue"));
                continue;
            };
            if last.is_some_and(|last| candidate.rank <= *last) {
                fault(format!(
                    "{trader} was cut after somebody who ranks below it"
                ));
            }
            last = Some(&candidate.rank);
        }
        let Some(last) = last else {
            fault("nobody was cut".to_owned());
            return;
        };
        for candidate in &self.queue {
            // Legs are passed over by their records alone, or because their accounts could not keep maintenance.
            let asked = match &candidate.stands {
                None => true,
                Some(stands) => !self.by_record && stands.is_healthy(),
            };
            let spared = self.cuts.iter().all(|cut| cut.trader != candidate.trader);
            if asked
                && spared
                && self.borne(candidate, false) > BigInt::from(0)
                && skipped(&candidate.rank, last, &self.tolerance_bps)
            {
                fault(format!("{} was skipped", candidate.trader));
            }
        }
    }

    fn check_money(&self, markets: &Markets, verdict: &mut Verdict) {
        let mut fault = |what: String| {
            let fault = format!("round {}: {what}", self.number);
            verdict.money_faults.push(fault);
        };
        if markets.marks.get(&self.time) != Some(&self.marks) {
            fault("its marks are not the prices of the path".to_owned());
        }
        if self.stated_close != self.close_price() {
            let (said, found) = (&self.stated_close, self.close_price());
            fault(format!(
                "close price is {said} in the report, {found} recomputed"
            ));
        }
        let mut equal = |what: &str, said: &BigInt, found: &BigInt| {
            if said != found {
                fault(format!(
                    "{what} is {said} in the report, {found} recomputed"
                ));
            }
        };
        let [said_margin, margin] = &self.margins;
        equal("margin of the bankrupt", said_margin, margin);
        let (stated, insured) = (&self.stated, &self.insured);
        let paid = share(insured, &self.closed, &self.size, false);
        equal("deficit", &stated.deficit, &self.deficit);
        equal("insurance paid", &stated.insurance_paid, &paid);
        equal("lots closed", &stated.closed, &self.closed);
        equal(
            "deficit of the closed lots",
            &stated.uncovered,
            &self.uncovered,
        );
        equal("what was given up", &stated.gave_up, &self.gave_up);
        equal(
            "what was given up, against the deficit,",
            &self.gave_up,
            &self.uncovered,
        );
        let mut before = BigInt::from(0);
        for cut in &self.cuts {
            let Some(candidate) = self.find(&cut.trader) else {
                continue;
            };
            self.check_cut(cut, candidate, &before, &mut equal);
            before += &cut.lots;
        }
    }

    /// One cut, after so many lots were closed.
    fn check_cut(
        &self,
        cut: &CutFacts,
        candidate: &Candidate,
        before: &BigInt,
        equal: &mut impl FnMut(&str, &BigInt, &BigInt),
    ) {
        let CutFacts { trader, lots, .. } = cut;
        let borne = self.borne(candidate, self.to_equity);
        let allowed = (&self.size - before).min(borne.clone());
        equal(&format!("{trader}: lots"), lots, &allowed);
        let quote = self.quotes(&(before + lots)).1 - self.quotes(before).1;
        equal(&format!("{trader}: quote"), &cut.quote, &quote);
        // The entry of the closed lots rounds against the counterparty.
        let long = self.sign > BigInt::from(0);
        let entry = share(&candidate.entry, lots, &candidate.lots, long);
        let realized = &self.sign * (&quote - entry);
        equal(&format!("{trader}: realized"), &cut.realized, &realized);
        let mark = self.marks.get(self.market).cloned().unwrap_or_default();
        let gave_up = &self.sign * (lots * mark - &quote);
        equal(&format!("{trader}: given up"), &cut.gave_up, &gave_up);
        let legs = [cut.leg.is_some(), candidate.stands.is_some()].map(BigInt::from);
        equal(&format!("{trader}: a leg"), &legs[0], &legs[1]);
        let (Some((facts, shortened)), Some(stands)) = (&cut.leg, &candidate.stands) else {
            return;
        };
        let found = [
            stands.equity.clone(),
            stands.requirement.clone(),
            stands.leg_requirement.clone(),
            &stands.pool_paid + realized,
        ];
        let names = [
            "equity",
            "maintenance margin",
            "that of the leg",
            "the pool after",
        ];
        for ((name, said), found) in names.iter().zip(facts).zip(&found) {
            equal(&format!("{trader}: {name}"), said, found);
        }
        let short = *lots == borne && borne < candidate.cap_left;
        let [said, found] = [*shortened, short].map(BigInt::from);
        equal(&format!("{trader}: shortened"), &said, &found);
    }
}

impl CutFacts {
    fn read(value: &Value) -> Result<Self> {
        let leg = match &value["leg"] {
            Value::Null => None,
            leg => Some((
                [
                    integer(leg, "equity_atoms")?,
                    integer(leg, "requirement_atoms")?,
                    integer(leg, "leg_requirement_atoms")?,
                    integer(leg, "pool_after_atoms")?,
                ],
                flag(leg, "shortened")?,
            )),
        };
        Ok(Self {
            trader: text(value, "trader")?.to_owned(),
            lots: integer(value, "lots")?,
            quote: integer(value, "quote_atoms")?,
            realized: integer(value, "realized_atoms")?,
            gave_up: integer(value, "gave_up_atoms")?,
            leg,
        })
    }
}

/// Marks and funding indices of a round, by market.
pub struct Marks(Vec<(BigInt, BigInt)>);

impl Marks {
    fn read(round: &Value) -> Result<Self> {
        let lines = list(round, "marks")?.iter();
        let line = |line: &Value| {
            Ok((
                integer(line, "mark_atoms")?,
                integer(line, "funding_index")?,
            ))
        };
        Ok(Self(lines.map(line).collect::<Result<_>>()?))
    }

    /// Mark and funding index of a market.
    pub fn of(&self, market: usize) -> Result<&(BigInt, BigInt)> {
        let line = self.0.get(market);
        line.with_context(|| format!("no mark of market {market}"))
    }

    fn mark(&self, market: usize) -> Result<&BigInt> {
        Ok(&self.of(market)?.0)
    }

    fn all(&self) -> Vec<BigInt> {
        self.0.iter().map(|(mark, _)| mark.clone()).collect()
    }
}

fn flag(value: &Value, field: &str) -> Result<bool> {
    value[field]
        .as_bool()
        .with_context(|| format!("`{field}` is not true or false"))
}
