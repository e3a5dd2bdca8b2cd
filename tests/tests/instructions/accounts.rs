//! Every account of every instruction: signers sign, writable ones are writable, and a stand-in of
//! any other kind is refused.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::AccountMeta;
use ballast_client::addresses;
use ballast_sandbox::Sandbox;
use ballast_state::error::BallastError;
use solana_signer::Signer;

use crate::every_call::{ends, genesis, world, Call, World};
use crate::every_cross_call::{boardless, legs, parting};
use crate::every_fund_call::funds;
use crate::every_pool_call::pools;
use crate::every_protection_call::protections;
use crate::support::{copy_of, done, refused_by_anchor, refused_with};

fn worlds() -> Vec<World> {
    vec![
        genesis(),
        world(),
        ends(),
        funds(),
        pools(),
        protections(),
        boardless(),
        legs(),
        parting(),
    ]
}

#[test]
fn every_instruction_goes_through_and_announces_itself() {
    let mut names = Vec::new();
    for world in worlds() {
        for call in &world.calls {
            let outcome = done(call.send(&mut world.sandbox.fork(), |_| {}));
            // What a pool takes of a liquidation comes after it, and how the account of a leg stood.
            let events = match call.name {
                "liquidate_into_pool"
                | "flag_leg"
                | "liquidate_leg"
                | "part_leg"
                | "trade_leg"
                | "block_trade_cross" => 2,
                "auto_deleverage_cross" => 3,
                _ => 1,
            };
            assert_eq!(outcome.events.len(), events, "{}", call.name);
            names.push(call.name);
        }
    }
    // The program's entry points, from its interface's names.
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 82);
}

#[test]
fn whoever_must_sign_signs() {
    for world in worlds() {
        for call in &world.calls {
            for (place, meta) in call.instruction.accounts.iter().enumerate() {
                if meta.is_signer {
                    refused_by_anchor(
                        &mut world.sandbox.fork(),
                        ErrorCode::AccountNotSigner,
                        |s| call.send(s, |accounts| accounts[place].is_signer = false),
                    );
                }
            }
        }
    }
}

#[test]
fn whatever_is_written_is_writable() {
    let mut refusals = 0;
    for world in worlds() {
        for call in &world.calls {
            for (place, meta) in call.instruction.accounts.iter().enumerate() {
                let key = meta.pubkey;
                if !meta.is_writable {
                    continue;
                }
                let sent = |s: &mut Sandbox| {
                    call.send(s, |accounts| {
                        let same = accounts.iter_mut().filter(|one| one.pubkey == key);
                        same.for_each(|one| one.is_writable = false);
                    })
                };
                let error = refused_with(&mut world.sandbox.fork(), &call.account(place), sent);
                let known = [
                    Some(u32::from(ErrorCode::ConstraintMut)),
                    Some(u32::from(BallastError::AdlForeignAccount)),
                    Some(u32::from(BallastError::WrongBoard)),
                    Some(u32::from(BallastError::CrossQueueMissing)),
                    // A maker.
                    Some(u32::from(ErrorCode::AccountNotMutable)),
                ];
                // The runtime itself refuses where an account is created or pays.
                let escalated = "writable privilege escalated";
                let by_runtime = error.logs.iter().any(|line| line.contains(escalated));
                let expected = by_runtime || known.contains(&error.number);
                assert!(expected, "{}: {error}", call.account(place));
                refusals += 1;
            }
        }
    }
    assert!(refusals >= 60, "{refusals}");
}

/// Whether any account of this kind serves, as the instruction is meant.
fn interchangeable(call: &Call, place: usize, stand_in: &Pubkey, sandbox: &Sandbox) -> bool {
    let original = call.instruction.accounts[place].pubkey;
    let copied = sandbox.account(stand_in) == sandbox.account(&original);
    match (call.name, place) {
        // A price account may stand anywhere; a market's queues and vaults may not.
        ("create_market", 6..=8) => copied,
        _ => call.instruction.accounts[place].is_signer || is_price(sandbox, &original) && copied,
    }
}

fn is_price(sandbox: &Sandbox, address: &Pubkey) -> bool {
    sandbox
        .account(address)
        .is_some_and(|account| account.owner == ballast_sandbox::pyth::PULL_PROGRAM)
}

#[test]
fn no_account_is_replaced_by_one_of_another_kind() {
    for mut world in worlds() {
        let exists = world.sandbox.account(&addresses::exchange()).is_some();
        let wallet = world.sandbox.funded_keypair().pubkey();
        let mut stand_ins = vec![
            wallet,
            Pubkey::new_unique(),
            world.sandbox.mint(),
            ballast_state::ID,
        ];
        if exists {
            let traders = world.sandbox.trader_addresses();
            let trader = *traders.get(3).unwrap_or(&traders[1]);
            let keys = world.other.keys;
            stand_ins.extend([
                trader,
                keys.market,
                keys.queue_long,
                keys.queue_short,
                keys.book,
                world.other.insurance_vault,
                addresses::exchange(),
                addresses::collateral_vault(),
            ]);
            if world.sandbox.account(&world.other.pool()).is_some() {
                stand_ins.extend([
                    world.other.pool(),
                    world.other.pool_trader(),
                    world.other.stakes(),
                ]);
            }
        }
        let mut tried = 0;
        for call in &world.calls {
            for place in 0..call.instruction.accounts.len() {
                for stand_in in &stand_ins {
                    let meta = &call.instruction.accounts[place];
                    if meta.pubkey == *stand_in || serves(call, place, &world, stand_in) {
                        continue;
                    }
                    if interchangeable(call, place, stand_in, &world.sandbox) {
                        continue;
                    }
                    let what = format!("{} replaced by {stand_in}", call.account(place));
                    refused_with(&mut world.sandbox.fork(), &what, |s| {
                        call.send(s, |accounts| accounts[place].pubkey = *stand_in)
                    });
                    tried += 1;
                }
            }
        }
        let least = match (exists, world.calls.len()) {
            (false, _) => 20,
            (true, 1) => 50,
            (true, ..10) => 100,
            (true, _) => 1_000,
        };
        assert!(tried > least, "{tried}");
    }
}

/// Where another account of the same kind is as good as the one named.
fn serves(call: &Call, place: usize, world: &World, stand_in: &Pubkey) -> bool {
    let is_trader = world.sandbox.trader_addresses().contains(stand_in);
    let is_market = *stand_in == world.other.keys.market;
    match (call.name, place) {
        // Anybody may be deposited to or rewarded.
        ("deposit", 2)
        | ("auto_deleverage" | "auto_deleverage_cross" | "execute_trigger", 4)
        | ("unwind_pool" | "execute_protection", 5) => is_trader,
        // Without a market it names the program in its place, so that events find it there.
        ("stage_change", 8) => true,
        // Any market's funding may accrue.
        ("accrue_funding", 1) => is_market,
        // Any market may be made reduce-only.
        ("set_reduce_only", 2) => is_market,
        // And get cross margin.
        ("enable_cross", 3) => is_market,
        // And any pool stopped.
        ("stop_pool", 2) => *stand_in == world.other.pool(),
        // Anybody is settled.
        ("settle_position", 1) => is_trader,
        // Anybody's account is migrated, and any queue.
        ("migrate_trader", 0) => is_trader,
        ("migrate_queue", 0) => *stand_in == world.other.keys.queue_short,
        _ => false,
    }
}

#[test]
fn a_forged_account_of_another_program_is_not_ours() {
    // Right bytes, wrong owner, for every account of the program that an instruction names.
    let mut tried = 0;
    for world in [world(), funds(), pools(), protections(), legs()] {
        for call in &world.calls {
            for (place, meta) in call.instruction.accounts.iter().enumerate() {
                let ours = world.sandbox.account(&meta.pubkey);
                let Some(account) = ours.filter(|account| account.owner == ballast_state::ID)
                else {
                    continue;
                };
                let mut sandbox = world.sandbox.fork();
                let forged = Pubkey::new_unique();
                sandbox.set_account(
                    &forged,
                    solana_account::Account {
                        owner: Pubkey::new_unique(),
                        ..account
                    },
                );
                let error = refused_with(&mut sandbox, &call.account(place), |s| {
                    call.send(s, |accounts| accounts[place].pubkey = forged)
                });
                let known = [
                    u32::from(ErrorCode::AccountOwnedByWrongProgram),
                    u32::from(BallastError::WrongQueue),
                    u32::from(BallastError::QueueNotOwned),
                    u32::from(BallastError::WrongBoard),
                    u32::from(BallastError::CrossQueueMissing),
                    u32::from(BallastError::WrongCrossQueue),
                    u32::from(BallastError::WrongBook),
                    u32::from(BallastError::BookNotOwned),
                    u32::from(BallastError::AdlForeignAccount),
                    u32::from(BallastError::WrongFund),
                    // Another market has no such pool, another fund no such account.
                    u32::from(ErrorCode::ConstraintSeeds),
                    // A forged maker is not the maker.
                    u32::from(BallastError::NotFilled),
                    u32::from(BallastError::NothingFilled),
                    u32::from(BallastError::LiquidationSkipsBook),
                ];
                assert!(
                    error.number.is_some_and(|number| known.contains(&number)),
                    "{error}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn queues_are_never_swapped() {
    let mut tried = 0;
    for world in [world(), funds(), pools(), protections(), legs()] {
        let keys = world.sandbox.markets()[0].keys;
        for call in &world.calls {
            let named = |meta: &AccountMeta| meta.pubkey == keys.queue_long;
            if !call.instruction.accounts.iter().any(named) {
                continue;
            }
            let error = refused_with(&mut world.sandbox.fork(), call.name, |s| {
                call.send(s, |accounts| {
                    for meta in accounts {
                        if meta.pubkey == keys.queue_long {
                            meta.pubkey = keys.queue_short;
                        } else if meta.pubkey == keys.queue_short {
                            meta.pubkey = keys.queue_long;
                        }
                    }
                })
            });
            assert_eq!(
                error.number,
                Some(u32::from(BallastError::WrongQueue)),
                "{}",
                call.name
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 25);
}

#[test]
fn a_copy_of_the_exchange_is_refused_everywhere() {
    let mut tried = 0;
    for mut world in [world(), funds(), pools(), protections(), legs()] {
        let copy = copy_of(&mut world.sandbox, &addresses::exchange());
        for call in &world.calls {
            let named = |meta: &AccountMeta| meta.pubkey == addresses::exchange();
            let Some(place) = call.instruction.accounts.iter().position(named) else {
                continue;
            };
            let error = refused_with(&mut world.sandbox.fork(), call.name, |s| {
                call.send(s, |accounts| accounts[place].pubkey = copy)
            });
            assert_eq!(
                error.number,
                Some(u32::from(BallastError::WrongExchange)),
                "{}",
                call.name
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 52);
}
