//! Tokens in and out: deposits, withdrawals, insurance.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::trader::Party;
use ballast_client::instructions::{anyone, trader, Collateral};
use ballast_sandbox::{MintKind, Options, Sandbox, TraderCookie};
use ballast_state::error::BallastError;

use crate::event;
use crate::support::{
    done, quiet, refused, refused_elsewhere, replaced, terms, Venue, START, TEN, USD,
};

const VAULT: fn() -> Pubkey = addresses::collateral_vault;

/// A deposit from a token account and a withdrawal to it, of one atom.
fn moves(party: Party, tokens: Pubkey, collateral: Collateral) -> [Instruction; 2] {
    let deposit = trader::Deposit {
        depositor: party.authority,
        trader: party.trader,
        source: tokens,
        collateral,
        amount: 1,
    };
    let withdraw = trader::Withdraw {
        owner: party.authority,
        trader: party.trader,
        destination: tokens,
        collateral,
        amount: 1,
    };
    [deposit.instruction(), withdraw.instruction()]
}

/// One atom for a market's insurance.
fn donate(donor: Pubkey, market: Pubkey, source: Pubkey, collateral: Collateral) -> Instruction {
    anyone::DonateInsurance {
        donor,
        market,
        source,
        collateral,
        amount: 1,
    }
    .instruction()
}

#[test]
pub fn deposit_and_withdraw_move_exactly_the_amount() {
    for mint in [MintKind::Classic, MintKind::Token2022] {
        let options = Options {
            mint,
            ..Options::default()
        };
        let (mut sandbox, _) = Sandbox::with_market(&options, &quiet()).unwrap();
        let wallet = sandbox.create_wallet(100).unwrap();
        let trader = sandbox.create_trader_of(&wallet, 0).unwrap();
        let outcome = done(sandbox.deposit(&trader, 70));
        let event = event!(outcome, Deposited);
        assert_eq!((event.amount, event.free_after), (70, 70));
        assert_eq!(event.depositor, wallet.address());
        assert_eq!(sandbox.trader(&trader.address).free, 70);
        assert_eq!(sandbox.token_balance(&wallet.tokens), 30);
        assert_eq!(sandbox.token_balance(&VAULT()), 70);
        let outcome = done(sandbox.withdraw(&trader, 69));
        let event = event!(outcome, Withdrawn);
        assert_eq!((event.amount, event.free_after), (69, 1));
        assert_eq!(event.destination, wallet.tokens);
        assert_eq!(sandbox.trader(&trader.address).free, 1);
        assert_eq!(sandbox.token_balance(&wallet.tokens), 99);
        assert_eq!(sandbox.token_balance(&VAULT()), 1);
        assert!(sandbox.conservation().holds());
    }
}

#[test]
pub fn anybody_may_deposit_for_somebody_else() {
    let mut venue = Venue::new();
    let giver = venue.sandbox.create_wallet(5).unwrap();
    done(venue.sandbox.deposit_from(&giver, &venue.alice.address, 5));
    assert_eq!(
        venue.free(&venue.alice),
        i64::try_from(1_000 * USD + 5).unwrap()
    );
    venue.conserves();
}

#[test]
pub fn nothing_is_not_an_amount() {
    let mut venue = Venue::open();
    let (alice, market) = (&venue.alice, &venue.market);
    let s = &mut venue.sandbox;
    refused(s, BallastError::ZeroAmount, |s| s.deposit(alice, 0));
    refused(s, BallastError::ZeroAmount, |s| s.withdraw(alice, 0));
    refused(s, BallastError::ZeroAmount, |s| {
        s.donate_insurance(market, &alice.wallet, 0)
    });
    refused(s, BallastError::ZeroAmount, |s| {
        s.add_margin(market, alice, 0)
    });
    refused(s, BallastError::ZeroAmount, |s| {
        s.remove_margin(market, alice, 0)
    });
}

#[test]
pub fn more_than_there_is_cannot_be_moved() {
    let mut venue = Venue::new();
    let rich = 1_000 * USD;
    for amount in [rich + 1, u64::MAX] {
        refused(
            &mut venue.sandbox,
            BallastError::InsufficientCollateral,
            |s| s.withdraw(&venue.alice, amount),
        );
    }
    done(venue.sandbox.mint_to(&venue.alice.wallet.tokens, 10));
    // The token program's own refusal.
    for amount in [11, u64::MAX] {
        refused_elsewhere(&mut venue.sandbox, |s| s.deposit(&venue.alice, amount));
    }
}

#[test]
pub fn margin_is_not_withdrawn() {
    let mut venue = Venue::open();
    // 1,000 less 100 of margin less a fee of 1.
    assert_eq!(venue.free(&venue.alice), i64::try_from(899 * USD).unwrap());
    refused(
        &mut venue.sandbox,
        BallastError::InsufficientCollateral,
        |s| s.withdraw(&venue.alice, 899 * USD + 1),
    );
    done(venue.sandbox.withdraw(&venue.alice, 899 * USD));
    venue.conserves();
}

#[test]
pub fn sums_beyond_an_i64_are_refused() {
    let mut venue = Venue::new();
    let whale = venue.sandbox.create_wallet(u64::MAX - 2_000 * USD).unwrap();
    let half = u64::MAX / 2;
    for amount in [half + 1, half - 1_000 * USD + 1] {
        refused(&mut venue.sandbox, BallastError::Overflow, |s| {
            s.deposit_from(&whale, &venue.alice.address, amount)
        });
    }
    done(
        venue
            .sandbox
            .deposit_from(&whale, &venue.alice.address, half - 1_000 * USD),
    );
    assert_eq!(venue.free(&venue.alice), i64::MAX);
    refused(&mut venue.sandbox, BallastError::Overflow, |s| {
        s.deposit_from(&whale, &venue.alice.address, 1)
    });
    venue.conserves();
}

#[test]
pub fn another_mint_is_not_collateral() {
    let mut venue = Venue::new();
    let s = &mut venue.sandbox;
    let (owner, program) = (venue.alice.wallet.address(), s.token_program());
    let mint = s.create_mint(MintKind::Classic).unwrap();
    let tokens = s.create_token_account(&owner, &mint, &program).unwrap();
    let (right, mut wrong) = (s.collateral(), s.collateral());
    wrong.mint = mint;
    let keys = venue.market.keys;
    let key = &venue.alice.wallet.keypair;
    for (error, source, collateral) in [
        (BallastError::WrongMint, tokens, wrong),
        (BallastError::WrongTokenAccount, tokens, right),
        (
            BallastError::WrongTokenAccount,
            venue.alice.wallet.tokens,
            wrong,
        ),
    ] {
        let party = venue.alice.party();
        let moves = moves(party, source, collateral);
        let donate = donate(party.authority, keys.market, source, collateral);
        for instruction in moves.into_iter().chain([donate]) {
            refused(s, error, |s| s.send(&[instruction], &[key]));
        }
    }
    let sweep = anyone::SweepInsurance {
        market: keys.market,
        collateral: wrong,
    }
    .instruction();
    refused(s, BallastError::WrongMint, |s| s.send(&[sweep], &[]));
}

#[test]
pub fn the_token_program_must_be_the_mints() {
    let mut venue = Venue::new();
    let mut collateral = venue.sandbox.collateral();
    collateral.token_program = MintKind::Token2022.token_program();
    let wallet = &venue.alice.wallet;
    let market = venue.market.keys.market;
    let moves = moves(venue.alice.party(), wallet.tokens, collateral);
    let donate = donate(wallet.address(), market, wallet.tokens, collateral);
    let sweep = anyone::SweepInsurance { market, collateral }.instruction();
    for instruction in moves.into_iter().chain([donate, sweep]) {
        let signers: &[&solana_keypair::Keypair] = match instruction.accounts[0].is_signer {
            true => &[&wallet.keypair],
            false => &[],
        };
        refused(&mut venue.sandbox, BallastError::WrongTokenProgram, |s| {
            s.send(&[instruction], signers)
        });
    }
}

#[test]
pub fn only_the_exchanges_vault_holds_collateral() {
    let mut venue = Venue::new();
    let wallet = venue.alice.wallet.clone();
    let collateral = venue.sandbox.collateral();
    let market = venue.market.keys.market;
    for vault in [
        wallet.tokens,
        venue.bob.wallet.tokens,
        venue.market.insurance_vault,
    ] {
        for instruction in moves(venue.alice.party(), wallet.tokens, collateral) {
            refused(
                &mut venue.sandbox,
                BallastError::WrongCollateralVault,
                |s| replaced(s, instruction, &VAULT(), vault, &[&wallet.keypair]),
            );
        }
        let sweep = anyone::SweepInsurance { market, collateral }.instruction();
        if vault != venue.market.insurance_vault {
            refused(
                &mut venue.sandbox,
                BallastError::WrongCollateralVault,
                |s| replaced(s, sweep, &VAULT(), vault, &[]),
            );
        }
    }
}

#[test]
pub fn an_exchange_vault_is_no_destination() {
    let mut venue = Venue::new();
    let wallet = venue.alice.wallet.clone();
    for vault in [VAULT(), venue.market.insurance_vault] {
        let instruction = trader::Withdraw {
            owner: wallet.address(),
            trader: venue.alice.address,
            destination: vault,
            collateral: venue.sandbox.collateral(),
            amount: 1,
        }
        .instruction();
        refused(&mut venue.sandbox, BallastError::VaultAsCounterparty, |s| {
            s.send(&[instruction], &[&wallet.keypair])
        });
    }
}

#[test]
pub fn a_vault_is_no_source_either() {
    let mut venue = Venue::open();
    let wallet = venue.alice.wallet.clone();
    let collateral = venue.sandbox.collateral();
    for source in [
        VAULT(),
        venue.market.insurance_vault,
        venue.bob.wallet.tokens,
    ] {
        let market = venue.market.keys.market;
        for instruction in [
            trader::Deposit {
                depositor: wallet.address(),
                trader: venue.alice.address,
                source,
                collateral,
                amount: 1,
            }
            .instruction(),
            donate(wallet.address(), market, source, collateral),
        ] {
            // The signer does not own it: the token program refuses.
            refused_elsewhere(&mut venue.sandbox, |s| {
                s.send(&[instruction], &[&wallet.keypair])
            });
        }
    }
}

#[test]
pub fn a_stranger_does_not_withdraw() {
    let mut venue = Venue::new();
    let thief = venue.bob.wallet.clone();
    let collateral = venue.sandbox.collateral();
    let instruction = trader::Withdraw {
        owner: thief.address(),
        trader: venue.alice.address,
        destination: thief.tokens,
        collateral,
        amount: 1,
    }
    .instruction();
    refused(&mut venue.sandbox, BallastError::NotOwner, |s| {
        s.send(&[instruction], &[&thief.keypair])
    });
}

#[test]
pub fn donations_reach_the_vault_and_the_ledger() {
    let mut venue = Venue::new();
    let donor = venue.sandbox.create_wallet(50).unwrap();
    let outcome = done(venue.sandbox.donate_insurance(&venue.market, &donor, 40));
    let event = event!(outcome, InsuranceDonated);
    assert_eq!(
        (event.amount, event.balance_after, event.donor),
        (40, 40, donor.address())
    );
    assert_eq!(venue.sandbox.market(&venue.market).insurance.balance, 40);
    assert_eq!(
        venue.sandbox.token_balance(&venue.market.insurance_vault),
        40
    );
    assert_eq!(venue.sandbox.token_balance(&donor.tokens), 10);
    venue.conserves();
}

#[test]
pub fn insurance_of_another_market_is_not_touched() {
    let mut venue = Venue::open();
    let other = venue.second_market();
    let donor = venue.sandbox.create_wallet(50).unwrap();
    let collateral = venue.sandbox.collateral();
    let market = venue.market.keys.market;
    let (vault, foreign) = (venue.market.insurance_vault, other.insurance_vault);
    for wrong in [foreign, VAULT(), donor.tokens] {
        let donate = anyone::DonateInsurance {
            donor: donor.address(),
            market,
            source: donor.tokens,
            collateral,
            amount: 5,
        }
        .instruction();
        refused(&mut venue.sandbox, BallastError::WrongInsuranceVault, |s| {
            replaced(s, donate, &vault, wrong, &[&donor.keypair])
        });
        let sweep = anyone::SweepInsurance { market, collateral }.instruction();
        refused(&mut venue.sandbox, BallastError::WrongInsuranceVault, |s| {
            replaced(s, sweep, &vault, wrong, &[])
        });
    }
}

#[test]
pub fn sweeping_brings_the_vault_level_with_the_ledger_either_way() {
    let mut venue = Venue::open();
    let vault = venue.market.insurance_vault;
    // The insurance share of the fee is in the collateral vault at first.
    assert_eq!(
        venue.sandbox.market(&venue.market).insurance.balance,
        200_000
    );
    assert_eq!(venue.sandbox.token_balance(&vault), 0);
    let outcome = done(venue.sandbox.sweep_insurance(&venue.market));
    let event = event!(outcome, InsuranceSwept);
    assert_eq!((event.vault_before, event.vault_after), (0, 200_000));
    assert_eq!(venue.sandbox.token_balance(&vault), 200_000);
    assert_eq!(venue.sandbox.token_balance(&VAULT()), 2_000 * USD - 200_000);
    // Level: nothing to do, nothing announced.
    let outcome = done(venue.sandbox.sweep_insurance(&venue.market));
    assert!(outcome.events.is_empty());
    // Insurance pays a deficit of $10 and the vault is above the ledger.
    let donor = venue.sandbox.create_wallet(20 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 20 * USD),
    );
    venue.price(189_000);
    let liquidator: TraderCookie = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let victim = venue.alice.address;
    done(
        venue
            .sandbox
            .liquidate(&venue.market, &victim, &liquidator, 200 * USD),
    );
    let ledger = venue.sandbox.market(&venue.market).insurance.balance;
    assert_eq!(ledger, 10 * USD + 200_000);
    assert_eq!(venue.sandbox.token_balance(&vault), 20 * USD + 200_000);
    done(venue.sandbox.sweep_insurance(&venue.market));
    assert_eq!(venue.sandbox.token_balance(&vault), ledger);
    venue.conserves();
}

#[test]
pub fn tokens_sent_to_the_insurance_vault_become_insurance_s_and_to_the_other_nobody_s() {
    let mut venue = Venue::open();
    let vault = venue.market.insurance_vault;
    done(venue.sandbox.mint_to(&vault, 7));
    done(venue.sandbox.mint_to(&VAULT(), 3));
    done(venue.sandbox.sweep_insurance(&venue.market));
    assert_eq!(
        venue.sandbox.market(&venue.market).insurance.balance,
        200_007
    );
    assert_eq!(venue.sandbox.token_balance(&vault), 200_007);
    assert_eq!(venue.sandbox.conservation().error_atoms(), -3);
}

#[test]
pub fn what_insurance_paid_is_withdrawn_after_a_sweep() {
    let mut venue = Venue::bankrupt();
    let donor = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 10 * USD),
    );
    let (victim, bob) = (venue.alice.address, venue.bob.clone());
    done(venue.sandbox.liquidate(&venue.market, &victim, &bob, 0));
    // Bob has $500 of margin and $110 of profit back; the loser had only $100.
    let all = u64::try_from(venue.free(&bob)).unwrap();
    assert_eq!(all, 1_110 * USD + 800_000);
    done(venue.sandbox.withdraw(&venue.alice, 899 * USD));
    assert_eq!(venue.sandbox.token_balance(&VAULT()), 1_101 * USD);
    // The tokens for the rest are still in the insurance vault, which anybody may empty.
    refused_elsewhere(&mut venue.sandbox, |s| s.withdraw(&bob, all));
    done(venue.sandbox.sweep_insurance(&venue.market));
    done(venue.sandbox.withdraw(&bob, all));
    assert_eq!(venue.sandbox.token_balance(&VAULT()), 0);
    assert_eq!(
        venue.sandbox.market(&venue.market).insurance.balance,
        200_000
    );
    venue.conserves();
}

#[test]
pub fn a_token_2022_exchange_works_from_end_to_end() {
    let options = Options {
        mint: MintKind::Token2022,
        ..Options::default()
    };
    let (mut sandbox, market) = Sandbox::with_market(&options, &quiet()).unwrap();
    let long = sandbox.create_trader(1_000 * USD).unwrap();
    let short = sandbox.create_trader(1_000 * USD).unwrap();
    let donor = sandbox.create_wallet(20 * USD).unwrap();
    let opening = terms(TEN, START, 100 * USD, 500 * USD);
    done(sandbox.block_trade(&market, &long, &short, opening));
    done(sandbox.donate_insurance(&market, &donor, 20 * USD));
    sandbox.set_price(&market, 189_000);
    done(sandbox.liquidate(&market, &long.address, &short, 0));
    done(sandbox.sweep_insurance(&market));
    assert_eq!(
        sandbox.token_balance(&market.insurance_vault),
        10 * USD + 200_000
    );
    for trader in [&long, &short] {
        let free = u64::try_from(sandbox.trader(&trader.address).free).unwrap();
        done(sandbox.withdraw(trader, free));
        done(sandbox.close_trader(trader));
    }
    assert_eq!(sandbox.token_balance(&VAULT()), 0);
    assert!(sandbox.conservation().holds());
}
