//! From a configuration to a keeper at work: reads the exchange, opens the websocket, begins
//! again when the exchange is no longer what it was.

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use ballast_client::amount::{grouped_decimal, Unit};
use ballast_client::{accounts, addresses, price};
use ballast_engine::pool::PoolMode;
use ballast_rpc::backoff::Backoff;
use ballast_rpc::cluster::{clock_address, clock_of, Cluster, ReadError};
use ballast_rpc::follow::{follow, Subscriptions};
use ballast_rpc::sender::Sender;
use ballast_state::market::Market;
use ballast_state::protection::PROTECTION_DISCRIMINATOR;
use ballast_state::trader::{Trader, TRADER_DISCRIMINATOR};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::sync::{mpsc, watch, Notify};
use tokio::task::JoinSet;

use crate::act::{Actor, Promises};
use crate::backstop::Backstop;
use crate::config::Config;
use crate::feed::{Feed, Line, Read};
use crate::identity::Identity;
use crate::leases::REMEMBERED_SLOTS;
use crate::lookup_table::{TableKeeper, Tables};
use crate::rivals::Rivals;
use crate::run::{Ended, Keeper, Parts};
use crate::serve::Board;
use crate::witness::{self, Witness};
use crate::world::World;

/// News that wait to be heard.
const NEWS: usize = 4_096;
/// Readings that wait to be taken in; one may hold hundreds of accounts.
const READINGS: usize = 16;

/// Why a keeper cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The exchange was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no trader account to act with.
    #[error("the wallet {wallet} has no trader account {address} (sub id {sub_id}); with that keypair, `ballast trader create --sub-id {sub_id}` and then `ballast deposit` make one; or name another under [wallet]")]
    NoTraderAccount {
        /// The keeper's wallet.
        wallet: Pubkey,
        /// Where the account would be.
        address: Pubkey,
        /// Number of the account among the wallet's.
        sub_id: u16,
    },
    /// The trader account is somebody else's.
    #[error("{0} is a trader account that {1} neither owns nor is the delegate of")]
    ForeignTraderAccount(Pubkey, Pubkey),
    /// A market that the configuration names does not exist.
    #[error("the configuration names market {0}, and the exchange has {1}")]
    NoMarket(u16, String),
}

impl BeginError {
    /// Whether trying again later may help.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Read(_))
    }
}

/// A keeper before it begins.
pub struct KeeperProcess {
    config: Config,
    wallet: Arc<Keypair>,
    reading: Arc<Cluster>,
    sending: Arc<Cluster>,
    board: Board,
    dry_run: bool,
}

impl KeeperProcess {
    /// A keeper with this configuration and identity.
    #[must_use]
    pub fn new(config: Config, identity: Identity, board: Board, dry_run: bool) -> Self {
        let reading = Cluster::new(&identity.settings);
        let mut confirmed = identity.settings;
        confirmed.commitment = CommitmentConfig::confirmed();
        Self {
            config,
            wallet: Arc::new(identity.keypair),
            reading: Arc::new(reading),
            sending: Arc::new(Cluster::new(&confirmed)),
            board,
            dry_run,
        }
    }

    /// The trader account it acts with.
    #[must_use]
    pub fn trader(&self) -> Pubkey {
        let derived = addresses::trader(&self.wallet.pubkey(), self.config.wallet.trader_sub_id);
        self.config.wallet.trader.unwrap_or(derived)
    }

    /// Works until `stop` says so.
    ///
    /// # Errors
    /// When it cannot begin and trying again would not help.
    pub async fn run(&self, stop: &watch::Receiver<bool>) -> Result<(), BeginError> {
        let every = &self.config.intervals;
        let mut backoff = Backoff::new(every.first_retry(), every.longest_retry());
        let mut stopped = stop.clone();
        loop {
            let begun = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
                begun = self.begin() => begun,
            };
            match begun {
                Ok(begun) => {
                    backoff.succeed();
                    if begun.work(stop.clone()).await == Ended::Stopped {
                        return Ok(());
                    }
                    self.board.vitals(|vitals| {
                        (vitals.ready, vitals.slot) = (false, 0);
                    });
                }
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, "the exchange was not read; again soon");
                    tokio::select! {
                        _ = stopped.wait_for(|stop| *stop) => return Ok(()),
                        () = tokio::time::sleep(backoff.fail()) => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Does everything once; whether nothing failed.
    ///
    /// # Errors
    /// When it cannot begin.
    pub async fn once(&self) -> Result<bool, BeginError> {
        let Begun {
            keeper,
            feed,
            witness,
            ..
        } = self.begin().await?;
        let could_pay = keeper.once(&feed).await;
        if let Some(witness) = &witness {
            witness.look().await;
        }
        let metrics = &self.board.metrics;
        let failures = metrics.total(&metrics.failed) + metrics.total(&metrics.expired);
        Ok(could_pay && failures == 0)
    }

    async fn begin(&self) -> Result<Begun, BeginError> {
        let exchange = self.reading.exchange().await?;
        let all = self.reading.markets().await?;
        let market_count = all.len();
        let markets = self.chosen(all)?;
        let own = self.trader();
        self.check_trader(own).await?;
        let world = World::new(exchange, &markets, self.wallet.pubkey(), own);
        let addresses: Arc<[Pubkey]> = world.addresses().into();
        let (readings, taken) = mpsc::channel(READINGS);
        let (heard, hearing) = mpsc::channel(NEWS);
        let feed = Feed {
            cluster: Arc::clone(&self.reading),
            addresses,
            intervals: self.config.intervals,
            line: Arc::new(Line::default()),
            readings: readings.clone(),
            resync: Arc::new(Notify::new()),
            board: self.board.clone(),
        };
        let sender = self.sender();
        let (wanted, wants) = mpsc::channel(1);
        let tables = Tables::default();
        let parts = Parts {
            config: self.config.clone(),
            actor: Arc::new(self.actor(own, &sender, &markets, readings, tables.clone(), wanted)),
            board: self.board.clone(),
            line: Arc::clone(&feed.line),
            resync: Arc::clone(&feed.resync),
            heard: hearing,
            readings: taken,
        };
        let mut keeper = Keeper::new(world, market_count, parts);
        keeper.fill(&feed).await?;
        tracing::info!(markets = markets.len(), wallet = %self.wallet.pubkey(), trader = %own, "the exchange has been read");
        let rivals = Rivals {
            cluster: Arc::clone(&self.sending),
            markets: markets.iter().map(|(address, ..)| *address).collect(),
            since_slot: keeper.slot().saturating_sub(REMEMBERED_SLOTS),
            readings: feed.readings.clone(),
        };
        Ok(Begun {
            keeper,
            feed,
            heard,
            patience: self.config.intervals.patience(),
            rivals,
            table: (!self.dry_run).then(|| TableKeeper {
                sender,
                config: self.config.lookup_table.clone(),
                fixed: fixed_addresses(&markets, own),
                tables,
                metrics: self.board.metrics.clone(),
            }),
            wants,
            witness: self.config.work.witness_oracle.then(|| Witness {
                cluster: Arc::clone(&self.reading),
                sender: self.sender(),
                prices: witness::prices(&markets),
                dry_run: self.dry_run,
                metrics: self.board.metrics.clone(),
            }),
        })
    }

    fn sender(&self) -> Arc<Sender> {
        let cluster = Arc::clone(&self.sending);
        let wallet = Arc::clone(&self.wallet);
        let sender = Sender::new(cluster, wallet, self.config.fees.policy());
        Arc::new(sender.rechecking())
    }

    fn actor(
        &self,
        own: Pubkey,
        sender: &Arc<Sender>,
        markets: &[(Pubkey, Market, Pubkey)],
        readings: mpsc::Sender<Read>,
        tables: Tables,
        wanted: mpsc::Sender<Vec<Pubkey>>,
    ) -> Actor {
        Actor {
            cluster: Arc::clone(&self.reading),
            sender: Arc::clone(sender),
            own,
            legs: watch::Sender::default(),
            prices: markets
                .iter()
                .map(|(market, _, price)| (*market, *price))
                .collect(),
            work: self.config.work,
            dry_run: self.dry_run,
            board: self.board.clone(),
            readings,
            tables,
            wanted,
            promises: Promises::default(),
        }
    }

    /// The markets to keep, with the accounts their prices are read from.
    fn chosen(
        &self,
        all: Vec<(Pubkey, Market)>,
    ) -> Result<Vec<(Pubkey, Market, Pubkey)>, BeginError> {
        let there = |index| all.iter().any(|(_, market)| market.index == index);
        let mut named = self.config.market.iter().map(|market| market.index);
        if let Some(index) = named.find(|index| !there(*index)) {
            let all: Vec<String> = all.iter().map(|(_, it)| it.index.to_string()).collect();
            let known = match all.as_slice() {
                [] => "none yet".to_owned(),
                numbers => format!("market {}", numbers.join(", ")),
            };
            return Err(BeginError::NoMarket(index, known));
        }
        let keep = |(address, market): (Pubkey, Market)| {
            let named = self.config.keeps(market.index)?;
            let price = named.unwrap_or_else(|| price::price_account(&market));
            Some((address, market, price))
        };
        Ok(all.into_iter().filter_map(keep).collect())
    }

    /// Asks the node for everything that the keeper would begin with; what it found, in lines.
    ///
    /// # Errors
    /// When the keeper could not begin.
    pub async fn check(&self) -> Result<Vec<String>, BeginError> {
        let exchange = self.reading.exchange().await?;
        let markets = self.chosen(self.reading.markets().await?)?;
        let trader = self.check_trader(self.trader()).await?;
        let wallet = self.wallet.pubkey();
        let mut wanted = vec![clock_address(), wallet];
        wanted.extend(markets.iter().map(|(_, _, price)| *price));
        let (slot, found) = self.reading.accounts(&wanted).await?;
        let mut found = found.into_iter();
        let clock = found.next().flatten();
        let now = clock.and_then(|account| clock_of(&account.data));
        let lamports = found.next().flatten().map_or(0, |account| account.lamports);
        let least = self.config.health.min_lamports;
        let poor = if lamports < least {
            format!(
                ", less than the {} that it should hold: send it SOL",
                sol(least)
            )
        } else {
            String::new()
        };
        let free = grouped_decimal(trader.free.into(), exchange.mint_decimals, 2);
        let mut lines = vec![
            format!("node:           answers, slot {slot}"),
            format!("wallet holds:   {}{poor}", sol(lamports)),
            format!("collateral:     {free} free"),
        ];
        for ((_, market, price), account) in markets.iter().zip(found) {
            let decoded = match &account {
                None => Err(price::PriceError::Missing),
                Some(account) => price::decode_price(market, price, &account.owner, &account.data),
            };
            let said = match (decoded, &now) {
                (Err(error), _) => format!("no price: {error}"),
                (Ok(price), Some(now)) => format!(
                    "{}, {} s old",
                    Unit::nano(market.oracle.tick_nano).show(price.price.get(), 0),
                    now.unix_timestamp.saturating_sub(price.publish_time)
                ),
                (Ok(_), None) => "a price of unknown age".to_owned(),
            };
            lines.push(format!("market {}:       {price}: {said}", market.index));
        }
        lines.extend(self.pools(&markets, exchange.mint_decimals).await?);
        Ok(lines)
    }

    /// A line for the pool of each market that has one.
    async fn pools(
        &self,
        markets: &[(Pubkey, Market, Pubkey)],
        decimals: u8,
    ) -> Result<Vec<String>, BeginError> {
        let mut lines = Vec::new();
        for (address, market, _) in markets {
            let mut backstop = Backstop::of(address);
            let wanted = [backstop.address, backstop.trader];
            let (_, found) = self.reading.accounts(&wanted).await?;
            let data = |index: usize| Some(found.get(index)?.as_ref()?.data.as_slice());
            backstop.apply(data(0).and_then(|data| accounts::pool(data).ok()));
            let trader = data(1).and_then(|data| accounts::trader(data).ok());
            let (Some(pool), Some(trader)) = (&backstop.pool, trader) else {
                continue;
            };
            let slot = trader.slot(address);
            let lots = slot.map_or(0, |slot| slot.lots);
            let free = grouped_decimal(trader.free.into(), decimals, 2);
            let size = Unit::nano(market.oracle.lot_nano).show(lots.unsigned_abs(), 0);
            let holds = match lots {
                0 => "no position".to_owned(),
                1.. => format!("long {size}"),
                _ => format!("short {size}"),
            };
            let does = match pool.mode() {
                PoolMode::Open => "takes lots over",
                PoolMode::NoTakes => "takes nothing that enlarges its position",
                PoolMode::WindDown => "winds down",
            };
            let index = market.index;
            lines.push(format!(
                "pool of {index}:      {does}; {free} free, {holds}"
            ));
        }
        Ok(lines)
    }

    /// The trader account it acts with.
    async fn check_trader(&self, address: Pubkey) -> Result<Trader, BeginError> {
        let wallet = self.wallet.pubkey();
        let sub_id = self.config.wallet.trader_sub_id;
        let Some(trader) = self.reading.trader(&address).await? else {
            return Err(BeginError::NoTraderAccount {
                wallet,
                address,
                sub_id,
            });
        };
        match trader.require_authority(&wallet) {
            Ok(()) => Ok(trader),
            Err(_) => Err(BeginError::ForeignTraderAccount(address, wallet)),
        }
    }
}

/// Lamports for people.
fn sol(lamports: u64) -> String {
    format!("{} SOL", grouped_decimal(lamports.into(), 9, 2))
}

/// The accounts that most transactions name.
fn fixed_addresses(markets: &[(Pubkey, Market, Pubkey)], own: Pubkey) -> Vec<Pubkey> {
    let mut fixed = vec![
        addresses::exchange(),
        addresses::event_authority(),
        ballast_state::ID,
        own,
    ];
    for (address, market, price) in markets {
        let queues = [market.queue_long, market.queue_short];
        let backstop = Backstop::of(address);
        fixed.extend([*address, market.book, *price]);
        fixed.extend([backstop.address, backstop.trader]);
        fixed.extend(queues);
    }
    fixed
}

struct Begun {
    keeper: Keeper,
    feed: Feed,
    heard: mpsc::Sender<ballast_rpc::follow::Heard>,
    patience: ballast_rpc::follow::Patience,
    rivals: Rivals,
    table: Option<TableKeeper>,
    wants: mpsc::Receiver<Vec<Pubkey>>,
    witness: Option<Witness>,
}

impl Begun {
    async fn work(self, stop: watch::Receiver<bool>) -> Ended {
        // Aborted when it is dropped.
        let mut beside = JoinSet::new();
        let subscriptions = Subscriptions {
            accounts: self.feed.addresses.to_vec(),
            types: vec![TRADER_DISCRIMINATOR, PROTECTION_DISCRIMINATOR],
            transactions: false,
        };
        let cluster = Arc::clone(&self.feed.cluster);
        beside.spawn(follow(cluster, subscriptions, self.patience, self.heard));
        beside.spawn(self.feed.clone().resync());
        beside.spawn(self.feed.poll());
        beside.spawn(self.rivals.tell());
        if let Some(table) = self.table {
            beside.spawn(table.run(self.wants));
        }
        if let Some(witness) = self.witness {
            beside.spawn(witness.run());
        }
        self.keeper.run(stop).await
    }
}
