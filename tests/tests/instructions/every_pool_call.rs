//! A world in which instructions about what a pool takes and closes go through as they stand.

use ballast_client::instructions::anyone;
use ballast_state::pool::Pool;

use crate::every_call::{Call, World};
use crate::orders::bid;
use crate::pool_take::{eager, falling, took};
use crate::support::{done, forge, USD};

/// The pool has taken 2,000 lots of alice, who is below maintenance again, and lacks margin; erin bids
/// for some, and a bid is met by an unwind. The other market has a pool too.
pub fn pools() -> World {
    let (mut venue, keeper) = falling(194_000, 1_000);
    let (market, other) = (venue.market.clone(), venue.second_market());
    done(venue.sandbox.create_pool(&other, eager()));
    venue.sandbox.depositor(&other, 100 * USD);
    took(&mut venue, &keeper);
    let erin = venue.trader(1_000);
    venue.place(&erin, bid(192_990, 500), &[]);
    venue.sandbox.advance_slots(200);
    venue.price_twice(193_000);
    let mut s = venue.sandbox;
    forge::<Pool>(&mut s, &market.pool(), |pool| {
        pool.params.margin_bps = 12_000
    });
    let alice = venue.alice.address;
    let keys = market.keys;
    let makers = [erin.address];
    let signs = keeper.wallet.address();
    let calls = vec![
        Call::new(
            "liquidate_into_pool",
            anyone::LiquidateIntoPool {
                authority: signs,
                keys,
                trader: alice,
                liquidator: keeper.address,
                makers: &makers,
            }
            .instruction(),
            &[&keeper.wallet.keypair],
        ),
        Call::new(
            "unwind_pool",
            anyone::UnwindPool {
                keeper: signs,
                keys,
                reward_trader: keeper.address,
                makers: &makers,
            }
            .instruction(),
            &[&keeper.wallet.keypair],
        ),
        Call::new("sync_pool", anyone::SyncPool { keys }.instruction(), &[]),
    ];
    World {
        sandbox: s,
        other,
        calls,
    }
}
