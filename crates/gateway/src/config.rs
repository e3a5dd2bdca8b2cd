//! What a gateway is told: a TOML file in which everything has a default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::settings::{Settings, SettingsError};
use ballast_state::Pubkey;
use serde::{Deserialize, Deserializer};
use solana_commitment_config::CommitmentConfig;

use crate::store::Place;

/// The environment variable with the connection string of Postgres, which may hold a password.
pub const POSTGRES_VARIABLE: &str = "BALLAST_GATEWAY_POSTGRES";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
    /// It is not TOML, names an unknown field, or a value has the wrong type.
    #[error("{0}")]
    Malformed(String),
    /// A node's address means nothing.
    #[error(transparent)]
    Node(#[from] SettingsError),
    /// A value is out of range.
    #[error("{0}")]
    OutOfRange(String),
}

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// How the world reaches it, without a path: stands in the text that a wallet signs.
    pub public_url: Option<String>,
    /// Folder of the built web app, which is served too.
    pub app: Option<PathBuf>,
    /// Whether a proxy is before it, whose last `X-Forwarded-For` tells who asks.
    pub behind_proxy: bool,
    /// The nodes, the preferred one first; the one of the Solana command line where none is named.
    pub node: Vec<NodeConfig>,
    /// Price accounts, where another than the usual one of a market is followed.
    pub price: Vec<PriceConfig>,
    /// The database.
    pub store: StoreConfig,
    /// How the chain is followed.
    pub follow: Follow,
    /// How much anybody may ask.
    pub limits: Limits,
    /// Alerts.
    pub alerts: AlertsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            public_url: None,
            app: None,
            behind_proxy: false,
            node: Vec::new(),
            price: Vec::new(),
            store: StoreConfig::default(),
            follow: Follow::default(),
            limits: Limits::default(),
            alerts: AlertsConfig::default(),
        }
    }
}

/// `[[node]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Its JSON RPC.
    pub rpc: Endpoint,
    /// Its websocket; where the Solana command line expects it otherwise.
    pub websocket: Option<Endpoint>,
}

/// `[[price]]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceConfig {
    /// Number of the market.
    pub market: u16,
    /// The account its price is read from.
    #[serde(deserialize_with = "address")]
    pub account: Pubkey,
}

/// `[store]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The file of SQLite.
    pub sqlite: PathBuf,
    /// Most bytes that it may have.
    pub max_bytes: Option<u64>,
    /// The connection string of Postgres, which is used in the place of SQLite.
    pub postgres: Option<String>,
    /// File with the certificates of the authorities that a server of Postgres is trusted by, in the place of the
    /// system's.
    pub postgres_ca: Option<PathBuf>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            sqlite: PathBuf::from("ballast-gateway.sqlite"),
            max_bytes: None,
            postgres: None,
            postgres_ca: None,
        }
    }
}

/// `[follow]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Follow {
    /// Transactions are looked for at least so often, milliseconds.
    pub poll_ms: u64,
    /// What is final is looked for so often, milliseconds.
    pub final_ms: u64,
    /// Transactions read at a time.
    pub at_once: usize,
    /// All accounts are read again so often, seconds.
    pub resync_seconds: u64,
    /// A queue of more bytes is not followed but read so often, milliseconds.
    pub large_queue_ms: u64,
    /// What a large queue is, bytes.
    pub large_queue_bytes: usize,
    /// A market is ranked and told at most so often, milliseconds.
    pub settle_ms: u64,
    /// A node that is silent for so long is left for the next, milliseconds.
    pub silence_ms: u64,
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            poll_ms: 2_000,
            final_ms: 5_000,
            at_once: 8,
            resync_seconds: 60,
            large_queue_ms: 2_000,
            large_queue_bytes: 1_000_000,
            settle_ms: 50,
            silence_ms: 10_000,
        }
    }
}

impl Follow {
    /// [`Self::poll_ms`].
    #[must_use]
    pub const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}

/// `[limits]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address.
    pub connections_each: usize,
    /// Requests a second of one address.
    pub requests_each: u32,
    /// Requests that an address may save up.
    pub burst_each: u32,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Rows of a page.
    pub rows: u32,
    /// Rows of a file of comma-separated values.
    pub csv_rows: u32,
    /// Subscriptions of a connection.
    pub subscriptions: usize,
    /// Messages by which a listener may fall behind before its connection is closed.
    pub behind: usize,
    /// Seconds for which an answer may take.
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            connections_each: 64,
            requests_each: 20,
            burst_each: 100,
            body_bytes: 16_384,
            rows: 500,
            csv_rows: 50_000,
            subscriptions: 32,
            behind: 256,
            seconds: 20,
        }
    }
}

/// `[alerts]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// Whether anybody may subscribe alerts.
    pub enabled: bool,
    /// Subscriptions of a trader account.
    pub each: u32,
    /// Subscriptions in all.
    pub most: u32,
    /// Deliveries of a subscription in an hour.
    pub hourly: u32,
    /// Attempts of a delivery.
    pub attempts: u32,
    /// Whether webhooks and push services may be on private networks, and without encryption: for a gateway on one
    /// machine.
    pub private_webhooks: bool,
    /// File with the key for Web Push, made where there is none; nothing is pushed without it.
    pub push_key: Option<PathBuf>,
    /// Where push services reach the operator: `mailto:` or `https:`.
    pub push_contact: Option<String>,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            each: 5,
            most: 10_000,
            hourly: 60,
            attempts: 3,
            private_webhooks: false,
            push_key: None,
            push_contact: None,
        }
    }
}

impl Config {
    /// From a file.
    ///
    /// # Errors
    /// `Unreadable`, `Malformed`, `OutOfRange`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable(path.to_owned(), error.to_string()))?;
        Self::parse(&text)
    }

    /// From TOML.
    ///
    /// # Errors
    /// `Malformed`, `OutOfRange`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Malformed(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (follow, limits) = (&self.follow, &self.limits);
        let least = [
            ("follow.poll_ms", follow.poll_ms),
            ("follow.final_ms", follow.final_ms),
            ("follow.at_once", count(follow.at_once)),
            ("follow.resync_seconds", follow.resync_seconds),
            ("follow.large_queue_ms", follow.large_queue_ms),
            ("follow.settle_ms", follow.settle_ms),
            ("follow.silence_ms", follow.silence_ms),
            ("limits.connections", count(limits.connections)),
            ("limits.connections_each", count(limits.connections_each)),
            ("limits.requests_each", limits.requests_each.into()),
            ("limits.burst_each", limits.burst_each.into()),
            ("limits.rows", limits.rows.into()),
            ("limits.csv_rows", limits.csv_rows.into()),
            ("limits.subscriptions", count(limits.subscriptions)),
            ("limits.behind", count(limits.behind)),
            ("limits.seconds", limits.seconds),
            ("alerts.attempts", self.alerts.attempts.into()),
        ];
        for (name, value) in least {
            if value == 0 {
                return Err(ConfigError::OutOfRange(format!(
                    "{name} is 0: expected 1 or more"
                )));
            }
        }
        let alerts = &self.alerts;
        let contact = alerts.push_contact.as_deref();
        let reached = |to: &str| to.starts_with("mailto:") || to.starts_with("https:");
        if alerts.push_key.is_some() != contact.is_some_and(reached) {
            return Err(ConfigError::OutOfRange(
                "alerts.push_key and alerts.push_contact belong together: expected a file, and a contact \
                 that begins with mailto: or https:"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Where history is kept; `variable` gives variables of the environment.
    #[must_use]
    pub fn place(&self, variable: impl Fn(&str) -> Option<String>) -> Place {
        let given = variable(POSTGRES_VARIABLE).or_else(|| self.store.postgres.clone());
        match given {
            Some(config) => Place::Postgres(config, self.store.postgres_ca.clone()),
            None => Place::Sqlite(self.store.sqlite.clone(), self.store.max_bytes),
        }
    }

    /// Every node, the preferred one first.
    ///
    /// # Errors
    /// `Node`.
    pub fn nodes(&self) -> Result<Vec<Settings>, ConfigError> {
        let confirmed = CommitmentConfig::confirmed();
        if self.node.is_empty() {
            let settings = Settings::resolve(None, None, None)?;
            return Ok(vec![Settings {
                commitment: confirmed,
                ..settings
            }]);
        }
        let nodes = self.node.iter().map(|node| {
            let settings = Settings::resolve(Some(&node.rpc), None, None)?;
            let websocket = node.websocket.clone();
            Ok(Settings {
                websocket_url: websocket.unwrap_or(settings.websocket_url),
                commitment: confirmed,
                ..settings
            })
        });
        nodes.collect()
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
    let text = String::deserialize(deserializer)?;
    let refused = || serde::de::Error::custom(format!("`{text}` is not an address"));
    text.parse().map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default_and_what_is_unknown_is_refused() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.listen.port(), 8787);
        let file = PathBuf::from("ballast-gateway.sqlite");
        assert!(config.place(|_| None) == Place::Sqlite(file, None));
        assert!(Config::parse("lisen = 1").is_err());
        let refused = Config::parse("[limits]\nrows = 0").unwrap_err();
        assert!(refused.to_string().contains("limits.rows is 0"));
        for alone in [
            "push_key = \"k\"",
            "push_key = \"k\"\npush_contact = \"me\"",
        ] {
            let refused = Config::parse(&format!("[alerts]\n{alone}")).unwrap_err();
            assert!(refused.to_string().contains("push_contact"), "{refused}");
        }
    }

    #[test]
    fn the_environment_names_the_server_before_the_file_does() {
        let text = "[store]\npostgres = \"host=a\"\npostgres_ca = \"ca.pem\"";
        let config = Config::parse(text).unwrap();
        let place = |host: &str| Place::Postgres(host.to_owned(), Some(PathBuf::from("ca.pem")));
        assert!(config.place(|_| None) == place("host=a"));
        let named = config.place(|name| (name == POSTGRES_VARIABLE).then(|| "host=b".to_owned()));
        assert!(named == place("host=b"));
        assert!(
            !named.to_string().contains("host"),
            "it may hold a password"
        );
    }

    #[test]
    fn a_node_has_its_websocket_where_it_is_expected() {
        let text = "[[node]]\nrpc = \"http://127.0.0.1:9000\"\n[[node]]\nrpc = \"https://b\"\nwebsocket = \"wss://c\"";
        let nodes = Config::parse(text).unwrap().nodes().unwrap();
        let sockets: Vec<&str> = nodes.iter().map(|node| node.websocket_url.url()).collect();
        assert_eq!(sockets, ["ws://127.0.0.1:9001", "wss://c"]);
    }
}
