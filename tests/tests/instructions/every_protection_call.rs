//! A world in which instructions about protective steps go through as they stand.

use ballast_client::instructions::{anyone, protection};

use crate::every_call::{Call, World};
use crate::orders::bid;
use crate::protection::Floor;

/// Alice has steps, the last of which the price has reached; bob opens an account for his. The other
/// market has no position.
pub fn protections() -> World {
    let mut floor = Floor::set();
    let other = floor.venue.second_market();
    let carol = floor.carol.clone();
    floor.venue.place(&carol, bid(194_000, 10_000), &[]);
    floor.venue.price(194_000);
    let (alice, bob, keeper) = (floor.alice, floor.bob, floor.keeper);
    let keys = floor.venue.market.keys;
    let owner = alice.wallet.address();
    let calls = vec![
        Call::new(
            "create_protection",
            protection::CreateProtection {
                owner: bob.wallet.address(),
                market: keys.market,
                trader: bob.address,
            }
            .instruction(),
            &[&bob.wallet.keypair],
        ),
        Call::new(
            "set_protection",
            protection::SetProtection {
                authority: owner,
                market: keys.market,
                trader: alice.address,
                queue: keys.queue_long,
                args: crate::protection::steps(),
            }
            .instruction(),
            &[&alice.wallet.keypair],
        ),
        Call::new(
            "close_protection",
            protection::CloseProtection {
                owner,
                market: keys.market,
                trader: alice.address,
            }
            .instruction(),
            &[&alice.wallet.keypair],
        ),
        Call::new(
            "execute_protection",
            anyone::ExecuteProtection {
                keeper: keeper.wallet.address(),
                keys,
                trader: alice.address,
                reward_trader: keeper.address,
                makers: &[carol.address],
            }
            .instruction(),
            &[&keeper.wallet.keypair],
        ),
    ];
    World {
        sandbox: floor.venue.sandbox,
        other,
        calls,
    }
}
