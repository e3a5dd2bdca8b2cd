//! The backstop pool: what others deposit, what it takes of what keepers leave, and how it closes its
//! position again.

use anyhow::Result;
use ballast_engine::liquidation::{health, Health};
use ballast_report::trading::TradeKind;
use ballast_state::events::{BallastEvent, PoolUnwound};

use super::diary::Diary;
use super::flow::{fill_lines, list, removal_lines, trade_line};
use super::stage::{engine, Stage};
use crate::plan::Plan;

/// What an unwind answers that has nothing to do: too early, or no order meets its price.
const NOT_NOW: [&str; 2] = ["UnwindTooEarly", "NothingFilled"];

/// Creates the pool and has somebody deposit into it.
pub fn open(stage: &mut Stage, plan: &Plan) -> Result<()> {
    if plan.pool == 0 {
        return Ok(());
    }
    let market = stage.market.clone();
    let created = stage.sandbox.create_pool(&market, plan.pool_params);
    stage.must("create_pool", created)?;
    let owner = stage.sandbox.create_wallet(plan.pool)?;
    let share = stage.sandbox.create_share(&market.pool(), &owner);
    stage.must("create_share", share)?;
    let deposit = stage.sandbox.deposit_pool(&market, &owner, plan.pool);
    stage.must("deposit_pool", deposit)?;
    stage.pool = Some(market.pool_trader());
    Ok(())
}

/// Has somebody stake behind the insurance.
pub fn stake(stage: &mut Stage, plan: &Plan) -> Result<()> {
    if plan.staked == 0 {
        return Ok(());
    }
    let market = stage.market.clone();
    let opened = stage.sandbox.open_stakes(&market);
    stage.must("open_stakes", opened)?;
    let owner = stage.sandbox.create_wallet(plan.staked)?;
    let share = stage.sandbox.create_share(&market.stakes(), &owner);
    stage.must("create_share", share)?;
    let staked = stage.sandbox.stake(&market, &owner, plan.staked);
    stage.must("stake", staked)?;
    Ok(())
}

/// What keepers do for the pool once for each price: they bring its margin to where it belongs and close
/// what is due of its position against the book.
pub fn tend(stage: &mut Stage, diary: &mut Diary) -> Result<()> {
    let Some(pool) = stage.pool else {
        return Ok(());
    };
    let Some(open) = stage.open_position(&pool)? else {
        return Ok(());
    };
    let market = stage.market.clone();
    // Refused where nothing has to move.
    let synced = stage.sandbox.sync_pool(&market);
    stage.metered("sync_pool", synced).ok();
    let state = health(&open.position, stage.mark()?, &stage.risk).map_err(engine)?;
    let Some(side) = open.position.side().filter(|_| state == Health::Healthy) else {
        return Ok(());
    };
    let listed = list(stage, side, open.position.size(), &pool)?;
    let Some(keeper) = stage.keeper_for(&listed) else {
        return Ok(());
    };
    let result = stage.sandbox.unwind_pool(&market, &keeper, &listed);
    match stage.metered("unwind_pool", result) {
        Ok(outcome) => {
            for event in &outcome.events {
                if let BallastEvent::PoolUnwound(event) = event {
                    record(stage, diary, event, outcome.compute_units)?;
                }
            }
        }
        Err(error) if NOT_NOW.iter().any(|name| error.is(name)) => {}
        Err(error) => diary.refusals.push(format!("unwind_pool: {error}")),
    }
    Ok(())
}

fn record(stage: &Stage, diary: &mut Diary, event: &PoolUnwound, compute_units: u64) -> Result<()> {
    let moved = event.taker.lots_after - event.taker.lots_before;
    let mut line = trade_line(stage, diary, TradeKind::Unwind, compute_units)?;
    line.trader = stage.market.pool_trader().to_string();
    line.lots = moved;
    line.fee_atoms = event.fills.iter().map(|fill| fill.taker_fee).sum();
    line.keeper_atoms = event.keeper_atoms;
    line.fills = fill_lines(&event.fills);
    line.removed = removal_lines(&event.removed);
    diary.trades.push(line);
    Ok(())
}
