//! Instructions of those who stake behind a market's insurance.

pub mod cancel_unstake;
pub mod open_stakes;
pub mod request_unstake;
pub mod stake;
pub mod unstake;
