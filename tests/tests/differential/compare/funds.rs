//! Pools, stakes and accounts for shares against the model.

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts;
use ballast_sandbox::TxOutcome;
use ballast_state::events::BallastEvent;
use ballast_state::pool::Pool as Program;
use ballast_state::share::Share;

use super::{all, same, Agreement};
use crate::model::{Fund, Model, Paid, Pool, Shareholder};
use crate::operation::FundName;
use crate::program::World;

/// The pool and the stakes of a market.
pub fn funds(world: &World, model: &Model, market: usize) -> Agreement {
    let now = &model.markets[market];
    let name = FundName::Pool(market);
    let pool = stored(world, &world.fund(name));
    same("there is a pool", pool.is_some(), now.pool.is_some())?;
    if let (Some(program), Some(pool)) = (pool, &now.pool) {
        let program = accounts::pool(&program).expect("a pool");
        pool_of(world, model, market, (&program, pool))?;
        members(world, name, &pool.fund)?;
    }
    let name = FundName::Stakes(market);
    let stakes = stored(world, &world.fund(name));
    same("there are stakes", stakes.is_some(), now.stakes.is_some())?;
    if let (Some(program), Some(fund)) = (stakes, &now.stakes) {
        let program = accounts::stakes(&program).expect("stakes");
        let found = (program.epoch, program.shares, program.requested);
        outstanding(&format!("stakes {market}"), found, fund)?;
        members(world, name, fund)?;
    }
    Ok(())
}

/// The bytes of an account of the program, if there is one.
fn stored(world: &World, address: &Pubkey) -> Option<Vec<u8>> {
    let account = world.sandbox.account(address)?;
    (account.owner == ballast_state::ID).then_some(account.data)
}

fn pool_of(
    world: &World,
    model: &Model,
    market: usize,
    (program, pool): (&Program, &Pool),
) -> Agreement {
    let whose = format!("pool {market}");
    let found = (program.epoch, program.shares, program.requested);
    outstanding(&whose, found, &pool.fund)?;
    same(&whose, program.params, pool.params)?;
    let slot = world.sandbox.slot();
    let window = program.window().rolled(slot, pool.params.window_slots);
    let window = window.and_then(|window| window.total());
    let unsigned = i128::from;
    let stopped = (program.stopped != 0).then_some(program.stopped_slot);
    same(&whose, stopped, pool.stopped)?;
    all(
        &whose,
        &[
            (
                "taken lately",
                unsigned(window.expect("a sound window")),
                model.taken_lately(market),
            ),
            ("height", unsigned(program.peak_value), pool.height.0),
            (
                "slot of the height",
                unsigned(program.peak_slot),
                unsigned(pool.height.1),
            ),
            (
                "beginning of the auction",
                unsigned(program.auction_slot),
                unsigned(pool.auction),
            ),
            (
                "last unwind",
                unsigned(program.last_unwind_slot),
                unsigned(pool.unwound),
            ),
            ("takes", unsigned(program.takes), unsigned(pool.done[0])),
            ("unwinds", unsigned(program.unwinds), unsigned(pool.done[1])),
            (
                "discounts",
                unsigned(program.discount_atoms),
                pool.earned[0],
            ),
            ("premiums", unsigned(program.premium_atoms), pool.earned[1]),
        ],
    )
}

fn outstanding(whose: &str, (epoch, shares, requested): (u32, u64, u64), fund: &Fund) -> Agreement {
    all(
        whose,
        &[
            ("epoch", i128::from(epoch), i128::from(fund.epoch)),
            ("shares", i128::from(shares), fund.shares()),
            ("requested", i128::from(requested), fund.requested()),
        ],
    )
}

fn members(world: &World, name: FundName, fund: &Fund) -> Agreement {
    for (wallet, member) in fund.members.iter().enumerate() {
        let share = stored(world, &world.share(name, wallet));
        let whose = format!("{name:?} wallet {wallet}");
        same(&whose, share.is_some(), member.is_some())?;
        if let (Some(share), Some(member)) = (share, member) {
            let share = accounts::share(&share).expect("shares");
            share_of(&whose, &share, member)?;
        }
    }
    Ok(())
}

fn share_of(whose: &str, program: &Share, member: &Shareholder) -> Agreement {
    let request = member.request;
    let unsigned = i128::from;
    all(
        whose,
        &[
            ("epoch", i128::from(program.epoch), i128::from(member.epoch)),
            ("shares", unsigned(program.shares), member.shares),
            (
                "requested",
                unsigned(program.requested),
                request.map_or(0, |one| one.shares),
            ),
            (
                "remembered",
                unsigned(program.requested_value),
                request.map_or(0, |one| one.value),
            ),
            (
                "asked in",
                unsigned(program.requested_slot),
                request.map_or(0, |one| unsigned(one.slot)),
            ),
        ],
    )
}

/// What a fund paid, and for how many shares.
pub fn paid(outcome: &TxOutcome, paid: &Paid) -> Agreement {
    let found = outcome.events.iter().find_map(|event| match event {
        BallastEvent::PoolWithdrawn(event) => Some((event.amount, event.shares)),
        BallastEvent::Unstaked(event) => Some((event.amount, event.shares)),
        _ => None,
    });
    let Some((atoms, shares)) = found else {
        return Err(format!("events of a payment: {:?}", outcome.events));
    };
    all(
        "payment",
        &[
            ("atoms", i128::from(atoms), paid.atoms),
            ("shares", i128::from(shares), paid.shares),
        ],
    )
}
