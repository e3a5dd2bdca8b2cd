//! Events of cross margin.

use super::*;

/// The board was created.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct BoardCreated {
    /// The board.
    pub board: Pubkey,
}

/// A market got cross margin.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct CrossEnabled {
    /// The market.
    pub market: Pubkey,
    /// Its place on the board.
    pub place: u32,
    /// Cross queue of the longs.
    pub queue_long: Pubkey,
    /// Cross queue of the shorts.
    pub queue_short: Pubkey,
    /// Most lots that the legs of a side may hold together.
    pub most_lots: u64,
    /// The part of insurance's window that legs may get, basis points.
    pub draw_cap_bps: u32,
    /// Slots for which a mark serves for opening.
    pub max_age_slots: u32,
}

/// Marks were recorded on the board.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarksRecorded {
    /// Whether a checkpoint was opened.
    pub checkpoint_opened: bool,
    /// What was recorded.
    pub marks: Vec<MarkRecorded>,
}

/// The mark of one market.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarkRecorded {
    /// The market.
    pub market: Pubkey,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms a lot.
    pub funding_index: i64,
}

/// The mark of a market whose price has died was frozen.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarkFrozen {
    /// The market.
    pub market: Pubkey,
    /// Slot in which the mark was recorded.
    pub recorded_slot: u64,
}

/// Collateral moved between a trader's free collateral and the pool that its legs share.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct CrossMoved {
    /// The trader account.
    pub trader: Pubkey,
    /// Into the pool, atoms; out of it where negative.
    pub amount: i64,
    /// The pool after, atoms.
    pub pool_after: i64,
    /// Free collateral after, atoms.
    pub free_after: i64,
}

/// A position became a leg, or a leg an isolated position.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarginConverted {
    /// The trader account.
    pub trader: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// Whether it is a leg now.
    pub to_cross: bool,
    /// Lots, signed.
    pub lots: i64,
    /// Into the pool, atoms; out of it where negative. Funding that the leg owed included.
    pub amount: i64,
    /// The pool after, atoms.
    pub pool_after: i64,
}

/// A taker and a maker of whom one or both trade a leg traded at the price that they agreed on; `LegTraded` says
/// what became of a leg.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct CrossBlockTraded {
    /// The market.
    pub market: Pubkey,
    /// The taker's trader account.
    pub taker: Pubkey,
    /// The maker's trader account.
    pub maker: Pubkey,
    /// Lots of the taker, + bought, - sold.
    pub lots: i64,
    /// Trade price, ticks.
    pub price_ticks: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the taker paid, atoms.
    pub taker_fee: i64,
    /// What the maker paid, atoms; a rebate when negative.
    pub maker_fee: i64,
    /// The parties that are isolated, before and after, the taker first.
    pub isolated: Vec<PartyTraded>,
}

/// A leg traded with orders of the book, or at an agreed price: what `OrderPlaced` or `CrossBlockTraded` does not
/// say of it.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct LegTraded {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Lots before, signed.
    pub lots_before: i64,
    /// Lots after, signed.
    pub lots_after: i64,
    /// What the lots cost, atoms; signed as they are.
    pub entry_quote_after: i64,
    /// Profit or loss of the closed lots, atoms.
    pub realized: i64,
    /// Funding paid into the market, atoms; received where negative.
    pub funding: i64,
    /// The fee, atoms; a rebate when negative.
    pub fee: i64,
    /// The pool before, atoms.
    pub pool_before: i64,
    /// The pool after, atoms.
    pub pool_after: i64,
    /// The account's equity after, atoms.
    pub equity_atoms: i64,
    /// Its maintenance margin after, atoms.
    pub requirement_atoms: u64,
}

/// Orders of legs were filled: what the fills of the same call do not say of them, in their order.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct LegsMade {
    /// The market.
    pub market: Pubkey,
    /// The fills.
    pub legs: Vec<LegMade>,
}

/// A fill of an order of a leg.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegMade {
    /// The maker's trader account.
    pub maker: Pubkey,
    /// Id of the order.
    pub order_id: u64,
    /// What the lots cost afterwards, atoms; signed as they are.
    pub entry_quote_after: i64,
    /// Profit or loss of the closed lots, atoms.
    pub realized: i64,
    /// Funding paid into the market, atoms; received where negative.
    pub funding: i64,
    /// What the order reserved of it and went into the pool, atoms.
    pub margin_used: u64,
    /// The pool before, atoms.
    pub pool_before: i64,
    /// The pool after, atoms.
    pub pool_after: i64,
    /// The account's equity after, atoms.
    pub equity_atoms: i64,
    /// Its maintenance margin after, atoms.
    pub requirement_atoms: u64,
}

/// Records of legs were renewed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct RanksRefreshed {
    /// The market whose legs were valued at the price just read.
    pub market: Pubkey,
    /// Number of the board's newest checkpoint.
    pub base: u32,
    /// Whose, in the order of the list.
    pub traders: Vec<RankRefreshed>,
}

/// The leg of one trader.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct RankRefreshed {
    /// The trader account.
    pub trader: Pubkey,
    /// Record before, atoms.
    pub rest_before: i64,
    /// Record after, atoms.
    pub rest_after: i64,
    /// Whether the account was found too weak for any cut.
    pub weak: bool,
}

/// A leg was flagged, liquidated, deleveraged or parted with: how its account stood.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct LegForced {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// The account's equity before, atoms.
    pub equity_atoms: i64,
    /// Its maintenance margin before, atoms.
    pub requirement_atoms: u64,
    /// The pool after, atoms.
    pub pool_after: i64,
}

/// A round of deleveraging over both queues of a side: what `AutoDeleveraged` does not say of it.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct CrossRound {
    /// The market.
    pub market: Pubkey,
    /// The trader account of the bankrupt position or leg.
    pub bankrupt: Pubkey,
    /// Whether records counted as they stood.
    pub by_record: bool,
    /// Whether accounts above maintenance were cut as far as their equity lasts.
    pub to_equity: bool,
    /// Nodes of the cross queue that the proof looked at.
    pub nodes_visited: u32,
    /// The legs that were cut, by their place among the cuts of the round.
    pub legs: Vec<LegCut>,
}

/// A leg that was cut.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct LegCut {
    /// Place among the cuts of the round, from 0.
    pub place: u32,
    /// The account's equity before, atoms.
    pub equity_atoms: i64,
    /// Its maintenance margin before, atoms.
    pub requirement_atoms: u64,
    /// That of the leg, atoms.
    pub leg_requirement_atoms: u64,
    /// Whether the cut was shorter than the cap for the account's sake.
    pub shortened: bool,
    /// The pool after, atoms.
    pub pool_after: i64,
}
