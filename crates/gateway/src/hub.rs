//! Who listens to what. A topic has a value; whoever begins to listen is sent the whole of it, and then what
//! changes, each message with the next number, so that a listener knows that it has missed none.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use serde_json::{json, Map, Value};
use tokio::sync::mpsc;

/// Something that can be listened to, such as `market:0`.
pub type Topic = String;

/// A message, made once for everybody.
pub type Message = Utf8Bytes;

/// What one connection listens with.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Names the connection.
    pub id: u64,
    /// Where messages go. When it is full, the listener is too slow and is let go.
    pub messages: mpsc::Sender<Message>,
    /// Whether it has been let go.
    pub slow: Arc<AtomicBool>,
}

impl Listener {
    /// Sends to it; whether it took it.
    fn send(&self, message: &Message) -> bool {
        let sent = self.messages.try_send(message.clone()).is_ok();
        if !sent {
            self.slow.store(true, Ordering::Relaxed);
        }
        sent
    }

    /// Whether it has been let go.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Channel {
    number: u64,
    slot: u64,
    value: Value,
    listeners: BTreeMap<u64, Listener>,
}

impl Channel {
    fn message(&self, topic: &str, kind: &str, data: &Value) -> Message {
        let message = json!({
            "topic": topic,
            "type": kind,
            "seq": self.number,
            "slot": self.slot,
            "data": data,
        });
        message.to_string().into()
    }

    /// Sends to everybody; those that are behind are let go, and how many.
    fn send(&mut self, message: &Message) -> u64 {
        let mut dropped = 0;
        self.listeners.retain(|_, listener| {
            let sent = listener.send(message);
            dropped += u64::from(!sent);
            sent
        });
        dropped
    }
}

/// All topics.
#[derive(Default)]
pub struct Hub {
    channels: Mutex<HashMap<Topic, Channel>>,
    next: AtomicU64,
    /// Messages sent, each to one listener.
    sent: AtomicU64,
    /// Listeners that were too slow.
    slow: AtomicU64,
}

impl Hub {
    fn channels(&self) -> MutexGuard<'_, HashMap<Topic, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name for a connection.
    pub fn name(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Sets a topic's value as of a slot, and tells what differs, as a merge patch (RFC 7396). Nothing is told
    /// where nothing differs.
    pub fn set(&self, topic: &str, slot: u64, value: Value) {
        let mut channels = self.channels();
        let channel = channels.entry(topic.to_owned()).or_default();
        let patch = difference(&channel.value, &value);
        channel.slot = slot;
        let Some(patch) = patch else { return };
        channel.number += 1;
        channel.value = value;
        self.tell(topic, channel, "delta", &patch);
    }

    /// Tells of something that happened; the topic's value is the newest `most` of those.
    pub fn add(&self, topic: &str, slot: u64, rows: Vec<Value>, most: usize) {
        if rows.is_empty() {
            return;
        }
        let mut channels = self.channels();
        let channel = channels.entry(topic.to_owned()).or_default();
        channel.number += 1;
        channel.slot = slot;
        let rows = Value::Array(rows);
        self.tell(topic, channel, "rows", &rows);
        if !channel.value.is_array() {
            channel.value = Value::Array(Vec::new());
        }
        if let (Some(all), Value::Array(rows)) = (channel.value.as_array_mut(), rows) {
            all.extend(rows);
            let surplus = all.len().saturating_sub(most);
            all.drain(..surplus);
        }
    }

    fn tell(&self, topic: &str, channel: &mut Channel, kind: &str, data: &Value) {
        if channel.listeners.is_empty() {
            return;
        }
        let message = channel.message(topic, kind, data);
        let count = u64::try_from(channel.listeners.len()).unwrap_or(0);
        let dropped = channel.send(&message);
        self.sent.fetch_add(count - dropped, Ordering::Relaxed);
        self.slow.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Begins to listen: the first message is the whole value. Whether the listener took it.
    pub fn listen(&self, topic: &str, listener: &Listener) -> bool {
        let mut channels = self.channels();
        let channel = channels.entry(topic.to_owned()).or_default();
        let whole = channel.message(topic, "snapshot", &channel.value);
        let taken = listener.send(&whole);
        if taken {
            channel.listeners.insert(listener.id, listener.clone());
        }
        taken
    }

    /// Listens no more; whether it did.
    pub fn leave(&self, topic: &str, listener: u64) -> bool {
        let mut channels = self.channels();
        let channel = channels.get_mut(topic);
        channel.is_some_and(|channel| channel.listeners.remove(&listener).is_some())
    }

    /// Whether anybody listens to a topic.
    pub fn is_heard(&self, topic: &str) -> bool {
        let channels = self.channels();
        let channel = channels.get(topic);
        channel.is_some_and(|channel| !channel.listeners.is_empty())
    }

    /// Forgets a topic that nobody listens to.
    pub fn forget(&self, topic: &str) {
        let mut channels = self.channels();
        let unheard = channels
            .get(topic)
            .is_some_and(|channel| channel.listeners.is_empty());
        if unheard {
            channels.remove(topic);
        }
    }

    /// Listeners, messages sent, and listeners that were let go.
    pub fn figures(&self) -> (usize, u64, u64) {
        let channels = self.channels();
        let listeners = channels.values().map(|channel| channel.listeners.len());
        let listeners = listeners.sum();
        let sent = self.sent.load(Ordering::Relaxed);
        (listeners, sent, self.slow.load(Ordering::Relaxed))
    }
}

/// What turns one value into another, as a merge patch; `None` when they are equal.
#[must_use]
pub fn difference(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return Some(after.clone());
    };
    let mut patch = Map::new();
    for (name, value) in after {
        match before.get(name) {
            None if !value.is_null() => {
                patch.insert(name.clone(), value.clone());
            }
            None => {}
            Some(known) => {
                if let Some(part) = difference(known, value) {
                    patch.insert(name.clone(), part);
                }
            }
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Some(patch.into())
}

/// A value with a merge patch applied to it.
pub fn patched(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Map::new().into();
    }
    if let Some(members) = value.as_object_mut() {
        for (name, part) in patch {
            match part {
                Value::Null => {
                    members.remove(name);
                }
                part => patched(members.entry(name.clone()).or_insert(Value::Null), part),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(hub: &Hub, room: usize) -> (Listener, mpsc::Receiver<Message>) {
        let (messages, heard) = mpsc::channel(room);
        let listener = Listener {
            id: hub.name(),
            messages,
            slow: Arc::default(),
        };
        (listener, heard)
    }

    fn next(heard: &mut mpsc::Receiver<Message>) -> Value {
        serde_json::from_str(&heard.try_recv().expect("a message")).expect("JSON")
    }

    #[test]
    fn patches_lead_from_one_value_to_the_next() {
        let steps = [
            json!({"bids": {"200": "1", "199": "4"}, "mark": "200"}),
            json!({"bids": {"200": "2"}, "mark": "200", "asks": {}}),
            json!({"bids": {}, "mark": "201", "asks": {"202": "1"}}),
            json!([1, 2]),
            json!({"bids": {"1": "1"}}),
        ];
        let mut value = Value::Null;
        for step in steps {
            let patch = difference(&value, &step).expect("they differ");
            patched(&mut value, &patch);
            assert_eq!(value, step);
            assert_eq!(difference(&value, &step), None);
        }
    }

    #[test]
    fn a_listener_is_told_all_and_then_what_changes_in_order() {
        let hub = Hub::default();
        hub.set("market:0", 5, json!({"mark": "1", "age": 3}));
        let (one, mut heard) = listener(&hub, 8);
        assert!(hub.listen("market:0", &one));
        hub.set("market:0", 6, json!({"mark": "1", "age": 3}));
        hub.set("market:0", 7, json!({"mark": "2", "age": 3}));
        let first = next(&mut heard);
        assert_eq!(
            (&first["type"], &first["seq"]),
            (&json!("snapshot"), &json!(1))
        );
        let second = next(&mut heard);
        assert_eq!(second["data"], json!({"mark": "2"}));
        assert_eq!((&second["seq"], &second["slot"]), (&json!(2), &json!(7)));
        assert!(heard.try_recv().is_err(), "what is equal is not told");
        assert!(hub.leave("market:0", one.id));
        hub.set("market:0", 8, json!({"mark": "3"}));
        assert!(heard.try_recv().is_err());
    }

    #[test]
    fn who_is_slow_is_let_go_and_holds_nobody_up() {
        let hub = Hub::default();
        let ((slow, mut late), (quick, mut heard)) = (listener(&hub, 2), listener(&hub, 8));
        assert!(hub.listen("trades:0", &slow) && hub.listen("trades:0", &quick));
        for number in 0..5 {
            hub.add("trades:0", number, vec![json!(number)], 3);
        }
        assert_eq!(hub.figures(), (1, 6, 1));
        assert!(slow.is_slow() && !quick.is_slow());
        let told: Vec<Value> = std::iter::from_fn(|| heard.try_recv().ok())
            .map(|message| serde_json::from_str::<Value>(&message).expect("JSON")["data"].clone())
            .collect();
        assert_eq!(
            told,
            [
                json!([]),
                json!([0]),
                json!([1]),
                json!([2]),
                json!([3]),
                json!([4])
            ]
            .map(|value| if value == json!([]) {
                Value::Null
            } else {
                value
            })
        );
        assert_eq!(next(&mut late)["type"], "snapshot");
        let (third, mut all) = listener(&hub, 8);
        assert!(hub.listen("trades:0", &third));
        assert_eq!(next(&mut all)["data"], json!([2, 3, 4]), "the newest");
        hub.leave("trades:0", third.id);
        hub.leave("trades:0", quick.id);
        hub.forget("trades:0");
        assert_eq!(hub.figures().0, 0);
    }
}
