//! Rounds held against the rest of the report: who held what when, what insurance held, which
//! pass was open, and the totals.
//!
//! Where a figure disagrees, the ledger goes on with what is recorded, so that one fault is not told
//! again by every round after it.

use std::collections::{BTreeMap, BTreeSet};

use ballast_engine::queue::{CutStamp, PASS_SLOTS};
use ballast_report::model::{LiquidationLine, Report, Round, Scenario};
use ballast_report::pool;
use ballast_report::traders::Direction;
use ballast_report::trading::{BookSummary, TradeLine};
use ballast_report::waterfall::{self, movements};
use serde::Serialize;

use crate::audit::{Audit, Fault};
use crate::decision::Decision;

/// The market as the report's own records imply it, event by event.
struct Ledger<'a> {
    report: &'a Report,
    /// Liquidations and trades that have been followed.
    liquidations_seen: usize,
    trades_seen: usize,
    /// Signed lots by trader account.
    lots: BTreeMap<&'a str, i64>,
    /// Ages in the queue.
    sequences: BTreeMap<&'a str, u64>,
    /// What cuts have left in the queue, by trader and age.
    stamps: BTreeMap<(&'a str, u64), CutStamp>,
    insurance: i128,
    /// Passes opened by each side's queue.
    passes: BTreeMap<Direction, u32>,
    /// Slot in which each side's queue opened its pass.
    opened: BTreeMap<Direction, u64>,
    /// Slot of the last round of each bankruptcy that is not over.
    open: BTreeMap<&'a str, u64>,
    /// Sides of which the last round could not be decided: what it left in the queue is not known.
    unknown: BTreeSet<Direction>,
    /// Lots and atoms given up by trader.
    taken: BTreeMap<&'a str, (u64, i64)>,
}

/// The account of the backstop pool, if there is one.
fn pool_of(scenario: &Scenario) -> Option<&String> {
    Some(&scenario.pool_account).filter(|account| !account.is_empty())
}

/// Follows the whole report. `decisions` belong to the rounds, where they could be decided.
pub fn follow(report: &Report, decisions: &[Option<&Decision>], audit: &mut Audit) {
    let mut ledger = Ledger::new(report, audit);
    for (index, (round, decision)) in (0_u64..).zip(report.adl.iter().zip(decisions)) {
        ledger.events_before(index);
        audit.equal(format!("adl[{index}].round"), round.round, index + 1);
        ledger.before(round, audit);
        ledger.after(round, *decision);
    }
    ledger.events_before(u64::MAX);
    ledger.end(audit);
    totals(report, audit);
}

impl<'a> Ledger<'a> {
    fn new(report: &'a Report, audit: &mut Audit) -> Self {
        let scenario = &report.scenario;
        let makers = report.market_makers.iter().map(|line| &line.trader);
        let others = scenario
            .keeper_accounts
            .iter()
            .chain(&scenario.taker_accounts)
            .chain(pool_of(scenario));
        let others = others.chain(makers);
        let population = report.traders.iter();
        let people = population.clone().map(|line| line.trader.as_str());
        let unique: BTreeSet<&str> = people.chain(others.clone().map(String::as_str)).collect();
        audit.equal(
            "traders, keepers, takers, market makers and the pool, different ones",
            unique.len(),
            population.len() + others.clone().count(),
        );
        Self {
            report,
            liquidations_seen: 0,
            trades_seen: 0,
            lots: population
                .clone()
                .map(|line| (line.trader.as_str(), line.lots_start))
                .chain(others.map(|other| (other.as_str(), 0)))
                .collect(),
            sequences: population
                .map(|line| (line.trader.as_str(), line.sequence))
                .collect(),
            stamps: BTreeMap::new(),
            insurance: i128::from(report.summary.insurance_start_atoms),
            passes: BTreeMap::new(),
            opened: BTreeMap::new(),
            open: BTreeMap::new(),
            unknown: BTreeSet::new(),
            taken: BTreeMap::new(),
        }
    }

    /// Liquidations and trades, in order, as long as no more than `rounds` rounds came before.
    fn events_before(&mut self, rounds: u64) {
        let report = self.report;
        loop {
            let (trade, line) = (
                report.trades.get(self.trades_seen),
                report.liquidations.get(self.liquidations_seen),
            );
            let seen = u64::try_from(self.liquidations_seen).unwrap_or(u64::MAX);
            let line = line.filter(|line| line.after_rounds <= rounds);
            let trade = trade.filter(|trade| {
                let first = trade.after_liquidations <= seen || line.is_none();
                trade.after_rounds <= rounds && first
            });
            if let Some(trade) = trade {
                self.trade(trade);
                self.trades_seen += 1;
            } else if let Some(line) = line {
                self.liquidate(line);
                self.liquidations_seen += 1;
            } else {
                return;
            }
        }
    }

    fn liquidate(&mut self, line: &'a LiquidationLine) {
        for (trader, lots) in movements(line, &self.report.scenario.pool_account) {
            self.shift(trader, lots);
        }
        self.insurance += i128::from(line.insurance_fee_atoms);
        self.insurance -= i128::from(line.insurance_paid_atoms);
        self.insurance -= i128::from(line.pool_premium_atoms);
    }

    fn trade(&mut self, line: &'a TradeLine) {
        self.shift(&line.trader, line.lots);
        for fill in &line.fills {
            self.shift(&fill.maker, -signed(fill.lots) * line.lots.signum());
        }
    }

    /// Adds signed lots. A position that closes or turns joins a queue anew later.
    fn shift(&mut self, trader: &'a str, lots: i64) {
        let held = self.lots.entry(trader).or_default();
        let before = held.signum();
        *held = held.saturating_add(lots);
        if held.signum() != before {
            self.sequences.remove(trader);
        }
    }

    fn before(&mut self, round: &'a Round, audit: &mut Audit) {
        let at = |field: &str| format!("round {}: {field}", round.round);
        let scenario = &self.report.scenario;
        let parameters = [
            (
                "rank_tolerance_bps",
                round.rank_tolerance_bps,
                scenario.rank_tolerance_bps,
            ),
            ("max_close_bps", round.max_close_bps, scenario.adl_step_bps),
            (
                "min_profit_bps",
                round.min_profit_bps,
                scenario.min_profit_bps,
            ),
        ];
        for (field, recorded, chosen) in parameters {
            audit.equal(at(&format!("{field}, against scenario")), recorded, chosen);
        }
        audit.equal(
            at("min_position_lots, against scenario"),
            round.min_position_lots,
            scenario.min_position_lots,
        );
        audit.equal(
            at("atoms_per_lot_tick, against scenario"),
            round.atoms_per_lot_tick,
            scenario.atoms_per_lot_tick,
        );
        audit.equal(
            at("insurance_before_atoms, against all payments before"),
            i128::from(round.insurance_before_atoms),
            self.insurance,
        );
        self.insurance = i128::from(round.insurance_before_atoms);
        self.price(round, audit);
        self.holders(round, audit);
        self.left_in_queue(round, audit);
        self.pass(round, audit);
        self.unknown.remove(&round.counterparty_side);
    }

    fn price(&self, round: &Round, audit: &mut Audit) {
        let at = |field: &str| format!("round {}: {field}", round.round);
        let mut path = self.report.path.iter();
        let Some(step) = path.find(|step| step.timestamp == round.timestamp) else {
            audit.fail(at("timestamp"), round.timestamp, "one of `path`");
            return;
        };
        audit.equal(at("slot, against path"), round.slot, step.slot);
        audit.equal(
            at("mark_ticks, against path"),
            round.mark_ticks,
            step.price_ticks,
        );
    }

    /// The queue must hold everybody on its side, with the lots that the events before left.
    fn holders(&mut self, round: &'a Round, audit: &mut Audit) {
        let at = |field: &str| format!("round {}: {field}", round.round);
        let bankrupt = &round.bankrupt;
        let field = at(&format!("bankrupt, lots of {}", bankrupt.trader));
        self.holder(&bankrupt.trader, bankrupt.lots, field, audit);
        let sign = match round.counterparty_side {
            Direction::Long => 1,
            Direction::Short => -1,
        };
        let mut missing: BTreeSet<&str> = self
            .lots
            .iter()
            .filter(|(_, lots)| lots.signum() == sign)
            .map(|(trader, _)| *trader)
            .collect();
        for (index, line) in round.queue.iter().enumerate() {
            let field = at(&format!("queue[{index}], lots of {}", line.trader));
            self.holder(&line.trader, line.lots, field, audit);
            audit.holds(missing.remove(line.trader.as_str()), || Fault {
                field: at(&format!("queue[{index}].trader")),
                recorded: line.trader.clone(),
                recomputed: "somebody on that side who is not in the queue already".to_owned(),
            });
        }
        for trader in missing {
            audit.fail(at("queue"), format!("without {trader}"), "with it");
        }
    }

    fn holder(&mut self, trader: &'a str, recorded: i64, field: String, audit: &mut Audit) {
        let held = self.lots.get_mut(trader);
        audit.equal(field, recorded, held.as_deref().copied().unwrap_or(0));
        if let Some(held) = held {
            *held = recorded;
        }
    }

    /// Ages never change, and stamps are those that earlier cuts have left.
    fn left_in_queue(&mut self, round: &'a Round, audit: &mut Audit) {
        let known = !self.unknown.contains(&round.counterparty_side);
        for (index, line) in round.queue.iter().enumerate() {
            let at = |field: &str| format!("round {}: queue[{index}].{field}", round.round);
            let sequence = *self.sequences.entry(&line.trader).or_insert(line.sequence);
            audit.equal(at("sequence"), line.sequence, sequence);
            let key = (line.trader.as_str(), line.sequence);
            let recorded = CutStamp {
                epoch: line.node.cut_epoch,
                lots: line.node.cut_lots,
                capped_epoch: line.node.capped_epoch,
            };
            let left = self.stamps.insert(key, recorded).unwrap_or_default();
            let left = if known { left } else { recorded };
            for (field, recorded, left) in [
                ("node.cut_epoch", recorded.epoch, left.epoch),
                ("node.cut_lots", recorded.lots, left.lots),
                (
                    "node.capped_epoch",
                    recorded.capped_epoch,
                    left.capped_epoch,
                ),
            ] {
                audit.equal(at(field), recorded, left);
            }
        }
    }

    fn pass(&self, round: &Round, audit: &mut Audit) {
        if self.unknown.contains(&round.counterparty_side) {
            return;
        }
        let at = |field: &str| format!("round {}: {field}", round.round);
        let opened = self.passes.get(&round.counterparty_side).copied();
        audit.equal(
            at("passes_before, against the rounds before"),
            round.passes_before,
            opened.unwrap_or(0),
        );
        let lasts = self
            .opened
            .get(&round.counterparty_side)
            .is_some_and(|slot| round.slot.saturating_sub(*slot) <= PASS_SLOTS);
        let open = self.open.get(round.bankrupt.trader.as_str());
        let expected = match open {
            // At a later price it may have recovered and gone bankrupt again.
            Some(slot) if !lasts && round.pass_before == 0 && *slot != round.slot => 0,
            None if !lasts => 0,
            _ => opened.unwrap_or(0),
        };
        audit.equal(
            at("pass_before, against the rounds before"),
            round.pass_before,
            expected,
        );
    }

    fn after(&mut self, round: &'a Round, decision: Option<&Decision>) {
        self.insurance -= i128::from(round.insurance_paid_atoms);
        for cut in &round.cut {
            let held = self.lots.get(cut.trader.as_str()).copied().unwrap_or(0);
            self.shift(&cut.trader, -signed(cut.lots) * held.signum());
            let taken = self.taken.entry(&cut.trader).or_default();
            taken.0 = taken.0.saturating_add(cut.lots);
            taken.1 = taken.1.saturating_add(cut.gave_up_atoms);
        }
        let bankrupt = round.bankrupt.trader.as_str();
        let held = self.lots.get(bankrupt).copied().unwrap_or(0);
        self.shift(bankrupt, -signed(round.closed_lots) * held.signum());
        let over = self.lots.get(bankrupt).is_none_or(|lots| *lots == 0);
        let Some(decision) = decision else {
            self.unknown.insert(round.counterparty_side);
            return;
        };
        let side = round.counterparty_side;
        if self.passes.insert(side, decision.passes) != Some(decision.passes) {
            self.opened.insert(side, round.slot);
        }
        self.open.remove(bankrupt);
        if !over {
            self.open.insert(bankrupt, round.slot);
        }
        for line in &round.queue {
            let done = decision.cuts.iter().find(|done| done.trader == line.trader);
            if let Some(done) = done {
                let key = (line.trader.as_str(), line.sequence);
                self.stamps.insert(key, done.cut.stamp);
            }
        }
    }

    fn end(&self, audit: &mut Audit) {
        let first = self.report.adl.first();
        for (index, line) in self.report.market_makers.iter().enumerate() {
            let field = format!("market_makers[{index}].lots_end, against the trades");
            let lots = self.lots.get(line.trader.as_str()).copied().unwrap_or(0);
            audit.equal(field, line.lots_end, lots);
        }
        for (index, line) in self.report.traders.iter().enumerate() {
            let at = |field: &str| format!("traders[{index}].{field}, against the rounds");
            let trader = line.trader.as_str();
            let lots = self.lots.get(trader).copied().unwrap_or(0);
            let (taken, gave_up) = self.taken.get(trader).copied().unwrap_or_default();
            audit.equal(at("lots_end"), line.lots_end, lots);
            audit.equal(at("adl_lots"), line.adl_lots, taken);
            audit.equal(at("adl_gave_up_atoms"), line.adl_gave_up_atoms, gave_up);
            let mut queued = first.iter().flat_map(|round| &round.queue);
            let before = queued.find(|queued| queued.trader == line.trader);
            let before = before.map_or(0, |queued| queued.lights);
            audit.equal(at("lights_before"), line.lights_before, before);
        }
        if let Some(account) = pool_of(&self.report.scenario) {
            audit.equal(
                "summary.pool.lots_end, against the trades",
                self.report.summary.pool.lots_end,
                self.lots.get(account.as_str()).copied().unwrap_or(0),
            );
        }
        audit.equal(
            "summary.insurance_end_atoms, against all payments",
            i128::from(self.report.summary.insurance_end_atoms),
            self.insurance,
        );
    }
}

/// The pool's totals, and its worth at every price: what was deposited and what each of its lines paid.
fn pool_money(report: &Report, audit: &mut Audit) {
    match pool::summary(report) {
        Ok(found) => {
            audit.holds(found == report.summary.pool, || Fault {
                field: "summary.pool, against the lines".to_owned(),
                recorded: format!("{:?}", report.summary.pool),
                recomputed: format!("{found:?}"),
            });
        }
        Err(error) => audit.fail("summary.pool", "sums", error.to_string()),
    }
    match pool::departures(report) {
        Ok(departures) => {
            for departure in departures {
                audit.fail("path, pool_atoms", departure, "what its lines come to");
            }
        }
        Err(error) => audit.fail("path, pool_atoms", "sums", error.to_string()),
    }
}

fn totals(report: &Report, audit: &mut Audit) {
    book(report, audit);
    pool_money(report, audit);
    let (summary, rounds) = (&report.summary, &report.adl);
    let sum = |figure: &dyn Fn(&Round) -> i128| rounds.iter().map(figure).sum::<i128>();
    let gave_up = sum(&|round| i128::from(round.winners_gave_up_atoms));
    let uncovered = sum(&|round| i128::from(round.uncovered_deficit_atoms));
    let count = |number: usize| i128::try_from(number).unwrap_or(i128::MAX);
    let units = summary.compute_units.get("auto_deleverage");
    let units = units.copied().unwrap_or_default();
    let most = rounds.iter().map(|round| round.compute_units).max();
    let stated = [
        (
            "adl_rounds",
            i128::from(summary.adl_rounds),
            count(rounds.len()),
        ),
        (
            "adl_cuts",
            i128::from(summary.adl_cuts),
            sum(&|round| count(round.cut.len())),
        ),
        (
            "winners_gave_up_atoms",
            i128::from(summary.winners_gave_up_atoms),
            gave_up,
        ),
        (
            "uncovered_deficit_atoms",
            i128::from(summary.uncovered_deficit_atoms),
            uncovered,
        ),
        (
            "overshoot_atoms",
            i128::from(summary.overshoot_atoms),
            gave_up - uncovered,
        ),
        (
            "insurance_paid_in_adl_atoms",
            i128::from(summary.insurance_paid_in_adl_atoms),
            sum(&|round| i128::from(round.insurance_paid_atoms)),
        ),
        (
            "compute_units.auto_deleverage.count",
            i128::from(units.count),
            count(rounds.len()),
        ),
        (
            "compute_units.auto_deleverage.total",
            i128::from(units.total),
            sum(&|round| i128::from(round.compute_units)),
        ),
        (
            "compute_units.auto_deleverage.max",
            i128::from(units.max),
            i128::from(most.unwrap_or(0)),
        ),
    ];
    for (field, recorded, found) in stated {
        audit.equal(
            format!("summary.{field}, against the rounds"),
            recorded,
            found,
        );
    }
}

/// What the book and the stages of the waterfall add up to.
fn book(report: &Report, audit: &mut Audit) {
    match waterfall::stages(report) {
        Ok(stages) => {
            let agree = stages == report.waterfall;
            audit.holds(agree, || Fault {
                field: "waterfall, against liquidations and rounds".to_owned(),
                recorded: as_json(&report.waterfall),
                recomputed: as_json(&stages),
            });
        }
        Err(error) => audit.fail("waterfall", "added up", error),
    }
    let recorded = &report.summary.book;
    match waterfall::book(report) {
        Ok(found) => {
            let kept = BookSummary {
                orders_placed: recorded.orders_placed,
                stop_losses_refused: recorded.stop_losses_refused,
                rounds_before_book: recorded.rounds_before_book,
                states_checked: recorded.states_checked,
                broken_states: recorded.broken_states,
                margin_error_atoms: recorded.margin_error_atoms,
                ..found
            };
            audit.holds(kept == *recorded, || Fault {
                field: "summary.book, against trades and liquidations".to_owned(),
                recorded: as_json(recorded),
                recomputed: as_json(&kept),
            });
        }
        Err(error) => audit.fail("summary.book", "added up", error),
    }
}

/// A part of the report as its file has it.
fn as_json(part: &impl Serialize) -> String {
    serde_json::to_string(part).unwrap_or_else(|error| error.to_string())
}

/// Lots as a signed number; what is too large to be lots stays too large.
fn signed(lots: u64) -> i64 {
    i64::try_from(lots).unwrap_or(i64::MAX / 4)
}
