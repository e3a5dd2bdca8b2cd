//! Instructions anybody may call.

pub mod accrue_funding;
pub mod advance_adl_session;
pub mod auto_deleverage;
pub mod begin_settlement;
pub mod close_adl_session;
pub mod close_market;
pub mod counterparties;
pub mod declare_dead;
pub mod deleveraging;
pub mod donate_insurance;
pub mod execute_adl_session;
pub mod execute_trigger;
pub mod flag_bankruptcy;
pub mod grow_queue;
pub mod liquidate;
pub mod migrate_book;
pub mod migrate_exchange;
pub mod migrate_market;
pub mod migrate_queue;
pub mod migrate_trader;
pub mod open_adl_session;
pub mod release_profit;
pub mod settle_position;
pub mod sweep_insurance;
pub mod withdraw_fees;
