//! Following the chain: accounts as they are, and transactions as they were.

pub mod accounts;
pub mod compare;
pub mod history;
pub mod nodes;
pub mod world;
