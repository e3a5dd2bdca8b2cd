//! What is to be done about the end of a market: declared, begun, its bankrupts deleveraged, everybody
//! paid, its accounts closed.

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::instructions::wind_down::{
    BeginSettlement, CloseMarket, CountClaims, DeclareDead, SettlePosition, MAX_COUNTED_NODES,
};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::solvency::beyond_q32;
use ballast_engine::wind_down::MarketMode;
use ballast_engine::EngineError;
use ballast_state::exchange::PAUSE_DELEVERAGE;
use solana_instruction::Instruction;

use crate::evaluate::{job, Conditions, Evaluation, Job, Task};
use crate::market::{MarketState, Present};
use crate::positions::PositionRecord;

/// What is due of a market that has not ended, whatever its price: once its end has come nothing else
/// can be done in it, and while its oracle is dead neither.
#[must_use]
pub fn due(market: &MarketState, clock: &Clock) -> Option<Job> {
    let (state, now) = (&market.market, clock.unix_timestamp);
    if state.mode().has_ended() {
        return None;
    }
    let task = if state.wind_down.has_come(now) {
        Task::BeginSettlement
    } else if state.oracle_is_dead(now) && !revives(market) {
        Task::DeclareDead
    } else {
        return None;
    };
    Some(about(market, task, clock.slot))
}

/// Whether a price has been seen that is newer than the one recorded last: it is recorded instead.
fn revives(market: &MarketState) -> bool {
    let recorded = market.market.last_price.publish_time;
    let seen = market.price.map(|seen| seen.price.publish_time);
    seen.is_some_and(|time| time > recorded)
}

/// What is left to do in a market that has ended. While somebody is bankrupt, the deleveraging of
/// whom the program takes next; then the claims are counted, if anything was written off, everybody
/// is paid, and the accounts are closed.
#[must_use]
pub fn ended(present: &Present<'_>, conditions: &Conditions) -> Evaluation {
    let mut evaluation = Evaluation::default();
    let Evaluation { jobs, counts, .. } = &mut evaluation;
    let state = present.state;
    counts.positions = state.positions.len();
    // What legs claim is not known before they have parted.
    if state.market.cross_legs > 0 {
        return evaluation;
    }
    let mut farthest: Option<(i128, Job)> = None;
    for record in state.positions.records() {
        let Ok(found) = bankrupt(present, record) else {
            counts.faulty = counts.faulty.saturating_add(1);
            continue;
        };
        if let Some((job, deficit, beyond)) = found {
            counts.bankrupt = counts.bankrupt.saturating_add(1);
            counts.deficit_atoms = counts.deficit_atoms.saturating_add(deficit);
            if farthest.is_none_or(|(before, _)| beyond > before) {
                farthest = Some((beyond, job));
            }
        }
    }
    let slot = present.moment.slot;
    if let Some((_, job)) = farthest {
        jobs.extend(conditions.allow(PAUSE_DELEVERAGE).then_some(job));
    } else if state.market.mode() == MarketMode::Settling && !state.market.claims_are_known() {
        jobs.push(about(state, Task::CountClaims, slot));
    } else {
        jobs.extend(settlements(present));
        if jobs.is_empty() && state.market.mode() == MarketMode::Settling {
            jobs.push(about(state, Task::CloseMarket, slot));
        }
    }
    evaluation
}

/// Everybody who has something in the market.
fn settlements<'a>(present: &'a Present<'_>) -> impl Iterator<Item = Job> + 'a {
    let state = present.state;
    let holders = state.positions.records().iter().map(|record| record.trader);
    let others = state.others.iter().copied();
    let slot = present.moment.slot;
    holders.chain(others).map(move |trader| Job {
        trader,
        ..about(state, Task::Settle, slot)
    })
}

/// The deleveraging of a bankrupt position, its deficit, and how far it lies beyond the last price.
fn bankrupt(
    present: &Present<'_>,
    record: &PositionRecord,
) -> Result<Option<(Job, u64, i128)>, EngineError> {
    let position = present.settled(record)?;
    let price = present.mark.price;
    let Health::Bankrupt { deficit } = health(&position, price, present.state.market.params())?
    else {
        return Ok(None);
    };
    let job = job(present, record, &position, Task::Deleverage, false)?;
    let beyond = beyond_q32(&position, price, present.funding_index)?;
    Ok(Some((job, deficit, beyond)))
}

/// A job about the market.
fn about(market: &MarketState, task: Task, slot: u64) -> Job {
    Job {
        task,
        trader: Pubkey::default(),
        lots: 0,
        equity_atoms: 0,
        maintenance_atoms: 0,
        flag_due: false,
        mark_ticks: market.market.last_price.ticks,
        slot,
    }
}

/// The instruction of a job that brings a market to its end; `None` for another.
#[must_use]
pub fn instruction(job: &Job, market: &MarketState) -> Option<Instruction> {
    let (keys, address) = (market.keys, market.address);
    Some(match job.task {
        Task::DeclareDead => DeclareDead { market: address }.instruction(),
        Task::BeginSettlement => BeginSettlement { market: address }.instruction(),
        Task::CountClaims => CountClaims {
            keys,
            max_nodes: MAX_COUNTED_NODES,
        }
        .instruction(),
        Task::Settle => SettlePosition {
            keys,
            trader: job.trader,
        }
        .instruction(),
        Task::CloseMarket => CloseMarket {
            keys,
            rent_payer: market.market.rent_receiver(&market.admin),
        }
        .instruction(),
        _ => return None,
    })
}
