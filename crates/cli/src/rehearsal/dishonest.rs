//! Keepers that cheat, played against a real bankruptcy. Each call must fail by its own error and
//! leave every account as it was, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_engine::liquidation::{health, Health};
use ballast_sandbox::outcome::TxResult;

use super::deleveraging::Occasion;
use super::stage::{engine, Stage};
use crate::report::model::{Dishonest, DishonestCase};

/// One way of cheating.
struct Attempt {
    what: &'static str,
    error: &'static str,
    bankrupt: Pubkey,
    list: Vec<Pubkey>,
}

/// Everything of an account that a program may change.
type State = (u64, Vec<u8>, Pubkey);

/// Plays every case on the occasion's copy of the exchange.
pub fn play(mut occasion: Occasion, setting: String) -> Result<Dishonest> {
    let forged = forge(&mut occasion)?;
    let mut cases = Vec::new();
    for attempt in attempts(&occasion, forged)? {
        cases.push(try_it(&mut occasion.stage, &attempt, forged)?);
    }
    cases.push(while_insurance_pays(&occasion, forged)?);
    let honest_call_accepted =
        send(&mut occasion.stage, &occasion.bankrupt, &occasion.list).is_ok();
    Ok(Dishonest {
        setting,
        cases,
        honest_call_accepted,
    })
}

fn send(stage: &mut Stage, bankrupt: &Pubkey, list: &[Pubkey]) -> TxResult {
    let (market, keeper) = (stage.market.clone(), stage.deleverager.clone());
    stage
        .sandbox
        .auto_deleverage(&market, bankrupt, &keeper, u64::MAX, list)
}

/// The seven cases that differ in their accounts.
fn attempts(occasion: &Occasion, forged: Pubkey) -> Result<Vec<Attempt>> {
    let honest = &occasion.list;
    let first = *honest.first().context("an honest list is not empty")?;
    let with_first = |trader: Pubkey| -> Vec<Pubkey> {
        std::iter::once(trader)
            .chain(honest.iter().copied())
            .collect()
    };
    let (same_side, healthy) = bystanders(occasion)?;
    let attempt = |what, error, list| Attempt {
        what,
        error,
        bankrupt: occasion.bankrupt,
        list,
    };
    Ok(vec![
        attempt(
            "skip the trader at the top",
            "AdlSkippedCounterparty",
            without_top(occasion),
        ),
        attempt("swap two", "AdlListOutOfOrder", swapped(occasion)),
        attempt("repeat one", "AdlDuplicateCounterparty", with_first(first)),
        attempt(
            "list the bankrupt itself",
            "AdlBankruptInList",
            with_first(occasion.bankrupt),
        ),
        attempt(
            "list a trader of the same side",
            "AdlWrongSide",
            with_first(same_side),
        ),
        attempt(
            "list a copy of the top trader owned by another program",
            "AdlForeignAccount",
            {
                let mut list = honest.clone();
                list[0] = forged;
                list
            },
        ),
        Attempt {
            what: "list a healthy account as the bankrupt",
            error: "NotBankrupt",
            bankrupt: healthy,
            list: honest.clone(),
        },
    ])
}

/// The honest list without its head; with a tolerance, only the trader it cannot excuse: the last.
fn without_top(occasion: &Occasion) -> Vec<Pubkey> {
    let exact = occasion.stage.risk.adl.rank_tolerance_bps == 0;
    match occasion.ranked.last() {
        Some(last) if !exact || occasion.list.len() < 2 => vec![*last],
        _ => occasion.list[1..].to_vec(),
    }
}

/// The honest list, or the first two in rank if it has one name, with the first two swapped.
fn swapped(occasion: &Occasion) -> Vec<Pubkey> {
    let mut list = occasion.list.clone();
    if list.len() < 2 {
        list.clone_from(&occasion.ranked);
        list.truncate(2);
    }
    if list.len() > 1 {
        list.swap(0, 1);
    }
    list
}

/// A trader on the bankrupt's side other than itself, and a healthy one there.
fn bystanders(occasion: &Occasion) -> Result<(Pubkey, Pubkey)> {
    let stage = &occasion.stage;
    let mark = stage.mark()?;
    let side = stage
        .open_position(&occasion.bankrupt)?
        .and_then(|open| open.position.side());
    let mut healthiest: Option<(i64, Pubkey)> = None;
    for open in stage.open_positions()? {
        let sound = health(&open.position, mark, &stage.risk).map_err(engine)? == Health::Healthy;
        let equity = open.position.equity(mark).map_err(engine)?.get();
        let better = healthiest.is_none_or(|(most, _)| equity > most);
        if sound && better && open.position.side() == side && open.trader != occasion.bankrupt {
            healthiest = Some((equity, open.trader));
        }
    }
    let (_, trader) = healthiest.context("nobody on the bankrupt's side is healthy")?;
    Ok((trader, trader))
}

/// Stores the top trader's bytes in an account of another program.
fn forge(occasion: &mut Occasion) -> Result<Pubkey> {
    let stage = &mut occasion.stage;
    let top = occasion
        .list
        .first()
        .context("an honest list is not empty")?;
    let mut account = stage
        .sandbox
        .account(top)
        .context("the top trader exists")?;
    account.owner = stage.sandbox.token_program();
    let forged = Pubkey::find_program_address(&[b"forged", top.as_ref()], &account.owner).0;
    stage.sandbox.set_account(&forged, account);
    Ok(forged)
}

/// The last case: the same call after somebody has donated the deficit.
fn while_insurance_pays(occasion: &Occasion, forged: Pubkey) -> Result<DishonestCase> {
    let mut stage = occasion.stage.fork();
    let donor = stage.sandbox.create_wallet(occasion.deficit)?;
    let market = stage.market.clone();
    stage
        .sandbox
        .donate_insurance(&market, &donor, occasion.deficit)?;
    let attempt = Attempt {
        what: "call while insurance can still pay",
        error: "InsuranceCanPay",
        bankrupt: occasion.bankrupt,
        list: occasion.list.clone(),
    };
    try_it(&mut stage, &attempt, forged)
}

fn try_it(stage: &mut Stage, attempt: &Attempt, forged: Pubkey) -> Result<DishonestCase> {
    let before = everything(stage, forged);
    let error = match send(stage, &attempt.bankrupt, &attempt.list) {
        Ok(_) => String::new(),
        Err(error) => error.name.clone().unwrap_or_else(|| error.to_string()),
    };
    let after = everything(stage, forged);
    let all: BTreeSet<&Pubkey> = before.keys().chain(after.keys()).collect();
    Ok(DishonestCase {
        attempt: attempt.what.to_owned(),
        expected_error: attempt.error.to_owned(),
        error,
        accounts_compared: all.len(),
        accounts_changed: all
            .iter()
            .filter(|key| before.get(**key) != after.get(**key))
            .count(),
    })
}

/// Every account of the program and of the token program, the price and the forged account.
fn everything(stage: &Stage, forged: Pubkey) -> BTreeMap<Pubkey, State> {
    let mut all = BTreeMap::new();
    for program in [ballast::ID, stage.sandbox.token_program()] {
        for (key, account) in stage.sandbox.accounts_of(&program) {
            all.insert(key, (account.lamports, account.data, account.owner));
        }
    }
    for key in [forged, stage.market.keys.price] {
        if let Some(account) = stage.sandbox.account(&key) {
            all.insert(key, (account.lamports, account.data, account.owner));
        }
    }
    all
}
