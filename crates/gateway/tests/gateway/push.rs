//! Web Push: a browser reads what is pushed and nobody else, the push service verifies who sends, and a browser that
//! has left is told nothing more.

use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::Router;
use ballast_gateway::gateway::Gateway;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::SecretKey;
use rand::rngs::OsRng;
use serde_json::{json, Value};
use tokio::sync::mpsc;
use web_push_native::{decrypt, Auth};

use crate::alerts::{config, posted, signed_in};
use crate::stage::{opened, serve, Served, Stage, PATIENCE};

type Pushed = (HeaderMap, Vec<u8>);

/// A push service, and a browser that it serves.
struct Browser {
    /// Where the service is.
    url: String,
    pushed: mpsc::UnboundedReceiver<Pushed>,
    secret: SecretKey,
    auth: Auth,
}

async fn take(
    State(sender): State<Arc<mpsc::UnboundedSender<Pushed>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let _ = sender.send((headers, body.to_vec()));
    StatusCode::CREATED
}

impl Browser {
    async fn open() -> Self {
        let (sender, pushed) = mpsc::unbounded_channel();
        let elsewhere = [("location", "http://127.0.0.1:1/")];
        let pages = Router::new()
            .route("/box", post(take))
            .route("/gone", post(|| async { StatusCode::GONE }))
            .route("/unknown", post(|| async { StatusCode::NOT_FOUND }))
            .route(
                "/away",
                post(move || async move { (StatusCode::TEMPORARY_REDIRECT, elsewhere) }),
            )
            .with_state(Arc::new(sender));
        Self {
            url: opened(pages).await,
            pushed,
            secret: SecretKey::random(&mut OsRng),
            auth: Auth::from([9; 16]),
        }
    }

    /// A subscription at a page of the service, that wants to hear of the highest light.
    fn terms(&self, page: &str) -> Value {
        let point = self.secret.public_key().to_encoded_point(false);
        json!({
            "light_at": 5,
            "push": {
                "endpoint": format!("{}{page}", self.url),
                "p256dh": URL_SAFE_NO_PAD.encode(point.as_bytes()),
                "auth": URL_SAFE_NO_PAD.encode(self.auth),
            },
        })
    }

    /// What is pushed next, as the browser reads it.
    async fn next(&mut self) -> (HeaderMap, Value) {
        let next = tokio::time::timeout(PATIENCE, self.pushed.recv()).await;
        let (headers, body) = next.expect("a letter in time").expect("no end");
        let said = decrypt(body, &self.secret, &self.auth).expect("this browser's");
        (headers, serde_json::from_slice(&said).expect("JSON"))
    }
}

async fn gateway(stage: &Stage, folder: &Path) -> Served {
    let mut config = config(stage, folder);
    config.alerts.push_key = Some(folder.join("push.pem"));
    config.alerts.push_contact = Some("mailto:operator@gateway.example".to_owned());
    serve(Gateway::open(config).await.expect("a database")).await
}

#[tokio::test]
async fn a_browser_reads_what_is_pushed_and_its_service_verifies_who_sends() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let mut browser = Browser::open().await;
    let served = gateway(&stage, folder.path()).await;
    let key = served.json("/v1/push-key").await["key"].clone();
    let short = &stage.scene.shorts[0];
    let trader = short.address.to_string();
    let token = signed_in(&served, &short.wallet.keypair, &trader).await;
    let (status, made) = posted(&served, "/v1/alerts", &token, &browser.terms("/box")).await;
    assert_eq!(status, 200, "{made}");
    stage.price(193_000);
    let (headers, said) = browser.next().await;
    assert_eq!(
        (&said["kind"], &said["raised"]),
        (&json!("light"), &json!(true))
    );
    let text = said["text"].as_str().unwrap();
    assert!(text.contains("among the first to be deleveraged"), "{text}");
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-encoding"), "aes128gcm");
    assert!(header("ttl").parse::<u64>().unwrap() > 0);
    verified(
        &header("authorization"),
        key.as_str().unwrap(),
        &browser.url,
    );

    // The same browser again is the same subscription; another process has the same key.
    let (_, again) = posted(&served, "/v1/alerts", &token, &browser.terms("/box")).await;
    assert_ne!(made["id"], again["id"]);
    assert_eq!(listed(&served, &token).await, [again["id"].clone()]);
    drop(served);
    let served = gateway(&stage, folder.path()).await;
    assert_eq!(served.json("/v1/push-key").await["key"], key);
    let token = signed_in(&served, &short.wallet.keypair, &trader).await;
    let test = format!("/v1/alerts/{}/test", again["id"].as_str().unwrap());
    assert_eq!(posted(&served, &test, &token, &Value::Null).await.0, 204);
    // What the renewed subscription was told of the light may come before.
    while browser.next().await.1["type"] != "test" {}
}

/// Whether the token of `authorization` is signed with the gateway's key for this service.
fn verified(authorization: &str, key: &str, service: &str) {
    let (token, named) = authorization
        .strip_prefix("vapid t=")
        .and_then(|rest| rest.split_once(", k="))
        .expect("a token and a key");
    assert_eq!(named, key);
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let (told, signature) = token.rsplit_once('.').expect("a signature");
    let signature = Signature::from_slice(&bytes(signature)).expect("64 bytes");
    let verifying = VerifyingKey::from_sec1_bytes(&bytes(named)).expect("a point");
    verifying
        .verify(told.as_bytes(), &signature)
        .expect("the gateway's signature");
    let claims = bytes(told.split_once('.').expect("claims").1);
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(
        (&claims["aud"], &claims["sub"]),
        (&json!(service), &json!("mailto:operator@gateway.example"))
    );
}

/// The names of the subscriptions of who has signed in.
async fn listed(served: &Served, token: &str) -> Vec<Value> {
    let asked = reqwest::Client::new().get(served.url("/v1/alerts"));
    let asked = asked.header("authorization", format!("Bearer {token}"));
    let text = asked.send().await.unwrap().text().await.unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    all.iter().map(|one| one["id"].clone()).collect()
}

#[tokio::test]
async fn a_subscription_that_the_push_service_does_not_know_ends_and_others_do_not() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let browser = Browser::open().await;
    let served = gateway(&stage, folder.path()).await;
    let short = &stage.scene.shorts[0];
    let token = signed_in(&served, &short.wallet.keypair, &short.address.to_string()).await;
    let mut kept = Vec::new();
    for (page, told, stays) in [
        ("/gone", "has ended", false),
        ("/unknown", "has ended", false),
        ("/away", "answered 307", true),
    ] {
        let (_, made) = posted(&served, "/v1/alerts", &token, &browser.terms(page)).await;
        let test = format!("/v1/alerts/{}/test", made["id"].as_str().unwrap());
        let (status, said) = posted(&served, &test, &token, &Value::Null).await;
        assert_eq!(status, 502, "{page}: {said}");
        let said = said["error"].as_str().unwrap().to_owned();
        assert!(said.contains(told), "{page}: {said}");
        if stays {
            kept.push(made["id"].clone());
        }
    }
    assert_eq!(listed(&served, &token).await, kept);
}

#[tokio::test]
async fn a_browser_ends_what_it_has_subscribed_and_nothing_of_another() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let browser = Browser::open().await;
    let served = gateway(&stage, folder.path()).await;
    let mut tokens = Vec::new();
    for short in &stage.scene.shorts[..2] {
        let token = signed_in(&served, &short.wallet.keypair, &short.address.to_string()).await;
        let (status, made) = posted(&served, "/v1/alerts", &token, &browser.terms("/box")).await;
        assert_eq!(status, 200, "{made}");
        tokens.push(token);
    }
    let (_, other) = posted(&served, "/v1/alerts", &tokens[0], &browser.terms("/other")).await;
    let mut target = browser.terms("/box")["push"].clone();
    let auth = target["auth"].take();
    // Who knows the endpoint alone ends nothing.
    target["auth"] = json!(URL_SAFE_NO_PAD.encode([8; 16]));
    let (status, said) = posted(&served, "/v1/push/end", "", &target).await;
    assert_eq!(status, 204, "{said}");
    assert_eq!(listed(&served, &tokens[1]).await.len(), 1);
    target["auth"] = auth;
    assert_eq!(posted(&served, "/v1/push/end", "", &target).await.0, 204);
    assert_eq!(listed(&served, &tokens[0]).await, [other["id"].clone()]);
    assert!(listed(&served, &tokens[1]).await.is_empty());

    // Nor is it there again with another process.
    drop(served);
    let served = gateway(&stage, folder.path()).await;
    let short = &stage.scene.shorts[1];
    let token = signed_in(&served, &short.wallet.keypair, &short.address.to_string()).await;
    assert!(listed(&served, &token).await.is_empty());
}

#[tokio::test]
async fn what_is_no_browser_is_refused_and_without_a_key_nothing_is_pushed() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let browser = Browser::open().await;
    let mut config = stage.config(&format!(
        "sqlite = \"{}\"",
        folder.path().join("a").display()
    ));
    config.limits.burst_each = 2_000;
    let (mut keyed, path) = (config.clone(), folder.path().join("push.pem"));
    keyed.alerts.push_key = Some(path);
    keyed.alerts.push_contact = Some("https://gateway.example/".to_owned());
    let short = &stage.scene.shorts[0];
    let served = serve(Gateway::open(keyed).await.expect("a database")).await;
    let token = signed_in(&served, &short.wallet.keypair, &short.address.to_string()).await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut terms = browser.terms("/box");
        terms["push"]["endpoint"] = json!("https://1.1.1.1/box");
        change(&mut terms);
        terms
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let refused: [(Change, &str); 6] = [
        (
            &|it| it["push"]["endpoint"] = json!(browser.url),
            "https://",
        ),
        (
            &|it| it["push"]["endpoint"] = json!("https://169.254.169.254/"),
            "not public",
        ),
        (
            &|it| it["push"]["endpoint"] = json!("https://[fd00::1]/x"),
            "not public",
        ),
        (&|it| it["push"]["p256dh"] = json!("AAAA"), "p256dh"),
        (&|it| it["push"]["auth"] = json!("AAAA"), "auth"),
        (
            &|it| it["webhook"] = json!("https://example.org/"),
            "one receiver",
        ),
    ];
    for (change, word) in refused {
        let (status, said) = posted(&served, "/v1/alerts", &token, &with(change)).await;
        assert_eq!(status, 400, "{word}: {said}");
        assert!(said["error"].as_str().unwrap().contains(word), "{said}");
    }
    let (status, made) = posted(&served, "/v1/alerts", &token, &with(&|_| ())).await;
    assert_eq!(status, 200, "{made}");

    drop(served);
    let served = serve(Gateway::open(config).await.expect("a database")).await;
    let asked = reqwest::get(served.url("/v1/push-key")).await.unwrap();
    assert_eq!(asked.status(), reqwest::StatusCode::NOT_FOUND);
    let token = signed_in(&served, &short.wallet.keypair, &short.address.to_string()).await;
    let (status, said) = posted(&served, "/v1/alerts", &token, &with(&|_| ())).await;
    assert_eq!(status, 404, "{said}");
}
