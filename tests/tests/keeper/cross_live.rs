//! The keeper's process against a node: what it reads and sends by itself in a crash with cross accounts.

use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use ballast_engine::health::Health;
use ballast_keeper::config::Config;
use ballast_keeper::identity::Identity;
use ballast_keeper::metrics::Metrics;
use ballast_keeper::process::KeeperProcess;
use ballast_keeper::serve::Board;
use ballast_node::{Node, Settings};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::cross_crash::config;
use crate::cross_venue::{CrossVenue, START};

/// A slot of the chain that the node serves.
const SLOT: Duration = Duration::from_millis(20);
/// Passes of the keeper within which everything is done.
const PASSES: usize = 30;

/// The exchange of a node as it stands.
pub fn copied(venue: &CrossVenue, node: &Node) -> CrossVenue {
    CrossVenue {
        sandbox: node.with(|sandbox| sandbox.fork()),
        markets: venue.markets.clone(),
        people: venue.people.clone(),
        house: venue.house.clone(),
        keeper: venue.keeper.clone(),
    }
}

/// Who has legs and is below maintenance or bankrupt at the prices of now.
fn in_trouble(venue: &CrossVenue) -> Vec<(Pubkey, Health)> {
    let reading = venue.read();
    let mut found = Vec::new();
    for (address, trader) in &reading.traders {
        for number in 0..2 {
            let site = venue.site(number, &reading);
            if trader.find_leg(&site.key).is_some() {
                let health = site.trouble(trader, true).unwrap().values.health();
                if health != Health::Healthy {
                    found.push((*address, health));
                }
            }
        }
    }
    found
}

pub fn process(node: &Node, venue: &CrossVenue) -> KeeperProcess {
    let keypair = venue.keeper.wallet.keypair.to_bytes();
    let settings = [
        ("BALLAST_KEEPER_KEYPAIR", format!("{keypair:?}")),
        ("BALLAST_KEEPER_RPC_URL", node.url()),
        ("BALLAST_KEEPER_WEBSOCKET_URL", node.websocket_url()),
    ];
    let markets = venue.markets.iter().enumerate().map(|(index, market)| {
        let price = market.cookie.keys.price;
        format!("[[market]]\nindex = {index}\nprice_account = \"{price}\"\n")
    });
    let config = Config::parse(&markets.collect::<String>()).unwrap();
    let identity = Identity::resolve(&config, |name| {
        let found = settings.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    });
    let identity = identity.unwrap();
    let secrets = identity.secrets.clone();
    let board = Board::new(Metrics::new().unwrap(), config.health, secrets);
    KeeperProcess::new(config, identity, board, false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_works_a_crash_with_cross_accounts_off_by_itself() {
    let mut dice = ChaCha8Rng::seed_from_u64(3);
    let mut venue = CrossVenue::new(&config(), 30_000);
    venue.crowd(30, &mut dice);
    let prices = [START * 87 / 100, START * 90 / 100];
    venue.prices(40, prices);
    venue.record();
    let before = in_trouble(&venue);
    let bankrupt = |(_, health): &&(Pubkey, Health)| matches!(health, Health::Bankrupt { .. });
    assert!(before.iter().filter(bankrupt).count() > 2, "{before:?}");
    venue.sandbox.advance_slots(30);
    let node = Node::serve(venue.sandbox.fork(), Settings::default()).await;
    let node = Arc::new(node.unwrap());
    let (passing, markets) = (node.clone(), venue.markets.clone());
    let clock = tokio::spawn(async move {
        let mut slots = tokio::time::interval(SLOT);
        loop {
            slots.tick().await;
            passing.with(|sandbox| {
                sandbox.advance_slots(1);
                for (market, ticks) in markets.iter().zip(prices) {
                    sandbox.set_price(&market.cookie, ticks);
                }
            });
        }
    });
    let mut left = before.clone();
    for _ in 0..PASSES {
        assert!(process(&node, &venue).once().await.unwrap());
        let mut now = copied(&venue, &node);
        for (market, ticks) in now.markets.iter_mut().zip(prices) {
            market.ticks = ticks;
        }
        now.record();
        left = in_trouble(&now);
        assert!(now.sandbox.conservation().holds());
        if left.is_empty() {
            break;
        }
    }
    clock.abort();
    assert_eq!(left, []);
    let now = copied(&venue, &node);
    for (address, _) in before.iter().filter(bankrupt) {
        let account = now.sandbox.trader(address);
        assert_eq!((account.cross_pool, account.cross_legs), (0, 0));
    }
}
