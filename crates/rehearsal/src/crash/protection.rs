//! Protective steps: some traders set them, keepers execute them, and a second crash without them tells
//! what they saved.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use ballast_client::{accounts, addresses};
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::units::Ticks;
use ballast_report::model::Report;
use ballast_report::protection::{Outcome, ProtectionSummary};
use ballast_report::trading::TradeKind;
use ballast_sandbox::trading::TraderCookie;
use ballast_state::instructions::SetProtectionArgs;
use ballast_state::protection::Due;

use super::diary::Diary;
use super::flow::{list, record};
use super::stage::{Open, Stage};

/// Below 150 % of maintenance half of a position stays, below 120 % nothing.
pub const STEPS: [ProtectiveStep; 2] = [
    ProtectiveStep {
        ratio_bps: 15_000,
        keep_bps: 5_000,
    },
    ProtectiveStep {
        ratio_bps: 12_000,
        keep_bps: 0,
    },
];
/// How far from the mark their fills may lie.
pub const SLIP_BPS: u32 = 100;

/// Has these traders set their steps.
pub fn set(stage: &mut Stage, traders: &[TraderCookie]) -> Result<()> {
    let market = stage.market.clone();
    for trader in traders {
        let opened = stage.sandbox.create_protection(&market, trader);
        stage.must("create_protection", opened)?;
        let args = SetProtectionArgs {
            steps: STEPS.to_vec(),
            slip_bps: SLIP_BPS,
        };
        let set = stage.sandbox.set_protection(&market, trader, args);
        stage.must("set_protection", set)?;
    }
    Ok(())
}

/// Keepers execute the steps that these traders have reached.
pub fn execute(stage: &mut Stage, diary: &mut Diary, traders: &[TraderCookie]) -> Result<()> {
    for trader in traders {
        let Some(open) = stage.open_position(&trader.address)? else {
            continue;
        };
        let (Some(side), Some(due)) = (open.position.side(), due(stage, &open)?) else {
            continue;
        };
        let listed = list(stage, side, due.trigger.lots.into(), &trader.address)?;
        let Some(keeper) = stage.keeper_for(&listed) else {
            continue;
        };
        let market = stage.market.clone();
        let result = stage
            .sandbox
            .execute_protection(&market, &trader.address, &keeper, &listed);
        match stage.metered("execute_protection", result) {
            Ok(outcome) => record(stage, diary, TradeKind::Protection, &outcome)?,
            // Nobody bids within the slip, or the book pays less than the margin and the free
            // collateral cover: the position is left to the next price or to liquidation.
            Err(error) if error.is("NothingFilled") || error.is("InsufficientCollateral") => {}
            Err(error) => diary.refusals.push(format!("execute_protection: {error}")),
        }
    }
    Ok(())
}

/// What the steps for a position ask for at the price last published.
fn due(stage: &Stage, open: &Open) -> Result<Option<Due>> {
    let address = addresses::protection(&open.trader, &stage.market.keys.market);
    let account = stage.sandbox.account(&address);
    let data = account.context("no account of protective steps")?.data;
    let protection = accounts::protection(&data)?;
    let mark = Ticks::new(stage.ticks()?);
    let due = protection.due(&open.position, mark, stage.mark()?, &stage.risk);
    due.map_err(anyhow::Error::from)
}

/// What the steps of these traders saved them: the crash as it was played and the same without steps.
pub fn compare(
    (report, stage): (&Report, &Stage),
    (report_without, without): (&Report, &Stage),
    traders: &[TraderCookie],
) -> Result<ProtectionSummary> {
    let (mut better, mut worse) = (0, 0);
    for trader in traders {
        let (with, without) = (
            stage.worth(&trader.address)?,
            without.worth(&trader.address)?,
        );
        better += u64::from(with > without);
        worse += u64::from(with < without);
    }
    let steps = report.trades.iter();
    let steps = steps.filter(|line| line.kind == TradeKind::Protection);
    Ok(ProtectionSummary {
        accounts: u64::try_from(traders.len())?,
        steps_executed: u64::try_from(steps.clone().count())?,
        lots_closed: steps.map(|line| line.lots.unsigned_abs()).sum(),
        with: outcome(report, stage, traders)?,
        without: outcome(report_without, without, traders)?,
        better,
        worse,
    })
}

fn outcome(report: &Report, stage: &Stage, traders: &[TraderCookie]) -> Result<Outcome> {
    let own: BTreeSet<String> = traders.iter().map(|one| one.address.to_string()).collect();
    let steps = report.liquidations.iter();
    let steps = steps.filter(|line| line.lots > 0 && own.contains(&line.trader));
    let closed: BTreeSet<&str> = steps.clone().map(|line| line.trader.as_str()).collect();
    let worth: Result<Vec<i64>> = traders
        .iter()
        .map(|one| stage.worth(&one.address))
        .collect();
    Ok(Outcome {
        liquidated_accounts: u64::try_from(closed.len())?,
        liquidated_lots: steps.map(|line| line.lots).sum(),
        worth_end_atoms: worth?.iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_those_that_the_program_takes() {
        let checked = ballast_engine::protection::check_steps(&STEPS, SLIP_BPS);
        assert_eq!(checked, Ok(()));
    }
}
