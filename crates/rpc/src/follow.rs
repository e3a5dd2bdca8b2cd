//! Accounts as they change: a websocket that is opened again whenever it ends or falls silent.

use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use futures_util::stream::{select_all, BoxStream, StreamExt};
use solana_account::Account;
use solana_account_decoder_client_types::UiAccount;
use solana_pubsub_client::nonblocking::pubsub_client::{PubsubClient, PubsubClientError};
use solana_rpc_client_api::config::{RpcTransactionLogsConfig, RpcTransactionLogsFilter};
use solana_rpc_client_api::response::{Response, RpcKeyedAccount, RpcLogsResponse};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::cluster::Cluster;

/// How long connecting and each subscription may take.
const SETUP_TIME: Duration = Duration::from_secs(10);

/// What is followed.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    /// Accounts, whether they exist or not.
    pub accounts: Vec<Pubkey>,
    /// Discriminators: all accounts of the program with one of them.
    pub types: Vec<[u8; 8]>,
    /// Whether transactions of the program are told of.
    pub transactions: bool,
}

/// When a connection is given up and how it is opened again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a word for so long, a connection counts as dead. Slots are always followed, so
    /// there is a word every slot.
    pub silence: Duration,
    /// Delay before the first new attempt.
    pub first_delay: Duration,
    /// Longest delay.
    pub longest_delay: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(10),
            first_delay: Duration::from_millis(250),
            longest_delay: Duration::from_secs(15),
        }
    }
}

/// Something heard.
#[derive(Clone, Debug)]
pub enum Heard {
    /// All subscriptions stand. What changed before is not told: read it.
    Connected,
    /// The connection ended, with the reason; it is opened again.
    Lost(String),
    /// The node works on this slot.
    Slot(u64),
    /// An account as of a slot.
    Account(Box<Seen>),
    /// A transaction of the program landed in this slot. Which, and what it did, is read: see
    /// [`Cluster::mentions`].
    Transaction(u64),
}

/// An account as of a slot.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Slot in which the node read it.
    pub slot: u64,
    /// Its address.
    pub address: Pubkey,
    /// What; without lamports when it is gone.
    pub account: Account,
}

/// Tells `listener` what is heard, in order, until it stops listening. Never ends otherwise.
pub async fn follow(
    cluster: Arc<Cluster>,
    wanted: Subscriptions,
    patience: Patience,
    listener: mpsc::Sender<Heard>,
) {
    let mut backoff = Backoff::new(patience.first_delay, patience.longest_delay);
    while !listener.is_closed() {
        let reason = match connect(&cluster).await {
            Ok(client) => {
                let mut connected = false;
                let session = Session {
                    cluster: &cluster,
                    client: &client,
                    listener: &listener,
                    silence: patience.silence,
                };
                let ended = session.run(&wanted, &mut connected).await;
                drop(timeout(SETUP_TIME, client.shutdown()).await);
                if connected {
                    backoff.succeed();
                }
                ended
            }
            Err(reason) => reason,
        };
        let reason = cluster.websocket_url.hide(&reason);
        if listener.send(Heard::Lost(reason)).await.is_err() {
            return;
        }
        tokio::time::sleep(backoff.fail()).await;
    }
}

async fn connect(cluster: &Cluster) -> Result<PubsubClient, String> {
    let opening = PubsubClient::new(cluster.websocket_url.url());
    in_time(opening).await
}

async fn in_time<T>(
    wanted: impl core::future::Future<Output = Result<T, PubsubClientError>>,
) -> Result<T, String> {
    match timeout(SETUP_TIME, wanted).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(said(&error)),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// The error with its cause: alone it says little.
fn said(error: &PubsubClientError) -> String {
    match core::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

struct Session<'a> {
    cluster: &'a Cluster,
    client: &'a PubsubClient,
    listener: &'a mpsc::Sender<Heard>,
    silence: Duration,
}

impl Session<'_> {
    /// Why it ended.
    async fn run(&self, wanted: &Subscriptions, connected: &mut bool) -> String {
        let streams = match self.subscribe(wanted).await {
            Ok(streams) => streams,
            Err(reason) => return reason,
        };
        if self.listener.send(Heard::Connected).await.is_err() {
            return "nobody listens".to_owned();
        }
        *connected = true;
        let mut all = select_all(streams);
        loop {
            match timeout(self.silence, all.next()).await {
                Ok(Some(heard)) => {
                    if self.listener.send(heard).await.is_err() {
                        return "nobody listens".to_owned();
                    }
                }
                Ok(None) => return "the node closed the connection".to_owned(),
                Err(_) => return format!("silent for {} ms", self.silence.as_millis()),
            }
        }
    }

    async fn subscribe(&self, wanted: &Subscriptions) -> Result<Vec<BoxStream<'_, Heard>>, String> {
        let (slots, _) = in_time(self.client.slot_subscribe()).await?;
        let mut streams = vec![slots.map(|info| Heard::Slot(info.slot)).boxed()];
        for address in &wanted.accounts {
            streams.push(self.account(*address).await?);
        }
        for discriminator in &wanted.types {
            streams.push(self.accounts_of(discriminator).await?);
        }
        if wanted.transactions {
            streams.push(self.transactions().await?);
        }
        Ok(streams)
    }

    async fn account(&self, address: Pubkey) -> Result<BoxStream<'_, Heard>, String> {
        let config = Some(self.cluster.account_config());
        let subscribing = self.client.account_subscribe(&address, config);
        let (stream, _) = in_time(subscribing).await?;
        let heard = move |update: Response<UiAccount>| async move {
            seen(update.context.slot, address, &update.value)
        };
        Ok(stream.filter_map(heard).boxed())
    }

    /// Transactions of the program that did not fail.
    async fn transactions(&self) -> Result<BoxStream<'_, Heard>, String> {
        let of_program = RpcTransactionLogsFilter::Mentions(vec![ballast_state::ID.to_string()]);
        let config = RpcTransactionLogsConfig {
            commitment: Some(self.cluster.commitment),
        };
        let subscribing = self.client.logs_subscribe(of_program, config);
        let (stream, _) = in_time(subscribing).await?;
        let heard = |told: Response<RpcLogsResponse>| async move {
            let landed = told.value.err.is_none();
            landed.then_some(Heard::Transaction(told.context.slot))
        };
        Ok(stream.filter_map(heard).boxed())
    }

    async fn accounts_of(&self, discriminator: &[u8]) -> Result<BoxStream<'_, Heard>, String> {
        let config = Some(self.cluster.program_config(discriminator));
        let subscribing = self.client.program_subscribe(&ballast_state::ID, config);
        let (stream, _) = in_time(subscribing).await?;
        let heard = |update: Response<RpcKeyedAccount>| async move {
            let address = update.value.pubkey.parse().ok()?;
            seen(update.context.slot, address, &update.value.account)
        };
        Ok(stream.filter_map(heard).boxed())
    }
}

fn seen(slot: u64, address: Pubkey, account: &UiAccount) -> Option<Heard> {
    let account = account.to_account()?;
    Some(Heard::Account(Box::new(Seen {
        slot,
        address,
        account,
    })))
}
