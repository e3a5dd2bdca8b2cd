//! What keepers do once for each price: liquidate what they can afford, flag what is bankrupt and
//! deleverage what insurance cannot pay.

use std::collections::BTreeSet;

use anyhow::Result;
use ballast_engine::liquidation::{health, Distance, Health, Need};
use ballast_engine::oracle::Action;
use ballast_state::Pubkey;

use super::deleveraging::deleverage;
use super::diary::Diary;
use super::liquidations::{liquidate, Now, Outcome};
use super::pool;
use super::stage::{engine, Open, Stage};

/// Traders whose profit one call frees.
const RELEASED_AT_ONCE: usize = 16;

/// One round of keepers at the price last published.
pub fn act(stage: &mut Stage, diary: &mut Diary) -> Result<()> {
    if stage.price_serves(Action::Funding)? {
        let market = stage.market.clone();
        let result = stage.sandbox.accrue_funding(&market);
        stage.must("accrue_funding", result)?;
    }
    if !stage.price_is_usable()? {
        diary.unusable_prices += 1;
        return Ok(());
    }
    release_profit(stage)?;
    let mark = stage.mark()?;
    let mut unhealthy: Vec<(Distance, Pubkey)> = Vec::new();
    let mut bankrupt = BTreeSet::new();
    for open in stage.open_positions()? {
        let verdict = health(&open.position, mark, &stage.risk).map_err(engine)?;
        if matches!(verdict, Health::Bankrupt { .. }) {
            bankrupt.insert(open.trader);
            diary.bankruptcies += u64::from(!diary.bankrupt.contains(&open.trader));
        }
        if verdict == Health::Healthy && open.distress.flagged_slot != 0 {
            stage.flag(&open.trader)?;
        } else if verdict != Health::Healthy {
            let distance = Distance::of(&open.position, mark, &stage.risk).map_err(engine)?;
            unhealthy.push((distance, open.trader));
        }
    }
    diary.bankrupt = bankrupt;
    unhealthy.sort_unstable_by(|(one, a), (other, b)| one.worse_first(other).then(a.cmp(b)));
    for (_, trader) in unhealthy {
        if let Some(open) = stage.open_position(&trader)? {
            attend(stage, diary, &open)?;
        }
    }
    pool::tend(stage, diary)
}

/// Frees held profit that the market is not short of any more.
fn release_profit(stage: &mut Stage) -> Result<()> {
    let (market, held) = (stage.market.clone(), stage.held_back()?);
    for traders in held.chunks(RELEASED_AT_ONCE) {
        // Refused where the market is still short of all of it.
        let result = stage.sandbox.release_profit(&market, traders);
        stage.metered("release_profit", result).ok();
    }
    Ok(())
}

/// What one position in distress needs: the book and insurance first, then deleveraging.
fn attend(stage: &mut Stage, diary: &mut Diary, open: &Open) -> Result<()> {
    let trader = open.trader;
    let need = Now::of(stage, open)?.need(stage)?;
    if need == Need::Nothing || liquidate(stage, diary, &trader)? == Outcome::Settled {
        return Ok(());
    }
    let Some(left) = stage.open_position(&trader)? else {
        return Ok(());
    };
    let now = Now::of(stage, &left)?;
    if now.is_misflagged(stage)? {
        stage.flag(&trader)?;
    }
    if now.need(stage)? == Need::Deleverage {
        deleverage(stage, diary, &trader)?;
    }
    Ok(())
}
