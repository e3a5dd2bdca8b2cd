//! The part of `report.json` about the trader accounts. Units as in the rest of the report.

use serde::{Deserialize, Serialize};

/// What sort of trader an account belongs to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    /// $20 to $320 of notional.
    Tiny,
    /// $1,000 to $64,000.
    Regular,
    /// $400,000 to $3.2 million.
    Whale,
    /// One of two accounts of one owner, long and short by about the same size.
    Hedged,
}

/// Direction of a position.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

/// A trader account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraderLine {
    /// Trader account.
    pub trader: String,
    /// What sort of trader it belongs to.
    pub kind: Kind,
    /// Direction of the first position.
    pub direction: Direction,
    /// Leverage wanted at the opening, tenths.
    pub leverage_tenths: u64,
    /// Age of its position in its queue; the smaller is older.
    pub sequence: u64,
    /// Size when the path begins in lots, + long, - short.
    pub lots_start: i64,
    /// Size at the end in lots, + long, - short.
    pub lots_end: i64,
    /// Lots closed by auto-deleveraging, unsigned.
    pub adl_lots: u64,
    /// Given up against the mark in auto-deleveraging, atoms.
    pub adl_gave_up_atoms: i64,
    /// Lights before the first round; 0 when not on the winning side or no round came.
    pub lights_before: u8,
    /// Lights at the end, at the last price, for the same side.
    pub lights_after: u8,
}
