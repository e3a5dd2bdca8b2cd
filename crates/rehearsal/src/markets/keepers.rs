//! The keepers at the prices last published: the most urgent job that can be done, again and again.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{ensure, Result};
use ballast_keeper::attempt::verdict;
use ballast_keeper::cross::Floor;
use ballast_keeper::plan::{Effect, Idle, Plan, PlanOptions, Planned, TakeOver};
use ballast_keeper::repair::Verdict;
use ballast_rpc::failure::Failure;
use ballast_sandbox::outcome::{TxError, TxResult};
use ballast_sandbox::TraderCookie;
use ballast_state::Pubkey;

use super::diary::Diary;
use super::exchange::Exchange;
use super::facts::Before;
use super::memory::{Due, Memory};

/// Most calls at one price.
const MOST_CALLS: usize = 5_000;
/// Traders whose profit one call frees.
const RELEASED_AT_ONCE: usize = 16;

/// A job: market, trader account and task.
type Key = (usize, Pubkey, &'static str);

/// What has come of jobs at one price.
#[derive(Default)]
struct Attempts {
    /// Nothing can be done about them before the next price.
    put_off: BTreeSet<Key>,
    /// How they are planned after a refusal.
    options: BTreeMap<Key, PlanOptions>,
}

/// Does what is due at the prices last published.
pub fn act(exchange: &mut Exchange, diary: &mut Diary) -> Result<()> {
    release_profit(exchange)?;
    let mut attempts = Attempts::default();
    for _ in 0..MOST_CALLS {
        let memory = Memory::of(exchange)?;
        if !next(exchange, diary, &memory, &mut attempts)? {
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
    attempts: &mut Attempts,
) -> Result<bool> {
    let floor = memory.floor()?;
    let jobs = memory.jobs(floor.as_ref())?;
    diary.saw(&jobs);
    for due in &jobs {
        let key = (due.0, due.1.trader, due.1.task.name());
        if attempts.put_off.contains(&key) {
            continue;
        }
        let options = attempts.options.get(&key).copied().unwrap_or_default();
        let Some((plan, keeper)) = planned(exchange, memory, floor.as_ref(), due, &options)? else {
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
            Err(error) => attempts.refused(diary, (key, options), &plan, &error),
        }
        return Ok(true);
    }
    Ok(false)
}

impl Attempts {
    /// A call was refused: what a keeper does about it, but that whatever it would read anew or wait for comes with
    /// the next price.
    fn refused(
        &mut self,
        diary: &mut Diary,
        (key, options): (Key, PlanOptions),
        plan: &Plan,
        error: &TxError,
    ) {
        let failure = Failure::new(error.transaction_error.clone(), error.logs.clone());
        let mut next = options;
        match verdict(plan.task, &failure, plan.listed.len()) {
            Verdict::Poor if options.take_over != TakeOver::Nothing => {
                next.take_over = options.take_over.after_poor();
            }
            Verdict::Shorten => {
                next.max_counterparties = (options.max_counterparties / 2).max(1);
                next.max_makers = (options.max_makers / 2).max(1);
                next.spares /= 2;
            }
            Verdict::Fatal | Verdict::Session => diary.gave_up(plan.task, error),
            Verdict::Poor
            | Verdict::Done
            | Verdict::Ended
            | Verdict::Refetch { .. }
            | Verdict::Record
            | Verdict::Wait(_) => {}
        }
        diary.refused(plan.task, &failure);
        if next == options {
            self.put_off.insert(key);
        } else {
            self.options.insert(key, next);
        }
    }
}

/// What the first keeper who can would send, and who that is.
fn planned(
    exchange: &Exchange,
    memory: &Memory,
    floor: Option<&Floor<'_>>,
    due: &Due,
    options: &PlanOptions,
) -> Result<Option<(Plan, TraderCookie)>> {
    for keeper in &exchange.keepers {
        match memory.plan(exchange, floor, due, keeper, options)? {
            Planned::Send(plan) => return Ok(Some((*plan, keeper.clone()))),
            // Another keeper may have the means.
            Planned::Nothing(Idle::NoTaker | Idle::OwnPosition) => {}
            Planned::Nothing(_) => return Ok(None),
        }
    }
    Ok(None)
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
