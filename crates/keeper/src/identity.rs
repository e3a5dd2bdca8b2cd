//! Which cluster and which wallet: the environment, then the configuration, then that of the
//! Solana command line. Secrets come from the environment or a keypair file only.

use ballast_rpc::settings::{Settings, SettingsError};
use solana_keypair::Keypair;

use crate::config::Config;

/// The wallet's keypair: a JSON array of 64 bytes, or base58.
pub const KEYPAIR_VARIABLE: &str = "BALLAST_KEEPER_KEYPAIR";
/// Environment variable of the JSON RPC endpoint.
pub const URL_VARIABLE: &str = "BALLAST_KEEPER_RPC_URL";
/// Environment variable of the websocket endpoint.
pub const WEBSOCKET_VARIABLE: &str = "BALLAST_KEEPER_WEBSOCKET_URL";

/// Why the cluster or the wallet is not known. Never says what a secret is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The cluster or the keypair cannot be told from the settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The keypair in the environment means nothing.
    #[error("{KEYPAIR_VARIABLE} is not a keypair: expected a JSON array of 64 bytes, or base58")]
    Keypair,
}

/// A cluster and a wallet.
pub struct Identity {
    /// Which cluster, and how settled what is read must be.
    pub settings: Settings,
    /// Signs and pays.
    pub keypair: Keypair,
    /// What must never be shown.
    pub secrets: Secrets,
}

impl Identity {
    /// Resolves what `variable` (the environment) and the configuration say.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn resolve(
        config: &Config,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, IdentityError> {
        let (from_variable, named) = (variable(URL_VARIABLE), &config.rpc.url);
        let url = from_variable.as_deref().or(named.as_deref());
        let mut settings = Settings::resolve(url, config.wallet.keypair.as_deref(), None)?;
        let websocket = variable(WEBSOCKET_VARIABLE);
        // One in the file belongs to the endpoint in the file.
        let in_file = config.rpc.websocket_url.clone();
        let in_file = in_file.filter(|_| from_variable.is_none());
        if let Some(url) = websocket.or(in_file) {
            settings.websocket_url = url;
        }
        settings.commitment = config.rpc.commitment.commitment();
        let keypair = match variable(KEYPAIR_VARIABLE) {
            Some(text) => keypair(&text).ok_or(IdentityError::Keypair)?,
            None => settings.keypair()?,
        };
        Ok(Self {
            secrets: Secrets::of_urls(&[&settings.rpc_url, &settings.websocket_url]),
            settings,
            keypair,
        })
    }
}

fn keypair(text: &str) -> Option<Keypair> {
    let text = text.trim();
    if text.starts_with('[') {
        let bytes: Vec<u8> = serde_json::from_str(text).ok()?;
        return Keypair::try_from(bytes.as_slice()).ok();
    }
    Keypair::try_from_base58_string(text).ok()
}

/// Words that logs and reports must not show: everything of a URL but its host may be a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    words: Vec<String>,
}

impl Secrets {
    fn of_urls(urls: &[&str]) -> Self {
        let mut words: Vec<String> = Vec::new();
        for url in urls {
            let rest = url.split_once("://").map_or(*url, |(_, rest)| rest);
            let (host, path) = match rest.find(['/', '?']) {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            };
            let login = host.rsplit_once('@').map_or("", |(login, _)| login);
            let key = path.trim_start_matches('/');
            for word in [login, key] {
                if !word.is_empty() && !words.iter().any(|known| known == word) {
                    words.push(word.to_owned());
                }
            }
        }
        Self { words }
    }

    /// The text with each of them replaced.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for word in &self.words {
            shown = shown.replace(word.as_str(), "[hidden]");
        }
        shown
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_signer::Signer;

    fn resolve(text: &str, variables: &[(&str, &str)]) -> Result<Identity, IdentityError> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Identity::resolve(&Config::parse(text).unwrap(), variable)
    }

    #[test]
    fn the_environment_counts_more_than_the_file() {
        let keypair = Keypair::new();
        let base58 = keypair.to_base58_string();
        let file = "[rpc]\nurl = 'http://file:1'\nwebsocket_url = 'ws://file:9'\n";
        let found = resolve(file, &[(KEYPAIR_VARIABLE, &base58)]).unwrap();
        assert_eq!(found.settings.rpc_url, "http://file:1");
        assert_eq!(found.settings.websocket_url, "ws://file:9");
        assert_eq!(found.keypair.pubkey(), keypair.pubkey());
        assert!(found.secrets.is_empty());

        let json = serde_json::to_string(&keypair.to_bytes().to_vec()).unwrap();
        let variables = [
            (KEYPAIR_VARIABLE, json.as_str()),
            (URL_VARIABLE, "https://h/secret"),
        ];
        let found = resolve(file, &variables).unwrap();
        assert_eq!(found.settings.rpc_url, "https://h/secret");
        assert_eq!(found.settings.websocket_url, "wss://h/secret");
        assert_eq!(found.keypair.pubkey(), keypair.pubkey());
    }

    #[test]
    fn what_is_no_keypair_is_refused_without_being_shown() {
        for text in ["hunter2", "[1,2,3]", ""] {
            let refused = resolve("", &[(KEYPAIR_VARIABLE, text)]).err().unwrap();
            assert!(matches!(refused, IdentityError::Keypair));
            assert!(!refused.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn keys_in_urls_are_hidden() {
        let urls = [
            "https://user:pw@rpc.example.org/v2/KEY",
            "wss://x.example.org/?api-key=ABC",
        ];
        let secrets = Secrets::of_urls(&urls);
        let text = format!(
            "error for url ({}) and {} on rpc.example.org",
            urls[0], urls[1]
        );
        let shown = secrets.hide(&text);
        for word in ["KEY", "ABC", "user", "pw@"] {
            assert!(!shown.contains(word), "{shown}");
        }
        assert!(shown.contains("rpc.example.org"));
        assert!(Secrets::of_urls(&["http://127.0.0.1:8899"]).is_empty());
    }
}
