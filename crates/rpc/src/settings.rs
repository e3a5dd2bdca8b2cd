//! Which cluster and which keypair: options, else the configuration of the Solana command line.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::{read_keypair_file, Keypair};

use crate::endpoint::Endpoint;

/// Where the Solana command line keeps its configuration, below the home directory.
const CONFIG_FILE: &str = ".config/solana/cli/config.yml";
/// Where it keeps the default keypair.
const KEYPAIR_FILE: &str = ".config/solana/id.json";
/// The cluster when nothing names one.
const DEFAULT_URL: &str = "http://localhost:8899";

/// Signers of the Solana command line that are not files begin so.
const ELSEWHERE: [&str; 4] = ["usb://", "prompt:", "stdin:", "ASK"];

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A configuration was named or found that cannot be read.
    #[error("{path} cannot be read ({problem}); name another file or give the options instead")]
    Config {
        /// The file that was tried.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// No URL. What was given is not repeated: it may be a key.
    #[error("the cluster that was named is none: expected a URL that begins with http:// or https://, or one of mainnet-beta, testnet, devnet, localhost")]
    Url,
    /// A keypair that is not in a file.
    #[error("`{0}` is a hardware wallet or another signer that is not a file, which Ballast cannot use; name a keypair file with --keypair")]
    NotAFile(String),
    /// A keypair that cannot be read.
    #[error("no keypair at {path} ({problem}); create one with `solana-keygen new` or name one with --keypair")]
    Keypair {
        /// The file that was tried.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A commitment nobody knows.
    #[error("`{0}` is not a commitment: expected processed, confirmed or finalized")]
    Commitment(String),
}

/// Which cluster and which keypair.
#[derive(Clone, Debug)]
pub struct Settings {
    /// JSON RPC endpoint.
    pub rpc_url: Endpoint,
    /// Websocket endpoint of the same node.
    pub websocket_url: Endpoint,
    /// File of the keypair that signs and pays.
    pub keypair_path: PathBuf,
    /// How settled an account must be to be read, and a transaction to count as landed.
    pub commitment: CommitmentConfig,
}

/// The fields of the Solana command line's configuration that matter here.
#[derive(Debug, Default, Deserialize)]
struct SolanaConfig {
    json_rpc_url: Option<Endpoint>,
    websocket_url: Option<Endpoint>,
    keypair_path: Option<PathBuf>,
    commitment: Option<String>,
}

impl Settings {
    /// Settings from options, and for what they leave out from `config`, a file of the Solana
    /// command line ([default: `~/.config/solana/cli/config.yml`, if it is there]).
    ///
    /// # Errors
    /// When a file that was named cannot be read, or a value means nothing.
    pub fn resolve(
        url: Option<&Endpoint>,
        keypair: Option<&Path>,
        config: Option<&Path>,
    ) -> Result<Self, SettingsError> {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Self::resolve_in(home.as_deref(), url, keypair, config)
    }

    fn resolve_in(
        home: Option<&Path>,
        url: Option<&Endpoint>,
        keypair: Option<&Path>,
        config: Option<&Path>,
    ) -> Result<Self, SettingsError> {
        let below_home = |file: &str| home.unwrap_or(Path::new("")).join(file);
        let found = match config {
            Some(path) => read_config(path)?,
            None => {
                let path = below_home(CONFIG_FILE);
                if path.is_file() {
                    read_config(&path)?
                } else {
                    SolanaConfig::default()
                }
            }
        };
        let configured = found
            .websocket_url
            .filter(|endpoint| !endpoint.url().is_empty());
        let (rpc_url, websocket_url) = match url {
            Some(url) => (cluster_url(url)?, None),
            None => {
                let url = found.json_rpc_url.unwrap_or(Endpoint::new(DEFAULT_URL));
                (cluster_url(&url)?, configured)
            }
        };
        Ok(Self {
            websocket_url: websocket_url.unwrap_or_else(|| websocket_of(rpc_url.url())),
            rpc_url,
            keypair_path: keypair
                .map(Path::to_path_buf)
                .or(found.keypair_path)
                .unwrap_or_else(|| below_home(KEYPAIR_FILE)),
            commitment: match found.commitment {
                None => CommitmentConfig::confirmed(),
                Some(name) => commitment(&name)?,
            },
        })
    }

    /// Reads the keypair that signs and pays.
    ///
    /// # Errors
    /// When there is none at the path.
    pub fn keypair(&self) -> Result<Keypair, SettingsError> {
        let named = self.keypair_path.to_string_lossy();
        if ELSEWHERE.iter().any(|scheme| named.starts_with(scheme)) {
            return Err(SettingsError::NotAFile(named.into_owned()));
        }
        read_keypair_file(&self.keypair_path).map_err(|problem| SettingsError::Keypair {
            path: self.keypair_path.clone(),
            problem: problem.to_string(),
        })
    }
}

/// The commitment of this name.
///
/// # Errors
/// For a name nobody knows.
pub fn commitment(name: &str) -> Result<CommitmentConfig, SettingsError> {
    match name {
        "processed" => Ok(CommitmentConfig::processed()),
        "confirmed" => Ok(CommitmentConfig::confirmed()),
        "finalized" => Ok(CommitmentConfig::finalized()),
        other => Err(SettingsError::Commitment(other.to_owned())),
    }
}

/// The endpoint of a cluster named by URL or moniker.
fn cluster_url(named: &Endpoint) -> Result<Endpoint, SettingsError> {
    let url = match named.url() {
        "m" | "mainnet-beta" => "https://api.mainnet-beta.solana.com",
        "t" | "testnet" => "https://api.testnet.solana.com",
        "d" | "devnet" => "https://api.devnet.solana.com",
        "l" | "localhost" => DEFAULT_URL,
        url if url.starts_with("http://") || url.starts_with("https://") => url,
        _ => return Err(SettingsError::Url),
    };
    Ok(Endpoint::new(url))
}

/// The websocket that belongs to an endpoint: the same place, with the next port where the
/// endpoint names one, as validators have it.
fn websocket_of(url: &str) -> Endpoint {
    let swapped = match url.strip_prefix("https://") {
        Some(rest) => format!("wss://{rest}"),
        None => format!("ws://{}", url.trim_start_matches("http://")),
    };
    let (scheme, rest) = swapped.split_once("://").unwrap_or(("ws", &swapped));
    let (host, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let next = host.rsplit_once(':').and_then(|(name, port)| {
        let port: u16 = port.parse().ok()?;
        Some(format!("{name}:{}", port.checked_add(1)?))
    });
    Endpoint::new(format!(
        "{scheme}://{}{path}",
        next.as_deref().unwrap_or(host)
    ))
}

fn read_config(path: &Path) -> Result<SolanaConfig, SettingsError> {
    let unreadable = |problem: String| SettingsError::Config {
        path: path.to_path_buf(),
        problem,
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    serde_yaml_ng::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(name: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ballast-settings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn without_anything_the_cluster_is_local() {
        let home = Path::new("/nobody");
        let settings = Settings::resolve_in(Some(home), None, None, None).unwrap();
        assert_eq!(settings.rpc_url.url(), "http://localhost:8899");
        assert_eq!(settings.websocket_url.url(), "ws://localhost:8900");
        assert_eq!(settings.keypair_path, home.join(KEYPAIR_FILE));
        assert_eq!(settings.commitment, CommitmentConfig::confirmed());
    }

    #[test]
    fn the_solana_configuration_counts_and_options_count_more() {
        let config = temporary(
            "config.yml",
            "---\njson_rpc_url: https://rpc.example.org/key\nwebsocket_url: ''\nkeypair_path: /k.json\ncommitment: finalized\naddress_labels: {}\n",
        );
        let found = Settings::resolve(None, None, Some(&config)).unwrap();
        assert_eq!(found.rpc_url.url(), "https://rpc.example.org/key");
        assert_eq!(found.websocket_url.url(), "wss://rpc.example.org/key");
        assert_eq!(found.keypair_path, Path::new("/k.json"));
        assert_eq!(found.commitment, CommitmentConfig::finalized());
        let chosen = Settings::resolve(
            Some(&Endpoint::new("d")),
            Some(Path::new("/o.json")),
            Some(&config),
        )
        .unwrap();
        assert_eq!(chosen.websocket_url.url(), "wss://api.devnet.solana.com");
        assert_eq!(chosen.keypair_path, Path::new("/o.json"));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let bad = temporary("bad.yml", "commitment: soon\n");
        for (url, config) in [
            (Some("somewhere"), None),
            (Some("ftp://host"), None),
            (None, Some(bad.as_path())),
            (None, Some(Path::new("/nobody/config.yml"))),
        ] {
            let named = url.map(Endpoint::new);
            let refused = Settings::resolve(named.as_ref(), None, config);
            let said = refused.unwrap_err().to_string();
            assert!(url.is_none_or(|url| !said.contains(url)), "{said}");
        }
    }

    #[test]
    fn the_websocket_of_a_port_is_the_next() {
        assert_eq!(
            websocket_of("http://127.0.0.1:9000").url(),
            "ws://127.0.0.1:9001"
        );
        assert_eq!(
            websocket_of("https://h:443/p?q=1:2").url(),
            "wss://h:444/p?q=1:2"
        );
        assert_eq!(websocket_of("http://h:65535").url(), "ws://h:65535");
    }

    #[test]
    fn a_hardware_wallet_is_not_called_a_missing_file() {
        for named in ["usb://ledger", "ASK", "prompt:", "stdin:"] {
            let path = Some(Path::new(named));
            let settings = Settings::resolve_in(None, None, path, None).unwrap();
            let said = settings.keypair().unwrap_err().to_string();
            assert!(said.contains("hardware wallet"), "{said}");
        }
    }
}
