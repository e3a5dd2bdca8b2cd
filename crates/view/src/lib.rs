//! What accounts are shown as, by the command line and in a browser: values that serialise to the JSON of
//! `ballast --output json`, and the same in words.
//!
//! Everything is made from the bytes of accounts, which somebody else has read; every figure is the engine's.

pub mod account;
pub mod alerts;
pub mod book;
pub mod countdown;
pub mod deleveraging;
pub mod digits;
pub mod failure;
pub mod gap;
pub mod joining;
pub mod market;
pub mod pauses;
pub mod pool;
pub mod positions;
pub mod preview;
pub mod protection;
pub mod queue;
#[cfg(feature = "risk")]
pub mod risk;
pub mod staged;
pub mod stake;
pub mod state;
pub mod trader;
pub mod units;
pub mod venue;
