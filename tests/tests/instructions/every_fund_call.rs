//! A world in which instructions about funds go through as they stand.

use ballast_client::instructions::fund;
use solana_signer::Signer;

use crate::every_call::{Call, World};
use crate::pool::params;
use crate::support::{done, Venue, USD};

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
    let (payer, root) = (s.funded_keypair(), s.admin_keypair());
    let (keys, collateral) = (market.keys, s.collateral());
    let calls = vec![
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
    World {
        sandbox: s,
        other,
        calls,
    }
}
