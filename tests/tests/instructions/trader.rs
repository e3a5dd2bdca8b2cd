//! Trader accounts: opening, closing, delegates.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast_client::addresses;
use ballast_client::instructions::trader;
use ballast_sandbox::{BlockTrade, Sandbox, TraderCookie, TxResult};
use ballast_state::error::BallastError;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::support::{
    done, quiet, refused, refused_by_anchor, refused_elsewhere, terms, Venue, START, TEN, USD,
};

#[test]
pub fn create_trader_opens_an_empty_account_once() {
    let mut sandbox = Venue::new().sandbox;
    let wallet = sandbox.create_wallet(0).unwrap();
    for sub_id in [0, 1, u16::MAX] {
        let before = sandbox.exchange().trader_count;
        let instruction = trader::CreateTrader {
            payer: sandbox.payer(),
            owner: wallet.address(),
            sub_id,
        }
        .instruction();
        let outcome = done(sandbox.send(std::slice::from_ref(&instruction), &[&wallet.keypair]));
        let event = event!(outcome, TraderCreated);
        let address = addresses::trader(&wallet.address(), sub_id);
        assert_eq!(
            (event.trader, event.owner, event.sub_id),
            (address, wallet.address(), sub_id)
        );
        let account = sandbox.trader(&address);
        assert_eq!((account.version, account.sub_id), (3, sub_id));
        assert_eq!(
            (account.owner, account.delegate),
            (wallet.address(), Pubkey::default())
        );
        assert_eq!((account.free, account.position_count), (0, 0));
        assert_eq!(sandbox.exchange().trader_count, before + 1);
        refused_elsewhere(&mut sandbox, |s| s.send(&[instruction], &[&wallet.keypair]));
    }
}

#[test]
pub fn an_account_of_another_owner_or_number_is_not_created() {
    let mut sandbox = Venue::new().sandbox;
    let wallet = sandbox.create_wallet(0).unwrap();
    for other in [
        addresses::trader(&wallet.address(), 1),
        addresses::trader(&sandbox.admin(), 0),
    ] {
        let mut instruction = trader::CreateTrader {
            payer: sandbox.payer(),
            owner: wallet.address(),
            sub_id: 0,
        }
        .instruction();
        instruction.accounts[3].pubkey = other;
        refused_by_anchor(&mut sandbox, ErrorCode::ConstraintSeeds, |s| {
            s.send(&[instruction], &[&wallet.keypair])
        });
    }
}

#[test]
pub fn close_trader_returns_the_rent_of_an_empty_account() {
    let mut venue = Venue::new();
    done(venue.sandbox.withdraw(&venue.alice, 1_000 * USD));
    let owner = venue.alice.wallet.address();
    let rent = venue
        .sandbox
        .account(&venue.alice.address)
        .unwrap()
        .lamports;
    let before = venue.sandbox.account(&owner).unwrap().lamports;
    let outcome = done(venue.sandbox.close_trader(&venue.alice));
    let event = event!(outcome, TraderClosed);
    assert_eq!((event.trader, event.owner), (venue.alice.address, owner));
    assert!(venue.sandbox.account(&venue.alice.address).is_none());
    assert_eq!(
        venue.sandbox.account(&owner).unwrap().lamports,
        before + rent
    );
    assert_eq!(venue.sandbox.exchange().trader_count, 1);
    venue.conserves();
    // The address may be used again.
    let again = venue
        .sandbox
        .create_trader_of(&venue.alice.wallet, 0)
        .unwrap();
    assert_eq!(venue.sandbox.trader(&again.address).free, 0);
}

#[test]
pub fn a_trader_with_collateral_or_a_position_is_not_closed() {
    let mut venue = Venue::new();
    refused(&mut venue.sandbox, BallastError::TraderNotEmpty, |s| {
        s.close_trader(&venue.alice)
    });
    done(venue.trade(TEN, START, 100 * USD, 500 * USD));
    let free = u64::try_from(venue.free(&venue.alice)).unwrap();
    done(venue.sandbox.withdraw(&venue.alice, free));
    assert_eq!(venue.free(&venue.alice), 0);
    refused(&mut venue.sandbox, BallastError::TraderNotEmpty, |s| {
        s.close_trader(&venue.alice)
    });
}

#[test]
pub fn strangers_and_delegates_do_not_close_a_trader() {
    let mut venue = Venue::new();
    done(venue.sandbox.withdraw(&venue.alice, 1_000 * USD));
    let delegate = venue.sandbox.funded_keypair();
    done(
        venue
            .sandbox
            .set_delegate(&venue.alice, Some(delegate.pubkey())),
    );
    for thief in [&delegate, &venue.bob.wallet.keypair] {
        let instruction = trader::CloseTrader {
            owner: thief.pubkey(),
            trader: venue.alice.address,
        }
        .instruction();
        refused(&mut venue.sandbox, BallastError::NotOwner, |s| {
            s.send(&[instruction], &[thief])
        });
    }
}

#[test]
pub fn only_the_owner_names_a_delegate() {
    let mut venue = Venue::new();
    let delegate = venue.sandbox.funded_keypair();
    let outcome = done(
        venue
            .sandbox
            .set_delegate(&venue.alice, Some(delegate.pubkey())),
    );
    let event = event!(outcome, DelegateSet);
    assert_eq!(
        (event.before, event.after),
        (Pubkey::default(), delegate.pubkey())
    );
    for thief in [&delegate, &venue.bob.wallet.keypair] {
        let instruction = trader::SetDelegate {
            owner: thief.pubkey(),
            trader: venue.alice.address,
            delegate: Some(thief.pubkey()),
            block_trades: true,
        }
        .instruction();
        refused(&mut venue.sandbox, BallastError::NotOwner, |s| {
            s.send(&[instruction], &[thief])
        });
    }
    done(venue.sandbox.set_delegate(&venue.alice, None));
    assert_eq!(
        venue.sandbox.trader(&venue.alice.address).delegate,
        Pubkey::default()
    );
}

/// Alice trades, signed by `key` for her.
fn trade_as(venue: &Venue, sandbox: &mut Sandbox, key: &Keypair, terms: BlockTrade) -> TxResult {
    let mut party = venue.alice.party();
    party.authority = key.pubkey();
    let instruction = trader::BlockTrade {
        keys: venue.market.keys,
        taker: party,
        maker: venue.bob.party(),
        args: terms.args(),
    }
    .instruction();
    sandbox.send(&[instruction], &[key, &venue.bob.wallet.keypair])
}

/// Alice lets `key` sign block trades.
fn block_trader(venue: &Venue, sandbox: &mut Sandbox, key: &Keypair) -> TxResult {
    let instruction = trader::SetDelegate {
        owner: venue.alice.wallet.address(),
        trader: venue.alice.address,
        delegate: Some(key.pubkey()),
        block_trades: true,
    }
    .instruction();
    sandbox.send(&[instruction], &[&venue.alice.wallet.keypair])
}

#[test]
pub fn a_delegate_emptied_the_account_by_block_trades_with_its_own() {
    let mut venue = Venue::open();
    let key = venue.sandbox.funded_keypair();
    let delegate = Some(key.pubkey());
    done(venue.sandbox.set_delegate(&venue.alice, delegate));
    let refuse = |venue: &mut Venue, terms| {
        let mut sandbox = venue.sandbox.fork();
        refused(&mut sandbox, BallastError::DelegateMayNotBlockTrade, |s| {
            trade_as(venue, s, &key, terms)
        });
    };
    // At the edge of the band, with an account of its own: there and back again takes 10% of the
    // notional.
    refuse(&mut venue, terms(TEN, 210_000, 110 * USD, 500 * USD));
    refuse(&mut venue, terms(-TEN, 190_000, 0, 0));
    // The owner's permission goes with the delegate that it was for.
    let mut sandbox = venue.sandbox.fork();
    done(block_trader(&venue, &mut sandbox, &key));
    done(trade_as(
        &venue,
        &mut sandbox,
        &key,
        terms(-100, START, 0, 0),
    ));
    venue.sandbox = sandbox;
    done(venue.sandbox.set_delegate(&venue.alice, delegate));
    assert_eq!(venue.sandbox.trader(&venue.alice.address).delegate_flags, 0);
    refuse(&mut venue, terms(-100, START, 0, 0));
    // The owner itself needs no permission.
    done(venue.trade(-100, START, 0, 0));
}

#[test]
pub fn a_delegate_trades_and_moves_margin_but_does_not_withdraw() {
    let venue = Venue::new();
    let mut sandbox = venue.sandbox.fork();
    let key = sandbox.funded_keypair();
    let tokens = sandbox.create_wallet(0).unwrap().tokens;
    let market = venue.market.keys;
    let opening = terms(TEN, START, 100 * USD, 500 * USD);
    refused(&mut sandbox, BallastError::NotTraderAuthority, |s| {
        trade_as(&venue, s, &key, opening)
    });
    done(sandbox.set_delegate(&venue.alice, Some(key.pubkey())));
    refused(&mut sandbox, BallastError::DelegateMayNotBlockTrade, |s| {
        trade_as(&venue, s, &key, opening)
    });
    done(block_trader(&venue, &mut sandbox, &key));
    done(trade_as(&venue, &mut sandbox, &key, opening));
    let add = trader::AddMargin {
        authority: key.pubkey(),
        keys: market,
        trader: venue.alice.address,
        amount: 10 * USD,
    }
    .instruction();
    let remove = trader::RemoveMargin {
        authority: key.pubkey(),
        keys: market,
        trader: venue.alice.address,
        amount: 10 * USD,
    }
    .instruction();
    done(sandbox.send(&[add.clone(), remove.clone()], &[&key]));
    for destination in [tokens, venue.alice.wallet.tokens] {
        let withdraw = trader::Withdraw {
            owner: key.pubkey(),
            trader: venue.alice.address,
            destination,
            collateral: sandbox.collateral(),
            amount: 1,
        }
        .instruction();
        refused(&mut sandbox, BallastError::NotOwner, |s| {
            s.send(&[withdraw], &[&key])
        });
    }
    // Dismissed, the delegate is a stranger.
    done(sandbox.set_delegate(&venue.alice, None));
    for instruction in [add, remove] {
        refused(&mut sandbox, BallastError::NotTraderAuthority, |s| {
            s.send(&[instruction], &[&key])
        });
    }
    refused(&mut sandbox, BallastError::NotTraderAuthority, |s| {
        trade_as(&venue, s, &key, terms(-TEN, START, 0, 0))
    });
}

#[test]
pub fn the_default_key_is_nobodys_delegate() {
    // An unset delegate is stored as the default key, which cannot sign; a delegate named so is
    // none.
    let mut venue = Venue::new();
    done(
        venue
            .sandbox
            .set_delegate(&venue.alice, Some(Pubkey::default())),
    );
    assert_eq!(
        venue.sandbox.trader(&venue.alice.address).delegate,
        Pubkey::default()
    );
}

#[test]
pub fn the_seventeenth_market_finds_no_slot() {
    let mut config = quiet();
    config.queue_capacity = 16;
    let mut venue = Venue::with(&config);
    let mut markets = vec![venue.market.clone()];
    for _ in 0..16 {
        markets.push(venue.sandbox.create_market(&config).unwrap());
    }
    let small = terms(100, START, 2 * USD, 2 * USD);
    let last = markets.pop().unwrap();
    for market in &markets {
        done(
            venue
                .sandbox
                .block_trade(market, &venue.alice, &venue.bob, small),
        );
    }
    assert_eq!(
        venue.sandbox.trader(&venue.alice.address).position_count,
        16
    );
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let pairs: [(&TraderCookie, &TraderCookie); 2] = [(&venue.alice, &carol), (&carol, &venue.bob)];
    for (taker, maker) in pairs {
        refused(&mut venue.sandbox, BallastError::NoFreeSlot, |s| {
            s.block_trade(&last, taker, maker, small)
        });
    }
    // A closed position gives its slot back.
    let closing = terms(-100, START, 0, 0);
    done(
        venue
            .sandbox
            .block_trade(&markets[3], &venue.alice, &venue.bob, closing),
    );
    done(
        venue
            .sandbox
            .block_trade(&last, &venue.alice, &venue.bob, small),
    );
    venue.conserves();
}
