//! Accounts of the program.

pub mod adl_session;
pub mod book_account;
pub mod exchange;
#[cfg(feature = "idl-build")]
pub mod layouts;
pub mod ledgers;
pub mod market;
pub mod position_slot;
pub mod queue_account;
pub mod risk_config;
pub mod trader;
pub mod trigger;
