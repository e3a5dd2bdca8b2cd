//! Accounts as they change: read once, then followed over the websocket of a node, of the next one when it falls
//! silent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use ballast_client::{accounts, addresses};
use ballast_rpc::cluster::{unpacked, Cluster};
use ballast_rpc::follow::{follow, Heard, Patience, Subscriptions};
use ballast_state::cross::CrossBoard;
use ballast_state::market::{Market, MARKET_DISCRIMINATOR};
use ballast_state::trader::TRADER_DISCRIMINATOR;
use ballast_state::Pubkey;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::gateway::Gateway;

/// Messages of the websocket that wait to be taken.
const WAITING: usize = 4_096;
/// Before accounts that could not be read are read again.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows accounts. Never ends.
pub async fn run(gateway: Arc<Gateway>) {
    loop {
        let number = gateway.nodes.number();
        let cluster = Arc::clone(&gateway.nodes.now().confirmed);
        if let Err(error) = read_all(&gateway, &cluster).await {
            let said = format!("{} was not read: {error:#}", cluster.endpoint);
            tracing::warn!("{said}");
            gateway.vitals(|vitals| vitals.chain_problem = Some(said));
            gateway.nodes.failed();
            tokio::time::sleep(AGAIN).await;
            continue;
        }
        gateway.nodes.answered();
        let why = session(&gateway, &cluster, number).await;
        tracing::info!(node = %cluster.endpoint, why, "accounts are followed anew");
    }
}

/// Reads everything once.
async fn read_all(gateway: &Gateway, cluster: &Cluster) -> Result<()> {
    for (address, market) in cluster.markets().await? {
        gateway.world().add_market(address, &market);
    }
    let mut addresses = gateway.world().addresses();
    addresses.extend(gateway.world().watched());
    read(gateway, cluster, &addresses).await?;
    gateway.world().doubt();
    gateway.vitals(|vitals| {
        vitals.accounts_read = true;
        vitals.chain_problem = None;
    });
    gateway.changed.notify_one();
    Ok(())
}

/// Reads accounts.
///
/// # Errors
/// When the node does not answer.
pub async fn read(gateway: &Gateway, cluster: &Cluster, addresses: &[Pubkey]) -> Result<()> {
    let (slot, found) = cluster.accounts(addresses).await?;
    let mut world = gateway.world();
    for (address, account) in addresses.iter().zip(found) {
        world.put(slot, *address, account);
    }
    drop(world);
    gateway.vitals(|vitals| vitals.see_slot(slot));
    gateway.changed.notify_one();
    Ok(())
}

/// Ends what it follows when it is dropped.
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Follows the accounts of one node until something speaks for beginning anew: what.
async fn session(gateway: &Arc<Gateway>, cluster: &Arc<Cluster>, number: usize) -> &'static str {
    let follow_config = gateway.config.follow;
    let large: Vec<Pubkey> = {
        let world = gateway.world();
        let all = world.addresses().into_iter();
        all.filter(|address| world.bytes(address) > follow_config.large_queue_bytes)
            .collect()
    };
    let mut followed = gateway.world().addresses();
    followed.retain(|address| !large.contains(address));
    let wanted = Subscriptions {
        accounts: followed,
        types: vec![TRADER_DISCRIMINATOR, MARKET_DISCRIMINATOR],
        transactions: true,
    };
    let silence = Duration::from_millis(follow_config.silence_ms);
    let patience = Patience {
        silence,
        ..Patience::default()
    };
    let (listener, mut heard) = mpsc::channel(WAITING);
    let _following = Following(tokio::spawn(follow(
        Arc::clone(cluster),
        wanted,
        patience,
        listener,
    )));
    let mut ticks = tokio::time::interval(Duration::from_millis(follow_config.large_queue_ms));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut resynced = Instant::now();
    let mut lost_since: Option<Instant> = Some(Instant::now());
    loop {
        tokio::select! {
            heard = heard.recv() => match heard {
                None => return "the websocket's task has ended",
                Some(Heard::Connected) => {
                    lost_since = None;
                    gateway.vitals(|vitals| vitals.websocket = true);
                    gateway.metrics.websocket.set(1);
                    gateway.landed.notify_one();
                    // What changed before is not told.
                    if let Err(error) = read_all(gateway, cluster).await {
                        tracing::warn!(%error, "not read after the websocket was opened");
                        gateway.nodes.failed();
                        return "it was not read";
                    }
                }
                Some(Heard::Lost(reason)) => {
                    tracing::warn!(reason, "websocket lost");
                    lost_since.get_or_insert_with(Instant::now);
                    gateway.vitals(|vitals| vitals.websocket = false);
                    gateway.metrics.websocket.set(0);
                    gateway.metrics.reconnects.inc();
                }
                Some(Heard::Slot(slot)) => {
                    gateway.vitals(|vitals| vitals.see_slot(slot));
                    gateway.metrics.slot.set(i64::try_from(slot).unwrap_or(i64::MAX));
                }
                Some(Heard::Transaction(_)) => gateway.landed.notify_one(),
                Some(Heard::Account(seen)) => {
                    if take(gateway, *seen) {
                        return "the exchange has another market";
                    }
                }
            },
            _ = ticks.tick() => {
                let lost = lost_since.is_some_and(|at| at.elapsed() > silence);
                if lost && gateway.nodes.len() > 1 && gateway.nodes.number() == number {
                    gateway.nodes.leave();
                }
                if gateway.nodes.number() != number {
                    return "another node is asked";
                }
                let due = resynced.elapsed() >= Duration::from_secs(follow_config.resync_seconds);
                let done = if due || lost_since.is_some() {
                    resynced = Instant::now();
                    read_all(gateway, cluster).await
                } else if large.is_empty() {
                    Ok(())
                } else {
                    read(gateway, cluster, &large).await
                };
                match done {
                    Ok(()) => gateway.nodes.answered(),
                    Err(error) => {
                        tracing::warn!(%error, "accounts were not read");
                        gateway.vitals(|vitals| vitals.chain_problem = Some(format!("{error:#}")));
                        gateway.nodes.failed();
                    }
                }
            }
        }
    }
}

/// Takes over an account that was heard of; whether the exchange has a market that is not followed.
fn take(gateway: &Gateway, seen: ballast_rpc::follow::Seen) -> bool {
    let data = &seen.account.data;
    let mut world = gateway.world();
    let mut another = false;
    if data.starts_with(&TRADER_DISCRIMINATOR) && !world.is_watched(&seen.address) {
        return false;
    }
    if data.starts_with(&MARKET_DISCRIMINATOR) {
        let market: Option<Market> = accounts::market(data).ok();
        another = market.is_some_and(|market| world.add_market(seen.address, &market));
    }
    world.put(seen.slot, seen.address, Some(seen.account));
    drop(world);
    gateway.vitals(|vitals| vitals.see_slot(seen.slot));
    gateway.changed.notify_one();
    another
}

/// A trader account, read now where nobody listens to it.
///
/// # Errors
/// When the node does not answer, or the account is another.
pub async fn trader(
    gateway: &Gateway,
    address: &Pubkey,
) -> Result<Option<ballast_state::trader::Trader>> {
    let known = gateway.world().account(address).cloned();
    if let Some((_, account)) = known {
        let trader = account.map(|account| accounts::trader(&account.data));
        return Ok(trader.transpose()?);
    }
    let cluster = Arc::clone(&gateway.nodes.now().confirmed);
    let found = cluster.trader(address).await;
    match &found {
        Ok(_) => gateway.nodes.answered(),
        Err(_) => {
            gateway.nodes.failed();
        }
    }
    Ok(found?)
}

/// The board of cross margin, read now, and the slot in which the node had it; `None` where the exchange has none.
///
/// # Errors
/// When the node does not answer, or the account is another.
pub async fn board(gateway: &Gateway) -> Result<Option<(u64, Box<CrossBoard>)>> {
    let cluster = Arc::clone(&gateway.nodes.now().confirmed);
    let found = cluster.accounts(&[addresses::board()]).await;
    if found.is_err() {
        gateway.nodes.failed();
    }
    let (slot, found) = found?;
    gateway.nodes.answered();
    let Some(account) = found.into_iter().flatten().next() else {
        return Ok(None);
    };
    let ours = account.owner == ballast_state::ID;
    let board = ours.then(|| accounts::board(&account.data)).transpose()?;
    Ok(board.map(|board| (slot, board)))
}

/// The market accounts of a node, final.
///
/// # Errors
/// When the node does not answer.
pub async fn final_markets(cluster: &Cluster) -> Result<(u64, Vec<(Pubkey, Market)>)> {
    let (slot, packed) = cluster.accounts_of(&MARKET_DISCRIMINATOR).await?;
    let markets = packed.iter().filter_map(unpacked);
    let markets =
        markets.filter_map(|(address, data)| Some((address, accounts::market(&data).ok()?)));
    Ok((slot, markets.collect()))
}
