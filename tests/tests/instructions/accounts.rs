//! Every account of every instruction: signers sign, writable ones are writable, and a stand-in of
//! any other kind is refused.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use ballast::error::BallastError;
use ballast::instructions::admin::create_market::CreateMarketArgs;
use ballast::instructions::admin::initialize_exchange::InitializeExchangeArgs;
use ballast::instructions::trader::place_trigger::PlaceTriggerArgs;
use ballast::state::book_account::MIN_BOOK_ORDERS;
use ballast::state::exchange::Role;
use ballast::state::queue_account::MIN_QUEUE_NODES;
use ballast::state::trigger::TriggerKind;
use ballast_client::addresses;
use ballast_client::instructions::admin::MarketAccounts;
use ballast_client::instructions::{admin, anyone, orders, trader};
use ballast_sandbox::{MarketCookie, Options, Sandbox};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::support::{
    copy_of, done, quiet, refused_by_anchor, refused_with, terms, Venue, START, TEN, USD,
};

/// An instruction that goes through as it stands, and who signs it.
struct Call {
    name: &'static str,
    instruction: Instruction,
    signers: Vec<Keypair>,
}

impl Call {
    fn new(name: &'static str, instruction: Instruction, signers: &[&Keypair]) -> Self {
        Self {
            name,
            instruction,
            signers: signers.iter().map(|key| key.insecure_clone()).collect(),
        }
    }

    /// Sends it with `change` made to its accounts. Keys that need no longer sign do not.
    fn send(
        &self,
        sandbox: &mut Sandbox,
        change: impl FnOnce(&mut Vec<AccountMeta>),
    ) -> ballast_sandbox::TxResult {
        let mut instruction = self.instruction.clone();
        change(&mut instruction.accounts);
        let signs = |key: &&Keypair| {
            let named = |meta: &AccountMeta| meta.is_signer && meta.pubkey == key.pubkey();
            instruction.accounts.iter().any(named)
        };
        let signers: Vec<&Keypair> = self.signers.iter().filter(signs).collect();
        sandbox.send(std::slice::from_ref(&instruction), &signers)
    }

    /// What is refused, for the message of a failure.
    fn account(&self, place: usize) -> String {
        format!("{} with account {place}", self.name)
    }
}

/// A world in which every call but `initialize_exchange` goes through: at $189 alice is bankrupt,
/// carol below maintenance, bob healthy; dave's account is empty.
struct World {
    sandbox: Sandbox,
    other: MarketCookie,
    calls: Vec<Call>,
}

/// All of a position, at this price.
fn trigger(kind: TriggerKind, price_ticks: u64) -> PlaceTriggerArgs {
    PlaceTriggerArgs {
        kind,
        price_ticks,
        worst_ticks: 0,
        lots: u64::MAX,
    }
}

fn world() -> World {
    let mut venue = Venue::open();
    let other = venue.second_market();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(0).unwrap();
    let opening = terms(TEN, START, 150 * USD, 400 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &venue.bob, opening),
    );
    venue.price(189_000);
    done(
        venue
            .sandbox
            .mint_to(&venue.bob.wallet.tokens.clone(), 1_000),
    );
    let mut s = venue.sandbox;
    done(s.place_trigger(
        &venue.market,
        &venue.bob,
        trigger(TriggerKind::TakeProfit, 150_000),
    ));
    let successor = s.funded_keypair();
    done(s.propose_authority(Role::Pause, successor.pubkey()));
    let space = addresses::queue_space(MIN_QUEUE_NODES);
    let accounts = MarketAccounts {
        queue_long: s.create_program_account(space).unwrap(),
        queue_short: s.create_program_account(space).unwrap(),
        book: s
            .create_program_account(addresses::book_space(MIN_BOOK_ORDERS))
            .unwrap(),
    };
    let (payer, newcomer) = (s.funded_keypair(), s.funded_keypair());
    let (root, config, collateral) = (s.admin_keypair(), quiet(), s.collateral());
    let (keys, alice, bob) = (venue.market.keys, venue.alice, venue.bob);
    let bob_key = &bob.wallet.keypair;
    let signs = bob.wallet.address();
    let args = CreateMarketArgs {
        name: config.name,
        oracle: config.oracle(keys.price),
        risk: config.risk.into(),
    };
    let reduce = terms(-100, 189_000, 0, 0).args();
    let stop = trigger(TriggerKind::StopLoss, 250_000);
    let calls = vec![
        Call::new(
            "propose_authority",
            admin::propose_authority(root.pubkey(), Role::Risk, signs),
            &[&root],
        ),
        Call::new(
            "accept_authority",
            admin::accept_authority(successor.pubkey(), Role::Pause),
            &[&successor],
        ),
        Call::new("set_pause", admin::set_pause(root.pubkey(), 1), &[&root]),
        Call::new(
            "create_market",
            admin::create_market(payer.pubkey(), root.pubkey(), 2, accounts, collateral, args),
            &[&payer, &root],
        ),
        Call::new(
            "update_market_risk",
            admin::update_market_risk(root.pubkey(), keys, config.risk),
            &[&root],
        ),
        Call::new(
            "create_trader",
            trader::create_trader(payer.pubkey(), newcomer.pubkey(), 0),
            &[&payer, &newcomer],
        ),
        Call::new(
            "close_trader",
            trader::close_trader(dave.wallet.address(), dave.address),
            &[&dave.wallet.keypair],
        ),
        Call::new(
            "set_delegate",
            trader::set_delegate(signs, bob.address, None),
            &[bob_key],
        ),
        Call::new(
            "deposit",
            trader::deposit(signs, bob.address, bob.wallet.tokens, collateral, 5),
            &[bob_key],
        ),
        Call::new(
            "withdraw",
            trader::withdraw(signs, bob.address, bob.wallet.tokens, collateral, 5),
            &[bob_key],
        ),
        Call::new(
            "add_margin",
            trader::add_margin(signs, keys, bob.address, 5),
            &[bob_key],
        ),
        Call::new(
            "remove_margin",
            trader::remove_margin(signs, keys, bob.address, 5),
            &[bob_key],
        ),
        Call::new(
            "block_trade",
            trader::block_trade(keys, carol.party(), bob.party(), reduce),
            &[&carol.wallet.keypair, bob_key],
        ),
        Call::new(
            "cancel_all_orders",
            orders::cancel_all_orders(signs, keys, bob.address, None),
            &[bob_key],
        ),
        Call::new(
            "place_trigger",
            orders::place_trigger(signs, keys.market, bob.address, stop),
            &[bob_key],
        ),
        Call::new(
            "cancel_trigger",
            orders::cancel_trigger(signs, keys.market, bob.address, TriggerKind::TakeProfit),
            &[bob_key],
        ),
        Call::new("accrue_funding", anyone::accrue_funding(keys), &[]),
        Call::new(
            "donate_insurance",
            anyone::donate_insurance(signs, keys.market, bob.wallet.tokens, collateral, 5),
            &[bob_key],
        ),
        Call::new(
            "sweep_insurance",
            anyone::sweep_insurance(keys.market, collateral),
            &[],
        ),
        Call::new(
            "flag_bankruptcy",
            anyone::flag_bankruptcy(keys, carol.address),
            &[],
        ),
        Call::new(
            "liquidate",
            anyone::liquidate(
                signs,
                keys,
                carol.address,
                bob.address,
                anyone::Takeover::with_margin(0),
                &[],
            ),
            &[bob_key],
        ),
        Call::new(
            "auto_deleverage",
            anyone::auto_deleverage(signs, keys, alice.address, bob.address, 100, &[bob.address]),
            &[bob_key],
        ),
    ];
    World {
        sandbox: s,
        other,
        calls,
    }
}

/// The world before there is an exchange.
fn genesis() -> World {
    let mut sandbox = Sandbox::empty(&Options::default()).unwrap();
    let (payer, root) = (sandbox.funded_keypair(), sandbox.admin_keypair());
    let args = InitializeExchangeArgs {
        risk_authority: root.pubkey(),
        pause_authority: root.pubkey(),
    };
    let instruction =
        admin::initialize_exchange(payer.pubkey(), root.pubkey(), sandbox.collateral(), args);
    World {
        calls: vec![Call::new(
            "initialize_exchange",
            instruction,
            &[&payer, &root],
        )],
        other: Venue::new().market,
        sandbox,
    }
}

#[test]
fn every_instruction_goes_through_and_announces_itself() {
    let mut names = Vec::new();
    for world in [genesis(), world()] {
        for call in &world.calls {
            let outcome = done(call.send(&mut world.sandbox.fork(), |_| {}));
            assert_eq!(outcome.events.len(), 1, "{}", call.name);
            names.push(call.name);
        }
    }
    // The program's entry points, from its interface's names.
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 23);
}

#[test]
fn whoever_must_sign_signs() {
    for world in [genesis(), world()] {
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
    for world in [genesis(), world()] {
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
    for mut world in [genesis(), world()] {
        let exists = world.sandbox.account(&addresses::exchange()).is_some();
        let wallet = world.sandbox.funded_keypair().pubkey();
        let mut stand_ins = vec![
            wallet,
            Pubkey::new_unique(),
            world.sandbox.mint(),
            ballast::ID,
        ];
        if exists {
            let trader = world.sandbox.trader_addresses()[3];
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
        assert!(tried > if exists { 1_000 } else { 20 }, "{tried}");
    }
}

/// Where another account of the same kind is as good as the one named.
fn serves(call: &Call, place: usize, world: &World, stand_in: &Pubkey) -> bool {
    let is_trader = world.sandbox.trader_addresses().contains(stand_in);
    let is_market = *stand_in == world.other.keys.market;
    match (call.name, place) {
        // Anybody may be deposited to or rewarded.
        ("deposit", 2) | ("auto_deleverage", 4) => is_trader,
        // Any market's funding may accrue.
        ("accrue_funding", 1) => is_market,
        _ => false,
    }
}

#[test]
fn a_forged_account_of_another_program_is_not_ours() {
    // Right bytes, wrong owner, for every account of the program that an instruction names.
    let world = world();
    let mut tried = 0;
    for call in &world.calls {
        for (place, meta) in call.instruction.accounts.iter().enumerate() {
            let ours = world.sandbox.account(&meta.pubkey);
            let Some(account) = ours.filter(|account| account.owner == ballast::ID) else {
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
                u32::from(BallastError::WrongBook),
                u32::from(BallastError::BookNotOwned),
                u32::from(BallastError::AdlForeignAccount),
            ];
            assert!(
                error.number.is_some_and(|number| known.contains(&number)),
                "{error}"
            );
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn queues_are_never_swapped() {
    let world = world();
    let keys = world.sandbox.markets()[0].keys;
    let mut tried = 0;
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
    assert_eq!(tried, 5);
}

#[test]
fn a_copy_of_the_exchange_is_refused_everywhere() {
    let mut world = world();
    let copy = copy_of(&mut world.sandbox, &addresses::exchange());
    let mut tried = 0;
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
    assert_eq!(tried, 18);
}
