//! The keepers at the prices last published: the most urgent job that can be done, again and again.

use std::collections::HashSet;

use anyhow::{ensure, Result};
use ballast_keeper::plan::{Effect, Idle, Plan, PlanOptions, Planned};
use ballast_keeper::repair::{repair, Verdict};
use ballast_sandbox::outcome::{TxError, TxResult};
use ballast_sandbox::TraderCookie;
use ballast_state::error::BallastError;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::exchange::Exchange;
use super::facts::Before;
use super::memory::{Due, Memory};

/// Most calls at one price.
const MOST_CALLS: usize = 5_000;
/// Traders whose profit one call frees.
const RELEASED_AT_ONCE: usize = 16;

/// Does what is due at the prices last published.
pub fn act(exchange: &mut Exchange, diary: &mut Diary) -> Result<()> {
    release_profit(exchange)?;
    let mut waiting: HashSet<(usize, Pubkey, &'static str)> = HashSet::new();
    for _ in 0..MOST_CALLS {
        let memory = Memory::of(exchange)?;
        if !next(exchange, diary, &memory, &mut waiting)? {
            return Ok(());
        }
    }
    ensure!(false, "the keepers find no end at one price");
    Ok(())
}

/// Does the most urgent job that can be done; `false` where there is none.
fn next(
    exchange: &mut Exchange,
    diary: &mut Diary,
    memory: &Memory,
    waiting: &mut HashSet<(usize, Pubkey, &'static str)>,
) -> Result<bool> {
    let floor = memory.floor()?;
    let jobs = memory.jobs(floor.as_ref())?;
    diary.saw(&jobs);
    for due in &jobs {
        let key = (due.0, due.1.trader, due.1.task.name());
        if waiting.contains(&key) {
            continue;
        }
        let Some((plan, keeper)) = planned(exchange, memory, floor.as_ref(), due)? else {
            continue;
        };
        let before = match plan.effect {
            Effect::Deleveraging { .. } => {
                Some(Before::of(exchange, memory, floor.as_ref(), due.0, &plan)?)
            }
            _ => None,
        };
        match execute(exchange, &plan, &keeper) {
            Ok(outcome) => diary.note(exchange, before, &outcome)?,
            Err(error) => {
                if !stays(&plan, &error) {
                    diary.refused(plan.task, &error);
                }
                waiting.insert(key);
            }
        }
        return Ok(true);
    }
    Ok(false)
}

/// What the first keeper who can would send, and who that is.
fn planned(
    exchange: &Exchange,
    memory: &Memory,
    floor: Option<&ballast_keeper::cross::Floor<'_>>,
    due: &Due,
) -> Result<Option<(Plan, TraderCookie)>> {
    let options = PlanOptions::default();
    for keeper in &exchange.keepers {
        match memory.plan(exchange, floor, due, keeper, &options)? {
            Planned::Send(plan) => return Ok(Some((*plan, keeper.clone()))),
            // Another keeper may have the means.
            Planned::Nothing(Idle::NoTaker | Idle::OwnPosition) => {}
            Planned::Nothing(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether a refusal is one that a keeper expects: orders that this price alone speaks against stay in the way, or do
/// not trade after all.
fn stays(plan: &Plan, error: &TxError) -> bool {
    let known = error.number.and_then(BallastError::of_number);
    let known = known.filter(|known| {
        matches!(
            known,
            BallastError::NothingFilled
                | BallastError::LiquidationSkipsBook
                | BallastError::BookCanAbsorb
        )
    });
    known.is_some_and(|known| {
        let verdict = repair(plan.task, known, &error.logs);
        matches!(verdict, Verdict::Refetch { .. })
    })
}

fn execute(exchange: &mut Exchange, plan: &Plan, keeper: &TraderCookie) -> TxResult {
    let metas = plan.instructions.iter().flat_map(|it| &it.accounts);
    let signs = metas.clone().any(|meta| meta.is_signer);
    let mut named: Vec<Pubkey> = metas
        .filter(|meta| !meta.is_signer)
        .map(|meta| meta.pubkey)
        .collect();
    named.sort_unstable();
    named.dedup();
    let sandbox = &mut exchange.sandbox;
    let tables = vec![sandbox.create_lookup_table(&named)];
    let keys = [&keeper.wallet.keypair];
    let signers = if signs { &keys[..] } else { &[] };
    sandbox.send_with_tables(&plan.instructions, signers, &tables)
}

/// Frees held profit of which its market is not short any more.
fn release_profit(exchange: &mut Exchange) -> Result<()> {
    for number in 0..exchange.venues.len() {
        let cookie = exchange.venues[number].cookie.clone();
        let everybody = exchange.sandbox.trader_addresses();
        let holds = |address: &&Pubkey| {
            let slot = exchange.sandbox.position(&cookie, address);
            slot.is_some_and(|slot| !slot.is_leg() && slot.held_shares > 0)
        };
        let held: Vec<Pubkey> = everybody.iter().filter(holds).copied().collect();
        for traders in held.chunks(RELEASED_AT_ONCE) {
            // Refused where the market is still short of all of it.
            exchange.sandbox.release_profit(&cookie, traders).ok();
        }
    }
    Ok(())
}
