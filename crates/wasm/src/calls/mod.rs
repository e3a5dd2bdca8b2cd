//! The calls, one a file: a request of accounts, and what the client makes of them.

pub mod account;
pub mod alerts;
pub mod counterparties;
pub mod explain;
pub mod gap;
pub mod join_pool;
pub mod join_stakes;
pub mod leg_order;
pub mod liquidation;
pub mod makers;
pub mod market;
pub mod order;
pub mod pool;
pub mod positions;
pub mod queue;
pub mod stake;
pub mod standing;
pub mod transfer;
