//! Events of pools, and of shares of any fund.

use ballast_engine::pool::PoolParams;

use super::*;

/// A market got a pool.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolCreated {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Its trader account.
    pub trader: Pubkey,
    /// What it does.
    pub params: PoolParams,
}

/// An account for shares of a fund opened.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ShareCreated {
    /// The account.
    pub share: Pubkey,
    /// The fund: a pool, or stakes.
    pub fund: Pubkey,
    /// Whose shares it keeps.
    pub owner: Pubkey,
}

/// An account for shares of a fund closed.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct ShareClosed {
    /// The account.
    pub share: Pubkey,
    /// The fund: a pool, or stakes.
    pub fund: Pubkey,
    /// Whose shares it kept.
    pub owner: Pubkey,
}

/// Somebody put tokens into a pool.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolDeposited {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Who owns the shares, and paid.
    pub owner: Pubkey,
    /// Tokens, atoms.
    pub amount: u64,
    /// Shares that they bought.
    pub shares: u64,
    /// Shares that the owner has after.
    pub owner_shares_after: u64,
    /// Shares of the pool after.
    pub shares_after: u64,
    /// What the pool was worth before to whoever leaves, atoms.
    pub worth_low: u64,
    /// What it was worth before to whoever joins, atoms.
    pub worth_high: u64,
    /// Lots of its position, + long, - short.
    pub inventory_lots: i64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
}
