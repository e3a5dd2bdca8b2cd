//! Where the news come from: the websocket, polling while it is not to be trusted, and full
//! readings of all trader accounts now and then.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts;
use ballast_rpc::cluster::{unpacked, Cluster, ReadError};
use ballast_state::protection::{Protection, PROTECTION_DISCRIMINATOR};
use ballast_state::trader::{Trader, TRADER_DISCRIMINATOR};
use solana_account::Account;
use tokio::sync::{mpsc, Notify};
use tokio::time::MissedTickBehavior;

use crate::config::Intervals;
use crate::serve::Board;

/// Trader accounts of one message.
const TRADERS_AT_ONCE: usize = 512;

/// Between two lines about a node that does not answer.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Something read from the node.
#[derive(Debug)]
pub enum Read {
    /// Accounts as of a slot; `None` where there is none.
    Accounts(u64, Vec<(Pubkey, Option<Account>)>),
    /// Some of all trader accounts as of a slot.
    Traders(u64, Vec<(Pubkey, Trader)>),
    /// All accounts of protective steps as of a slot.
    Protections(u64, Vec<(Pubkey, Protection)>),
    /// These were all accounts of traders and of protective steps.
    All(u64, HashSet<Pubkey>),
    /// A keeper with this wallet did what this one wanted to do.
    Faster(Pubkey),
    /// A keeper with this wallet is at work.
    AtWork(Pubkey),
    /// The position with this number has ended, for which a trader has set protective steps in a market.
    Ended {
        /// The market.
        market: Pubkey,
        /// The trader account.
        trader: Pubkey,
        /// Number of the position.
        sequence: u64,
    },
    /// The exchange has so many markets.
    MarketCount(usize),
    /// The node works on this slot.
    NodeSlot(u64),
}

/// What is known of the websocket.
#[derive(Debug, Default)]
pub struct Line {
    open: AtomicBool,
    slot: AtomicU64,
}

impl Line {
    /// It was opened or lost.
    pub fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// It told of a slot.
    pub fn hear(&self, slot: u64) {
        self.slot.store(slot, Ordering::Relaxed);
    }

    /// Slots by which it is behind a node that works on `node_slot`; 0 before it told of one.
    fn lag(&self, node_slot: u64) -> u64 {
        match self.slot.load(Ordering::Relaxed) {
            0 => 0,
            slot => node_slot.saturating_sub(slot),
        }
    }

    /// Whether it is open and at most so far behind.
    fn is_trusted(&self, node_slot: u64, max_lag: u64) -> bool {
        self.is_open() && self.lag(node_slot) <= max_lag
    }
}

/// Says that something failed, and not again before some time has passed.
#[derive(Debug, Default)]
struct Complaints {
    last: Option<Instant>,
}

impl Complaints {
    fn say(&mut self, what: &str, error: &ReadError) {
        if self.last.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            self.last = Some(Instant::now());
            tracing::warn!(%error, "{what}");
        } else {
            tracing::debug!(%error, "{what}");
        }
    }
}

/// Reads what the websocket does not tell.
#[derive(Clone)]
pub struct Feed {
    /// The node to read from.
    pub cluster: Arc<Cluster>,
    /// The accounts read one by one.
    pub addresses: Arc<[Pubkey]>,
    /// How often.
    pub intervals: Intervals,
    /// How the websocket is doing.
    pub line: Arc<Line>,
    /// Where readings go.
    pub readings: mpsc::Sender<Read>,
    /// Asks for a full reading.
    pub resync: Arc<Notify>,
    /// Where it says how it is.
    pub board: Board,
}

impl Feed {
    /// Watches the node's slot, and polls while the websocket is not to be trusted. Never ends.
    pub async fn poll(self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(self.intervals.poll_ms));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once: the websocket is about to be opened.
        ticks.tick().await;
        let mut complaints = Complaints::default();
        let check = Duration::from_millis(self.intervals.check_ms);
        let (mut node_slot, mut checked) = (0, None::<Instant>);
        loop {
            ticks.tick().await;
            if checked.is_none_or(|at| at.elapsed() >= check) {
                checked = Some(Instant::now());
                match self.check_slot().await {
                    Ok(slot) => node_slot = slot,
                    Err(error) => complaints.say("the node did not say its slot", &error),
                }
            }
            let trusted = self.line.is_trusted(node_slot, self.intervals.max_slot_lag);
            self.note_trust(trusted, node_slot);
            if !trusted {
                if let Err(error) = self.read_accounts().await {
                    complaints.say("the accounts were not polled", &error);
                }
            }
        }
    }

    /// Reads everything again from time to time, and when it is asked to. Never ends.
    pub async fn resync(self) {
        let mut failed_before = false;
        let mut complaints = Complaints::default();
        loop {
            let polling = self.board.vitals(|vitals| vitals.polling);
            let seconds = match polling {
                true => self.intervals.polled_resync_seconds,
                false => self.intervals.resync_seconds,
            };
            let pause = match failed_before {
                true => Duration::from_secs(1),
                false => Duration::from_secs(seconds),
            };
            // What woke it does not matter.
            drop(tokio::time::timeout(pause, self.resync.notified()).await);
            let read = self.read_everything().await;
            if let Err(error) = &read {
                complaints.say("the accounts were not read again", error);
            }
            failed_before = read.is_err();
        }
    }

    /// Reads everything once.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn read_everything(&self) -> Result<(), ReadError> {
        self.read_accounts().await?;
        let markets = self.cluster.markets().await?.len();
        self.tell(Read::MarketCount(markets)).await;
        let (slot, mut present) = self.read_traders().await?;
        let steps_slot = self.read_protections(&mut present).await?;
        self.tell(Read::All(slot.min(steps_slot), present)).await;
        self.board.metrics.resyncs.inc();
        Ok(())
    }

    /// Reads the accounts that are read one by one.
    async fn read_accounts(&self) -> Result<(), ReadError> {
        let (slot, found) = self.cluster.accounts(&self.addresses).await?;
        self.note_answer();
        let addresses = self.addresses.iter().copied();
        let accounts = addresses.zip(found).collect();
        self.tell(Read::Accounts(slot, accounts)).await;
        Ok(())
    }

    /// Reads all trader accounts; which there are, and in which slot.
    async fn read_traders(&self) -> Result<(u64, HashSet<Pubkey>), ReadError> {
        let (slot, packed) = self.cluster.accounts_of(&TRADER_DISCRIMINATOR).await?;
        self.note_answer();
        let mut present = HashSet::with_capacity(packed.len());
        for some in packed.chunks(TRADERS_AT_ONCE) {
            let mut traders = Vec::with_capacity(some.len());
            for (address, data) in some.iter().filter_map(unpacked) {
                present.insert(address);
                match accounts::trader(&data) {
                    Ok(trader) => traders.push((address, trader)),
                    Err(error) => tracing::error!(trader = %address, %error, "not read"),
                }
            }
            self.tell(Read::Traders(slot, traders)).await;
        }
        Ok((slot, present))
    }

    /// Reads all accounts of protective steps and adds them to those that there are; in which slot.
    async fn read_protections(&self, present: &mut HashSet<Pubkey>) -> Result<u64, ReadError> {
        let packed = self.cluster.accounts_of(&PROTECTION_DISCRIMINATOR);
        let (slot, packed) = packed.await?;
        self.note_answer();
        let mut all = Vec::with_capacity(packed.len());
        for (address, data) in packed.iter().filter_map(unpacked) {
            present.insert(address);
            match accounts::protection(&data) {
                Ok(steps) => all.push((address, steps)),
                Err(error) => tracing::error!(%address, %error, "not read"),
            }
        }
        self.tell(Read::Protections(slot, all)).await;
        Ok(slot)
    }

    async fn check_slot(&self) -> Result<u64, ReadError> {
        let slot = self.cluster.rpc.get_slot().await?;
        self.note_answer();
        self.tell(Read::NodeSlot(slot)).await;
        Ok(slot)
    }

    fn note_answer(&self) {
        self.board
            .vitals(|vitals| vitals.answered_at = Some(Instant::now()));
    }

    fn note_trust(&self, trusted: bool, node_slot: u64) {
        let lag = self.line.lag(node_slot);
        let changed = self.board.vitals(|vitals| {
            let changed = vitals.polling == trusted;
            vitals.polling = !trusted;
            vitals.slot_lag = lag;
            changed
        });
        if changed && trusted {
            tracing::info!("the websocket is trusted again");
        } else if changed {
            tracing::warn!(lag, "the websocket is closed or behind: polling");
        }
    }

    async fn tell(&self, read: Read) {
        // Nobody listens any more when the keeper is about to end.
        drop(self.readings.send(read).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_is_trusted_while_it_is_open_and_keeps_up() {
        let line = Line::default();
        line.hear(100);
        assert!(!line.is_trusted(100, 20), "closed");
        line.set_open(true);
        assert!(line.is_trusted(90, 20) && line.is_trusted(120, 20));
        assert!(!line.is_trusted(121, 20));
        assert_eq!((line.lag(121), line.lag(90)), (21, 0));
        line.set_open(false);
        assert!(!line.is_trusted(100, 20));
    }
}
