//! Events of a market's modes and of its end.

use super::*;

/// A market became reduce-only, or opens again.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ReduceOnlySet {
    /// The market.
    pub market: Pubkey,
    /// Authority that signed; of a market that opens again, the one that staged it.
    pub by: Pubkey,
    /// Whether it was reduce-only before.
    pub before: bool,
    /// Whether it is from now on.
    pub after: bool,
}

/// A staged delisting was put in force.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct DelistingScheduled {
    /// The market, which is reduce-only from now on.
    pub market: Pubkey,
    /// When it ends, unix seconds.
    pub ends_at: i64,
}

/// The oracle of a market was declared dead.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct OracleDeclaredDead {
    /// The market.
    pub market: Pubkey,
    /// When the price recorded last was published, unix seconds.
    pub last_publish_time: i64,
    /// When the market ends unless a price is recorded before, unix seconds.
    pub ends_at: i64,
}

/// The end of a market came.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct SettlementBegun {
    /// The market.
    pub market: Pubkey,
    /// When it ended, unix seconds.
    pub ended_at: i64,
    /// Price at which positions are settled, ticks; 0 where too little of the last hour was covered
    /// and the market goes on.
    pub final_ticks: u32,
    /// Funding index up to which positions pay, atoms per lot.
    pub funding_index: i64,
    /// Sum of the long lots.
    pub open_interest_lots: u64,
    /// Insurance, atoms.
    pub insurance_atoms: u64,
    /// Profit that the market holds, atoms.
    pub held_atoms: u64,
}

/// What an account had in a market that has ended was paid out.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PositionSettled {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Lots of its position, signed.
    pub lots: i64,
    /// What they had cost, atoms, signed like the lots.
    pub entry_quote_atoms: i64,
    /// Margin with funding paid, atoms.
    pub margin_atoms: i64,
    /// Price at which it was settled, ticks.
    pub final_ticks: u32,
    /// Funding index up to which it paid, atoms per lot.
    pub funding_index: i64,
    /// Margin and profit that became free collateral, atoms.
    pub paid_atoms: u64,
    /// Held profit that became free collateral, atoms.
    pub held_atoms: u64,
    /// Its orders, which were cancelled; `None` without any.
    pub cancelled: Option<CancelledOrders>,
    /// Free collateral after, atoms.
    pub free_after: i64,
}

/// A market in which nobody has anything any more closed its queues and its book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct MarketClosed {
    /// The market.
    pub market: Pubkey,
    /// Who got the rent of queues and book.
    pub rent_payer: Pubkey,
    /// That rent, lamports.
    pub lamports: u64,
    /// Insurance that is left, atoms.
    pub insurance_atoms: u64,
    /// Fees that are left, atoms.
    pub fees_atoms: u64,
}

/// A bankrupt position that could be closed against nobody was taken over by its market, which has
/// ended, at the last price.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct BankruptWrittenOff {
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub bankrupt: Pubkey,
    /// The session that found nobody.
    pub session: Pubkey,
    /// Lots taken over, signed.
    pub lots: i64,
    /// What they had cost, atoms, signed like the lots.
    pub entry_quote_atoms: i64,
    /// Margin with funding paid, atoms.
    pub margin_atoms: i64,
    /// Price at which they were taken over, ticks.
    pub final_ticks: u32,
    /// Funding index up to which it paid, atoms per lot.
    pub funding_index: i64,
    /// What the position lacked, atoms.
    pub deficit_atoms: u64,
    /// What insurance paid of it, atoms.
    pub insurance_paid_atoms: u64,
    /// What held profit paid after it, atoms.
    pub held_paid_atoms: u64,
    /// The rest, atoms.
    pub written_off_atoms: u64,
    /// All that was written off in the market so far, atoms.
    pub written_off_total_atoms: u64,
    /// Its orders, which were cancelled; `None` without any.
    pub cancelled: Option<CancelledOrders>,
}

/// Claims on a market in which deficits were written off were counted.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ClaimsCounted {
    /// The market.
    pub market: Pubkey,
    /// Node of the queues to go on at.
    pub next_node: u32,
    /// Whether everybody has been counted.
    pub complete: bool,
    /// What the positions counted so far are worth, atoms.
    pub claims_atoms: u64,
    /// What insurance paid in the end of what was written off, atoms.
    pub made_good_atoms: u64,
    /// What is written off, atoms.
    pub written_off_atoms: u64,
}
