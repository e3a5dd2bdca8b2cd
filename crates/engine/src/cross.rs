//! Cross margin: positions of one account that share a pool of collateral.
//!
//! For every other purpose than the pool a leg is handed to the rest of the engine as an isolated position
//! with a margin computed for the occasion: its *share* of the account's equity where it is liquidated,
//! flagged or deleveraged ([`share`]), *all* of the equity where it stands as a counterparty. What the
//! account holds beside a leg is recorded in the leg's queue node ([`record`]); how far that record can be
//! off is bounded by how far marks and funding have moved since ([`board`], [`drift`]), so that the
//! completeness proof holds for records that nobody has renewed ([`walk`]).
//!
//! The theorem, its proof and its limits are in docs/CROSS_MARGIN.md.

pub mod account;
pub mod board;
pub mod checkpoints;
pub mod checks;
pub mod cut;
pub mod drift;
pub mod entry;
mod error;
pub mod liquidation;
pub mod queue;
pub mod record;
pub mod share;
pub mod terms;
pub mod walk;

pub use account::{Account, Leg, LegValue, Values};
pub use board::{Board, BoardEntry};
pub use error::CrossError;
pub use terms::LegTerms;

/// Most legs of an account.
pub const MOST_LEGS: usize = 4;
/// Most markets on the board.
pub const MOST_MARKETS: usize = 8;
/// Most by which a record may flatter between two writes of its account, per cent of its equity.
pub const SLACK_PERCENT: u64 = 10;
/// Slots for which a board entry serves to liquidate, to flag and to deleverage, and a witness's stamp is
/// believed: about ten seconds.
pub const FRESH_SLOTS: u64 = 25;
/// Most of an unrealised profit that counts for opening, basis points.
pub const MOST_PROFIT_WEIGHT_BPS: u32 = 0;
