//! The instructions, one file each, by who may call them.

pub mod admin;
pub mod anyone;
pub mod cross;
pub mod firing;
pub mod fund;
pub mod liquidation;
pub mod matching;
pub mod orders;
pub mod pool_take;
pub mod position_change;
pub mod profit;
pub mod stakes;
pub mod taker;
pub mod trader;
