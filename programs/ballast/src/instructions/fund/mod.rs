//! Instructions of those who own shares of a fund.

pub mod cancel_pool_request;
pub mod close_share;
pub mod create_share;
pub mod deposit_pool;
pub mod exiting;
pub mod request_pool;
pub mod withdraw_pool;
