//! A Solana node's JSON RPC and websocket over the embedded exchange.
//!
//! [`Node`] serves one [`ballast_sandbox::Sandbox`]: wallets, keepers, the command line and a browser read
//! it, subscribe to it and send transactions to the built program, by the methods, encodings and error
//! numbers of a node. It is one node without a network: a transaction executes as it arrives, a slot is
//! final as soon as the next begins, and every slot has a block.

mod accounts;
mod answer;
mod chain;
pub mod control;
mod fault;
mod history;
mod params;
pub mod scene;
mod serve;
mod socket;
mod subscription;
mod transactions;

pub use serve::{Node, Settings};
