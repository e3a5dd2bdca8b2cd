//! Alerts: whoever proves a trader account is told of its lights, margin ratios, funding, forced reductions, and of
//! what changes about the exchange, each begun and ended once, by the rule of [`ballast_view::alerts`].

pub mod address;
pub mod deliver;
mod look;
pub mod push;
pub mod session;
pub mod terms;
pub mod venue;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ballast_state::Pubkey;
use ballast_view::alerts::{Alerts, Kind};
use tokio::sync::Notify;

use crate::config::AlertsConfig;
use crate::gateway::Gateway;
use crate::store::sql::StoreError;
use crate::store::subscriptions::{self, Letter, StoredSubscription};
use address::Reach;
use push::{KeyError, PushKey};
use session::Sessions;
use terms::{Body, Subscription};

pub use look::{happened, look};

/// A subscription with what it has raised.
struct Watch {
    subscription: Subscription,
    /// By market.
    alerts: Alerts<u16>,
}

/// Who is told of what.
pub struct Desk {
    /// Who has signed.
    pub sessions: Sessions,
    /// Where receivers may be.
    pub reach: Reach,
    /// What letters to browsers are signed with; nothing where none are sent.
    pub push: Option<PushKey>,
    /// There are letters to deliver.
    pub posted: Notify,
    watches: Mutex<BTreeMap<String, Watch>>,
    /// Letters that the database has not taken yet.
    unposted: Mutex<Vec<Letter>>,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Without a subscription.
    ///
    /// # Errors
    /// When the key for Web Push cannot be read or made.
    pub fn new(config: &AlertsConfig) -> Result<Self, KeyError> {
        let push = config
            .push_key
            .as_deref()
            .zip(config.push_contact.as_deref());
        let push = push.map(|(path, contact)| PushKey::open(path, contact));
        Ok(Self {
            sessions: Sessions::default(),
            reach: match config.private_webhooks {
                true => Reach::Anywhere,
                false => Reach::Public,
            },
            push: push.transpose()?,
            posted: Notify::new(),
            watches: Mutex::default(),
            unposted: Mutex::default(),
        })
    }

    /// A subscription.
    pub fn subscription(&self, id: &str) -> Option<Subscription> {
        let watches = locked(&self.watches);
        watches.get(id).map(|watch| watch.subscription.clone())
    }

    /// The subscriptions of a trader account.
    pub fn of_trader(&self, trader: &Pubkey) -> Vec<Subscription> {
        let watches = locked(&self.watches);
        let all = watches.values().map(|watch| &watch.subscription);
        all.filter(|one| one.trader == *trader).cloned().collect()
    }

    /// The names of the subscriptions of a browser, of whichever trader account.
    pub fn of_browser(&self, target: &push::Target) -> Vec<String> {
        let watches = locked(&self.watches);
        let all = watches.values().map(|watch| &watch.subscription);
        let own = all.filter(|one| one.terms.push.as_ref() == Some(target));
        own.map(|one| one.id.clone()).collect()
    }

    fn insert(&self, subscription: Subscription, raised: Vec<(u16, Kind)>) {
        let thresholds = subscription.terms.thresholds();
        let watch = Watch {
            alerts: Alerts::resume(thresholds, raised),
            subscription,
        };
        locked(&self.watches).insert(watch.subscription.id.clone(), watch);
    }
}

/// Takes over the subscriptions of the database.
///
/// # Errors
/// Those of the database.
pub async fn resume(gateway: &Gateway) -> Result<(), StoreError> {
    let (all, mut raised) = gateway
        .store
        .read(|sql| Ok((subscriptions::all(sql)?, subscriptions::raised(sql)?)))
        .await?;
    for one in all {
        let (Ok(trader), Ok(body)) = (one.trader.parse(), serde_json::from_str::<Body>(&one.body))
        else {
            tracing::warn!(subscription = one.id, "a subscription that cannot be read");
            continue;
        };
        let kinds = raised.remove(&one.id).unwrap_or_default().into_iter();
        let kinds = kinds.filter_map(|(market, kind)| Some((market, kind.parse().ok()?)));
        let subscription = Subscription {
            id: one.id,
            trader,
            made: one.made,
            terms: body.terms,
            secret: body.secret,
        };
        gateway.alerts.insert(subscription, kinds.collect());
    }
    Ok(())
}

/// Adds a subscription, in the place of one of the same trader account for the same browser; whether there was room
/// for it.
///
/// # Errors
/// Those of the database.
pub async fn add(
    gateway: &Gateway,
    subscription: Subscription,
    wallet: &Pubkey,
) -> Result<bool, StoreError> {
    if let Some(target) = &subscription.terms.push {
        for known in gateway.alerts.of_trader(&subscription.trader) {
            let same = |known: &push::Target| known.endpoint == target.endpoint;
            if known.terms.push.as_ref().is_some_and(same) {
                remove(gateway, known.id).await?;
            }
        }
    }
    let body = Body {
        terms: subscription.terms.clone(),
        secret: subscription.secret.clone(),
    };
    let stored = StoredSubscription {
        id: subscription.id.clone(),
        trader: subscription.trader.to_string(),
        wallet: wallet.to_string(),
        made: subscription.made,
        body: serde_json::to_string(&body).unwrap_or_default(),
    };
    let (each, most) = (gateway.config.alerts.each, gateway.config.alerts.most);
    let added = gateway
        .store
        .write(move |sql| subscriptions::add(sql, &stored, each, most));
    let added = added.await?;
    if added {
        gateway.alerts.insert(subscription, Vec::new());
    }
    Ok(added)
}

/// Ends a subscription.
///
/// # Errors
/// Those of the database.
pub async fn remove(gateway: &Gateway, id: String) -> Result<(), StoreError> {
    locked(&gateway.alerts.watches).remove(&id);
    gateway
        .store
        .write(move |sql| subscriptions::remove(sql, &id))
        .await
}

/// Keeps letters until they are delivered, here and now. What the database does not take is kept for the next time.
fn post(gateway: &Gateway, letters: Vec<Letter>) {
    let count = u64::try_from(letters.len()).unwrap_or(0);
    gateway.metrics.alerts.inc_by(count);
    let mut unposted = locked(&gateway.alerts.unposted);
    unposted.extend(letters);
    if unposted.is_empty() {
        return;
    }
    match gateway
        .store
        .write_here(|sql| subscriptions::post(sql, &unposted))
    {
        Ok(()) => {
            unposted.clear();
            gateway.alerts.posted.notify_one();
        }
        Err(error) => tracing::error!(%error, "alerts were not kept; they are tried again"),
    }
}
