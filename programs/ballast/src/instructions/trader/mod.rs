//! Instructions of traders.

pub mod add_margin;
pub mod block_trade;
pub mod close_trader;
pub mod create_trader;
pub mod deposit;
pub mod remove_margin;
pub mod set_delegate;
pub mod withdraw;
