//! What listeners are told: markets as their accounts change, and what happened.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use ballast_state::cross::CrossBoard;
use ballast_state::Pubkey;
use ballast_view::account::AccountView;
use ballast_view::positions::Holdings;
use ballast_view::state::MarketState;
use ballast_view::units::Collateral;
use serde_json::{json, Value};
use tokio::task::JoinHandle;

use crate::chain::world::News;
use crate::gateway::Gateway;
use crate::rows::{Names, Row};
use crate::scene::{digits_value, Ranked, Scene};
use crate::store::read::Stored;

/// Those who listen to trader accounts are told of prices at most so often: each takes a walk of the queue.
const TRADERS: Duration = Duration::from_secs(1);
/// Newest lines that a topic of happenings holds.
const NEWEST: usize = 50;

/// Tells of lines of history that are new, here and now.
pub fn rows(gateway: &Gateway, slot: u64, stored: &[Stored]) {
    let names = Names::new(gateway);
    let shown: Vec<Row> = stored.iter().map(|line| Row::new(line, &names)).collect();
    let now = gateway.scenes().iter().map(|scene| scene.state.now).max();
    crate::alerts::happened(gateway, &shown, now.unwrap_or(0));
    let mut topics: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (line, row) in stored.iter().zip(&shown) {
        let Ok(row) = serde_json::to_value(row) else {
            continue;
        };
        if let Some(market) = line.market {
            let topic = format!("{}:{market}", line.kind);
            topics.entry(topic).or_default().push(row.clone());
        }
        let mut traders: Vec<&String> = line.trader.iter().chain(&line.other).collect();
        traders.dedup();
        for trader in traders {
            let topic = format!("history:{trader}");
            topics.entry(topic).or_default().push(row.clone());
        }
    }
    for (topic, rows) in topics {
        // Of traders, only those that somebody listens to.
        let heard = !topic.starts_with("history:") || gateway.hub.is_heard(&topic);
        if heard {
            gateway.hub.add(&topic, slot, rows, NEWEST);
        }
    }
}

/// What takes long about what changed: it is done beside the telling of prices.
#[derive(Default)]
struct Slow {
    /// Markets to be ranked.
    markets: BTreeSet<u16>,
    /// Trader accounts that changed.
    traders: HashSet<Pubkey>,
    /// Whether all who listen to trader accounts are told of a price.
    all: bool,
}

impl Slow {
    fn is_empty(&self) -> bool {
        self.markets.is_empty() && self.traders.is_empty() && !self.all
    }

    fn work(self, gateway: &Gateway) {
        let mut ranked = Vec::new();
        for index in self.markets {
            match rank(gateway, index) {
                Ok(()) => ranked.push(index),
                Err(error) => tracing::debug!(market = index, "not ranked: {error:#}"),
            }
        }
        // What is listened to is looked up first: the world is not locked while somebody is told.
        let watched = gateway.world().watched();
        for trader in watched {
            if self.all || self.traders.contains(&trader) {
                tell_trader(gateway, &trader);
            }
        }
        crate::alerts::look(gateway, &ranked);
    }
}

/// Shows markets as their accounts change: prices and books at once, rankings and what depends on them as soon as those
/// before are done. Never ends.
pub async fn run(gateway: Arc<Gateway>) {
    let least = Duration::from_millis(gateway.config.follow.settle_ms);
    let mut last: Option<Instant> = None;
    // When those who listen to trader accounts were told of a price, and whether there has been one since.
    let (mut told, mut waiting): (Option<Instant>, bool) = (None, false);
    let mut slow = Slow::default();
    let mut working: Option<JoinHandle<()>> = None;
    loop {
        // What woke it does not matter.
        match waiting {
            true => drop(tokio::time::timeout(TRADERS, gateway.changed.notified()).await),
            false => gateway.changed.notified().await,
        }
        let heard = Instant::now();
        if let Some(early) = last.and_then(|last| least.checked_sub(last.elapsed())) {
            tokio::time::sleep(early).await;
        }
        last = Some(Instant::now());
        let (news, traders) = {
            let mut world = gateway.world();
            (world.take_news(), world.take_traders())
        };
        waiting |= news.values().any(|news| news.ranking);
        if waiting && told.is_none_or(|told| told.elapsed() >= TRADERS) {
            (told, waiting, slow.all) = (Some(Instant::now()), false, true);
        }
        slow.traders.extend(traders);
        if !news.is_empty() {
            slow.markets.extend(show_all(&gateway, news).await);
            let seconds = heard.elapsed().as_secs_f64();
            gateway.metrics.told_seconds.observe(seconds);
        }
        if !slow.is_empty() && working.as_ref().is_none_or(JoinHandle::is_finished) {
            working = Some(begin(&gateway, core::mem::take(&mut slow)));
        }
    }
}

/// Shows markets that changed; which of them are to be ranked.
async fn show_all(gateway: &Arc<Gateway>, news: BTreeMap<u16, News>) -> Vec<u16> {
    let work = Arc::clone(gateway);
    let done = tokio::task::spawn_blocking(move || {
        let mut to_rank = Vec::new();
        for (index, news) in news {
            match show(&work, index) {
                Ok(ranked) if ranked && !news.ranking => {}
                Ok(_) => to_rank.push(index),
                Err(error) => tracing::debug!(market = index, "not shown: {error:#}"),
            }
        }
        to_rank
    });
    done.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a market could not be shown");
        Vec::new()
    })
}

/// Begins what takes long; what has come meanwhile is looked for when it is done.
fn begin(gateway: &Arc<Gateway>, slow: Slow) -> JoinHandle<()> {
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move {
        let work = Arc::clone(&gateway);
        let done = tokio::task::spawn_blocking(move || slow.work(&work)).await;
        if let Err(error) = done {
            tracing::error!(%error, "a market could not be ranked");
        }
        gateway.changed.notify_one();
    })
}

/// Shows a market's price and its book; whether it has been ranked already, at whatever price.
fn show(gateway: &Gateway, index: u16) -> Result<bool> {
    let parts = gateway.world().parts(index)?;
    let scene = gateway.set_state(index, Arc::new(parts.state()?));
    let (slot, hub) = (scene.state.slot, &gateway.hub);
    hub.set(&format!("market:{index}"), slot, scene.market()?);
    hub.set(&format!("book:{index}"), slot, scene.book()?);
    Ok(scene.ranked.is_some())
}

/// Ranks a market as it is shown now, and tells who stands where.
fn rank(gateway: &Gateway, index: u16) -> Result<()> {
    let Some(Scene { state, .. }) = gateway.scene(index) else {
        return Ok(());
    };
    let begun = Instant::now();
    let priced = state.mark_ticks().is_some();
    let ranked = priced
        .then(|| Ranked::new(&state))
        .transpose()?
        .map(Arc::new);
    let seconds = begun.elapsed().as_secs_f64();
    gateway.metrics.ranking_seconds.observe(seconds);
    gateway.set_ranked(index, ranked.clone());
    let slot = state.slot;
    if let Some(queue) = (Scene { state, ranked }).queue()? {
        gateway.hub.set(&format!("queue:{index}"), slot, queue);
    }
    Ok(())
}

/// Tells what a trader account holds, where somebody listens to it.
pub fn tell_trader(gateway: &Gateway, trader: &Pubkey) {
    let topic = format!("trader:{trader}");
    if !gateway.hub.is_heard(&topic) {
        return;
    }
    let known = gateway.world().account(trader).cloned();
    let Some((slot, account)) = known else { return };
    let told = match account {
        None => Ok(Value::Null),
        Some(account) => ballast_client::accounts::trader(&account.data)
            .map_err(anyhow::Error::from)
            .and_then(|decoded| holdings(gateway, trader, &decoded)),
    };
    match told {
        Ok(value) => gateway.hub.set(&topic, slot, value),
        Err(error) => {
            let value = json!({"error": format!("{error:#}")});
            gateway.hub.set(&topic, slot, value);
        }
    }
}

/// What a trader account holds, as it is printed.
///
/// # Errors
/// When a market of it has not been read, or a figure cannot be computed.
pub fn holdings(
    gateway: &Gateway,
    address: &Pubkey,
    trader: &ballast_state::trader::Trader,
) -> Result<Value> {
    let wanted: Vec<Pubkey> = trader.isolated().map(|slot| slot.market).collect();
    let scenes = gateway.scenes().into_iter();
    let states: Vec<Arc<MarketState>> = scenes
        .map(|scene| scene.state)
        .filter(|state| wanted.contains(&state.keys.market))
        .collect();
    let collateral = Collateral {
        decimals: gateway.world().exchange()?.mint_decimals,
    };
    digits_value(&Holdings::new(address, trader, &states, collateral)?)
}

/// The cross margin of a trader account at the board's marks, as it is printed.
///
/// # Errors
/// When the market of a leg has not been read, or a figure cannot be computed.
pub fn account(
    gateway: &Gateway,
    address: &Pubkey,
    trader: &ballast_state::trader::Trader,
    board: &CrossBoard,
    slot: u64,
) -> Result<Value> {
    let scenes = gateway.scenes().into_iter();
    let markets: Vec<_> = scenes
        .map(|scene| (scene.state.keys.market, *scene.state.market))
        .collect();
    let collateral = Collateral {
        decimals: gateway.world().exchange()?.mint_decimals,
    };
    let view = AccountView::new(address, trader, board, &markets, slot, collateral)?;
    digits_value(&view)
}
