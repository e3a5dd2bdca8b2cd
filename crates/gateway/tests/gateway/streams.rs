//! Streams: a snapshot, then every change, none missed.

use std::collections::BTreeMap;
use std::time::Duration;

use ballast_gateway::hub::patched;
use futures_util::{SinkExt, StreamExt};
use serde_json::{json, Value};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{connect_async, MaybeTlsStream, WebSocketStream};

use crate::stage::{Served, Stage, PATIENCE};

/// A websocket, and what the messages so far make of its topics.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    /// Number of the last message and value, by topic.
    pub values: BTreeMap<String, (u64, Value)>,
    /// Lines that came, with their topics.
    pub rows: Vec<(String, Value)>,
}

impl Socket {
    pub async fn open(gateway: &Served) -> Self {
        let url = format!("ws://{}/v1/ws", gateway.address);
        Self {
            stream: connect_async(url).await.expect("a websocket").0,
            values: BTreeMap::new(),
            rows: Vec::new(),
        }
    }

    pub async fn ask(&mut self, request: Value) {
        let text = Message::text(request.to_string());
        self.stream.send(text).await.expect("sent");
    }

    /// The next message; that of a topic is taken over, and must be the one after the last.
    pub async fn next(&mut self) -> Value {
        let read = async {
            loop {
                match self.stream.next().await.expect("no end").expect("no error") {
                    Message::Text(text) => return text,
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        let text = tokio::time::timeout(PATIENCE, read)
            .await
            .expect("a message in time");
        let message: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(topic) = message["topic"]
            .as_str()
            .filter(|_| message["seq"].is_u64())
        {
            let seq = message["seq"].as_u64().expect("a number");
            match message["type"].as_str() {
                Some("snapshot") => {
                    let value = message["data"].clone();
                    self.values.insert(topic.to_owned(), (seq, value));
                }
                kind => {
                    let known = self.values.get_mut(topic).expect("a snapshot before");
                    assert_eq!(seq, known.0 + 1, "a message of {topic} is missing");
                    known.0 = seq;
                    match kind {
                        Some("delta") => patched(&mut known.1, &message["data"]),
                        _ => {
                            let rows = message["data"].as_array().expect("lines");
                            let rows = rows.iter().map(|row| (topic.to_owned(), row.clone()));
                            self.rows.extend(rows);
                        }
                    }
                }
            }
        }
        message
    }

    /// The next message of a topic.
    pub async fn of(&mut self, topic: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["topic"] == topic {
                return message;
            }
        }
    }

    /// Reads until something is so.
    pub async fn until(&mut self, wanted: impl Fn(&Self) -> bool) {
        while !wanted(self) {
            self.next().await;
        }
    }

    /// The value of a topic.
    pub fn value(&self, topic: &str) -> &Value {
        self.values
            .get(topic)
            .map_or(&Value::Null, |(_, value)| value)
    }
}

#[tokio::test]
async fn a_listener_is_led_from_the_snapshot_to_what_the_page_says() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.served(&folder.path().join("a")).await;
    let mut socket = Socket::open(&gateway).await;
    let trader = format!("trader:{}", stage.scene.shorts[0].address);
    let topics = ["market:0", "book:0", "queue:0", "fill:0", &trader];
    socket
        .ask(json!({"op": "subscribe", "topics": topics}))
        .await;
    socket
        .until(|socket| socket.value("market:0")["price"] == "200")
        .await;
    socket
        .until(|socket| socket.value("book:0")["bids"]["199.75"] == "1")
        .await;
    stage.price(193_000);
    socket
        .until(|socket| socket.value("market:0")["price"] == "193")
        .await;
    socket
        .until(|socket| socket.value("queue:0")["mark"] == "193")
        .await;
    socket
        .until(|socket| socket.value(&trader)["positions"][0]["mark"] == "193")
        .await;
    let held = &socket.value(&trader)["positions"][0];
    assert_eq!(held["light"], 5, "the first of the winners");
    stage.price(200_000);
    stage.buy(100);
    socket.until(|socket| !socket.rows.is_empty()).await;
    let (topic, row) = &socket.rows[0];
    assert_eq!(topic, "fill:0");
    assert_eq!(
        (&row["size"], &row["final"]),
        (&json!("0.1"), &json!(false))
    );
    // The order is gone from the book by as much.
    socket
        .until(|socket| socket.value("book:0")["asks"]["200.25"] == "0.4")
        .await;
    let page = gateway.json("/v1/markets/0").await;
    socket
        .until(|socket| socket.value("market:0")["open_interest"] == page["open_interest"])
        .await;
    socket
        .ask(json!({"op": "unsubscribe", "topics": topics}))
        .await;
    loop {
        let told = socket.next().await;
        if told["type"] == "subscribed" && told["topics"] == json!([]) {
            break;
        }
    }
    assert_eq!(gateway.gateway.hub.figures().0, 0);
    assert!(gateway.gateway.world().watched().is_empty());
}

#[tokio::test]
async fn what_is_not_understood_is_answered() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.served(&folder.path().join("a")).await;
    let mut socket = Socket::open(&gateway).await;
    for request in [
        json!({"op": "subscribe", "topics": ["market:9"]}),
        json!({"op": "subscribe", "topics": ["nothing"]}),
        json!({"op": "sell"}),
        json!([]),
    ] {
        socket.ask(request).await;
        assert_eq!(socket.next().await["type"], "error");
    }
    socket.ask(json!({"op": "ping"})).await;
    assert_eq!(socket.next().await["type"], "pong");
    let many: Vec<String> = (0..40)
        .map(|number| {
            format!(
                "trader:{}",
                ballast_state::Pubkey::new_from_array([number; 32])
            )
        })
        .collect();
    socket.ask(json!({"op": "subscribe", "topics": many})).await;
    let refused = loop {
        let told = socket.next().await;
        if told["type"] == "error" {
            break told;
        }
    };
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("may have 32 topics"),
        "{refused}"
    );
}

#[tokio::test]
async fn events_are_streamed_over_plain_http() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = stage.served(&folder.path().join("a")).await;
    let mut answer = reqwest::get(gateway.url("/v1/stream?topics=market:0"))
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut heard = String::new();
    stage.price(199_000);
    while !heard.contains("\"199\"") {
        let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await;
        let chunk = chunk.expect("in time").expect("no error").expect("no end");
        heard.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(heard.starts_with("data: {"), "{heard}");
    drop(answer);
    let begun = std::time::Instant::now();
    while gateway.gateway.hub.figures().0 > 0 {
        assert!(begun.elapsed() < PATIENCE, "the listener is still there");
        stage.price(200_000);
        stage.price(199_000);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
