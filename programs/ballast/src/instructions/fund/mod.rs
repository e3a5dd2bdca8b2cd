//! Instructions of those who own shares of a fund.

pub mod close_share;
pub mod create_share;
pub mod deposit_pool;
