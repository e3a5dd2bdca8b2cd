//! One websocket: subscriptions and what they are told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::ws::{Message, WebSocket};
use serde_json::{json, Value};
use tokio::sync::broadcast::Receiver;

use crate::answer::{response, Answer};
use crate::chain::{Chain, News};
use crate::fault::Fault;
use crate::params::Params;
use crate::serve::lock;
use crate::subscription::Subscription;

/// Most subscriptions of one websocket.
pub const MOST_SUBSCRIPTIONS: usize = 1_000;

/// What a websocket follows.
#[derive(Default)]
struct Followed {
    all: BTreeMap<u64, Subscription>,
    last: u64,
}

/// Serves a websocket until it ends, or until it is too slow to hear everything: whoever misses
/// something has to read it again.
pub async fn serve(mut socket: WebSocket, chain: Arc<Mutex<Chain>>) {
    let mut followed = Followed::default();
    let mut news = lock(&chain).listen();
    loop {
        let messages = tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => {
                    followed.answer(text.as_bytes(), &lock(&chain), &mut news)
                }
                Some(Ok(Message::Binary(bytes))) => followed.answer(&bytes, &lock(&chain), &mut news),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Vec::new(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            happened = news.recv() => match happened {
                Ok(news) => followed.tell(&news, &lock(&chain)),
                Err(_) => return,
            },
        };
        for message in messages {
            if socket
                .send(Message::Text(message.to_string().into()))
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

impl Followed {
    /// Answers a request. What happened before it was read is told first, to those who asked before.
    fn answer(&mut self, body: &[u8], chain: &Chain, news: &mut Receiver<News>) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Ok(news) = news.try_recv() {
            messages.extend(self.tell(&news, chain));
        }
        let Ok(request) = serde_json::from_slice::<Value>(body) else {
            messages.push(response(&Value::Null, Err(Fault::parse())));
            return messages;
        };
        let id = request.get("id").cloned().unwrap_or_default();
        let before = self.last;
        messages.push(response(&id, self.act(&request)));
        if self.last > before {
            messages.extend(self.begin(chain));
        }
        messages
    }

    fn act(&mut self, request: &Value) -> Answer {
        let method = request.get("method").and_then(Value::as_str);
        let method = method.ok_or(Fault::request())?;
        let params = Params::of(request)?;
        if let Some(subscription) = Subscription::of(method, &params) {
            return self.add(subscription?);
        }
        match method.strip_suffix("Unsubscribe") {
            Some(kind) => self.remove(kind, params.get(0)?),
            None => Err(Fault::method()),
        }
    }

    fn add(&mut self, subscription: Subscription) -> Answer {
        if self.all.len() >= MOST_SUBSCRIPTIONS {
            return Err(Fault::limit(format!(
                "at most {MOST_SUBSCRIPTIONS} subscriptions on one websocket"
            )));
        }
        self.last += 1;
        self.all.insert(self.last, subscription);
        Ok(self.last.into())
    }

    fn remove(&mut self, kind: &str, number: u64) -> Answer {
        match self.all.get(&number) {
            Some(found) if found.kind() == kind => {
                self.all.remove(&number);
                Ok(true.into())
            }
            _ => Err(Fault::params("Invalid subscription id.")),
        }
    }

    /// What the newest subscription is told at once.
    fn begin(&mut self, chain: &Chain) -> Option<Value> {
        let newest = self.all.get(&self.last)?;
        let message = notification(self.last, newest, newest.begin(chain)?);
        self.all.remove(&self.last);
        Some(message)
    }

    fn tell(&mut self, news: &News, chain: &Chain) -> Vec<Value> {
        let mut messages = Vec::new();
        self.all.retain(|number, subscription| {
            let told = subscription.tell(news, chain);
            let ended = subscription.is_once() && !told.is_empty();
            let told = told.into_iter();
            messages.extend(told.map(|value| notification(*number, subscription, value)));
            !ended
        });
        messages
    }
}

fn notification(number: u64, subscription: &Subscription, value: Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": format!("{}Notification", subscription.kind()),
        "params": {"result": value, "subscription": number},
    })
}
