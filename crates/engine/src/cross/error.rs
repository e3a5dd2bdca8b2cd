//! What cross margin refuses beside the engine's own refusals.

use core::fmt;

use crate::error::EngineError;

/// Why something about a cross account was refused. Nothing has changed when one is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossError {
    /// The engine's own refusal.
    Engine(EngineError),
    /// More than [`super::MOST_LEGS`] legs.
    TooManyLegs,
    /// There is no such leg, or it has no lots.
    NoLeg,
    /// The account would hold less than initial margin.
    BelowInitial,
    /// The account would be less healthy than before.
    LessHealthy,
    /// Another leg is to be liquidated first.
    LegOrder,
    /// The board's mark of a leg is too old.
    MarkStale,
    /// The board's mark of a leg is frozen.
    MarkFrozen,
    /// A mark is not newer than the one recorded.
    MarkOlder,
    /// A record would flatter by more than the slack.
    RecordStale {
        /// The leg, counted from 0.
        leg: usize,
    },
    /// Every entry of the board is in use.
    BoardFull,
    /// The board has no entry of the market.
    EntryUnknown,
    /// The bytes are not a board.
    BoardLayout,
    /// Cross positions would hold more lots of the market than it allows them.
    InterestLimit,
}

impl CrossError {
    /// What was expected and what to do.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Engine(error) => error.sentence(),
            Self::TooManyLegs => "A cross account has at most 4 legs; close one first",
            Self::NoLeg => "The account has no lots in this market",
            Self::BelowInitial => {
                "The account would hold less than its initial margin, unrealised profit not counted; \
                 move collateral to it or trade less"
            }
            Self::LessHealthy => "A reduction may not leave the account less healthy than it was",
            Self::LegOrder => {
                "The leg with the largest maintenance margin is liquidated first; take that market"
            }
            Self::MarkStale => {
                "The board's mark of another leg is too old; record it in the same transaction"
            }
            Self::MarkFrozen => {
                "The board's mark of another leg is frozen; reduce, or wait until it is recorded"
            }
            Self::MarkOlder => "The board has a newer mark of this market",
            Self::RecordStale { .. } => {
                "A record of the account would flatter it by more than a tenth of its equity; pass the \
                 cross queue of that market"
            }
            Self::BoardFull => "Every entry of the board is in use",
            Self::EntryUnknown => "The board has no entry of this market; enable cross margin first",
            Self::BoardLayout => "The account does not hold a board of this version",
            Self::InterestLimit => {
                "Cross positions would hold more lots of the market than it allows them; use isolated margin"
            }
        }
    }
}

impl From<EngineError> for CrossError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl fmt::Display for CrossError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence())
    }
}

impl core::error::Error for CrossError {}
