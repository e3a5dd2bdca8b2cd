//! What each stage of the waterfall absorbed, and what happened in the book, from the report's own
//! lines.

use anyhow::Result;

use super::model::{LiquidationLine, Report};
use super::trading::{signed, BookSummary, FillLine, RemovalLine, Stage, StageLine, TradeKind};
use crate::scenario::population::Direction;

/// The stages, in order.
pub fn stages(report: &Report) -> Result<Vec<StageLine>> {
    let per_tick = report.scenario.atoms_per_lot_tick;
    let mut lines: Vec<StageLine> = Stage::ALL.map(empty).into();
    for line in &report.liquidations {
        let mark = line.mark_ticks * per_tick;
        for fill in &line.fills {
            let gained = gain(
                line.direction,
                fill.lots,
                mark,
                fill.price_ticks * per_tick * fill.lots,
            )?;
            add(&mut lines, Stage::Book, fill.lots, mark, gained);
        }
        if line.taken_lots > 0 {
            let stage = taken_by(line);
            let gained = gain(
                line.direction,
                line.taken_lots,
                mark,
                line.taken_quote_atoms,
            )?;
            add(&mut lines, stage, line.taken_lots, mark, gained);
        }
    }
    for round in &report.adl {
        let mark = round.mark_ticks * per_tick;
        for cut in &round.cut {
            add(
                &mut lines,
                Stage::Deleveraging,
                cut.lots,
                mark,
                -cut.gave_up_atoms,
            );
        }
    }
    let paid = &report.summary;
    let paid = paid.insurance_paid_in_liquidations_atoms + paid.insurance_paid_in_adl_atoms;
    let all: u64 = lines.iter().map(|line| line.lots).sum();
    for line in &mut lines {
        if line.stage == Stage::Insurance {
            line.gained_atoms = -i64::try_from(paid)?;
        }
        let share = u128::from(line.lots) * 1_000_000 / u128::from(all.max(1));
        line.share_ppm = u64::try_from(share)?;
    }
    Ok(lines)
}

/// Worth at the mark of what each stage has absorbed up to each price of the path, atoms.
pub fn absorbed(report: &Report) -> Vec<[u64; Stage::ALL.len()]> {
    let per_tick = report.scenario.atoms_per_lot_tick;
    let mut events: Vec<(i64, usize, u64)> = Vec::new();
    for line in &report.liquidations {
        let mark = line.mark_ticks * per_tick;
        let book: u64 = line.fills.iter().map(|fill| fill.lots).sum();
        events.push((line.timestamp, place(Stage::Book), book * mark));
        events.push((
            line.timestamp,
            place(taken_by(line)),
            line.taken_lots * mark,
        ));
    }
    for round in &report.adl {
        let worth = round.closed_lots * round.mark_ticks * per_tick;
        events.push((round.timestamp, place(Stage::Deleveraging), worth));
    }
    events.sort_by_key(|event| event.0);
    let mut events = events.into_iter().peekable();
    let mut sums = [0; Stage::ALL.len()];
    let steps = report.path.iter().map(|step| {
        while let Some((_, stage, worth)) = events.next_if(|event| event.0 <= step.timestamp) {
            sums[stage] += worth;
        }
        sums
    });
    steps.collect()
}

fn place(stage: Stage) -> usize {
    Stage::ALL.iter().position(|one| *one == stage).unwrap_or(0)
}

/// The stage of the lots that a liquidator's account took over.
fn taken_by(line: &LiquidationLine) -> Stage {
    if line.insurance_paid_atoms > 0 {
        Stage::Insurance
    } else {
        Stage::Liquidator
    }
}

const fn empty(stage: Stage) -> StageLine {
    StageLine {
        stage,
        events: 0,
        lots: 0,
        notional_atoms: 0,
        share_ppm: 0,
        gained_atoms: 0,
    }
}

fn add(lines: &mut [StageLine], stage: Stage, lots: u64, mark: u64, gained: i64) {
    for line in lines.iter_mut().filter(|line| line.stage == stage) {
        line.events += 1;
        line.lots += lots;
        line.notional_atoms += lots * mark;
        line.gained_atoms += gained;
    }
}

/// What somebody gains against the mark who takes lots of a position on a side for `quote`.
fn gain(direction: Direction, lots: u64, mark: u64, quote: u64) -> Result<i64> {
    let (worth, quote) = (i64::try_from(lots * mark)?, i64::try_from(quote)?);
    Ok(match direction {
        Direction::Long => worth - quote,
        Direction::Short => quote - worth,
    })
}

/// What happened in the book, as far as the lines of the report tell.
pub fn book(report: &Report) -> Result<BookSummary> {
    let mut summary = BookSummary::default();
    let per_tick = report.scenario.atoms_per_lot_tick;
    let count = |kind| {
        report
            .trades
            .iter()
            .filter(|line| line.kind == kind)
            .count()
    };
    summary.market_orders = u64::try_from(count(TradeKind::Market))?;
    summary.stop_losses = u64::try_from(count(TradeKind::StopLoss))?;
    summary.taker_fees_atoms = report.trades.iter().map(|line| line.fee_atoms).sum();
    for fill in fills(report) {
        summary.fills += 1;
        summary.filled_notional_atoms += fill.lots * fill.price_ticks * per_tick;
        summary.maker_fees_atoms += fill.maker_fee_atoms;
    }
    for removal in removals(report) {
        summary.orders_removed += 1;
        summary.removal_fees_atoms += removal.fee_atoms;
    }
    let steps = report.path.iter().zip(report.path.iter().skip(1));
    for (before, after) in steps {
        let paid = i128::from(after.funding_index - before.funding_index)
            * i128::from(before.open_interest_lots);
        summary.funding_paid_by_longs_atoms += i64::try_from(paid)?;
    }
    Ok(summary)
}

/// All fills of trades and liquidations.
pub fn fills(report: &Report) -> impl Iterator<Item = &FillLine> {
    let liquidations = report.liquidations.iter().flat_map(|line| &line.fills);
    let trades = report.trades.iter().flat_map(|line| &line.fills);
    trades.chain(liquidations)
}

/// All orders that others removed.
pub fn removals(report: &Report) -> impl Iterator<Item = &RemovalLine> {
    let liquidations = report.liquidations.iter().flat_map(|line| &line.removed);
    let trades = report.trades.iter().flat_map(|line| &line.removed);
    trades.chain(liquidations)
}

/// Liquidations in which lots went to the liquidator although an order that was left in the book
/// would have paid the trader more, and those that passed a better order over for a worse one.
pub fn passed_over(report: &Report) -> Vec<&LiquidationLine> {
    let per_tick = report.scenario.atoms_per_lot_tick;
    let better = |line: &LiquidationLine, one: u64, two: u64| match line.direction {
        Direction::Long => one > two,
        Direction::Short => one < two,
    };
    let wrong = |line: &&LiquidationLine| {
        let left = line.best_left_ticks * per_tick * line.taken_lots;
        let skipped = line.best_left_ticks > 0
            && line.taken_lots > 0
            && better(line, left, line.taken_quote_atoms);
        let mut pairs = line.fills.iter().zip(line.fills.iter().skip(1));
        let disordered =
            pairs.any(|(first, second)| better(line, second.price_ticks, first.price_ticks));
        let last = line.fills.last();
        let left_better = last.is_some_and(|fill| {
            line.best_left_ticks > 0 && better(line, line.best_left_ticks, fill.price_ticks)
        });
        skipped || disordered || left_better
    };
    report.liquidations.iter().filter(wrong).collect()
}

/// Liquidated lots of each trader, signed, for a ledger: fills of makers and the liquidator's.
pub fn movements(line: &LiquidationLine) -> Vec<(&str, i64)> {
    let mut moved = vec![(line.trader.as_str(), -signed(line.direction, line.lots))];
    for fill in &line.fills {
        moved.push((&fill.maker, signed(line.direction, fill.lots)));
    }
    moved.push((&line.keeper, signed(line.direction, line.taken_lots)));
    moved
}
