//! Which cluster and which wallet: the environment, then the configuration, then that of the
//! Solana command line. Secrets come from the environment or a keypair file only.

use ballast_rpc::endpoint::Endpoint;
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
        let endpoint = |name: &str| variable(name).map(Endpoint::new);
        let (from_variable, named) = (endpoint(URL_VARIABLE), &config.rpc.url);
        let url = from_variable.as_ref().or(named.as_ref());
        let mut settings = Settings::resolve(url, config.wallet.keypair.as_deref(), None)?;
        let websocket = endpoint(WEBSOCKET_VARIABLE);
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
            secrets: Secrets::of(&[&settings.rpc_url, &settings.websocket_url]),
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

/// What logs and reports must not show: the keys of the endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    of: Vec<Endpoint>,
}

impl Secrets {
    /// Those of some endpoints.
    #[must_use]
    pub fn of(endpoints: &[&Endpoint]) -> Self {
        Self {
            of: endpoints.iter().copied().cloned().collect(),
        }
    }

    /// The text with each of them replaced.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let hidden = |text: String, endpoint: &Endpoint| endpoint.hide(&text);
        self.of.iter().fold(text.to_owned(), hidden)
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
        assert_eq!(found.settings.rpc_url.url(), "http://file:1");
        assert_eq!(found.settings.websocket_url.url(), "ws://file:9");
        assert_eq!(found.keypair.pubkey(), keypair.pubkey());

        let json = serde_json::to_string(&keypair.to_bytes().to_vec()).unwrap();
        let variables = [
            (KEYPAIR_VARIABLE, json.as_str()),
            (URL_VARIABLE, "https://h/secret"),
        ];
        let found = resolve(file, &variables).unwrap();
        assert_eq!(found.settings.rpc_url.url(), "https://h/secret");
        assert_eq!(found.settings.websocket_url.url(), "wss://h/secret");
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
    fn keys_of_all_endpoints_are_hidden() {
        let endpoints = ["https://user:pw@h/v2/KEY", "wss://x/?api-key=ABC"].map(Endpoint::new);
        let secrets = Secrets::of(&[&endpoints[0], &endpoints[1]]);
        let text = format!("{} and {}", endpoints[0].url(), endpoints[1].url());
        let shown = secrets.hide(&text);
        for word in ["KEY", "ABC", "user", "pw@"] {
            assert!(!shown.contains(word), "{shown}");
        }
        assert_eq!(Secrets::default().hide(&text), text);
    }
}
