//! What the backstop pool did and what became of it, from the report's own lines. Units as in the
//! rest of the report.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::model::Report;
use crate::trading::{signed, Stage, TradeKind};
use crate::waterfall::{self, TOO_LARGE};

/// The pool over the whole path; zeros where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSummary {
    /// Times that it took lots over.
    pub takes: u64,
    /// Lots that it took over.
    pub taken_lots: u64,
    /// Their notional at the marks.
    pub taken_notional_atoms: u64,
    /// What it paid less than the mark for them.
    pub discount_atoms: i64,
    /// What insurance paid it beside.
    pub premium_atoms: u64,
    /// Times that it closed lots in the book.
    pub unwinds: u64,
    /// Lots that it closed there.
    pub unwound_lots: u64,
    /// What it got for them more than the mark; a loss when negative.
    pub unwound_gain_atoms: i64,
    /// Fees of the market for them.
    pub fees_atoms: u64,
    /// What keepers got for closing them.
    pub keeper_atoms: u64,
    /// Most lots that it held after the keepers had acted on a price.
    pub most_lots: u64,
    /// Signed lots at the end.
    pub lots_end: i64,
    /// Its worth at the last price.
    pub end_atoms: i64,
    /// That less what was deposited.
    pub result_atoms: i64,
    /// Largest fall of its worth, at the prices, from what it had been worth before.
    pub worst_drawdown_atoms: i64,
    /// Largest such fall as a part of the worth before, millionths, rounded up.
    pub worst_drawdown_ppm: u64,
}

/// What the lines of a report tell of its pool.
///
/// # Errors
/// Sums that do not fit 64 bits.
pub fn summary(report: &Report) -> Result<PoolSummary> {
    let mut pool = PoolSummary::default();
    if report.scenario.pool_account.is_empty() {
        return Ok(pool);
    }
    takes(report, &mut pool)?;
    unwinds(report, &mut pool)?;
    worth(report, &mut pool)?;
    Ok(pool)
}

fn takes(report: &Report, pool: &mut PoolSummary) -> Result<()> {
    let stages = waterfall::stages(report)?;
    let stage = stages.iter().find(|line| line.stage == Stage::Pool);
    let stage = stage.context("the waterfall has a stage of the pool")?;
    pool.takes = stage.events;
    pool.taken_lots = stage.lots;
    pool.taken_notional_atoms = stage.notional_atoms;
    let lines = report.liquidations.iter();
    pool.premium_atoms = lines.map(|line| line.pool_premium_atoms).sum();
    let discount = stage.gained_atoms.checked_sub_unsigned(pool.premium_atoms);
    pool.discount_atoms = discount.context(TOO_LARGE)?;
    Ok(())
}

fn unwinds(report: &Report, pool: &mut PoolSummary) -> Result<()> {
    let per_tick = i128::from(report.scenario.atoms_per_lot_tick);
    let mut gain = 0_i128;
    let lines = report.trades.iter();
    for line in lines.filter(|line| line.kind == TradeKind::Unwind) {
        pool.unwinds += 1;
        pool.fees_atoms += line.fee_atoms;
        pool.keeper_atoms += line.keeper_atoms;
        for fill in &line.fills {
            pool.unwound_lots += fill.lots;
            // Differences of prices within 31 bits, lots within 32.
            let above = i128::from(fill.price_ticks) - i128::from(line.mark_ticks);
            let worth = above * per_tick * i128::from(fill.lots);
            gain -= worth * i128::from(line.lots.signum());
        }
    }
    pool.unwound_gain_atoms = i64::try_from(gain).context(TOO_LARGE)?;
    Ok(())
}

fn worth(report: &Report, pool: &mut PoolSummary) -> Result<()> {
    let deposit = i64::try_from(report.scenario.pool_deposit_atoms)?;
    let mut height = deposit;
    pool.end_atoms = deposit;
    for step in &report.path {
        height = height.max(step.pool_atoms);
        let fall = height - step.pool_atoms;
        pool.worst_drawdown_atoms = pool.worst_drawdown_atoms.max(fall);
        let part =
            (i128::from(fall) * 1_000_000 + i128::from(height) - 1) / i128::from(height.max(1));
        pool.worst_drawdown_ppm = pool.worst_drawdown_ppm.max(u64::try_from(part.max(0))?);
        pool.most_lots = pool.most_lots.max(step.pool_lots.unsigned_abs());
        pool.lots_end = step.pool_lots;
        pool.end_atoms = step.pool_atoms;
    }
    pool.result_atoms = pool.end_atoms - deposit;
    Ok(())
}

/// What the pool owns, from its deposit and its lines alone.
struct Account<'a> {
    report: &'a Report,
    lots: i128,
    /// What it has paid and got, the deposit included.
    cash: i128,
    /// What rounds have taken of profit that the market held; part of it may have been the pool's.
    held_paid: u64,
    /// Its own liquidation or deleveraging, whose money is not in the lines.
    lost: bool,
}

impl Account<'_> {
    fn is_pool(&self, trader: &str) -> bool {
        self.report.scenario.pool_account == trader
    }

    /// It buys `lots` for `quote`, or sells where they are negative.
    fn buys(&mut self, lots: i128, quote: u64) {
        self.lots += lots;
        self.cash -= lots.signum() * i128::from(quote);
    }

    /// Everything of one price: lines are of the price with the same timestamp.
    fn follow(&mut self, timestamp: i64) {
        let report = self.report;
        let per_tick = report.scenario.atoms_per_lot_tick;
        let liquidations = report.liquidations.iter();
        for line in liquidations.filter(|line| line.timestamp == timestamp) {
            self.lost |= self.is_pool(&line.trader) && line.lots > 0;
            let side = i128::from(signed(line.direction, 1));
            self.buys(side * i128::from(line.pool_lots), line.pool_quote_atoms);
            self.cash += i128::from(line.pool_premium_atoms);
        }
        let trades = report
            .trades
            .iter()
            .filter(|line| line.timestamp == timestamp);
        for line in trades.filter(|line| line.kind == TradeKind::Unwind) {
            for fill in &line.fills {
                let lots = i128::from(fill.lots) * i128::from(line.lots.signum());
                self.buys(lots, fill.lots * fill.price_ticks * per_tick);
            }
            self.cash -= i128::from(line.fee_atoms) + i128::from(line.keeper_atoms);
            // Whoever takes is paid for orders that it removes.
            for removal in &line.removed {
                self.cash += i128::from(removal.fee_atoms);
            }
        }
        for round in report
            .adl
            .iter()
            .filter(|round| round.timestamp == timestamp)
        {
            self.lost |= self.is_pool(&round.bankrupt.trader);
            self.held_paid += round.held_paid_atoms;
            for cut in round
                .cut
                .iter()
                .filter(|cut| self.report.scenario.pool_account == cut.trader)
            {
                let side = i128::from(signed(round.counterparty_side, 1));
                self.lots -= side * i128::from(cut.lots);
                self.cash += side * i128::from(cut.quote_atoms);
            }
        }
    }
}

/// Prices at which what the pool is said to be worth is not what its deposit and its lines come to:
/// cash paid and got, lots at the mark, funding. What a market holds of a profit may fall short of it
/// by what rounds took of held profit, and by an atom a line. Ends where the pool itself was liquidated
/// or deleveraged.
///
/// # Errors
/// Numbers that do not fit.
pub fn departures(report: &Report) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if report.scenario.pool_account.is_empty() {
        return Ok(found);
    }
    let mut account = Account {
        report,
        lots: 0,
        cash: i128::from(report.scenario.pool_deposit_atoms),
        held_paid: 0,
        lost: false,
    };
    let mut index = report.path.first().map_or(0, |step| step.funding_index);
    for step in &report.path {
        account.cash -= account.lots * (i128::from(step.funding_index) - i128::from(index));
        index = step.funding_index;
        account.follow(step.timestamp);
        if account.lost {
            break;
        }
        let mark = i128::from(step.price_ticks) * i128::from(report.scenario.atoms_per_lot_tick);
        let worth = account.cash + account.lots * mark;
        let missing = worth - i128::from(step.pool_atoms);
        let lines = report.liquidations.len() + report.trades.len();
        let most = i128::from(account.held_paid) + i128::try_from(lines)?;
        let agrees = (0..=most).contains(&missing) && account.lots == i128::from(step.pool_lots);
        if !agrees {
            found.push(format!(
                "at {}: {} lots and {} atoms; its lines come to {} and {worth}",
                step.timestamp, step.pool_lots, step.pool_atoms, account.lots
            ));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::trading::{FillLine, Reason, RemovalLine, TradeLine};

    #[test]
    fn without_a_pool_everything_is_zero() {
        let mut report = sample::report();
        report.scenario.pool_account.clear();
        assert_eq!(summary(&report).expect("nothing"), PoolSummary::default());
    }

    /// The sample's pool takes 10 of 100 lots at 197,700 ticks with the mark at 198,000, and sells
    /// four of them at 197,900.
    #[test]
    fn takes_unwinds_and_the_deepest_fall_add_up() {
        let mut report = sample::report();
        report.trades.push(TradeLine {
            slot: 8,
            timestamp: 1_760_129_660,
            after_liquidations: 1,
            after_rounds: 0,
            kind: TradeKind::Unwind,
            trader: report.scenario.pool_account.clone(),
            lots: -4,
            mark_ticks: 198_000,
            fee_atoms: 396,
            keeper_atoms: 158,
            fills: vec![FillLine {
                maker: "Maker11111111111111111111111111111111111".to_owned(),
                order_id: 4,
                price_ticks: 197_900,
                lots: 4,
                maker_fee_atoms: 0,
            }],
            removed: Vec::new(),
            compute_units: 30_000,
        });
        for (step, atoms) in [(3, 1_100_000), (4, 1_045_000), (5, 1_099_999)] {
            report.path[step].pool_atoms = atoms;
            report.path[step].pool_lots = 10;
        }
        let pool = summary(&report).expect("small numbers");
        let expected = PoolSummary {
            takes: 1,
            taken_lots: 10,
            taken_notional_atoms: 1_980_000,
            discount_atoms: 3_000,
            premium_atoms: 0,
            unwinds: 1,
            unwound_lots: 4,
            unwound_gain_atoms: -400,
            fees_atoms: 396,
            keeper_atoms: 158,
            most_lots: 10,
            lots_end: 0,
            end_atoms: 1_000_000,
            result_atoms: 0,
            worst_drawdown_atoms: 100_000,
            worst_drawdown_ppm: 90_910,
        };
        assert_eq!(pool, expected);
    }

    #[test]
    fn a_pool_that_unwinds_is_paid_for_orders_that_it_removes() {
        let mut report = sample::report();
        report.liquidations.clear();
        report.adl.clear();
        report.trades.push(TradeLine {
            slot: 8,
            timestamp: report.path[0].timestamp,
            after_liquidations: 0,
            after_rounds: 0,
            kind: TradeKind::Unwind,
            trader: report.scenario.pool_account.clone(),
            lots: 0,
            mark_ticks: 198_000,
            fee_atoms: 0,
            keeper_atoms: 0,
            fills: Vec::new(),
            removed: vec![RemovalLine {
                maker: "Maker11111111111111111111111111111111111".to_owned(),
                reason: Reason::Expired,
                price_ticks: 197_900,
                lots: 4,
                fee_atoms: 100_000,
            }],
            compute_units: 30_000,
        });
        for step in &mut report.path {
            (step.pool_lots, step.pool_atoms) = (0, 1_100_000);
        }
        let none: Vec<String> = Vec::new();
        assert_eq!(departures(&report).expect("small numbers"), none);
    }

    #[test]
    fn the_worth_follows_from_deposit_and_lines() {
        let mut report = sample::report();
        report.path.retain(|step| step.timestamp >= 1_760_129_600);
        // 10 lots for 1,977,000 with the mark at what each price says.
        for step in &mut report.path {
            step.pool_lots = 10;
            let mark = i64::try_from(step.price_ticks).expect("a price");
            step.pool_atoms = 1_000_000 - 1_977_000 + 10 * mark;
        }
        report.liquidations[0].timestamp = report.path[0].timestamp;
        let none: Vec<String> = Vec::new();
        assert_eq!(departures(&report).expect("small numbers"), none);
        report.path[4].pool_atoms -= 3;
        report.path[5].pool_atoms += 1;
        report.path[6].pool_lots = 9;
        assert_eq!(departures(&report).expect("small numbers").len(), 3);
        // Longs pay: every price from the second on lacks 10 lots of 2 atoms.
        for step in &mut report.path[1..] {
            step.funding_index = 2;
        }
        assert!(departures(&report).expect("small numbers").len() > 5);
    }
}
