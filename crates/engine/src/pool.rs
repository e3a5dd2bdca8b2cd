//! A market's backstop pool: capital of many that takes positions over before anybody is cut.
//!
//! The pool holds inventory and never pays a deficit; insurance pays deficits and never holds inventory.
//! What it owns is the free collateral and the position of one trader account, which ranks in the queue
//! like everybody's.

mod exit;
mod params;
mod peak;
mod take;
mod unwind;
mod worth;

pub use params::{PoolMode, PoolParams};
pub use peak::{Peak, SHARES_COMPARED};
pub use take::{back, enlarged, Offer, PoolTaker};
pub use unwind::{keeper_fee, sync, Auction, Synced, Unwind, UnwindInput};
pub use worth::{PoolAssets, Worth};
