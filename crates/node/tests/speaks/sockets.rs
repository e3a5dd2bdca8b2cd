//! Subscriptions, over a websocket by hand and by the client of the keepers.

use ballast_rpc::follow::{follow, Heard, Patience, Subscriptions};
use ballast_sandbox::Quote;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use solana_signature::Signature;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{connect_async, MaybeTlsStream, WebSocketStream};

use super::*;

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(market: &Market) -> Self {
        let opened = connect_async(market.node.websocket_url()).await;
        Self(opened.expect("a websocket").0)
    }

    async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await.expect("open").expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let message = Message::text(request.to_string());
        self.0.send(message).await.expect("open");
        self.hear().await
    }

    async fn subscribe(&mut self, kind: &str, params: Value) -> u64 {
        let answer = self.ask(&format!("{kind}Subscribe"), params).await;
        answer["result"]
            .as_u64()
            .unwrap_or_else(|| panic!("{answer}"))
    }

    /// What is told next, of this kind and to this subscription.
    async fn told(&mut self, kind: &str, number: u64) -> Value {
        let heard = self.hear().await;
        assert_eq!(heard["method"], format!("{kind}Notification"), "{heard}");
        assert_eq!(heard["params"]["subscription"], number);
        heard["params"]["result"].clone()
    }
}

#[tokio::test]
async fn accounts_and_programs_are_followed_until_they_are_not() {
    let market = Market::new().await;
    let mut socket = Socket::open(&market).await;
    let keys = market.scene.market.keys;
    let base64 = json!({"encoding": "base64"});
    let price = socket
        .subscribe("account", json!([keys.price.to_string(), base64]))
        .await;
    let kind = market
        .node
        .with(|it| it.account(&keys.market).unwrap().data[..8].to_vec());
    let begins = json!({"memcmp": {"offset": 0, "bytes": bs58::encode(kind).into_string()}});
    let config = json!({"encoding": "base64", "filters": [begins]});
    let program = ballast_state::ID.to_string();
    let markets = socket.subscribe("program", json!([program, config])).await;

    market
        .node
        .with(|sandbox| sandbox.set_price(&market.scene.market, 199_000));
    let told = socket.told("account", price).await;
    let slot = market.node.with(|sandbox| sandbox.slot());
    assert_eq!(told["context"]["slot"], slot);
    assert_eq!(told["value"]["data"][1], "base64");
    // A price that is the same again is no change; one that is later is.
    market
        .node
        .with(|sandbox| sandbox.set_price(&market.scene.market, 199_000));
    let quote = Quote {
        ticks: 199_000,
        conf_ticks: 0,
        ema_ticks: 199_000,
        publish_time: market.node.with(|sandbox| sandbox.time()) + 1,
    };
    market
        .node
        .with(|sandbox| sandbox.set_quote(&market.scene.market, &quote));
    socket.told("account", price).await;
    let donor = market
        .node
        .with(|sandbox| sandbox.create_wallet(5))
        .unwrap();
    let given = market
        .node
        .with(|it| it.donate_insurance(&market.scene.market, &donor, 5));
    given.unwrap();
    let told = socket.told("program", markets).await;
    assert_eq!(told["value"]["pubkey"], keys.market.to_string());

    assert_eq!(
        socket.ask("accountUnsubscribe", json!([price])).await["result"],
        true
    );
    let wrong = socket.ask("accountUnsubscribe", json!([markets])).await;
    assert_eq!(wrong["error"]["code"], -32602);
    market
        .node
        .with(|sandbox| sandbox.set_price(&market.scene.market, 198_000));
    let slots = socket.subscribe("slot", json!([])).await;
    market.node.with(|sandbox| sandbox.advance_slots(1));
    let told = socket.told("slot", slots).await;
    assert_eq!(
        told,
        json!({"slot": slot + 1, "parent": slot, "root": slot})
    );
}

#[tokio::test]
async fn a_transaction_is_told_to_whoever_follows_it_its_logs_or_its_accounts() {
    let market = Market::new().await;
    let (maker, mut socket) = (&market.scene.maker, Socket::open(&market).await);
    let mentions = json!({"mentions": [maker.address.to_string()]});
    let logs = socket.subscribe("logs", json!([mentions])).await;
    let sent = market.node.with(|sandbox| sandbox.deposit(maker, 5));
    sent.unwrap();
    let told = socket.told("logs", logs).await;
    let signature = told["value"]["signature"].clone();
    assert!(told["value"]["err"].is_null());
    assert!(told["value"]["logs"].as_array().unwrap().len() > 3);
    // Another's is none of it.
    let other = &market.scene.longs[0];
    market
        .node
        .with(|sandbox| sandbox.deposit(other, 5))
        .unwrap();

    let confirmed = json!([signature, {"commitment": "confirmed"}]);
    let once = socket.subscribe("signature", confirmed).await;
    assert!(socket.told("signature", once).await["value"]["err"].is_null());
    let finalized = json!([signature, {"commitment": "finalized"}]);
    let later = socket.subscribe("signature", finalized).await;
    let roots = socket.subscribe("root", json!([])).await;
    market.node.with(|sandbox| sandbox.advance_slots(1));
    socket.told("signature", later).await;
    let slot = market.node.with(|sandbox| sandbox.slot());
    assert_eq!(socket.told("root", roots).await, slot - 1);
    let unknown = Signature::default().to_string();
    socket.subscribe("signature", json!([unknown])).await;
    market.node.with(|sandbox| sandbox.advance_slots(1));
    assert_eq!(
        socket.told("root", roots).await,
        slot,
        "it ended, the unknown one waits"
    );
}

#[tokio::test]
async fn a_websocket_refuses_what_it_cannot_follow_and_too_much() {
    let market = Market::new().await;
    let mut socket = Socket::open(&market).await;
    for (method, params, code) in [
        ("getSlot", json!([]), -32601),
        ("accountSubscribe", json!(["x"]), -32602),
        ("logsSubscribe", json!([{"mentions": []}]), -32602),
        ("slotUnsubscribe", json!([9]), -32602),
    ] {
        let error = socket.ask(method, params).await["error"].clone();
        assert_eq!(error["code"], code, "{method}: {error}");
    }
    for _ in 0..1_000 {
        socket.subscribe("root", json!([])).await;
    }
    let error = socket.ask("rootSubscribe", json!([])).await["error"].clone();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("1000 subscriptions"),
        "{error}"
    );
}

#[tokio::test]
async fn the_keepers_follower_connects_and_hears() {
    let market = Market::new().await;
    let price = market.scene.market.keys.price;
    let wanted = Subscriptions {
        accounts: vec![price],
        types: vec![ballast_state::market::MARKET_DISCRIMINATOR],
        transactions: true,
    };
    let (listener, mut heard) = tokio::sync::mpsc::channel(64);
    let following = follow(market.cluster(), wanted, Patience::default(), listener);
    let following = tokio::spawn(following);
    assert!(matches!(heard.recv().await, Some(Heard::Connected)));
    market.node.with(|sandbox| {
        sandbox.advance_slots(1);
        sandbox.set_price(&market.scene.market, 190_000);
    });
    let there = market.node.with(|sandbox| sandbox.account(&price).unwrap());
    let slot = market.node.with(|sandbox| sandbox.slot());
    let (mut slots, mut seen) = (Vec::new(), None);
    while slots.is_empty() || seen.is_none() {
        match heard.recv().await.expect("it goes on") {
            Heard::Slot(slot) => slots.push(slot),
            Heard::Account(account) => seen = Some(account),
            other => panic!("{other:?}"),
        }
    }
    let seen = seen.unwrap();
    assert_eq!((slots, seen.slot, seen.address), (vec![slot], slot, price));
    assert_eq!(seen.account, there);
    let slot = market.node.with(|sandbox| {
        let trader = market.scene.longs[0].clone();
        sandbox.deposit(&trader, 1).unwrap();
        sandbox.slot()
    });
    let landed = loop {
        if let Heard::Transaction(slot) = heard.recv().await.expect("it goes on") {
            break slot;
        }
    };
    assert_eq!(landed, slot, "a transaction of the program");
    following.abort();
}
