//! Topics over a websocket and as server-sent events.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{close_code, CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use ballast_state::Pubkey;
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::answer::{Asked, Refusal};
use crate::chain::accounts;
use crate::entry::Kind;
use crate::gateway::Gateway;
use crate::hub::Listener;
use crate::publish;

/// Bytes of a message that a client may send.
const REQUEST_BYTES: usize = 4_096;
/// Between two pings.
const PING: Duration = Duration::from_secs(20);
/// How long a client may take to read what is sent to it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client of a websocket asks.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    Subscribe { topics: Vec<String> },
    Unsubscribe { topics: Vec<String> },
    Ping,
}

/// Listens to topics until it is dropped.
struct Session {
    gateway: Arc<Gateway>,
    listener: Listener,
    topics: BTreeSet<String>,
}

impl Session {
    fn new(gateway: Arc<Gateway>, messages: mpsc::Sender<crate::hub::Message>) -> Self {
        Self {
            listener: Listener {
                id: gateway.hub.name(),
                messages,
                slow: Arc::default(),
            },
            topics: BTreeSet::new(),
            gateway,
        }
    }

    /// Begins to listen to a topic.
    async fn join(&mut self, topic: &str) -> Result<(), String> {
        if self.topics.contains(topic) {
            return Ok(());
        }
        let most = self.gateway.config.limits.subscriptions;
        if self.topics.len() >= most {
            return Err(format!("a connection may have {most} topics"));
        }
        let trader = check(&self.gateway, topic)?;
        if let Some(trader) = trader {
            self.gateway.world().watch(trader);
        }
        self.topics.insert(topic.to_owned());
        if !self.gateway.hub.listen(topic, &self.listener) {
            return Err("the connection is behind".to_owned());
        }
        if let Some(trader) = trader {
            self.show(trader).await;
        }
        Ok(())
    }

    /// Reads a trader account, so that there is something to tell.
    async fn show(&self, trader: Pubkey) {
        let known = self.gateway.world().account(&trader).is_some();
        if !known {
            let cluster = Arc::clone(&self.gateway.nodes.now().confirmed);
            if let Err(error) = accounts::read(&self.gateway, &cluster, &[trader]).await {
                tracing::debug!(%error, "a trader account was not read");
            }
        }
        let gateway = Arc::clone(&self.gateway);
        let told = tokio::task::spawn_blocking(move || publish::tell_trader(&gateway, &trader));
        drop(told.await);
    }

    fn leave(&mut self, topic: &str) {
        if self.topics.remove(topic) {
            quit(&self.gateway, topic, self.listener.id);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for topic in &self.topics {
            quit(&self.gateway, topic, self.listener.id);
        }
    }
}

fn quit(gateway: &Gateway, topic: &str, listener: u64) {
    gateway.hub.leave(topic, listener);
    if let Some((kind, address)) = topic.split_once(':') {
        if kind == "trader" {
            if let Ok(trader) = address.parse() {
                gateway.world().unwatch(&trader);
            }
        }
        if ["trader", "history"].contains(&kind) {
            gateway.hub.forget(topic);
        }
    }
}

/// The trader account that a topic is about, if it is about one.
///
/// # Errors
/// A sentence about a topic that there is not.
fn check(gateway: &Gateway, topic: &str) -> Result<Option<Pubkey>, String> {
    let unknown = || {
        format!("there is no topic `{topic}`: expected market:N, book:N, queue:N, a kind of line such as fill:N, trader:ADDRESS or history:ADDRESS")
    };
    let (kind, of) = topic.split_once(':').ok_or_else(unknown)?;
    match kind {
        "trader" => Ok(Some(of.parse().map_err(|_| unknown())?)),
        "history" => {
            let address: Result<Pubkey, _> = of.parse();
            address.map(|_| None).map_err(|_| unknown())
        }
        kind if ["market", "book", "queue"].contains(&kind) || kind.parse::<Kind>().is_ok() => {
            let index: u16 = of.parse().map_err(|_| unknown())?;
            let there = gateway.world().markets().contains_key(&index);
            there.then_some(None).ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}

/// Topics over a websocket: `{"op": "subscribe", "topics": ["market:0", "book:0"]}`, `unsubscribe`, `ping`.
#[utoipa::path(get, path = "/v1/ws", tag = "streams", responses((status = 101)))]
pub async fn websocket(State(gateway): State<Arc<Gateway>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(REQUEST_BYTES)
        .max_frame_size(REQUEST_BYTES)
        .on_upgrade(move |socket| talk(gateway, socket))
}

async fn talk(gateway: Arc<Gateway>, mut socket: WebSocket) {
    let (messages, mut heard) = mpsc::channel(gateway.config.limits.behind);
    let mut session = Session::new(gateway, messages);
    let mut pings = tokio::time::interval(PING);
    loop {
        let sent = tokio::select! {
            message = heard.recv() => match message {
                Some(message) => send(&mut socket, Message::Text(message)).await,
                None => return,
            },
            request = socket.recv() => match request {
                Some(Ok(Message::Text(text))) => {
                    let told = answer(&mut session, &text).await;
                    send(&mut socket, Message::Text(told.to_string().into())).await
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Binary(_))) => {
                    let told = json!({"type": "error", "error": "expected text"});
                    send(&mut socket, Message::Text(told.to_string().into())).await
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            },
            _ = pings.tick() => send(&mut socket, Message::Ping(axum::body::Bytes::new())).await,
        };
        if sent.is_err() {
            return;
        }
        if session.listener.is_slow() {
            let why = CloseFrame {
                code: close_code::AGAIN,
                reason: "too slow: connect again for a snapshot".into(),
            };
            // Whether it is heard does not matter: the end follows.
            let _ = send(&mut socket, Message::Close(Some(why))).await;
            return;
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), ()> {
    let sent = tokio::time::timeout(PATIENCE, socket.send(message)).await;
    match sent {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}

async fn answer(session: &mut Session, text: &str) -> serde_json::Value {
    match serde_json::from_str(text) {
        Ok(Request::Ping) => json!({"type": "pong"}),
        Ok(Request::Subscribe { topics }) => {
            for topic in &topics {
                if let Err(error) = session.join(topic).await {
                    return json!({"type": "error", "topic": topic, "error": error});
                }
            }
            json!({"type": "subscribed", "topics": session.topics})
        }
        Ok(Request::Unsubscribe { topics }) => {
            for topic in &topics {
                session.leave(topic);
            }
            json!({"type": "subscribed", "topics": session.topics})
        }
        Err(error) => {
            json!({"type": "error", "error": format!("expected {{\"op\": \"subscribe\", \"topics\": [...]}}: {error}")})
        }
    }
}

/// Which topics are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct TopicsAsked {
    /// Topics, with commas: `market:0,fill:0`.
    topics: String,
}

/// Topics as server-sent events: the same messages as over the websocket, each as `data`.
#[utoipa::path(get, path = "/v1/stream", tag = "streams", params(TopicsAsked),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400)))]
pub async fn events(
    State(gateway): State<Arc<Gateway>>,
    Asked(asked): Asked<TopicsAsked>,
) -> Result<Response, Refusal> {
    let (messages, heard) = mpsc::channel(gateway.config.limits.behind);
    let mut session = Session::new(gateway, messages);
    for topic in asked.topics.split(',').filter(|topic| !topic.is_empty()) {
        session.join(topic).await.map_err(Refusal::bad)?;
    }
    // Holds no sender of its own but the session's, so that it ends when the hub lets it go.
    let told = told(session, heard);
    Ok(Sse::new(told)
        .keep_alive(KeepAlive::new().interval(PING))
        .into_response())
}

fn told(
    session: Session,
    heard: mpsc::Receiver<crate::hub::Message>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((session, heard), |(session, mut heard)| async move {
        if session.listener.is_slow() && heard.is_empty() {
            return None;
        }
        let message = heard.recv().await?;
        let event = Event::default().data(message.as_str());
        Some((Ok(event), (session, heard)))
    })
}
