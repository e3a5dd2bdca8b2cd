//! A round as the chain records it: its `AutoDeleveraged` event, and where legs may be cut the `CrossRound` after it,
//! decided again by the engine.
//!
//! The event names everybody who was cut, but not the queue they were taken from. That nobody was
//! passed over, the program has proven itself: its walk of the queue is part of the transaction,
//! which fails when it finds somebody.

mod compare;
mod explanation;
mod from_event;
mod json;
mod legs;
mod words;

#[cfg(test)]
mod tests;

pub use explanation::{explain, rounds, Explanation, Recorded};
pub use json::Round;
