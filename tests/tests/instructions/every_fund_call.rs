//! A world in which instructions about funds go through as they stand.

use ballast_client::instructions::Collateral;
use ballast_client::instructions::{fund, stakes};
use ballast_engine::shares::STAKE_TERMS;
use ballast_sandbox::{MarketCookie, Wallet};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::every_call::{Call, World};
use crate::pool::params;
use crate::support::{done, Venue, START, USD};

/// A market with a pool in which erin has a share; dave has an account for shares and none of them.
/// The other market has a pool too, and a third one has none.
pub fn funds() -> World {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    let (other, bare) = (venue.second_market(), venue.second_market());
    let mut s = venue.sandbox;
    for market in [&market, &other] {
        done(s.create_pool(market, params(market)));
    }
    let erin = s.depositor(&market, 100 * USD);
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
    let (slot, time) = (s.slot(), s.time());
    s.set_clock(slot + STAKE_TERMS.delay_slots, time + 432_000);
    for market in [&market, &other, &bare] {
        s.set_price(market, START);
    }
    done(s.mint_to(&stakers[0].tokens, 10 * USD));
    let (payer, root) = (s.funded_keypair(), s.admin_keypair());
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
