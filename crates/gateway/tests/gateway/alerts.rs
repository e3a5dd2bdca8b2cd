//! Alerts: proved by a signature, posted to a receiver, begun and ended once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::Router;
use ballast_gateway::alerts::deliver::signature;
use ballast_gateway::config::Config;
use ballast_gateway::gateway::Gateway;
use reqwest::{Client, StatusCode};
use serde_json::{json, Value};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::sync::mpsc;

use crate::stage::{opened, serve, Served, Stage, PATIENCE};

/// A receiver of letters.
struct Receiver {
    url: String,
    letters: mpsc::UnboundedReceiver<(HeaderMap, String)>,
    /// Names of the letters so far: one may come again after a restart, by the same name.
    seen: BTreeSet<String>,
}

type Sender = Arc<mpsc::UnboundedSender<(HeaderMap, String)>>;

async fn take(State(sender): State<Sender>, headers: HeaderMap, body: Bytes) {
    let text = String::from_utf8_lossy(&body).into_owned();
    let _ = sender.send((headers, text));
}

impl Receiver {
    async fn open() -> Self {
        let (sender, letters) = mpsc::unbounded_channel();
        let elsewhere = [("location", "http://127.0.0.1:1/")];
        let away = move || async move { (axum::http::StatusCode::FOUND, elsewhere) };
        let pages = Router::new()
            .route("/hook", post(take))
            .route("/away", post(away))
            .with_state(Arc::new(sender));
        Self {
            url: opened(pages).await,
            letters,
            seen: BTreeSet::new(),
        }
    }

    async fn next(&mut self) -> (HeaderMap, String) {
        let next = tokio::time::timeout(PATIENCE, self.letters.recv()).await;
        next.expect("a letter in time").expect("no end")
    }

    /// The next letter about a kind.
    async fn of(&mut self, kind: &str) -> Value {
        loop {
            let (_, text) = self.next().await;
            let letter: Value = serde_json::from_str(&text).expect("JSON");
            let new = self
                .seen
                .insert(letter["id"].as_str().unwrap_or_default().to_owned());
            if new && letter["kind"] == kind {
                return letter;
            }
        }
    }
}

/// Of a gateway that delivers on this machine too.
pub fn config(stage: &Stage, folder: &std::path::Path) -> Config {
    let mut config = stage.config(&format!("sqlite = \"{}\"", folder.join("a").display()));
    config.alerts.private_webhooks = true;
    config.limits.burst_each = 2_000;
    config
}

pub async fn gateway(stage: &Stage, folder: &std::path::Path) -> Served {
    let opened = Gateway::open(config(stage, folder)).await;
    serve(opened.expect("a database")).await
}

pub async fn posted(gateway: &Served, path: &str, token: &str, body: &Value) -> (u16, Value) {
    let sent = Client::new()
        .post(gateway.url(path))
        .header("authorization", format!("Bearer {token}"))
        .body(body.to_string())
        .send();
    let answer = sent.await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("text");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Signs in: a token.
pub async fn signed_in(gateway: &Served, wallet: &Keypair, trader: &str) -> String {
    let claim = json!({"wallet": wallet.pubkey().to_string(), "trader": trader});
    let (status, asked) = posted(gateway, "/v1/sessions/challenge", "", &claim).await;
    assert_eq!(status, 200, "{asked}");
    let text = asked["text"].as_str().expect("a text");
    let signature = wallet.sign_message(text.as_bytes()).to_string();
    let signed = json!({"nonce": asked["nonce"], "signature": signature});
    let (status, entered) = posted(gateway, "/v1/sessions", "", &signed).await;
    assert_eq!(status, 200, "{entered}");
    entered["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn only_the_wallet_of_a_trader_account_subscribes_for_it() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = gateway(&stage, folder.path()).await;
    let (own, other) = (&stage.scene.shorts[0], &stage.scene.shorts[1]);
    let trader = own.address.to_string();
    let stranger = other.wallet.keypair.insecure_clone();
    let claim = json!({"wallet": stranger.pubkey().to_string(), "trader": trader});
    assert_eq!(
        posted(&gateway, "/v1/sessions/challenge", "", &claim)
            .await
            .0,
        403
    );
    let claim = json!({"wallet": own.wallet.keypair.pubkey().to_string(), "trader": trader});
    let (_, asked) = posted(&gateway, "/v1/sessions/challenge", "", &claim).await;
    let forged = stranger
        .sign_message(asked["text"].as_str().unwrap().as_bytes())
        .to_string();
    let forged = json!({"nonce": asked["nonce"], "signature": forged});
    assert_eq!(posted(&gateway, "/v1/sessions", "", &forged).await.0, 401);
    let terms = json!({"webhook": "http://127.0.0.1:9/x", "light_at": 5});
    assert_eq!(
        posted(&gateway, "/v1/alerts", "nobody", &terms).await.0,
        401
    );

    let token = signed_in(&gateway, &own.wallet.keypair, &trader).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let (status, made) = posted(&gateway, "/v1/alerts", &token, &terms).await;
        assert_eq!(status, 200, "{made}");
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        posted(&gateway, "/v1/alerts", &token, &terms).await.0,
        409,
        "no more than five"
    );
    let bad = json!({"webhook": "ftp://x", "light_at": 5});
    assert_eq!(posted(&gateway, "/v1/alerts", &token, &bad).await.0, 400);
    // Another's subscriptions are not there.
    let stranger_token = signed_in(&gateway, &stranger, &other.address.to_string()).await;
    let path = format!("/v1/alerts/{}", ids[0]);
    let delete = |token: &str| {
        let request = Client::new().delete(gateway.url(&path));
        request
            .header("authorization", format!("Bearer {token}"))
            .send()
    };
    assert_eq!(
        delete(&stranger_token).await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        delete(&token).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(posted(&gateway, "/v1/alerts", &token, &terms).await.0, 200);
}

#[tokio::test]
async fn a_light_and_a_cut_are_told_once_and_signed_and_go_on_after_a_restart() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let mut receiver = Receiver::open().await;
    let served = gateway(&stage, folder.path()).await;
    let short = &stage.scene.shorts[0];
    let trader = short.address.to_string();
    let token = signed_in(&served, &short.wallet.keypair, &trader).await;
    let hook = format!("{}/hook", receiver.url);
    let terms = json!({"webhook": hook, "light_at": 5, "forced": true});
    let (status, made) = posted(&served, "/v1/alerts", &token, &terms).await;
    assert_eq!(status, 200, "{made}");
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    let path = format!("/v1/alerts/{id}/test");
    assert_eq!(posted(&served, &path, &token, &Value::Null).await.0, 204);
    let (headers, body) = receiver.next().await;
    let signed = headers["ballast-signature"].to_str().unwrap();
    let seconds = signed.trim_start_matches("t=").split(',').next().unwrap();
    assert_eq!(signed, signature(secret, seconds.parse().unwrap(), &body));

    stage.price(193_000);
    let raised = receiver.of("light").await;
    assert_eq!(
        (&raised["raised"], &raised["trader"], &raised["light"]),
        (&json!(true), &json!(trader), &json!(5))
    );
    assert!(raised["text"]
        .as_str()
        .unwrap()
        .contains("among the first to be deleveraged"));

    // Another process with the same database knows what was told.
    drop(served);
    let served = gateway(&stage, folder.path()).await;
    let listed = {
        let token = signed_in(&served, &short.wallet.keypair, &trader).await;
        let asked = Client::new().get(served.url("/v1/alerts"));
        let asked = asked.header("authorization", format!("Bearer {token}"));
        let text = asked.send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(listed[0]["id"], id);
    assert!(listed[0]["secret"].is_null(), "told once");
    stage.price(192_000);
    // It ends after three looks.
    for ticks in [201_000, 202_000, 203_000, 204_000, 205_000] {
        stage.price(ticks);
        let wanted = format!("{}", ticks / 1_000);
        served
            .until("/v1/markets/0", |market| market["price"] == wanted.as_str())
            .await;
    }
    let ended = receiver.of("light").await;
    assert_eq!(ended["raised"], false, "{ended}");

    stage.crash();
    let cut = receiver.of("cut").await;
    assert_eq!(
        (&cut["trader"], &cut["mark"]),
        (&json!(trader), &json!("180"))
    );
    assert!(
        cut["signature"].is_string() && cut["gave_up"].is_string(),
        "{cut}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let receiver = Receiver::open().await;
    let served = gateway(&stage, folder.path()).await;
    let short = &stage.scene.shorts[0];
    let token = signed_in(&served, &short.wallet.keypair, &short.address.to_string()).await;
    let terms = json!({"webhook": format!("{}/away", receiver.url), "light_at": 5});
    let (_, made) = posted(&served, "/v1/alerts", &token, &terms).await;
    let path = format!("/v1/alerts/{}/test", made["id"].as_str().unwrap());
    let (status, said) = posted(&served, &path, &token, &Value::Null).await;
    assert_eq!(status, 502);
    assert!(
        said["error"].as_str().unwrap().contains("answered 302"),
        "{said}"
    );
}
