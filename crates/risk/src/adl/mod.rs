//! How likely a trader is to be deleveraged: a market as it stands, played on along paths of prices.
//!
//! A [`Snapshot`](snapshot::Snapshot) is what the chain says of a market. A [`World`](world::World) plays
//! it along one path: at every price keepers do what they do in a rehearsal, by the functions that the
//! program calls, on copies. Nobody trades: no position is opened, closed or given margin by its trader.
//! Only positions that a price has passed the liquidation price of are looked at.

mod attend;
pub mod book;
mod deleverage;
pub mod fixes;
pub mod forecast;
mod ledgers;
mod levels;
mod liquidate;
pub mod share;
mod sleep;
#[cfg(test)]
mod sleep_tests;
pub mod snapshot;
mod tend;
pub mod world;

pub use deleverage::{LIST_LENGTH, MOST_ROUNDS};
pub use levels::Levels;
pub use liquidate::{BACKING, MOST_CALLS};
