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
pub mod convert;
pub mod cut;
pub mod drift;
pub mod entry;
mod error;
pub mod forced;
pub mod limits;
pub mod liquidation;
pub mod make;
pub mod queue;
pub mod record;
pub mod share;
pub mod terms;
pub mod trade;
pub mod walk;

pub use account::{Account, Leg, LegValue, Values};
pub use board::{Board, BoardEntry};
pub use error::CrossError;
pub use forced::Forced;
pub use limits::CrossDraws;
pub use make::{may_grow, meet_leg, LegFill, LegMaker};
pub use terms::LegTerms;
pub use trade::LegTrade;

/// Most legs of an account.
pub const MOST_LEGS: usize = 4;
/// Most markets on the board.
pub const MOST_MARKETS: usize = 8;
/// Slots for which a board entry serves to liquidate, to flag and to deleverage, a record is fresh and a
/// witness is believed: about ten seconds.
pub const FRESH_SLOTS: u64 = 25;

/// Most by which records may flatter after a write of their account, per cent of its equity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slack {
    /// A record older than [`FRESH_SLOTS`].
    pub percent: u64,
    /// A fresh one.
    pub fresh_percent: u64,
}

/// The slack of every cross account. A fresh record's is below any rank tolerance of a cross market, so that
/// equals are told apart from those above once they are recorded anew.
pub const SLACK: Slack = Slack {
    percent: 10,
    fresh_percent: 1,
};
/// Most of an unrealised profit that counts for opening, basis points.
pub const MOST_PROFIT_WEIGHT_BPS: u32 = 0;
