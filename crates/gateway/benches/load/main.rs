//! How long a change of an account takes to reach everybody who listens, and what positions take of memory:
//! `cargo bench --locked -p ballast-gateway -- --subscribers 200 --events 100 --seconds 20 --positions 0`.
//!
//! Node, gateway and listeners are one process, so that they share the cores: the node publishes prices that
//! grow by a tick with each event, a listener that hears a price has heard of every event up to it.

mod crowd;
#[path = "../../../keeper/benches/latency/position.rs"]
mod position;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use ballast_engine::units::Side;
use ballast_gateway::config::Config;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::{api, follow};
use ballast_node::{scene, Node, Settings};
use ballast_rpc::memory::resident_bytes;
use ballast_sandbox::{Options, Sandbox};
use futures_util::{SinkExt, StreamExt};
use serde_json::{json, Value};
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// The first price, ticks.
const FIRST: u64 = position::START;
/// How long the last messages are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is measured.
#[derive(Clone, Copy)]
struct Load {
    subscribers: usize,
    events: u64,
    seconds: u64,
    positions: usize,
}

impl Load {
    /// From the command line; what is not named has its default.
    fn read() -> Result<Self> {
        let mut load = Self {
            subscribers: 200,
            events: 100,
            seconds: 20,
            positions: 0,
        };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(name) = words.next() {
            let value = words
                .next()
                .with_context(|| format!("{name} without a number"))?;
            let number: u64 = value.parse().with_context(|| format!("{name} {value}"))?;
            match name.as_str() {
                "--subscribers" => load.subscribers = usize::try_from(number)?,
                "--events" => load.events = number.max(1),
                "--seconds" => load.seconds = number.max(1),
                "--positions" => load.positions = usize::try_from(number)?,
                other => anyhow::bail!("unknown option {other}"),
            }
        }
        Ok(load)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let load = Load::read()?;
    let sandbox = Sandbox::empty(&Options::default())?;
    let node = Node::serve(sandbox, Settings::default()).await?;
    let market = node.with(|sandbox| -> Result<_> {
        sandbox.initialize_exchange()?;
        let seeded = scene::seed(sandbox)?;
        Ok(seeded.market)
    })?;
    let half = load.positions / 2;
    if half > 0 {
        let keys = market.keys;
        let pairs = [
            (Side::Long, keys.queue_long),
            (Side::Short, keys.queue_short),
        ];
        for (side, address) in pairs {
            let data = crowd::queue(half, &keys.market, side)?;
            node.with(|sandbox| {
                let account = sandbox.account(&address).context("the queue")?;
                sandbox.set_account(&address, solana_account::Account { data, ..account });
                anyhow::Ok(())
            })?;
        }
    }
    let folder = tempfile::tempdir()?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[[node]]\nrpc = \"{}\"\nwebsocket = \"{}\"\n[store]\nsqlite = \"{}\"\n[limits]\nconnections_each = 2000\nrequests_each = 10000\nburst_each = 100000\n[follow]\nlarge_queue_ms = 1000\n",
        node.url(),
        node.websocket_url(),
        folder.path().join("load").display()
    );
    let before = resident_bytes().unwrap_or(0);
    let gateway = Gateway::open(Config::parse(&config)?).await?;
    let _following = follow(&gateway);
    let (address, _serving) = api::serve(&gateway).await?;
    ready(&gateway).await?;
    let ranked = resident_bytes().unwrap_or(0);
    let listeners = listen(address, load).await?;
    let sent = play(&node, &market, load).await;
    let heard = gathered(listeners, &sent).await?;
    print(&load, &heard, &gateway, [before, ranked]);
    Ok(())
}

/// Waits until the market is ranked.
async fn ready(gateway: &Arc<Gateway>) -> Result<()> {
    let begun = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    while gateway.scene(0).is_none_or(|scene| scene.ranked.is_none()) {
        looks.tick().await;
        ensure!(begun.elapsed() < PATIENCE, "the market is not ranked");
    }
    Ok(())
}

/// Prices that were heard, and when.
type Heard = Vec<(u64, Instant)>;

async fn listen(address: std::net::SocketAddr, load: Load) -> Result<Vec<mpsc::Receiver<Heard>>> {
    let last = FIRST + load.events * load.seconds;
    let mut listeners = Vec::new();
    for _ in 0..load.subscribers {
        let (mut socket, _) = connect_async(format!("ws://{address}/v1/ws")).await?;
        let asked = json!({"op": "subscribe", "topics": ["market:0"]});
        socket.send(Message::text(asked.to_string())).await?;
        let (done, heard) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut all: Heard = Vec::new();
            while let Some(Ok(message)) = socket.next().await {
                let now = Instant::now();
                let Message::Text(text) = message else {
                    continue;
                };
                let Ok(value) = serde_json::from_str::<Value>(&text) else {
                    continue;
                };
                let ticks = value["data"]["price_ticks"].as_str();
                let Some(ticks) = ticks.and_then(|ticks| ticks.parse().ok()) else {
                    continue;
                };
                all.push((ticks, now));
                if ticks >= last {
                    break;
                }
            }
            // Nobody may be waiting any more.
            let _ = done.send(all).await;
        });
        listeners.push(heard);
    }
    Ok(listeners)
}

/// Publishes a price with each event; when each was.
async fn play(node: &Node, market: &ballast_sandbox::MarketCookie, load: Load) -> Vec<Instant> {
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / load.events));
    let mut sent = Vec::new();
    for number in 1..=load.events * load.seconds {
        ticks.tick().await;
        sent.push(Instant::now());
        tokio::task::block_in_place(|| {
            node.with(|sandbox| sandbox.set_price(market, FIRST + number))
        });
    }
    sent
}

/// From each event to each listener, sorted.
async fn gathered(
    listeners: Vec<mpsc::Receiver<Heard>>,
    sent: &[Instant],
) -> Result<Vec<Duration>> {
    let mut all = Vec::new();
    for mut listener in listeners {
        let heard = tokio::time::timeout(PATIENCE, listener.recv()).await;
        let heard = heard.context("a listener did not hear the last event")?;
        let heard = heard.context("a listener was let go")?;
        let mut next = 0;
        for (ticks, at) in heard {
            let count = usize::try_from(ticks.saturating_sub(FIRST))?.min(sent.len());
            for event in sent.iter().take(count).skip(next) {
                all.push(at.saturating_duration_since(*event));
            }
            next = next.max(count);
        }
        ensure!(
            next == sent.len(),
            "a listener heard of {next} of {} events",
            sent.len()
        );
    }
    all.sort_unstable();
    Ok(all)
}

fn print(load: &Load, heard: &[Duration], gateway: &Gateway, memory: [i64; 2]) {
    let at = |percent: usize| heard.get((heard.len().saturating_sub(1)) * percent / 100);
    let millis = |percent| at(percent).map_or(0, Duration::as_millis);
    let [before, ranked] = memory.map(|bytes| bytes / 1_000_000);
    let ranking = &gateway.metrics.ranking_seconds;
    let count = ranking.get_sample_count().max(1);
    let mean =
        ranking.get_sample_sum() * 1_000.0 / f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    println!(
        "{} listeners, {} events a second for {} s, {} positions",
        load.subscribers, load.events, load.seconds, load.positions
    );
    println!(
        "from change to message: p50 {} ms, p90 {} ms, p99 {} ms, most {} ms ({} of them)",
        millis(50),
        millis(90),
        millis(99),
        millis(100),
        heard.len()
    );
    println!("ranked {count} times, {mean:.1} ms each on average");
    println!(
        "memory: {before} MB of node and process before, {ranked} MB with the gateway, {} MB at the end",
        resident_bytes().unwrap_or(0) / 1_000_000
    );
}
