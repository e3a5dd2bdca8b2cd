//! What each stage of the waterfall absorbed, and what happened in the book, from the report's own
//! lines.

use anyhow::{Context, Result};
use strum::VariantArray;

use crate::model::{LiquidationLine, Report};
use crate::traders::Direction;
use crate::trading::{signed, BookSummary, FillLine, RemovalLine, Stage, StageLine, TradeKind};

/// Said of sums that no rehearsal reaches.
pub(crate) const TOO_LARGE: &str = "a sum does not fit 64 bits";

/// The stages, in order.
///
/// # Errors
/// Sums that do not fit 64 bits.
pub fn stages(report: &Report) -> Result<Vec<StageLine>> {
    let mut lines: Vec<StageLine> = Stage::VARIANTS.iter().copied().map(empty).collect();
    let per_tick = report.scenario.atoms_per_lot_tick;
    for line in &report.liquidations {
        let mark = product(line.mark_ticks, per_tick)?;
        for fill in &line.fills {
            let quote = product(product(fill.price_ticks, per_tick)?, fill.lots)?;
            let gained = gain(line.direction, product(fill.lots, mark)?, quote)?;
            add(&mut lines, Stage::Book, fill.lots, mark, gained)?;
        }
        if line.taken_lots > 0 {
            let worth = product(line.taken_lots, mark)?;
            let gained = gain(line.direction, worth, line.taken_quote_atoms)?;
            add(&mut lines, taken_by(line), line.taken_lots, mark, gained)?;
        }
        if line.pool_lots > 0 {
            let worth = product(line.pool_lots, mark)?;
            let gained = gain(line.direction, worth, line.pool_quote_atoms)?;
            let gained = gained.checked_add_unsigned(line.pool_premium_atoms);
            let gained = gained.context(TOO_LARGE)?;
            add(&mut lines, Stage::Pool, line.pool_lots, mark, gained)?;
        }
    }
    for round in &report.adl {
        let mark = product(round.mark_ticks, per_tick)?;
        for cut in &round.cut {
            let gained = 0_i64.checked_sub(cut.gave_up_atoms);
            let gained = gained.context(TOO_LARGE)?;
            add(&mut lines, Stage::Deleveraging, cut.lots, mark, gained)?;
        }
    }
    let summary = &report.summary;
    let premiums = report.liquidations.iter();
    let premiums = premiums.map(|line| i128::from(line.pool_premium_atoms));
    let paid = i128::from(summary.insurance_paid_in_liquidations_atoms)
        + i128::from(summary.insurance_paid_in_adl_atoms)
        + premiums.sum::<i128>();
    let all: u128 = lines.iter().map(|line| u128::from(line.lots)).sum();
    for line in &mut lines {
        if line.stage == Stage::Insurance {
            line.gained_atoms = i64::try_from(-paid)?;
        }
        let share = u128::from(line.lots) * 1_000_000 / all.max(1);
        line.share_ppm = u64::try_from(share)?;
    }
    Ok(lines)
}

/// Worth at the mark of what each stage has absorbed up to each price of the path, atoms.
pub fn absorbed(report: &Report) -> Vec<[u64; Stage::VARIANTS.len()]> {
    let per_tick = report.scenario.atoms_per_lot_tick;
    let mut events: Vec<(i64, usize, u64)> = Vec::new();
    for line in &report.liquidations {
        let mark = line.mark_ticks * per_tick;
        let book: u64 = line.fills.iter().map(|fill| fill.lots).sum();
        events.push((line.timestamp, place(Stage::Book), book * mark));
        let pool = line.pool_lots * mark;
        events.push((line.timestamp, place(Stage::Pool), pool));
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
    let mut sums = [0; Stage::VARIANTS.len()];
    let steps = report.path.iter().map(|step| {
        while let Some((_, stage, worth)) = events.next_if(|event| event.0 <= step.timestamp) {
            sums[stage] += worth;
        }
        sums
    });
    steps.collect()
}

fn place(stage: Stage) -> usize {
    Stage::VARIANTS
        .iter()
        .position(|one| *one == stage)
        .unwrap_or(0)
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

fn add(lines: &mut [StageLine], stage: Stage, lots: u64, mark: u64, gained: i64) -> Result<()> {
    for line in lines.iter_mut().filter(|line| line.stage == stage) {
        line.events += 1;
        line.lots = sum(line.lots, lots)?;
        line.notional_atoms = sum(line.notional_atoms, product(lots, mark)?)?;
        let gained = line.gained_atoms.checked_add(gained);
        line.gained_atoms = gained.context(TOO_LARGE)?;
    }
    Ok(())
}

/// What somebody gains against the mark who takes lots worth so much of a position on a side for
/// `quote`.
fn gain(direction: Direction, worth: u64, quote: u64) -> Result<i64> {
    let (worth, quote) = (i64::try_from(worth)?, i64::try_from(quote)?);
    Ok(match direction {
        Direction::Long => worth - quote,
        Direction::Short => quote - worth,
    })
}

fn product(one: u64, two: u64) -> Result<u64> {
    one.checked_mul(two).context(TOO_LARGE)
}

fn sum(one: u64, two: u64) -> Result<u64> {
    one.checked_add(two).context(TOO_LARGE)
}

/// What happened in the book, as far as the lines of the report tell.
///
/// # Errors
/// Sums that do not fit 64 bits.
pub fn book(report: &Report) -> Result<BookSummary> {
    let mut book = BookSummary::default();
    let per_tick = report.scenario.atoms_per_lot_tick;
    for line in &report.trades {
        match line.kind {
            TradeKind::Market => book.market_orders += 1,
            TradeKind::StopLoss => book.stop_losses += 1,
            TradeKind::Protection | TradeKind::Unwind => {}
        }
        book.taker_fees_atoms = sum(book.taker_fees_atoms, line.fee_atoms)?;
    }
    for fill in fills(report) {
        let worth = product(product(fill.lots, fill.price_ticks)?, per_tick)?;
        book.fills += 1;
        book.filled_notional_atoms = sum(book.filled_notional_atoms, worth)?;
        let fees = book.maker_fees_atoms.checked_add(fill.maker_fee_atoms);
        book.maker_fees_atoms = fees.context(TOO_LARGE)?;
    }
    for removal in removals(report) {
        book.orders_removed += 1;
        book.removal_fees_atoms = sum(book.removal_fees_atoms, removal.fee_atoms)?;
    }
    let mut funding = 0_i128;
    for (before, after) in report.path.iter().zip(report.path.iter().skip(1)) {
        let moved = i128::from(after.funding_index) - i128::from(before.funding_index);
        // A difference of two 64-bit numbers times a third.
        let paid = moved.checked_mul(i128::from(before.open_interest_lots));
        let total = paid.and_then(|paid| funding.checked_add(paid));
        funding = total.context(TOO_LARGE)?;
    }
    book.funding_paid_by_longs_atoms = i64::try_from(funding)?;
    Ok(book)
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

/// Liquidations in which lots went to the liquidator or the pool although an order that was left in the book
/// would have paid the trader more, and those that passed a better order over for a worse one.
pub fn passed_over(report: &Report) -> Vec<&LiquidationLine> {
    let per_tick = report.scenario.atoms_per_lot_tick;
    let better = |line: &LiquidationLine, one: u64, two: u64| match line.direction {
        Direction::Long => one > two,
        Direction::Short => one < two,
    };
    let wrong = |line: &&LiquidationLine| {
        let best = line.best_left_ticks * per_tick;
        let worse = |lots: u64, quote: u64| lots > 0 && better(line, best * lots, quote);
        let skipped = line.best_left_ticks > 0
            && (worse(line.taken_lots, line.taken_quote_atoms)
                || worse(line.pool_lots, line.pool_quote_atoms));
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

/// Liquidated lots of each trader, signed, for a ledger: fills of makers, the liquidator's and those of
/// the pool with the account `pool`.
pub fn movements<'a>(line: &'a LiquidationLine, pool: &'a str) -> Vec<(&'a str, i64)> {
    let mut moved = vec![(line.trader.as_str(), -signed(line.direction, line.lots))];
    for fill in &line.fills {
        moved.push((&fill.maker, signed(line.direction, fill.lots)));
    }
    moved.push((&line.keeper, signed(line.direction, line.taken_lots)));
    if line.pool_lots > 0 {
        moved.push((pool, signed(line.direction, line.pool_lots)));
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Stages of the sample: 40 of 110 lots met the book at 197.9, 60 went to the keeper at 197.8, 10 to
    /// the pool at 197.7, the mark at 198; a round cut 500 at the mark of 182.
    #[test]
    fn every_lot_belongs_to_one_stage() {
        let mut report = sample::report();
        let figures = |report: &Report| -> Vec<(u64, u64, i64)> {
            let stages = stages(report).expect("small numbers");
            let line = |line: &StageLine| (line.lots, line.notional_atoms, line.gained_atoms);
            stages.iter().map(line).collect()
        };
        assert_eq!(
            figures(&report),
            [
                (40, 7_920_000, 4_000),
                (60, 11_880_000, 12_000),
                (10, 1_980_000, 3_000),
                (0, 0, 0),
                (500, 91_000_000, -4_000_000),
            ]
        );
        report.liquidations[0].insurance_paid_atoms = 7;
        report.summary.insurance_paid_in_liquidations_atoms = 7;
        let moved = figures(&report);
        assert_eq!((moved[1], moved[3]), ((0, 0, 0), (60, 11_880_000, -7)));
        report.liquidations[0].pool_premium_atoms = 5;
        let moved = figures(&report);
        assert_eq!((moved[2].2, moved[3].2), (3_005, -12));
        let shares = stages(&report).expect("small numbers");
        let shares: Vec<u64> = shares.iter().map(|line| line.share_ppm).collect();
        assert_eq!(shares, [65_573, 0, 16_393, 98_360, 819_672]);
    }

    #[test]
    fn what_was_absorbed_grows_price_by_price() {
        let report = sample::report();
        let absorbed = absorbed(&report);
        assert_eq!(absorbed[3], [0; 5]);
        assert_eq!(absorbed[4], [7_920_000, 11_880_000, 1_980_000, 0, 0]);
        assert_eq!(
            absorbed[39],
            [7_920_000, 11_880_000, 1_980_000, 0, 91_000_000]
        );
    }

    #[test]
    fn everybodys_lots_move() {
        let report = sample::report();
        let line = &report.liquidations[0];
        let pool = report.scenario.pool_account.as_str();
        let moved = movements(line, pool);
        let lots: Vec<i64> = moved.iter().map(|(_, lots)| *lots).collect();
        assert_eq!(lots, [-110, 40, 60, 10]);
        assert_eq!(moved[3].0, pool);
    }

    #[test]
    fn a_better_order_left_in_the_book_is_noticed() {
        let mut report = sample::report();
        assert!(passed_over(&report).is_empty());
        // The pool paid 197.7 a lot, the keeper 197.8.
        report.liquidations[0].best_left_ticks = 197_701;
        assert_eq!(passed_over(&report).len(), 1);
        report.liquidations[0].pool_lots = 0;
        report.liquidations[0].best_left_ticks = 197_800;
        assert!(passed_over(&report).is_empty());
        report.liquidations[0].best_left_ticks = 197_801;
        assert_eq!(passed_over(&report).len(), 1);
        report.liquidations[0].fills.clear();
        report.liquidations[0].direction = Direction::Short;
        assert!(passed_over(&report).is_empty());
        report.liquidations[0].best_left_ticks = 197_799;
        assert_eq!(passed_over(&report).len(), 1);
    }

    #[test]
    fn fills_out_of_order_are_noticed() {
        let mut report = sample::report();
        let line = &mut report.liquidations[0];
        let mut second = line.fills[0].clone();
        second.price_ticks += 1;
        line.fills.push(second);
        assert_eq!(passed_over(&report).len(), 1);
        report.liquidations[0].fills.reverse();
        assert!(passed_over(&report).is_empty());
    }

    #[test]
    fn the_book_adds_up() {
        let mut report = sample::report();
        report.path[0].funding_index = 5;
        report.path[1].funding_index = 8;
        report.path[2].funding_index = 7;
        for step in &mut report.path[3..] {
            step.funding_index = 7;
        }
        let book = book(&report).expect("small numbers");
        assert_eq!((book.fills, book.filled_notional_atoms), (1, 7_916_000));
        assert_eq!(book.maker_fees_atoms, -791);
        assert_eq!(book.funding_paid_by_longs_atoms, 2_000);
        report.liquidations[0].fills[0].price_ticks = u64::MAX;
        assert!(super::book(&report).is_err() && stages(&report).is_err());
    }
}
