//! What somebody wants to be told of, and where.

use ballast_state::Pubkey;
use ballast_view::alerts::Thresholds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::address::{Reach, Unfit};
use super::push::{BadKeys, Target};

/// Bytes of a receiver's URL.
const URL_BYTES: usize = 1_024;
/// A light that no position has.
const NEVER: u8 = 6;

/// What somebody wants to be told of a trader account, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// From this light on, 1 to 5.
    #[serde(default)]
    pub light_at: Option<u8>,
    /// Below this ratio of equity to maintenance margin, basis points, up to 1,000,000.
    #[serde(default)]
    pub margin_ratio_below_bps: Option<i64>,
    /// When a position pays more funding than this, millionths of its worth an hour; 0 when it begins to pay.
    #[serde(default)]
    pub funding_above_ppm: Option<i32>,
    /// Liquidations, cuts and deleveraging.
    #[serde(default)]
    pub forced: bool,
    /// Staged parameter changes, pauses and modes of markets.
    #[serde(default)]
    pub exchange: bool,
    /// Where alerts are posted: https, at a public address. This or `push`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The browser that shows them. This or `webhook`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Target>,
}

/// Where letters go.
#[derive(Clone, Copy, Debug)]
pub enum Receiver<'a> {
    /// A URL.
    Webhook(&'a str),
    /// A browser.
    Push(&'a Target),
}

impl Receiver<'_> {
    /// Where letters are posted.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Webhook(url) => url,
            Self::Push(target) => &target.endpoint,
        }
    }
}

/// Why terms are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Where it is to go.
    #[error(transparent)]
    Receiver(#[from] Unfit),
    /// The browser's keys.
    #[error(transparent)]
    Keys(#[from] BadKeys),
    /// Not one receiver.
    #[error("expected one receiver: `webhook` or `push`")]
    Receivers,
    /// A threshold.
    #[error("{0}")]
    Threshold(&'static str),
}

impl Terms {
    /// Whether they can be kept.
    ///
    /// # Errors
    /// A sentence about what cannot.
    pub fn check(&self, reach: Reach) -> Result<(), Refused> {
        let receiver = self.receiver()?;
        if receiver.url().len() > URL_BYTES {
            return Err(Unfit::Url.into());
        }
        reach.url(receiver.url())?;
        if let Receiver::Push(target) = receiver {
            target.keys()?;
        }
        let refused = if self.light_at.is_some_and(|light| !(1..=5).contains(&light)) {
            "light_at: expected 1 to 5"
        } else if self
            .margin_ratio_below_bps
            .is_some_and(|ratio| !(1..=1_000_000).contains(&ratio))
        {
            "margin_ratio_below_bps: expected 1 to 1000000"
        } else if self.funding_above_ppm.is_some_and(|ppm| ppm < 0) {
            "funding_above_ppm: expected 0 or more"
        } else if !self.watches() && !self.forced && !self.exchange {
            "nothing is asked for: expected a threshold, forced or exchange"
        } else {
            return Ok(());
        };
        Err(Refused::Threshold(refused))
    }

    /// Where letters go.
    ///
    /// # Errors
    /// `Receivers`.
    pub const fn receiver(&self) -> Result<Receiver<'_>, Refused> {
        match (&self.webhook, &self.push) {
            (Some(url), None) => Ok(Receiver::Webhook(url.as_str())),
            (None, Some(target)) => Ok(Receiver::Push(target)),
            _ => Err(Refused::Receivers),
        }
    }

    /// Whether positions are looked at.
    #[must_use]
    pub const fn watches(&self) -> bool {
        self.light_at.is_some()
            || self.margin_ratio_below_bps.is_some()
            || self.funding_above_ppm.is_some()
    }

    /// As the rule of alerts takes them.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            light_at: self.light_at.unwrap_or(NEVER),
            ratio_below_bps: self.margin_ratio_below_bps.unwrap_or(i64::MIN),
            risk_above_ppm: None,
            funding_above_ppm: self.funding_above_ppm,
        }
    }
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub id: String,
    /// The trader account.
    pub trader: Pubkey,
    /// When it was made, unix seconds.
    pub made: i64,
    /// What is told.
    pub terms: Terms,
    /// What deliveries are signed with.
    pub secret: String,
}

/// The part of a subscription that is stored as text.
#[derive(Serialize, Deserialize)]
pub struct Body {
    /// What is told.
    pub terms: Terms,
    /// What deliveries are signed with.
    pub secret: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        Terms {
            light_at: Some(4),
            margin_ratio_below_bps: None,
            funding_above_ppm: None,
            forced: false,
            exchange: false,
            webhook: Some("https://example.org/hook".to_owned()),
            push: None,
        }
    }

    #[test]
    fn terms_that_mean_nothing_are_refused() {
        assert_eq!(terms().check(Reach::Public), Ok(()));
        let refused = |terms: Terms| terms.check(Reach::Public).unwrap_err().to_string();
        let bad = [
            (
                Terms {
                    light_at: Some(6),
                    ..terms()
                },
                "light_at",
            ),
            (
                Terms {
                    light_at: Some(0),
                    ..terms()
                },
                "light_at",
            ),
            (
                Terms {
                    margin_ratio_below_bps: Some(0),
                    ..terms()
                },
                "margin_ratio",
            ),
            (
                Terms {
                    funding_above_ppm: Some(-1),
                    ..terms()
                },
                "funding",
            ),
            (
                Terms {
                    light_at: None,
                    ..terms()
                },
                "nothing is asked for",
            ),
            (
                Terms {
                    webhook: Some("http://example.org".to_owned()),
                    ..terms()
                },
                "https://",
            ),
            (
                Terms {
                    webhook: Some("https://[::1]/".to_owned()),
                    ..terms()
                },
                "not public",
            ),
            (
                Terms {
                    webhook: Some(format!("https://e.org/{}", "x".repeat(2_000))),
                    ..terms()
                },
                "https://",
            ),
        ];
        let browser = |endpoint: &str| Target {
            endpoint: endpoint.to_owned(),
            p256dh: String::new(),
            auth: String::new(),
        };
        let pushed = |endpoint: &str| Terms {
            webhook: None,
            push: Some(browser(endpoint)),
            ..terms()
        };
        let both = Terms {
            push: Some(browser("https://push.example/")),
            ..terms()
        };
        let neither = Terms {
            webhook: None,
            ..terms()
        };
        let pushes = [
            (pushed("http://push.example/"), "https://"),
            (pushed("https://10.0.0.1/"), "not public"),
            (pushed("https://push.example/"), "p256dh"),
            (both, "one receiver"),
            (neither, "one receiver"),
        ];
        for (terms, word) in bad.into_iter().chain(pushes) {
            let said = refused(terms);
            assert!(said.contains(word), "{said}");
        }
    }
}
