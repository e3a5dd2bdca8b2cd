//! Accounts of the program.

pub mod adl_session;
pub mod book_account;
pub mod distress;
pub mod exchange;
pub mod market;
pub mod queue_account;
pub mod risk_config;
pub mod trader;
pub mod trigger;
