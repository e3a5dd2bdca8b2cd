//! Ballast over a cluster, for the command line, the keeper and deployments.
//!
//! - [`settings`]: which cluster and which keypair, as the Solana command line has them.
//! - [`endpoint`]: where a node is, shown without the keys in its URL.
//! - [`cluster`]: reading the program's accounts, a market's all in one slot.
//! - [`sender`]: transactions with the compute limit and fee they need, sent until they land or
//!   expire.
//! - [`follow`]: accounts as they change, over a websocket that is opened again when it ends.
//! - [`lookup`]: the address lookup table that long lists need.
//! - [`history`]: a past transaction with the program's events.
//! - [`memory`]: what a process that follows takes.

pub mod backoff;
pub mod cluster;
pub mod endpoint;
pub mod failure;
pub mod follow;
pub mod history;
pub mod lookup;
pub mod memory;
pub mod sender;
pub mod settings;
pub mod transport;
