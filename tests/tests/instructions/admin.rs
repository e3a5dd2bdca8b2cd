//! The exchange: its creation, its authorities and its pause flags.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::bpf_loader_upgradeable;
use ballast_client::addresses;
use ballast_client::instructions::admin;
use ballast_sandbox::{MintKind, Options, Sandbox, TxResult};
use ballast_state::error::BallastError;
use ballast_state::exchange::{
    Role, PAUSE_ALL, PAUSE_DELEVERAGE, PAUSE_DEPOSIT, PAUSE_LIQUIDATE, PAUSE_OPEN,
    PAUSE_REMOVE_MARGIN, PAUSE_TRADE, PAUSE_WITHDRAW,
};
use ballast_state::instructions::InitializeExchangeArgs;
use ballast_state::seeds::PROGRAM_DATA_ADDRESS;
use ballast_state::staged::Change;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::support::{
    done, forge, refused, refused_by_anchor, refused_elsewhere, refused_forged, replaced, terms,
    Venue, START, USD,
};

fn empty(mint: MintKind) -> Sandbox {
    Sandbox::empty(&Options {
        mint,
        ..Options::default()
    })
    .unwrap()
}

fn args(sandbox: &Sandbox) -> InitializeExchangeArgs {
    InitializeExchangeArgs {
        risk_authority: sandbox.admin(),
        guardian: sandbox.admin(),
    }
}

#[test]
pub fn initialize_exchange_writes_every_field_once() {
    for mint in [MintKind::Classic, MintKind::Token2022] {
        let mut sandbox = empty(mint);
        let args = InitializeExchangeArgs {
            risk_authority: Pubkey::new_unique(),
            guardian: Pubkey::new_unique(),
        };
        let instruction = admin::InitializeExchange {
            payer: sandbox.payer(),
            admin: sandbox.admin(),
            collateral: sandbox.collateral(),
            args,
        }
        .instruction();
        let key = sandbox.admin_keypair();
        let outcome = done(sandbox.send(std::slice::from_ref(&instruction), &[&key]));
        let event = event!(outcome, ExchangeInitialized);
        assert_eq!(event.admin, sandbox.admin());
        let exchange = sandbox.exchange();
        assert_eq!((exchange.version, exchange.mint_decimals), (2, 6));
        assert_eq!(exchange.admin, sandbox.admin());
        assert_eq!(exchange.risk_authority, args.risk_authority);
        assert_eq!(exchange.guardian, args.guardian);
        assert_eq!(exchange.collateral_mint, sandbox.mint());
        assert_eq!(exchange.collateral_vault, addresses::collateral_vault());
        assert_eq!((exchange.market_count, exchange.trader_count), (0, 0));
        assert_eq!(exchange.pause_flags, 0);
        let vault = sandbox.account(&addresses::collateral_vault()).unwrap();
        assert_eq!(vault.owner, sandbox.token_program());
        assert_eq!(&vault.data[32..64], addresses::exchange().as_ref());
        // It is there for good.
        refused_elsewhere(&mut sandbox, |s| s.send(&[instruction], &[&key]));
    }
}

#[test]
pub fn mints_that_change_balances_are_rejected() {
    for mint in [
        MintKind::TransferFee,
        MintKind::TransferHook,
        MintKind::PermanentDelegate,
        MintKind::NonTransferable,
        MintKind::DefaultFrozen,
        MintKind::InterestBearing,
    ] {
        let mut sandbox = empty(mint);
        refused(&mut sandbox, BallastError::MintExtensionRejected, |s| {
            s.initialize_exchange()
        });
        assert!(sandbox.account(&addresses::exchange()).is_none());
    }
}

#[test]
pub fn no_authority_may_be_unset_at_the_start() {
    let mut sandbox = empty(MintKind::Classic);
    let key = sandbox.admin_keypair();
    for role in 0..2 {
        let mut args = args(&sandbox);
        if role == 0 {
            args.risk_authority = Pubkey::default();
        } else {
            args.guardian = Pubkey::default();
        }
        let (payer, admin, collateral) = (sandbox.payer(), sandbox.admin(), sandbox.collateral());
        let instruction = admin::InitializeExchange {
            payer,
            admin,
            collateral,
            args,
        }
        .instruction();
        refused(&mut sandbox, BallastError::AuthorityUnset, |s| {
            s.send(&[instruction], &[&key])
        });
    }
}

#[test]
pub fn the_mint_must_belong_to_the_token_program_named() {
    let mut sandbox = empty(MintKind::Classic);
    let (args, key) = (args(&sandbox), sandbox.admin_keypair());
    let mut collateral = sandbox.collateral();
    collateral.token_program = MintKind::Token2022.token_program();
    let instruction = admin::InitializeExchange {
        payer: sandbox.payer(),
        admin: sandbox.admin(),
        collateral,
        args,
    }
    .instruction();
    // The vault is created first, by the token program that is not the mint's.
    refused_elsewhere(&mut sandbox, |s| s.send(&[instruction], &[&key]));
}

/// A program data account with this upgrade authority.
fn program_data(authority: Pubkey) -> Account {
    let mut data = vec![3, 0, 0, 0];
    data.extend(77_u64.to_le_bytes());
    data.push(1);
    data.extend(authority.to_bytes());
    Account {
        lamports: 1_000_000_000,
        data,
        owner: bpf_loader_upgradeable::ID,
        executable: false,
        rent_epoch: u64::MAX,
    }
}

#[test]
pub fn only_the_upgrade_authority_creates_the_exchange() {
    let mut sandbox = empty(MintKind::Classic);
    let (args, key) = (args(&sandbox), sandbox.admin_keypair());
    let instruction = admin::InitializeExchange {
        payer: sandbox.payer(),
        admin: sandbox.admin(),
        collateral: sandbox.collateral(),
        args,
    }
    .instruction();
    let stranger = Pubkey::new_unique();
    sandbox.set_account(&PROGRAM_DATA_ADDRESS, program_data(stranger));
    refused(&mut sandbox, BallastError::NotUpgradeAuthority, |s| {
        s.initialize_exchange()
    });
    // Naming another account instead does not help.
    refused(&mut sandbox, BallastError::NotUpgradeAuthority, |s| {
        replaced(s, instruction, &PROGRAM_DATA_ADDRESS, stranger, &[&key])
    });
    let admin = sandbox.admin();
    sandbox.set_account(&PROGRAM_DATA_ADDRESS, program_data(admin));
    done(sandbox.initialize_exchange());
}

#[test]
pub fn a_role_is_handed_over_in_two_steps() {
    for role in [Role::Admin, Role::Risk, Role::Guardian] {
        let mut sandbox = Venue::new().sandbox;
        let (former, next) = (sandbox.admin(), sandbox.funded_keypair());
        let staged = sandbox.stage_successor(role, next.pubkey()).unwrap();
        assert_eq!(sandbox.exchange().authority(role), former);
        let outcome = done(sandbox.accept_authority(&staged, &next));
        let event = event!(outcome, AuthorityAccepted);
        assert_eq!((event.former, event.holder), (former, next.pubkey()));
        let exchange = sandbox.exchange();
        for other in [Role::Admin, Role::Risk, Role::Guardian] {
            let expected = if other == role { next.pubkey() } else { former };
            assert_eq!(exchange.authority(other), expected);
        }
        // Once.
        assert!(sandbox.staged(&staged.address).is_none());
        refused_by_anchor(&mut sandbox, ErrorCode::AccountOwnedByWrongProgram, |s| {
            s.accept_authority(&staged, &next)
        });
    }
}

#[test]
pub fn nobody_but_the_staged_accepts() {
    let mut sandbox = Venue::new().sandbox;
    let (next, stranger) = (sandbox.funded_keypair(), sandbox.funded_keypair());
    let staged = sandbox.stage_successor(Role::Admin, next.pubkey()).unwrap();
    refused(&mut sandbox, BallastError::NotProposed, |s| {
        s.accept_authority(&staged, &stranger)
    });
    // A change of another kind hands nothing over.
    let other = sandbox
        .stage(Change::Treasury(next.pubkey()), None)
        .unwrap();
    refused(&mut sandbox, BallastError::StagedMismatch, |s| {
        s.accept_authority(&other, &next)
    });
    let unset = Change::Authority {
        role: Role::Risk,
        successor: Pubkey::default(),
    };
    let admin = sandbox.admin_keypair();
    refused(&mut sandbox, BallastError::AuthorityUnset, |s| {
        s.send_staging(unset, None, &admin)
    });
    done(sandbox.cancel_staged(&staged, &admin));
    refused_by_anchor(&mut sandbox, ErrorCode::AccountOwnedByWrongProgram, |s| {
        s.accept_authority(&staged, &next)
    });
}

#[test]
pub fn only_the_admin_stages_a_successor() {
    let mut sandbox = Venue::new().sandbox;
    let stranger = sandbox.funded_keypair();
    let hand_over = |role, to: &Keypair| Change::Authority {
        role,
        successor: to.pubkey(),
    };
    refused(&mut sandbox, BallastError::NotAdmin, |s| {
        s.send_staging(hand_over(Role::Admin, &stranger), None, &stranger)
    });
    // Nor does a holder of another role, nor a former admin.
    for role in [Role::Risk, Role::Guardian, Role::Admin] {
        done(sandbox.hand_over(role, &stranger));
        let from = if role == Role::Admin {
            sandbox.admin_keypair()
        } else {
            stranger.insecure_clone()
        };
        refused(&mut sandbox, BallastError::NotAdmin, |s| {
            s.send_staging(hand_over(Role::Admin, &from), None, &from)
        });
    }
}

#[test]
pub fn pause_flags_are_set_by_their_authority_or_the_admin() {
    let mut sandbox = Venue::new().sandbox;
    let guard = sandbox.funded_keypair();
    let instruction = admin::SetPause {
        authority: guard.pubkey(),
        flags: PAUSE_ALL,
        slots: 10,
    }
    .instruction();
    refused(&mut sandbox, BallastError::NotGuardian, |s| {
        s.send(std::slice::from_ref(&instruction), &[&guard])
    });
    done(sandbox.hand_over(Role::Guardian, &guard));
    let outcome = done(sandbox.send(&[instruction], &[&guard]));
    let event = event!(outcome, PauseSet);
    assert_eq!((event.flags_before, event.flags_after), (0, PAUSE_ALL));
    let slot = sandbox.slot();
    assert_eq!(event.until_slot, slot + 10);
    // The admin has a pause of its own, and lifts no other.
    done(sandbox.set_pause(0));
    assert_eq!(sandbox.exchange().pauses(slot), PAUSE_ALL);
    done(sandbox.set_pause(PAUSE_OPEN));
    sandbox.advance_slots(10);
    assert_eq!(sandbox.exchange().pauses(slot + 10), PAUSE_OPEN);
}

#[test]
pub fn a_pause_flag_without_meaning_is_refused() {
    let mut sandbox = Venue::new().sandbox;
    for flags in [PAUSE_ALL + 1, 1 << 31, u32::MAX] {
        refused(&mut sandbox, BallastError::UnknownPauseFlag, |s| {
            s.set_pause(flags)
        });
    }
}

/// The flags that pause a call, and the call.
type Pausable<'a> = (&'a [u32], &'a dyn Fn(&mut Sandbox) -> TxResult);

#[test]
pub fn each_flag_pauses_its_action_and_no_other() {
    let mut venue = Venue::open();
    let second = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let Venue {
        mut sandbox,
        market,
        alice,
        bob,
    } = venue;
    done(sandbox.mint_to(&alice.wallet.tokens, 5));
    let all = [
        PAUSE_DEPOSIT,
        PAUSE_WITHDRAW,
        PAUSE_OPEN,
        PAUSE_TRADE,
        PAUSE_REMOVE_MARGIN,
    ];
    for flag in all {
        let mut paused = sandbox.fork();
        done(paused.set_pause(flag));
        let calls: [Pausable; 6] = [
            (&[PAUSE_DEPOSIT], &|s| s.deposit(&alice, 5)),
            (&[PAUSE_WITHDRAW], &|s| s.withdraw(&alice, 5)),
            (&[PAUSE_OPEN, PAUSE_TRADE], &|s| {
                s.block_trade(&market, &second, &bob, terms(100, START, USD, USD))
            }),
            (&[PAUSE_TRADE], &|s| {
                s.block_trade(&market, &alice, &bob, terms(-100, START, 0, 0))
            }),
            (&[PAUSE_REMOVE_MARGIN], &|s| {
                s.remove_margin(&market, &bob, 5)
            }),
            (&[], &|s| s.add_margin(&market, &alice, 5)),
        ];
        for (flags, call) in calls {
            let mut world = paused.fork();
            if flags.contains(&flag) {
                refused(&mut world, BallastError::Paused, |s| call(s));
            } else {
                done(call(&mut world));
            }
        }
    }
    // Liquidation and deleveraging, of a bankrupt.
    sandbox.set_price(&market, 189_000);
    let mut paused = sandbox.fork();
    done(paused.set_pause(PAUSE_LIQUIDATE));
    refused(&mut paused, BallastError::Paused, |s| {
        s.liquidate(&market, &alice.address, &second, 0)
    });
    done(paused.auto_deleverage(&market, &alice.address, &second, &[bob.address]));
    let mut paused = sandbox.fork();
    done(paused.set_pause(PAUSE_DELEVERAGE));
    refused(&mut paused, BallastError::Paused, |s| {
        s.auto_deleverage(&market, &alice.address, &second, &[bob.address])
    });
    let donor = paused.create_wallet(100 * USD).unwrap();
    done(paused.donate_insurance(&market, &donor, 100 * USD));
    done(paused.liquidate(&market, &alice.address, &second, 500 * USD));
}

#[test]
pub fn a_forged_exchange_is_not_the_exchange() {
    let mut sandbox = Venue::new().sandbox;
    let copy = crate::support::copy_of(&mut sandbox, &addresses::exchange());
    let key = sandbox.admin_keypair();
    let instruction = admin::SetPause {
        authority: sandbox.admin(),
        flags: 1,
        slots: 10,
    }
    .instruction();
    refused(&mut sandbox, BallastError::WrongExchange, |s| {
        replaced(s, instruction, &addresses::exchange(), copy, &[&key])
    });
}

#[test]
pub fn a_broken_exchange_stays_as_it_is() {
    let mut sandbox = Venue::new().sandbox;
    forge::<ballast_state::exchange::Exchange>(&mut sandbox, &addresses::exchange(), |exchange| {
        exchange.collateral_mint = Pubkey::default();
    });
    refused_forged(&mut sandbox, BallastError::ExchangeInvariant, |s| {
        s.set_pause(1)
    });
}
