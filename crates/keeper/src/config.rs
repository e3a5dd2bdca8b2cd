//! What a keeper is told: a TOML file in which everything has a default.

mod ranges;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use ballast_client::liquidation::Backing;
use ballast_client::makers::MAX_MAKERS;
use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::follow::Patience;
use ballast_rpc::sender::FeePolicy;
use serde::{Deserialize, Deserializer};
use solana_commitment_config::CommitmentConfig;

use crate::plan::{PlanOptions, TakeOver};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {problem}")]
    Unreadable {
        /// The file that was tried.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// It is not TOML, names an unknown field, or a value has the wrong type.
    #[error("{0}")]
    Malformed(String),
    /// A value is out of range.
    #[error("{field} is {value}: {expected}")]
    OutOfRange {
        /// Section and field.
        field: &'static str,
        /// The value as it stands in the file.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
}

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The node to read from and send to.
    pub rpc: Rpc,
    /// Who pays, and whose account takes over.
    pub wallet: WalletConfig,
    /// The markets to keep; all when there is none.
    pub market: Vec<MarketConfig>,
    /// How jobs are done.
    pub work: Work,
    /// Priority fees.
    pub fees: Fees,
    /// The address lookup table.
    pub lookup_table: TableConfig,
    /// How often what happens.
    pub intervals: Intervals,
    /// When `/health` turns bad.
    pub health: Limits,
    /// Where metrics are served.
    pub metrics: MetricsConfig,
    /// Log lines.
    pub logs: Logs,
}

/// `[rpc]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rpc {
    /// Endpoint or moniker, without any key.
    pub url: Option<Endpoint>,
    /// Websocket endpoint of the same node, without any key.
    pub websocket_url: Option<Endpoint>,
    /// How settled what is watched must be.
    pub commitment: Watching,
}

/// How settled what is watched must be. Transactions always have to be confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watching {
    /// As soon as the node has it.
    #[default]
    Processed,
    /// Once two thirds of the stake have voted for it.
    Confirmed,
}

impl Watching {
    /// As the RPC takes it.
    #[must_use]
    pub const fn commitment(self) -> CommitmentConfig {
        match self {
            Self::Processed => CommitmentConfig::processed(),
            Self::Confirmed => CommitmentConfig::confirmed(),
        }
    }
}

/// `[wallet]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalletConfig {
    /// File of the keypair.
    pub keypair: Option<PathBuf>,
    /// Number of the wallet's trader account.
    pub trader_sub_id: u16,
    /// The trader account, where the wallet is only its delegate.
    #[serde(deserialize_with = "address")]
    pub trader: Option<Pubkey>,
}

/// `[[market]]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketConfig {
    /// The market's number.
    pub index: u16,
    /// The account its price is read from.
    #[serde(default, deserialize_with = "address")]
    pub price_account: Option<Pubkey>,
}

/// `[work]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// Most transactions under way.
    pub max_in_flight: usize,
    /// Whether the trader account takes over what the book leaves.
    pub takes_over: bool,
    /// Margin behind lots taken over, basis points of their notional.
    pub takeover_margin_bps: u32,
    /// Margin behind the position then held, basis points of its least initial margin.
    pub takeover_room_bps: u32,
    /// Most counterparties cut by one transaction.
    pub max_counterparties: usize,
    /// Accounts listed beyond the ones needed.
    pub spares: usize,
    /// Funding is accrued when it is this many seconds old.
    pub funding_seconds: u64,
    /// Whether markets' pools are offered what nobody else takes.
    pub offer_pool: bool,
    /// Whether pools' positions are closed and their margin is moved.
    pub tend_pool: bool,
    /// A pool's margin is moved when it is off by this much of what it is to be, basis points.
    pub sync_pool_bps: u32,
    /// Whether marks of the board are recorded and frozen while nobody is forced; what a forced action needs is
    /// recorded with it in any case.
    pub tend_board: bool,
    /// Whether vaults are brought level with the insurance ledgers.
    pub sweep_insurance: bool,
    /// Whether held profit is given back once its market is not short of it.
    pub release_profit: bool,
    /// Whether markets are brought to their ends, for which nobody pays.
    pub end_markets: bool,
    /// Whether changes of a price source are witnessed.
    pub witness_oracle: bool,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            max_in_flight: 8,
            takes_over: true,
            takeover_margin_bps: 2_500,
            takeover_room_bps: 10_500,
            max_counterparties: 16,
            spares: 4,
            funding_seconds: 600,
            offer_pool: true,
            tend_pool: true,
            sync_pool_bps: 1_000,
            tend_board: true,
            sweep_insurance: true,
            release_profit: true,
            end_markets: true,
            witness_oracle: true,
        }
    }
}

impl Work {
    /// As the planner takes it.
    #[must_use]
    pub const fn plan_options(&self) -> PlanOptions {
        PlanOptions {
            take_over: match self.takes_over {
                true => TakeOver::Rest,
                false => TakeOver::Nothing,
            },
            offer_pool: self.offer_pool,
            max_makers: MAX_MAKERS,
            backing: Backing {
                margin_bps: self.takeover_margin_bps,
                room_bps: self.takeover_room_bps,
            },
            max_counterparties: self.max_counterparties,
            spares: self.spares,
        }
    }
}

/// `[fees]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fees {
    /// Which of the fees recently paid for the same accounts, per cent from the lowest.
    pub percentile: u8,
    /// At least this much, micro-lamports a compute unit.
    pub floor_micro_lamports: u64,
    /// At most this much, micro-lamports a compute unit.
    pub cap_micro_lamports: u64,
}

impl Default for Fees {
    fn default() -> Self {
        let FeePolicy {
            percentile,
            floor_micro_lamports,
            cap_micro_lamports,
        } = FeePolicy::default();
        Self {
            percentile,
            floor_micro_lamports,
            cap_micro_lamports,
        }
    }
}

impl Fees {
    /// As the sender takes it.
    #[must_use]
    pub const fn policy(&self) -> FeePolicy {
        FeePolicy {
            percentile: self.percentile,
            floor_micro_lamports: self.floor_micro_lamports,
            cap_micro_lamports: self.cap_micro_lamports,
        }
    }
}

/// `[lookup_table]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableConfig {
    /// The table to use, of which the wallet is the authority.
    #[serde(deserialize_with = "address")]
    pub address: Option<Pubkey>,
    /// Whether one is created where there is none.
    pub create: bool,
    /// Folder in which the address of the created one is remembered.
    pub state_dir: Option<PathBuf>,
}

impl Default for TableConfig {
    fn default() -> Self {
        Self {
            address: None,
            create: true,
            state_dir: None,
        }
    }
}

/// `[intervals]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intervals {
    /// Between two polls while the websocket is not to be trusted, milliseconds.
    pub poll_ms: u64,
    /// Between two looks at the node's slot and the wallet, milliseconds.
    pub check_ms: u64,
    /// Between two full readings of all trader accounts, seconds.
    pub resync_seconds: u64,
    /// The same while polling, seconds.
    pub polled_resync_seconds: u64,
    /// A websocket silent for so long is opened again, milliseconds.
    pub silence_ms: u64,
    /// A websocket so many slots behind the node is not to be trusted.
    pub max_slot_lag: u64,
    /// First delay after a failure, milliseconds.
    pub retry_ms: u64,
    /// Longest delay after failures, seconds.
    pub longest_retry_seconds: u64,
    /// How long a stop waits for transactions under way, seconds.
    pub drain_seconds: u64,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            poll_ms: 1_000,
            check_ms: 2_000,
            resync_seconds: 300,
            polled_resync_seconds: 15,
            silence_ms: 5_000,
            max_slot_lag: 20,
            retry_ms: 500,
            longest_retry_seconds: 60,
            drain_seconds: 45,
        }
    }
}

impl Intervals {
    /// How the websocket is kept open.
    #[must_use]
    pub const fn patience(&self) -> Patience {
        Patience {
            silence: Duration::from_millis(self.silence_ms),
            first_delay: Duration::from_millis(self.retry_ms),
            longest_delay: Duration::from_secs(15),
        }
    }

    /// First delay after a failure.
    #[must_use]
    pub const fn first_retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }

    /// Longest delay after failures.
    #[must_use]
    pub const fn longest_retry(&self) -> Duration {
        Duration::from_secs(self.longest_retry_seconds)
    }
}

/// `[health]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The slot has to advance within so many seconds.
    pub max_slot_age_seconds: u64,
    /// Every market's price has to be younger than so many seconds.
    pub max_price_age_seconds: u64,
    /// The wallet has to hold so much, lamports.
    pub min_lamports: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_slot_age_seconds: 15,
            max_price_age_seconds: 60,
            min_lamports: 10_000_000,
        }
    }
}

/// `[metrics]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address of `/metrics` and `/health`; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9_464)),
        }
    }
}

/// `[logs]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// Form of the lines.
    pub format: LogFormat,
    /// Which lines, as `RUST_LOG` has it.
    pub filter: String,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "warn,ballast_keeper=info,ballast_rpc=info".to_owned(),
        }
    }
}

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

impl Config {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_path_buf(),
            problem: error.to_string(),
        })?;
        let mut config = Self::parse(&text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for named in [
            &mut config.wallet.keypair,
            &mut config.lookup_table.state_dir,
        ] {
            *named = named.take().map(|named| beside(folder, &named));
        }
        Ok(config)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// `Malformed`, `OutOfRange`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| malformed(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// The configured price account of a market; `None` when the market is not to be kept,
    /// `Some(None)` when it is, with the price account it names itself.
    #[must_use]
    pub fn keeps(&self, index: u16) -> Option<Option<Pubkey>> {
        if self.market.is_empty() {
            return Some(None);
        }
        let named = self.market.iter().find(|market| market.index == index)?;
        Some(named.price_account)
    }
}

/// A path of the file: below the home directory where it begins with `~/`, else below the folder of
/// the file, wherever the keeper is started.
fn beside(folder: &Path, named: &Path) -> PathBuf {
    match (named.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => folder.join(named),
    }
}

/// What is wrong and in which line; the line itself may hold a key.
fn malformed(text: &str, error: &toml::de::Error) -> ConfigError {
    let message = error.message();
    ConfigError::Malformed(match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message.to_owned(),
    })
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Pubkey>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let parsed = text.parse().map(Some);
    parsed.map_err(|_| serde::de::Error::custom(format!("`{text}` is not an address")))
}

#[cfg(test)]
mod tests;
