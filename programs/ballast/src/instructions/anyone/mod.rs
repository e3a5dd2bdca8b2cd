//! Instructions anybody may call.

pub mod accrue_funding;
pub mod auto_deleverage;
pub mod counterparties;
pub mod donate_insurance;
pub mod flag_bankruptcy;
pub mod liquidate;
pub mod sweep_insurance;
