//! Events of deleveraging sessions.

use super::CancelledOrders;
use crate::{derives::*, Pubkey};

/// A deleveraging over several transactions began: the round is frozen, nothing has been paid.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct AdlSessionOpened {
    /// The session.
    pub session: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account of the bankrupt position.
    pub bankrupt: Pubkey,
    /// Number of the bankruptcy in its market.
    pub bankruptcy_id: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Close price: this many atoms
    pub close_quote_atoms: i64,
    /// for this many lots.
    pub close_lots: u64,
    /// Lots to find counterparties for.
    pub wanted_lots: u64,
    /// Deficit of the whole position.
    pub deficit_atoms: u64,
    /// What insurance pays of it if every lot is closed; the close price counts on it.
    pub insured_atoms: u64,
    /// Positions that joined with this sequence number or later stand outside.
    pub sequence_limit: u64,
    /// Last slot in which the session may be advanced or executed.
    pub expires_slot: u64,
    /// The orders of the bankrupt that were taken out of the book, if any.
    pub cancelled: Option<CancelledOrders>,
}

/// A session's walk went on.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct AdlSessionAdvanced {
    /// The session.
    pub session: Pubkey,
    /// Queue nodes looked at so far.
    pub nodes_visited: u64,
    /// Counterparties selected so far.
    pub selected: u32,
    /// Lots they may be cut of.
    pub found_lots: u64,
    /// Whether the walk is at its end.
    pub complete: bool,
}

/// A session ended.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct AdlSessionClosed {
    /// The session.
    pub session: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The trader account of the bankrupt position.
    pub bankrupt: Pubkey,
    /// Whether its round was executed.
    pub executed: bool,
    /// Whether nobody uncut was left, so that the next pass begins.
    pub pass_opened: bool,
}
