//! A world in which instructions about funds go through as they stand.

use ballast_client::instructions::Collateral;
use ballast_client::instructions::{fund, stakes};
use ballast_engine::shares::STAKE_TERMS;
use ballast_sandbox::{MarketCookie, Wallet};
use ballast_state::pool::Pool;
use ballast_state::staged::Change;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::every_call::{stage, Call, World};
use crate::pool::{hold_position, params};
use crate::support::{done, forge, quiet, Venue, START, USD};

/// A market with a pool that has a position; erin and frank have shares of it, and frank may be paid;
/// dave has an account for shares and none of them.
/// The other market has a pool too, and a third one has none.
pub fn funds() -> World {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    let (other, bare) = (venue.second_market(), venue.second_market());
    for market in [&market, &other] {
        done(venue.sandbox.create_pool(market, params(market)));
    }
    let erin = venue.sandbox.depositor(&market, 100 * USD);
    hold_position(&mut venue, 100, 20 * USD);
    let mut s = venue.sandbox;
    done(s.mint_to(&erin.tokens, 10 * USD));
    s.depositor(&other, 100 * USD);
    let (dave, newcomer) = (s.create_wallet(0).unwrap(), s.create_wallet(0).unwrap());
    let pool = market.pool();
    done(s.create_share(&pool, &dave));
    for market in [&market, &other] {
        done(s.open_stakes(market));
    }
    let stakers = [s.staker(&market, 10 * USD), s.staker(&market, 10 * USD)];
    s.staker(&other, 10 * USD);
    let shares = s.share(&market.stakes(), &stakers[0].address()).shares;
    done(s.request_unstake(&market, &stakers[1], shares));
    let frank = s.depositor(&market, 100 * USD);
    done(s.request_pool(&market, &frank, 50_000 * USD));
    // Both delays are over, and neither request has lapsed.
    let (slot, time) = (s.slot(), s.time());
    s.set_clock(slot + STAKE_TERMS.delay_slots, time + 432_000);
    for market in [&market, &other, &bare] {
        s.set_price(market, START);
    }
    done(s.mint_to(&stakers[0].tokens, 10 * USD));
    let (payer, root) = (s.funded_keypair(), s.admin_keypair());
    let new_params = Change::Pool(params(&market));
    let of = Some(market.keys.market);
    let new_params = stage(&mut s, &root, &payer, new_params, of);
    let spent = s.create_market(&quiet()).unwrap();
    done(s.create_pool(&spent, params(&spent)));
    forge::<Pool>(&mut s, &spent.pool(), |pool| pool.shares = 1_000_000);
    let (keys, collateral) = (market.keys, s.collateral());
    let mut calls = vec![
        Call::new(
            "create_pool",
            fund::CreatePool {
                admin: root.pubkey(),
                payer: payer.pubkey(),
                market: bare.keys.market,
                params: params(&bare),
            }
            .instruction(),
            &[&root, &payer],
        ),
        Call::new(
            "create_share",
            fund::CreateShare {
                payer: payer.pubkey(),
                owner: newcomer.address(),
                fund: pool,
            }
            .instruction(),
            &[&payer, &newcomer.keypair],
        ),
        Call::new(
            "close_share",
            fund::CloseShare {
                owner: dave.address(),
                fund: pool,
            }
            .instruction(),
            &[&dave.keypair],
        ),
        Call::new(
            "deposit_pool",
            fund::DepositPool {
                owner: erin.address(),
                keys,
                source: erin.tokens,
                collateral,
                amount: 5 * USD,
            }
            .instruction(),
            &[&erin.keypair],
        ),
        Call::new(
            "request_pool",
            fund::RequestPool {
                owner: erin.address(),
                keys,
                shares: 7,
            }
            .instruction(),
            &[&erin.keypair],
        ),
        Call::new(
            "cancel_pool_request",
            fund::CancelPoolRequest {
                owner: frank.address(),
                market: keys.market,
            }
            .instruction(),
            &[&frank.keypair],
        ),
        Call::new(
            "withdraw_pool",
            fund::WithdrawPool {
                owner: frank.address(),
                keys,
                destination: frank.tokens,
                collateral,
                least_atoms: 1,
            }
            .instruction(),
            &[&frank.keypair],
        ),
        Call::new(
            "reset_pool",
            fund::ResetPool {
                market: spent.keys.market,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "stop_pool",
            fund::StopPool {
                authority: root.pubkey(),
                market: keys.market,
            }
            .instruction(),
            &[&root],
        ),
        Call::new(
            "apply_pool_change",
            fund::ApplyPoolChange {
                market: keys.market,
                staged: new_params,
            }
            .instruction(),
            &[],
        ),
    ];
    let [staker, leaver] = stakers;
    calls.extend(staking(
        &bare, &payer, &staker, &leaver, &market, collateral,
    ));
    World {
        sandbox: s,
        other,
        calls,
    }
}

/// Calls about the stakes of `market`: `staker` stakes more and asks for it, `leaver` is paid.
fn staking(
    bare: &MarketCookie,
    payer: &Keypair,
    staker: &Wallet,
    leaver: &Wallet,
    market: &MarketCookie,
    collateral: Collateral,
) -> Vec<Call> {
    let keys = market.keys;
    vec![
        Call::new(
            "open_stakes",
            stakes::OpenStakes {
                payer: payer.pubkey(),
                market: bare.keys.market,
            }
            .instruction(),
            &[payer],
        ),
        Call::new(
            "stake",
            stakes::Stake {
                owner: staker.address(),
                keys,
                source: staker.tokens,
                collateral,
                amount: 5 * USD,
            }
            .instruction(),
            &[&staker.keypair],
        ),
        Call::new(
            "request_unstake",
            stakes::RequestUnstake {
                owner: staker.address(),
                market: keys.market,
                shares: 5,
            }
            .instruction(),
            &[&staker.keypair],
        ),
        Call::new(
            "cancel_unstake",
            stakes::CancelUnstake {
                owner: leaver.address(),
                market: keys.market,
            }
            .instruction(),
            &[&leaver.keypair],
        ),
        Call::new(
            "unstake",
            stakes::Unstake {
                owner: leaver.address(),
                keys,
                destination: leaver.tokens,
                collateral,
                least_atoms: USD,
            }
            .instruction(),
            &[&leaver.keypair],
        ),
    ]
}
