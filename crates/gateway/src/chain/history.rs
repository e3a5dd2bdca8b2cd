//! Transactions of the program: from a stored cursor on, as they are confirmed, and again when they are final.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::history::Mention;
use ballast_state::events::BallastEvent;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use solana_commitment_config::CommitmentConfig;
use solana_signature::Signature;

use super::compare;
use crate::gateway::Gateway;
use crate::store::finality::{self, Final};
use crate::store::read;
use crate::store::sql::StoreError;
use crate::store::write::{self, cursor, Markets, Tx};
use crate::{idl, parameters, publish, reading};

/// Transactions stored at a time.
const BATCH: usize = 64;
/// Slots after which a transaction that is not final was on a fork that was given up.
const FORGOTTEN: u64 = 150;
/// Longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why history was not brought further.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the chain was not read: {0:#}")]
    Chain(anyhow::Error),
}

/// Reads transactions. Never ends.
pub async fn run(gateway: Arc<Gateway>) {
    let mut ingest = Ingest {
        markets: Markets::new(),
        ticks: reading::Ticks::new(),
        gateway,
    };
    let mut pause = Duration::ZERO;
    let mut settled: Option<Instant> = None;
    loop {
        if pause.is_zero() {
            let poll = ingest.gateway.config.follow.poll();
            // What woke it does not matter.
            drop(tokio::time::timeout(poll, ingest.gateway.landed.notified()).await);
        } else {
            tokio::time::sleep(pause).await;
        }
        let done = ingest.step(&mut settled).await;
        let again = done.is_err();
        ingest.note(done);
        pause = match (again, pause) {
            (false, _) => Duration::ZERO,
            (true, Duration::ZERO) => Duration::from_millis(250),
            (true, longer) => (longer * 2).min(LONGEST_PAUSE),
        };
    }
}

/// Reads everything that the node has, final and not, and stores it: for tests, and for a database that is filled
/// before it is served.
///
/// # Errors
/// When the node or the database does not do its part.
pub async fn once(gateway: &Arc<Gateway>) -> Result<()> {
    let mut ingest = Ingest {
        gateway: Arc::clone(gateway),
        markets: Markets::new(),
        ticks: reading::Ticks::new(),
    };
    let done = ingest.step(&mut None).await;
    let failed = done.as_ref().err().map(ToString::to_string);
    ingest.note(done);
    failed.map_or(Ok(()), |failed| Err(anyhow::Error::msg(failed)))
}

struct Ingest {
    gateway: Arc<Gateway>,
    markets: Markets,
    ticks: reading::Ticks,
}

impl Ingest {
    async fn step(&mut self, settled: &mut Option<Instant>) -> Result<(), Problem> {
        if self.markets.is_empty() {
            let cluster = Arc::clone(&self.gateway.nodes.now().confirmed);
            // Those that come later announce themselves.
            for (address, market) in cluster.markets().await.map_err(chain)? {
                self.markets.insert(address, market.index);
                let tick = market.oracle.atoms_per_lot_tick;
                self.ticks.insert(address, tick);
            }
        }
        self.catch_up().await?;
        let every = Duration::from_millis(self.gateway.config.follow.final_ms);
        if settled.is_none_or(|at| at.elapsed() >= every) {
            self.settle().await?;
            *settled = Some(Instant::now());
        }
        Ok(())
    }

    fn note(&self, done: Result<(), Problem>) {
        let gateway = &self.gateway;
        match done {
            Ok(()) => {
                gateway.nodes.answered();
                gateway.vitals(|vitals| {
                    vitals.caught_up = Some(Instant::now());
                    vitals.store_problem = None;
                    vitals.chain_problem = None;
                });
            }
            Err(Problem::Store(error)) => {
                tracing::error!(%error, "history is not written");
                gateway.metrics.store_errors.inc();
                gateway.vitals(|vitals| vitals.store_problem = Some(error.to_string()));
            }
            Err(Problem::Chain(error)) => {
                tracing::warn!("history is not read: {error:#}");
                gateway.nodes.failed();
                gateway.vitals(|vitals| vitals.chain_problem = Some(format!("{error:#}")));
            }
        }
    }

    /// Stores what has landed since the cursor.
    async fn catch_up(&mut self) -> Result<(), Problem> {
        let tip = self.noted(cursor::TIP).await?;
        let cluster = Arc::clone(&self.gateway.nodes.now().confirmed);
        let mentions = mentions(&cluster, tip).await?;
        for some in mentions.chunks(BATCH) {
            let good = some.iter().filter(|one| !one.failed).copied();
            let txs = self.read(&cluster, good.collect()).await?;
            let newest = some.last().map(|one| one.signature.to_string());
            self.store(txs, newest).await?;
        }
        Ok(())
    }

    /// Takes over what is final: what was missed, the order within slots, whether changes join.
    async fn settle(&mut self) -> Result<(), Problem> {
        let gateway = Arc::clone(&self.gateway);
        let node = gateway.nodes.now();
        let (cluster, confirmed) = (Arc::clone(&node.finalized), Arc::clone(&node.confirmed));
        let before = compare::read(&cluster).await.map_err(Problem::Chain)?;
        let root = cluster
            .rpc
            .get_slot_with_commitment(CommitmentConfig::finalized());
        let root = root.await.map_err(chain)?;
        let from = self.noted(cursor::FINAL).await?;
        let listed = mentions(&cluster, from).await?;
        let all: Vec<Final> = listed
            .iter()
            .filter(|one| !one.failed && one.slot <= root)
            .map(|one| Final {
                signature: one.signature.to_string(),
                slot: one.slot,
            })
            .collect();
        let wanted = all.clone();
        let missing = gateway
            .store
            .read(move |sql| finality::missing(sql, &wanted));
        let missing: BTreeSet<String> = missing
            .await?
            .into_iter()
            .map(|one| one.signature)
            .collect();
        let missed = listed
            .iter()
            .filter(|one| missing.contains(&one.signature.to_string()));
        let missed: Vec<Mention> = missed.copied().collect();
        if !missed.is_empty() {
            tracing::info!(count = missed.len(), "transactions that were not heard of");
            gateway
                .metrics
                .repaired
                .inc_by(u64::try_from(missed.len()).unwrap_or(0));
            for some in missed.chunks(BATCH) {
                let txs = self.read(&confirmed, some.to_vec()).await?;
                self.store(txs, None).await?;
            }
        }
        gateway
            .store
            .write(move |sql| finality::settle(sql, &all, root))
            .await?;
        self.withdraw(&cluster, root).await?;
        compare::compare(&gateway, &cluster, before, root)
            .await
            .map_err(|error| match error.downcast::<StoreError>() {
                Ok(error) => Problem::Store(error),
                Err(error) => Problem::Chain(error),
            })
    }

    /// Takes out what should be final and is not.
    async fn withdraw(&self, cluster: &Cluster, root: u64) -> Result<(), Problem> {
        let Some(old) = root.checked_sub(FORGOTTEN) else {
            return Ok(());
        };
        let store = &self.gateway.store;
        for signature in store.read(move |sql| finality::lingering(sql, old)).await? {
            let parsed: Result<Signature, _> = signature.parse();
            let Ok(parsed) = parsed else { continue };
            let there = cluster.transaction(&parsed).await.map_err(chain)?;
            if there.is_none() {
                tracing::warn!(signature, "taken out again: its fork was given up");
                self.gateway.metrics.withdrawn.inc();
                store
                    .write(move |sql| write::withdraw(sql, &signature))
                    .await?;
            }
        }
        Ok(())
    }

    async fn noted(&self, name: &'static str) -> Result<Option<Signature>, Problem> {
        let noted = self.gateway.store.read(move |sql| write::noted(sql, name));
        Ok(noted.await?.and_then(|text| text.parse().ok()))
    }

    async fn read(&mut self, cluster: &Cluster, some: Vec<Mention>) -> Result<Vec<Tx>, Problem> {
        let at_once = self.gateway.config.follow.at_once;
        let reading = some.into_iter().map(|mention| async move {
            let past = cluster.transaction(&mention.signature).await?;
            let past = past.with_context(|| {
                format!(
                    "the node names transaction {} and does not have it: name one that keeps history",
                    mention.signature
                )
            })?;
            anyhow::Ok((mention, past))
        });
        let past = stream::iter(reading).buffered(at_once);
        let past: Vec<_> = past.try_collect().await.map_err(Problem::Chain)?;
        let txs = past.into_iter().map(|(mention, past)| {
            for event in &past.events {
                if let BallastEvent::MarketCreated(event) = event {
                    self.markets.insert(event.market, event.index);
                    let tick = event.oracle.atoms_per_lot_tick;
                    self.ticks.insert(event.market, tick);
                }
            }
            let (entries, changes) = reading::read(&past.events, &self.ticks);
            let bodies: Vec<Value> = past
                .events
                .iter()
                .map(|event| idl::json(event).unwrap_or_default())
                .collect();
            let events = past.events.iter().zip(&bodies);
            Tx {
                signature: mention.signature.to_string(),
                slot: past.slot,
                time: past.block_time.or(mention.block_time),
                parameters: parameters::of(events.clone()),
                events: events
                    .map(|(event, body)| (event.name(), body.to_string()))
                    .collect(),
                entries,
                changes,
            }
        });
        Ok(txs.collect())
    }

    /// Stores transactions and tells of them.
    async fn store(&self, txs: Vec<Tx>, newest: Option<String>) -> Result<(), Problem> {
        let markets = self.markets.clone();
        let slot = txs.iter().map(|tx| tx.slot).max().unwrap_or(0);
        let stored = self.gateway.store.write(move |sql| {
            let new = write::store(sql, &txs, &markets)?;
            if let Some(newest) = newest {
                write::note(sql, cursor::TIP, &newest)?;
            }
            let mut rows = Vec::new();
            for tx in txs.iter().filter(|tx| new.contains(&tx.signature)) {
                rows.extend(read::of_transaction(sql, &tx.signature)?);
            }
            Ok((new.len(), rows))
        });
        let (count, rows) = stored.await?;
        let count = u64::try_from(count).unwrap_or(0);
        self.gateway.metrics.transactions.inc_by(count);
        let gateway = Arc::clone(&self.gateway);
        let told = tokio::task::spawn_blocking(move || publish::rows(&gateway, slot, &rows));
        if let Err(error) = told.await {
            tracing::error!(%error, "what happened was not told");
        }
        Ok(())
    }
}

fn chain(error: impl Into<anyhow::Error>) -> Problem {
    Problem::Chain(error.into())
}

/// Transactions that named the program after one, the oldest first.
async fn mentions(cluster: &Cluster, after: Option<Signature>) -> Result<Vec<Mention>, Problem> {
    let found = cluster
        .mentions(&ballast_state::ID, after, None, usize::MAX)
        .await;
    let mut found = found.map_err(chain)?;
    found.reverse();
    Ok(found)
}
