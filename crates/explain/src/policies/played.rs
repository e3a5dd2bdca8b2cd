//! What a rule did in a crash.

use super::book::Key;

/// A cut of a simulated round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Whose position.
    pub key: Key,
    /// Lots closed.
    pub lots: u64,
    /// Given up against the mark, atoms.
    pub gave_up: u64,
    /// Whether that closed the position.
    pub closed: bool,
}

/// What a rule did in a crash.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Cuts of each round, by rank.
    pub rounds: Vec<Vec<Cut>>,
    /// Deficits of the lots of all rounds after insurance, atoms.
    pub deficit: u64,
    /// Lots for which the rule found no counterparty.
    pub unplaced: u64,
}
