//! Alerts: signing in with a wallet, and what it subscribes.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::IntoResponse;
use ballast_view::staged::hex;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{body_of, shown, Answer, Refusal};
use super::markets::key;
use crate::alerts;
use crate::alerts::push::{PushKey, Target};
use crate::alerts::session::{Denied, Holder};
use crate::alerts::terms::{Subscription, Terms};
use crate::chain::accounts;
use crate::gateway::Gateway;
use crate::store::subscriptions::Letter;

/// What a test says.
const TEST: &str = "A test: alerts of Ballast come here.";

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let status = match denied {
            Denied::Full => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        Self::new(status, denied.to_string())
    }
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The wallet that signs: owner or delegate of the trader account.
    wallet: String,
    /// The trader account.
    trader: String,
}

/// What is to be signed.
#[derive(Serialize, ToSchema)]
struct ToSign {
    nonce: String,
    /// The wallet signs exactly this text.
    text: String,
}

/// A signed text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The nonce that came with the text.
    nonce: String,
    /// The ed25519 signature of the text, base58.
    signature: String,
}

/// Somebody who has signed in.
#[derive(Serialize, ToSchema)]
struct SignedIn {
    /// For `authorization: Bearer TOKEN`, an hour long.
    token: String,
    trader: String,
    wallet: String,
}

/// A subscription as it is shown.
#[derive(Serialize, ToSchema)]
struct Shown {
    id: String,
    trader: String,
    /// Unix seconds.
    made: i64,
    terms: Terms,
    /// What deliveries are signed with; told once, when the subscription is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Shown {
    fn new(subscription: &Subscription, secret: bool) -> Self {
        Self {
            id: subscription.id.clone(),
            trader: subscription.trader.to_string(),
            made: subscription.made,
            terms: subscription.terms.clone(),
            secret: secret.then(|| subscription.secret.clone()),
        }
    }
}

fn enabled(gateway: &Gateway) -> Result<(), Refusal> {
    match gateway.config.alerts.enabled {
        true => Ok(()),
        false => Err(Refusal::missing("this gateway sends no alerts")),
    }
}

fn random() -> String {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    hex(&bytes)
}

fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

fn holder(gateway: &Gateway, headers: &HeaderMap) -> Result<Holder, Refusal> {
    enabled(gateway)?;
    let given = headers.get(header::AUTHORIZATION);
    let token = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    Ok(gateway.alerts.sessions.holder(token.unwrap_or_default())?)
}

/// What browsers subscribe Web Push with.
#[derive(Serialize, ToSchema)]
struct ShownKey {
    /// An uncompressed point on P-256, base64url: `applicationServerKey`.
    key: String,
}

fn push_key_of(gateway: &Gateway) -> Result<&str, Refusal> {
    let key = gateway.alerts.push.as_ref().map(PushKey::public);
    key.ok_or_else(|| Refusal::missing("this gateway sends no Web Push"))
}

/// The public key with which a browser subscribes Web Push.
#[utoipa::path(get, path = "/v1/push-key", tag = "alerts",
    responses((status = 200, body = ShownKey), (status = 404)))]
pub async fn push_key(State(gateway): State<Arc<Gateway>>) -> Answer {
    enabled(&gateway)?;
    let key = push_key_of(&gateway)?.to_owned();
    shown(&ShownKey { key })
}

/// Asks for a text to sign, by which a wallet proves a trader account.
#[utoipa::path(post, path = "/v1/sessions/challenge", tag = "alerts", request_body = Claim,
    responses((status = 200, body = ToSign), (status = 400), (status = 403), (status = 404)))]
pub async fn challenge(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Answer {
    enabled(&gateway)?;
    let claim: Claim = body_of(&body)?;
    let holder = Holder {
        wallet: key(&claim.wallet)?,
        trader: key(&claim.trader)?,
    };
    let trader = accounts::trader(&gateway, &holder.trader).await?;
    let trader =
        trader.ok_or_else(|| Refusal::missing("there is no trader account at that address"))?;
    let delegate =
        trader.delegate != ballast_state::Pubkey::default() && trader.delegate == holder.wallet;
    if trader.owner != holder.wallet && !delegate {
        let told = "the wallet is neither owner nor delegate of the trader account";
        return Err(Refusal::new(StatusCode::FORBIDDEN, told));
    }
    let named = gateway.config.public_url.clone();
    let site = named.unwrap_or_else(|| gateway.config.listen.to_string());
    let (nonce, text) = gateway.alerts.sessions.ask(holder, &site)?;
    shown(&ToSign { nonce, text })
}

/// Signs in.
#[utoipa::path(post, path = "/v1/sessions", tag = "alerts", request_body = Signed,
    responses((status = 200, body = SignedIn), (status = 400), (status = 401)))]
pub async fn sign_in(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Answer {
    enabled(&gateway)?;
    let signed: Signed = body_of(&body)?;
    let signature = signed.signature.parse();
    let signature = signature.map_err(|_| Refusal::bad("signature is not 64 bytes in base58"))?;
    let (holder, token) = gateway.alerts.sessions.enter(&signed.nonce, &signature)?;
    shown(&SignedIn {
        token,
        trader: holder.trader.to_string(),
        wallet: holder.wallet.to_string(),
    })
}

/// The subscriptions of the trader account that has signed in.
#[utoipa::path(get, path = "/v1/alerts", tag = "alerts",
    responses((status = 200, body = [Shown]), (status = 401)))]
pub async fn list(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Answer {
    let holder = holder(&gateway, &headers)?;
    let own = gateway.alerts.of_trader(&holder.trader);
    let all: Vec<Shown> = own.iter().map(|one| Shown::new(one, false)).collect();
    shown(&all)
}

/// Subscribes alerts.
#[utoipa::path(post, path = "/v1/alerts", tag = "alerts", request_body = Terms,
    responses((status = 200, body = Shown), (status = 400), (status = 401), (status = 409)))]
pub async fn subscribe(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let holder = holder(&gateway, &headers)?;
    let terms: Terms = body_of(&body)?;
    let fit = terms.check(gateway.alerts.reach);
    fit.map_err(|error| Refusal::bad(error.to_string()))?;
    if terms.push.is_some() {
        push_key_of(&gateway)?;
    }
    let subscription = Subscription {
        id: random(),
        trader: holder.trader,
        made: unix_now(),
        terms,
        secret: format!("{}{}", random(), random()),
    };
    let told = Shown::new(&subscription, true);
    match alerts::add(&gateway, subscription, &holder.wallet).await? {
        true => shown(&told),
        false => {
            let each = gateway.config.alerts.each;
            let full = format!(
                "a trader account may have {each} subscriptions, or this gateway has all it may"
            );
            Err(Refusal::new(StatusCode::CONFLICT, full))
        }
    }
}

fn own(gateway: &Gateway, headers: &HeaderMap, id: &str) -> Result<Subscription, Refusal> {
    let holder = holder(gateway, headers)?;
    let found = gateway.alerts.subscription(id);
    let own = found.filter(|one| one.trader == holder.trader);
    own.ok_or_else(|| Refusal::missing("there is no such subscription of this trader account"))
}

/// Ends a subscription.
#[utoipa::path(delete, path = "/v1/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "Name of the subscription")),
    responses((status = 204), (status = 401), (status = 404)))]
pub async fn end(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let subscription = own(&gateway, &headers, &id)?;
    alerts::remove(&gateway, subscription.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends all that a browser has subscribed. Its endpoint and keys, which nobody else knows, say that it is that browser:
/// no wallet signs.
#[utoipa::path(post, path = "/v1/push/end", tag = "alerts", request_body = Target,
    responses((status = 204), (status = 400)))]
pub async fn end_push(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Answer {
    enabled(&gateway)?;
    let target: Target = body_of(&body)?;
    for id in gateway.alerts.of_browser(&target) {
        alerts::remove(&gateway, id).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Sends a test to the receiver of a subscription, once, and says what came of it.
#[utoipa::path(post, path = "/v1/alerts/{id}/test", tag = "alerts",
    params(("id" = String, Path, description = "Name of the subscription")),
    responses((status = 204), (status = 401), (status = 404), (status = 502)))]
pub async fn test(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let subscription = own(&gateway, &headers, &id)?;
    let now = unix_now();
    let body = serde_json::json!({"id": format!("{id}:test:{now}"), "type": "test", "text": TEST, "unix_timestamp": now});
    let letter = Letter {
        id: format!("{id}:test:{now}"),
        subscription: id,
        made: now,
        body: body.to_string(),
        raised: None,
    };
    match alerts::deliver::once(&gateway, &subscription, &letter).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        // Not what the receiver said: nobody reads another's pages through a gateway.
        Err(error) => Err(Refusal::new(StatusCode::BAD_GATEWAY, error.to_string())),
    }
}
