//! Events of a market's fees and of tokens that nobody's ledger had.

use super::*;

/// Fees were paid to the treasury.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct FeesWithdrawn {
    /// The market.
    pub market: Pubkey,
    /// Token account that got them.
    pub treasury: Pubkey,
    /// How much, atoms.
    pub amount: u64,
    /// Fees that are left, atoms.
    pub fees_after_atoms: u64,
    /// Price at which nobody was bankrupt, ticks; that of its end where the market has ended.
    pub mark_ticks: u64,
}

/// Insurance got tokens that somebody had sent straight to its vault.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct StrayTokensCredited {
    /// The market.
    pub market: Pubkey,
    /// How many, atoms.
    pub amount: u64,
    /// Insurance ledger after, atoms.
    pub balance_after: u64,
}

/// What the insurance of a market that was closed had left was paid to the treasury.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct InsuranceWithdrawn {
    /// The market.
    pub market: Pubkey,
    /// Token account that got it.
    pub treasury: Pubkey,
    /// How much, atoms: all of the ledger.
    pub amount: u64,
}
