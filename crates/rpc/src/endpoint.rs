//! Where a node or a receiver is. Everything of a URL but its host may be a key, so that an
//! endpoint shows its host only.

use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// What stands in the place of a secret.
const HIDDEN: &str = "[hidden]";
/// The shortest part of a path or a query that is looked for by itself: shorter ones, such as
/// `v2`, are words of other texts.
const SHORTEST_KEY: usize = 8;

/// A URL, or the name of a cluster, that is shown without what may be a key in it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(String);

impl Endpoint {
    /// An endpoint at a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole URL, keys included: for those who connect, not for those who print.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port; nothing else. Empty where it is no URL.
    #[must_use]
    pub fn host(&self) -> String {
        let (scheme, host, _) = self.parts();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        match scheme {
            "" => String::new(),
            scheme => format!("{scheme}://{host}"),
        }
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let shown = self.host();
        let host = shown.split_once("://").map_or("", |(_, host)| host);
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        ["localhost", "127.0.0.1", "::1"].contains(&name)
    }

    /// A text with everything in it replaced that may be a key of this endpoint.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in self.secrets() {
            shown = shown.replace(secret, HIDDEN);
        }
        shown
    }

    /// Scheme, login and host, and what follows them.
    fn parts(&self) -> (&str, &str, &str) {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return ("", "", self.0.as_str());
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        (scheme, host, path)
    }

    /// The longest first, so that none is replaced in part.
    fn secrets(&self) -> Vec<&str> {
        let (scheme, host, path) = self.parts();
        if scheme.is_empty() {
            return Vec::new();
        }
        let login = host.rsplit_once('@').map_or("", |(login, _)| login);
        let whole = [login, path.trim_start_matches(['/', '?', '#'])];
        let pieces = whole.into_iter().flat_map(|part| {
            part.split(['/', '?', '&', '=', '#', ':'])
                .filter(|piece| piece.len() >= SHORTEST_KEY)
        });
        let mut secrets: Vec<&str> = whole.into_iter().chain(pieces).collect();
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| core::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Endpoint {
    type Err = Infallible;

    /// Takes any text: what it means shows when it is used, in words that do not repeat it.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_is_shown() {
        for (url, shown) in [
            (
                "https://rpc.example.org/v2/SECRETKEY",
                "https://rpc.example.org",
            ),
            ("http://h:8899?api-key=SECRETKEY", "http://h:8899"),
            ("wss://user:SECRETKEY@h:1/x", "wss://h:1"),
            ("https://h#SECRETKEY", "https://h"),
            ("SECRETKEY", ""),
        ] {
            let endpoint = Endpoint::new(url);
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(format!("{endpoint:?}"), shown);
            assert_eq!(
                serde_json::to_value(&endpoint).unwrap(),
                serde_json::json!(shown)
            );
            assert_eq!(endpoint.url(), url);
        }
    }

    #[test]
    fn keys_are_hidden_in_texts_whole_and_in_parts() {
        let endpoint =
            Endpoint::new("https://user:pw@rpc.example.org/v2/SECRETKEY?api-key=ABCDEFGH");
        let text = format!(
            "error for url ({}): SECRETKEY is unknown, ABCDEFGH too, user:pw at rpc.example.org",
            endpoint.url()
        );
        let shown = endpoint.hide(&text);
        for word in ["SECRETKEY", "ABCDEFGH", "user:pw"] {
            assert!(!shown.contains(word), "{shown}");
        }
        assert!(shown.contains("rpc.example.org"), "{shown}");
        let plain = Endpoint::new("http://127.0.0.1:8899");
        assert_eq!(plain.hide("127.0.0.1:8899/"), "127.0.0.1:8899/");
    }

    #[test]
    fn only_this_machine_is_local() {
        for url in [
            "http://localhost:8899",
            "http://127.0.0.1",
            "http://[::1]:1/x",
        ] {
            assert!(Endpoint::new(url).is_local(), "{url}");
        }
        for url in [
            "https://api.devnet.solana.com",
            "http://localhost.example.org",
            "http://localhost:80@example.org/",
            "localhost",
        ] {
            assert!(!Endpoint::new(url).is_local(), "{url}");
        }
    }
}
