//! The calls, one a file: a request of accounts, and what the client makes of them.

pub mod counterparties;
pub mod positions;
pub mod standing;
