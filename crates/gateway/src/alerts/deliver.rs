//! Letters to webhooks and browsers: signed, at the addresses that were looked at, a few times at most.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hmac::{Hmac, Mac};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use sha2::Sha256;
use tokio::task::JoinSet;

use super::address::{Reach, Unfit};
use super::push::{BadKeys, KEPT_SECONDS};
use super::terms::{Receiver, Subscription};
use super::Desk;
use crate::gateway::Gateway;
use crate::store::subscriptions::{done, waiting, Letter};
use ballast_view::staged::hex;

/// How long an attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Before the second attempt; every further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Letters delivered at a time.
const AT_ONCE: u32 = 64;
/// How long a subscription is left alone after a letter was given up; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_secs(60);
/// An hour.
const HOUR: Duration = Duration::from_secs(3_600);
/// Between two looks where nobody says that there is a letter.
const LOOK: Duration = Duration::from_secs(5);

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// Where it is to go.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The receiver did not answer.
    #[error("the receiver did not answer: {0}")]
    Silent(String),
    /// It is no browser's key that letters are to be encrypted for.
    #[error(transparent)]
    Keys(#[from] BadKeys),
    /// The gateway has no key for Web Push any more.
    #[error("this gateway sends no Web Push")]
    NoPush,
    /// The terms name no receiver.
    #[error("the subscription names no receiver")]
    Nowhere,
    /// The push service knows the browser's subscription no more.
    #[error("the browser has ended its subscription")]
    Gone,
    /// It answered, but not that it took it; a redirect is no taking.
    #[error("the receiver answered {0}")]
    Refused(u16),
}

impl Undelivered {
    /// What the receiver finds wrong with a letter stays wrong.
    const fn is_final(&self) -> bool {
        match self {
            Self::Unfit(Unfit::Url | Unfit::Private)
            | Self::Keys(_)
            | Self::NoPush
            | Self::Nowhere
            | Self::Gone => true,
            Self::Unfit(Unfit::Unknown) | Self::Silent(_) => false,
            Self::Refused(status) => *status < 500 && *status != 429 && *status != 408,
        }
    }
}

/// `t=SECONDS,v1=HMAC`: of `SECONDS.BODY` with SHA-256 and the subscription's secret.
#[must_use]
pub fn signature(secret: &str, seconds: u64, body: &str) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

/// Delivers a letter once; a browser's subscription that its push service knows no more ends.
///
/// # Errors
/// Why it was not taken.
pub async fn once(
    gateway: &Gateway,
    subscription: &Subscription,
    letter: &Letter,
) -> Result<(), Undelivered> {
    let done = attempt(&gateway.alerts, subscription, letter).await;
    if matches!(done, Err(Undelivered::Gone)) {
        tracing::debug!(subscription = subscription.id, "a browser has left");
        if let Err(error) = super::remove(gateway, subscription.id.clone()).await {
            tracing::warn!(%error, "a subscription that has ended was not taken out");
        }
    }
    done
}

async fn attempt(
    desk: &Desk,
    subscription: &Subscription,
    letter: &Letter,
) -> Result<(), Undelivered> {
    let receiver = subscription.terms.receiver();
    let receiver = receiver.map_err(|_| Undelivered::Nowhere)?;
    let url = desk.reach.url(receiver.url())?;
    let client = client_for(desk.reach, &url).await?;
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let post = client
        .post(url.clone())
        .header("user-agent", "ballast-gateway");
    let request = match receiver {
        Receiver::Webhook(_) => webhook(post, subscription, letter, seconds),
        Receiver::Push(target) => {
            let key = desk.push.as_ref().ok_or(Undelivered::NoPush)?;
            post.header("ttl", KEPT_SECONDS)
                .header("urgency", "high")
                .header("content-type", "application/octet-stream")
                .header("content-encoding", "aes128gcm")
                .header("authorization", key.authorization(&url, seconds))
                .body(target.encrypt(letter)?)
        }
    };
    // The URL may hold a key. The answer's body is not read.
    let answer = request.send().await;
    let answer = answer.map_err(|error| Undelivered::Silent(error.without_url().to_string()))?;
    match (answer.status().as_u16(), receiver) {
        (200..=299, _) => Ok(()),
        (404 | 410, Receiver::Push(_)) => Err(Undelivered::Gone),
        (status, _) => Err(Undelivered::Refused(status)),
    }
}

/// What posts to this URL: its name is looked up here and not again, nothing is followed, and no proxy is asked, so
/// that what was looked at is where it goes.
async fn client_for(reach: Reach, url: &Url) -> Result<Client, Undelivered> {
    let addresses = reach.resolve(url).await?;
    let host = url.host_str().unwrap_or_default();
    let client = Client::builder()
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .no_proxy()
        .resolve_to_addrs(host, &addresses)
        .build();
    client.map_err(|error| Undelivered::Silent(error.without_url().to_string()))
}

fn webhook(
    post: RequestBuilder,
    subscription: &Subscription,
    letter: &Letter,
    seconds: u64,
) -> RequestBuilder {
    let signed = signature(&subscription.secret, seconds, &letter.body);
    post.header("content-type", "application/json")
        .header("ballast-id", &letter.id)
        .header("ballast-signature", signed)
        .body(letter.body.clone())
}

/// What is known of how a subscription takes its letters.
#[derive(Default)]
struct Record {
    /// Since when deliveries are counted, and how many there were.
    counted: Option<(Instant, u32)>,
    /// Letters given up in a row.
    failures: u32,
    /// Until when nothing is tried.
    rests: Option<Instant>,
}

impl Record {
    /// Whether a letter may be tried now; it is counted.
    fn admit(&mut self, hourly: u32, now: Instant) -> bool {
        let (since, count) = match self.counted {
            Some((since, count)) if now.saturating_duration_since(since) < HOUR => (since, count),
            _ => (now, 0),
        };
        self.counted = Some((since, count.saturating_add(1)));
        count < hourly && self.rests.is_none_or(|until| now >= until)
    }

    /// A letter was taken or given up: who takes none is left alone for longer and longer, so that it holds
    /// nobody up.
    fn note(&mut self, delivered: bool, now: Instant) {
        if delivered {
            (self.failures, self.rests) = (0, None);
            return;
        }
        let rest = FIRST_REST
            .saturating_mul(1 << self.failures.min(6))
            .min(HOUR);
        self.failures = self.failures.saturating_add(1);
        self.rests = Some(now + rest);
    }
}

/// Delivers what waits. Never ends.
pub async fn run(gateway: Arc<Gateway>) {
    let mut records: HashMap<String, Record> = HashMap::new();
    let mut under_way: HashSet<String> = HashSet::new();
    let mut tasks: JoinSet<(Letter, bool)> = JoinSet::new();
    loop {
        let most = AT_ONCE + u32::try_from(under_way.len()).unwrap_or(0);
        let letters = gateway.store.read(move |sql| waiting(sql, most)).await;
        let letters = letters.unwrap_or_else(|error| {
            tracing::warn!(%error, "letters were not read");
            Vec::new()
        });
        let mut given_up = false;
        for letter in letters {
            if under_way.contains(&letter.id) {
                continue;
            }
            if tasks.len() >= usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
                break;
            }
            let record = records.entry(letter.subscription.clone()).or_default();
            let allowed = record.admit(gateway.config.alerts.hourly, Instant::now());
            match gateway.alerts.subscription(&letter.subscription) {
                Some(subscription) if allowed => {
                    under_way.insert(letter.id.clone());
                    let gateway = Arc::clone(&gateway);
                    tasks.spawn(async move {
                        let delivered = insist(&gateway, &subscription, &letter).await;
                        (letter, delivered)
                    });
                }
                _ => {
                    finish(&gateway, &letter, false).await;
                    given_up = true;
                }
            }
        }
        if given_up {
            continue;
        }
        tokio::select! {
            () = gateway.alerts.posted.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            Some(done) = tasks.join_next(), if !tasks.is_empty() => {
                if let Ok((letter, delivered)) = done {
                    let record = records.entry(letter.subscription.clone()).or_default();
                    record.note(delivered, Instant::now());
                    finish(&gateway, &letter, delivered).await;
                    under_way.remove(&letter.id);
                }
            }
        }
    }
}

/// A letter is delivered or given up: it waits no more.
async fn finish(gateway: &Arc<Gateway>, letter: &Letter, delivered: bool) {
    match delivered {
        true => gateway.metrics.delivered.inc(),
        false => gateway.metrics.undelivered.inc(),
    }
    let id = letter.id.clone();
    if let Err(error) = gateway.store.write(move |sql| done(sql, &id)).await {
        tracing::warn!(%error, "a letter may be delivered again");
        tokio::time::sleep(FIRST_WAIT).await;
    }
}

async fn insist(gateway: &Gateway, subscription: &Subscription, letter: &Letter) -> bool {
    let (mut wait, attempts) = (FIRST_WAIT, gateway.config.alerts.attempts);
    for number in 1..=attempts {
        match once(gateway, subscription, letter).await {
            Ok(()) => return true,
            Err(error) => {
                tracing::debug!(%error, subscription = subscription.id, "an alert was not taken");
                if error.is_final() || number == attempts {
                    return false;
                }
            }
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_signed_with_its_time() {
        let signed = signature("key", 7, "{}");
        assert!(
            signed.starts_with("t=7,v1=") && signed.len() == 7 + 64,
            "{signed}"
        );
        assert_eq!(signed, signature("key", 7, "{}"));
        for other in [
            signature("kex", 7, "{}"),
            signature("key", 8, "{}"),
            signature("key", 7, "[]"),
        ] {
            assert_ne!(signed, other);
        }
    }

    #[test]
    fn who_takes_nothing_is_left_alone_for_longer_and_longer() {
        let (mut record, now) = (Record::default(), Instant::now());
        assert!(record.admit(60, now));
        record.note(false, now);
        assert!(!record.admit(60, now + FIRST_REST / 2));
        assert!(record.admit(60, now + FIRST_REST));
        record.note(false, now + FIRST_REST);
        assert!(!record.admit(60, now + FIRST_REST * 2));
        assert!(record.admit(60, now + FIRST_REST * 3));
        record.note(true, now + FIRST_REST * 3);
        assert!(record.admit(60, now + FIRST_REST * 3));
    }

    #[test]
    fn an_hour_has_so_many_letters() {
        let (mut record, now) = (Record::default(), Instant::now());
        let admitted = (0..9).filter(|_| record.admit(3, now)).count();
        assert_eq!(admitted, 3);
        assert!(record.admit(3, now + HOUR));
    }

    #[test]
    fn what_the_receiver_finds_wrong_is_not_repeated() {
        for (error, is_final) in [
            (Undelivered::Refused(404), true),
            (Undelivered::Gone, true),
            (Undelivered::NoPush, true),
            (Undelivered::Refused(302), true),
            (Undelivered::Refused(429), false),
            (Undelivered::Refused(503), false),
            (Undelivered::Silent(String::new()), false),
            (Undelivered::Unfit(Unfit::Private), true),
            (Undelivered::Unfit(Unfit::Unknown), false),
        ] {
            assert_eq!(error.is_final(), is_final, "{error}");
        }
    }
}
