//! The part of `report.json` about other rules of spreading a bankruptcy over its counterparties.
//! Units as in the rest of the report.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A rule by which a bankruptcy is spread over its counterparties, in the order of tables.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    ValueEnum,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Policy {
    /// By rank, whole positions.
    Queue,
    /// By rank, a part of each position in a pass: the rule of the program.
    Capped,
    /// In proportion to the lots of every winner.
    ProRata,
}

impl Policy {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What one rule would have done to the counterparties of the crash, simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyLine {
    /// The rule that was played.
    pub policy: Policy,
    /// Deficits after insurance of the lots of all rounds.
    pub deficit_atoms: u64,
    /// What counterparties give up against the mark.
    pub taken_atoms: u64,
    /// `taken_atoms - deficit_atoms`.
    pub overshoot_atoms: i64,
    /// Lots for which the rule finds no counterparty.
    pub unplaced_lots: u64,
    /// Different accounts cut.
    pub accounts_touched: usize,
    /// Positions closed entirely.
    pub positions_closed: usize,
    /// Positions that were eligible winners in any round.
    pub winners: usize,
    /// Positions cut that never were.
    pub cut_without_profit: usize,
    /// Largest haircut of a winner, millionths.
    pub largest_haircut_ppm: u64,
    /// Gini coefficient of the haircuts of all winners, millionths.
    pub gini_ppm: u64,
    /// Part of `taken_atoms` that the ten positions which give most bear, millionths.
    pub top_ten_ppm: u64,
    /// Haircut of every winner, ascending, millionths.
    pub haircuts_ppm: Vec<u64>,
}
