//! The market's price: published when it is set and kept fresh until the next one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anchor_lang::prelude::{Clock, Pubkey};
use anchor_lang::AccountSerialize;
use anyhow::{bail, Result};
use ballast_client::price::feed_account;
use ballast_rpc::cluster::Cluster;
use ballast_rpc::sender::{Budget, FeePolicy, Sender};
use ballast_state::market::Market;
use oracle_writer::{publish, Price};
use pyth_solana_receiver_sdk::price_update::PriceUpdateV2;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

pub use ballast_sandbox::pyth::SOL_USD_FEED;

use crate::validator::genesis_account;

/// Pyth's exponent: mantissas count 1e-8.
const EXPONENT: i32 = -8;
/// Time between two publications of the same price.
const REFRESH: Duration = Duration::from_secs(2);
/// Compute units of a publication.
const UNITS: u32 = 40_000;

/// A publication that landed.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Slot in which it landed.
    pub slot: u64,
    /// When it was sent.
    pub sent: Instant,
}

/// Publishes one feed. Dropping it ends the refreshing.
pub struct Oracle {
    /// The price account.
    pub account: Pubkey,
    publisher: Arc<Publisher>,
    refreshing: JoinHandle<()>,
}

struct Publisher {
    cluster: Arc<Cluster>,
    sender: Sender,
    authority: Arc<Keypair>,
    account: Pubkey,
    price: Mutex<Price>,
}

/// The price account of a feed as the cluster has it from the start: at the address where everybody
/// looks for it, with an old price, written by `authority`. The file to begin with.
///
/// # Errors
/// When the file cannot be written.
pub fn first_account(
    folder: &Path,
    feed_id: [u8; 32],
    ticks: u64,
    authority: &Pubkey,
) -> Result<(Pubkey, PathBuf)> {
    let address = feed_account(0, &feed_id);
    let update = price_of(feed_id, ticks)?.update(*authority, None, &Clock::default());
    let mut data = Vec::new();
    update.try_serialize(&mut data)?;
    data.resize(PriceUpdateV2::LEN, 0);
    let file = folder.join("price.json");
    let receiver = pyth_solana_receiver_sdk::ID;
    genesis_account(&file, &address, &receiver, 10_000_000, &data)?;
    Ok((address, file))
}

/// A certain price in ticks of $0.001, its average equal.
fn price_of(feed_id: [u8; 32], ticks: u64) -> Result<Price> {
    let mantissa = i64::try_from(ticks * 100_000)?;
    Ok(Price {
        feed_id,
        price: mantissa,
        conf: 0,
        exponent: EXPONENT,
        ema_price: mantissa,
        ema_conf: 0,
    })
}

impl Oracle {
    /// Begins to publish the market's feed at `ticks`; the authority signs and pays.
    ///
    /// # Errors
    /// When the first price does not land.
    pub async fn start(
        cluster: Arc<Cluster>,
        authority: Arc<Keypair>,
        market: &Market,
        ticks: u64,
    ) -> Result<Self> {
        if market.oracle.tick_nano != 1_000_000 {
            bail!("the oracle publishes ticks of 0.001");
        }
        let feed_id = market.oracle.feed_id;
        let account = feed_account(0, &feed_id);
        let publisher = Arc::new(Publisher {
            sender: Sender::new(cluster.clone(), authority.clone(), FeePolicy::default()),
            cluster,
            authority,
            account,
            price: Mutex::new(price_of(feed_id, ticks)?),
        });
        publisher.publish(None).await?;
        let refreshing = tokio::spawn(refresh(publisher.clone()));
        Ok(Self {
            account,
            publisher,
            refreshing,
        })
    }

    /// Publishes a price, in ticks.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn set(&self, ticks: u64) -> Result<Published> {
        self.publisher.publish(Some(ticks)).await
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.refreshing.abort();
    }
}

impl Publisher {
    /// One at a time, so that no price lands after one that was set later.
    async fn publish(&self, ticks: Option<u64>) -> Result<Published> {
        let mut price = self.price.lock().await;
        if let Some(ticks) = ticks {
            *price = price_of(price.feed_id, ticks)?;
        }
        let authority = self.authority.pubkey();
        let instruction = publish(self.account, false, authority, &price)?;
        let (blockhash, last_height) = self.sender.blockhash().await?;
        let budget = Budget {
            units: UNITS,
            loaded_bytes: None,
            price: 0,
        };
        let instructions = budget.before(&[instruction]);
        let transaction = self.sender.sign(&instructions, &[], &[], blockhash)?;
        let sent = Instant::now();
        let (_, slot) = self.sender.deliver(&transaction, last_height).await?;
        Ok(Published { slot, sent })
    }
}

/// Publishes the same price again and again, as Pyth's publishers do. A validator that is down is
/// no reason to stop.
async fn refresh(publisher: Arc<Publisher>) {
    let mut ticks = tokio::time::interval(REFRESH);
    loop {
        ticks.tick().await;
        if publisher.publish(None).await.is_err() {
            let _unanswered = publisher.cluster.rpc.get_health().await;
        }
    }
}
