//! What a rehearsal notes as it goes, for the report.

use std::collections::BTreeSet;

use ballast_report::model::{LiquidationLine, Round};
use ballast_report::trading::{BookSummary, TradeLine};
use ballast_state::Pubkey;

use super::stage::Stage;

/// What has happened so far.
#[derive(Default)]
pub struct Diary {
    /// Liquidations, in order.
    pub liquidations: Vec<LiquidationLine>,
    /// Auto-deleveraging rounds, in order.
    pub rounds: Vec<Round>,
    /// Orders that met the book, in order.
    pub trades: Vec<TradeLine>,
    /// What happened in the book.
    pub book: BookSummary,
    /// Notional liquidated, at the marks.
    pub liquidated_notional: u64,
    /// Positions that are bankrupt now.
    pub bankrupt: BTreeSet<Pubkey>,
    /// Positions that went bankrupt.
    pub bankruptcies: u64,
    /// Prices too far from their average to act on.
    pub unusable_prices: u64,
    /// Liquidations that no keeper could afford.
    pub unaffordable: u64,
    /// Errors of calls that an honest keeper expected to pass.
    pub refusals: Vec<String>,
    /// State in which dishonest keepers are tried.
    pub occasion: Option<Occasion>,
}

/// A state in which a bankruptcy is about to be deleveraged honestly.
pub struct Occasion {
    /// A copy of the exchange.
    pub stage: Stage,
    /// The bankrupt trader.
    pub bankrupt: Pubkey,
    /// Its shortfall, atoms.
    pub deficit: u64,
    /// The honest list.
    pub list: Vec<Pubkey>,
    /// Every eligible counterparty, by falling rank.
    pub ranked: Vec<Pubkey>,
    /// A lower rank that cannot close everything alone, before the top.
    pub swapped: Vec<Pubkey>,
}
