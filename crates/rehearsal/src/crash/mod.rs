//! The crash, played on the built program in an embedded Solana virtual machine.

pub mod assemble;
pub mod deleveraging;
pub mod diary;
pub mod dishonest;
pub mod flow;
pub mod gap;
pub mod integrity;
pub mod keepers;
mod liquidations;
pub mod opening;
pub mod pool;
pub mod protection;
pub mod quoting;
pub mod snapshot;
#[cfg(test)]
mod snapshot_tests;
pub mod stage;
pub mod trading_floor;
