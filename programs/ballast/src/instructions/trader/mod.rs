//! Instructions of traders.

pub mod add_margin;
pub mod block_trade;
pub mod cancel_all_orders;
pub mod cancel_order;
pub mod cancel_trigger;
pub mod close_protection;
pub mod close_trader;
pub mod create_protection;
pub mod create_trader;
pub mod deposit;
pub mod place_order;
pub mod place_trigger;
pub mod remove_margin;
pub mod set_delegate;
pub mod set_protection;
pub mod withdraw;
