//! What keepers do once for each price: liquidate what they can afford, flag what is bankrupt and
//! deleverage what insurance cannot pay.

use std::collections::BTreeSet;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_engine::liquidation::{health, plan, Health, LiquidationInput};
use ballast_engine::margin::initial_margin;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, Lots};
use ballast_sandbox::trading::TraderCookie;

use super::deleveraging;
use super::stage::{engine, Open, Stage, CONFIDENCE_BPS};
use crate::report::model::{LiquidationLine, Round};

/// Keepers back what they take over with at least this part of its notional.
const KEEPER_MARGIN_BPS: u64 = 2_500;
/// Above the least initial margin, when that is more.
const KEEPER_ROOM_BPS: u64 = 10_500;

/// What has happened so far.
#[derive(Default)]
pub struct Diary {
    /// Liquidations, in order.
    pub liquidations: Vec<LiquidationLine>,
    /// Auto-deleveraging rounds, in order.
    pub rounds: Vec<Round>,
    /// Notional liquidated, at the marks.
    pub liquidated_notional: u64,
    /// Positions that are bankrupt now.
    pub bankrupt: BTreeSet<Pubkey>,
    /// Positions that went bankrupt.
    pub bankruptcies: u64,
    /// Prices too far from their average to act on.
    pub unusable_prices: u64,
    /// Liquidations that no keeper could afford.
    pub unaffordable: u64,
    /// Errors of calls that an honest keeper expected to pass.
    pub refusals: Vec<String>,
    /// State in which dishonest keepers are tried.
    pub occasion: Option<deleveraging::Occasion>,
}

/// One round of keepers at the price last published.
pub fn act(stage: &mut Stage, diary: &mut Diary) -> Result<()> {
    if !stage.price_is_usable()? {
        diary.unusable_prices += 1;
        return Ok(());
    }
    let market = stage.market.clone();
    let result = stage.sandbox.accrue_funding(&market);
    stage.must("accrue_funding", result)?;
    let mark = stage.mark()?;
    let mut unhealthy: Vec<(i64, Pubkey)> = Vec::new();
    let mut bankrupt = BTreeSet::new();
    for open in stage.open_positions()? {
        let verdict = health(&open.position, mark, &stage.risk).map_err(engine)?;
        if matches!(verdict, Health::Bankrupt { .. }) {
            bankrupt.insert(open.trader);
            diary.bankruptcies += u64::from(!diary.bankrupt.contains(&open.trader));
        }
        if verdict == Health::Healthy && open.flagged_slot != 0 {
            flag(stage, &open.trader)?;
        } else if verdict != Health::Healthy {
            let equity = open.position.equity(mark).map_err(engine)?.get();
            unhealthy.push((equity, open.trader));
        }
    }
    diary.bankrupt = bankrupt;
    // The deepest holes first.
    unhealthy.sort_unstable();
    for (_, trader) in unhealthy {
        if let Some(open) = stage.open_position(&trader)? {
            attend(stage, diary, &open)?;
        }
    }
    Ok(())
}

/// Tells the program that a position is in distress, or no longer.
pub fn flag(stage: &mut Stage, trader: &Pubkey) -> Result<()> {
    let market = stage.market.clone();
    let result = stage.sandbox.flag_bankruptcy(&market, trader);
    stage.must("flag_bankruptcy", result)?;
    Ok(())
}

fn attend(stage: &mut Stage, diary: &mut Diary, open: &Open) -> Result<()> {
    let mark = stage.mark()?;
    match health(&open.position, mark, &stage.risk).map_err(engine)? {
        Health::Healthy => Ok(()),
        Health::BelowMaintenance => {
            if !liquidate(stage, diary, open)? && open.flagged_slot == 0 {
                flag(stage, &open.trader)?;
            }
            Ok(())
        }
        Health::Bankrupt { deficit } => {
            let payable = deficit <= stage.insurance_available()?;
            if payable && liquidate(stage, diary, open)? {
                return Ok(());
            }
            if open.bankrupt_slot == 0 {
                flag(stage, &open.trader)?;
            }
            let waited = open.bankrupt_slot != 0
                && stage.sandbox.slot() > open.bankrupt_slot + stage.risk.adl.grace_slots;
            if !payable || waited {
                deleveraging::deleverage(stage, diary, &open.trader)?;
            }
            Ok(())
        }
    }
}

/// Sends `liquidate` from the first keeper that can afford it. `false` when nobody could, `true`
/// when the step was taken or the ladder asks to wait.
fn liquidate(stage: &mut Stage, diary: &mut Diary, open: &Open) -> Result<bool> {
    let slot = stage.sandbox.position(&stage.market, &open.trader);
    let input = LiquidationInput {
        position: open.position,
        mark: stage.mark()?,
        params: &stage.risk,
        slot: stage.sandbox.slot(),
        flagged_slot: (open.flagged_slot != 0).then_some(open.flagged_slot),
        last_step_slot: slot
            .map(|slot| slot.last_step_slot)
            .filter(|slot| *slot != 0),
        step_left: slot.map_or(0, |slot| u64::from(slot.step_left)),
        insurance_available: stage.insurance_available()?,
    };
    let step = match plan(&input) {
        Ok(step) => step,
        Err(ballast_engine::EngineError::LadderInterval) => return Ok(true),
        Err(error) => return Err(engine(error)),
    };
    let fill = step.liquidator_fill().map_err(engine)?;
    let (lots, quote) = fill.unwrap_or((Lots::ZERO, Atoms::ZERO));
    for keeper in stage.keepers.clone() {
        if keeper.address == open.trader {
            continue;
        }
        let Some(margin) = affordable(stage, &keeper, lots, quote)? else {
            continue;
        };
        if take_over(stage, diary, open, &keeper, margin)? {
            return Ok(true);
        }
    }
    diary.unaffordable += 1;
    Ok(false)
}

/// The margin a keeper puts behind `lots`, if its free collateral reaches.
fn affordable(
    stage: &Stage,
    keeper: &TraderCookie,
    lots: Lots,
    quote: Atoms,
) -> Result<Option<u64>> {
    let mark = stage.mark()?;
    let held = stage
        .open_position(&keeper.address)?
        .map_or(Position::default(), |open| open.position);
    let after = held.fill(lots, quote).map_err(engine)?.position;
    let own = mark.notional(lots.size()).map_err(engine)? * KEEPER_MARGIN_BPS / 10_000;
    let notional = after.notional(mark).map_err(engine)?;
    let least = initial_margin(&stage.risk, notional).map_err(engine)?;
    let doubt = (notional * 2 * CONFIDENCE_BPS).div_ceil(10_000);
    let missing = i64::try_from(least * KEEPER_ROOM_BPS / 10_000 + doubt)?
        - after.equity(mark).map_err(engine)?.get();
    let margin = own.max(u64::try_from(missing.max(0))?);
    let free = stage.sandbox.trader(&keeper.address).free;
    Ok((i64::try_from(margin)? <= free).then_some(margin))
}

fn take_over(
    stage: &mut Stage,
    diary: &mut Diary,
    open: &Open,
    keeper: &TraderCookie,
    margin: u64,
) -> Result<bool> {
    let (market, mark) = (stage.market.clone(), stage.mark()?);
    let before = stage.state().insurance.balance;
    let result = stage
        .sandbox
        .liquidate(&market, &open.trader, keeper, margin);
    if let Err(error) = stage.metered("liquidate", result) {
        diary.refusals.push(format!("liquidate: {error}"));
        return Ok(false);
    }
    let left = stage
        .open_position(&open.trader)?
        .map_or(0, |after| after.position.size());
    let lots = open.position.size() - left;
    let after = stage.state().insurance.balance;
    diary.liquidated_notional += mark.notional(lots).map_err(engine)?;
    if left == 0 {
        diary.bankrupt.remove(&open.trader);
    }
    diary.liquidations.push(LiquidationLine {
        slot: stage.sandbox.slot(),
        timestamp: stage.now().timestamp,
        after_rounds: u64::try_from(diary.rounds.len())?,
        keeper: keeper.address.to_string(),
        trader: open.trader.to_string(),
        lots,
        mark_ticks: stage.ticks()?,
        insurance_paid_atoms: before.saturating_sub(after),
        insurance_fee_atoms: after.saturating_sub(before),
    });
    Ok(true)
}
