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

/// Somebody asked for the worth of shares of a pool, in the place of what was asked for before.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolRequested {
    /// The pool.
    pub pool: Pubkey,
    /// Who owns the shares.
    pub owner: Pubkey,
    /// Shares that are to leave.
    pub shares: u64,
    /// Most that they will be paid, atoms.
    pub value_atoms: u64,
    /// First slot in which they are paid.
    pub due_slot: u64,
    /// First slot in which they are not any more.
    pub lapses_slot: u64,
    /// What the pool is worth to whoever leaves, atoms.
    pub worth_low: u64,
}

/// A request was withdrawn.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolRequestCancelled {
    /// The pool.
    pub pool: Pubkey,
    /// Who owns the shares.
    pub owner: Pubkey,
    /// Shares that stay.
    pub shares: u64,
}

/// Somebody took tokens out of a pool for shares.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolWithdrawn {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Who owned the shares.
    pub owner: Pubkey,
    /// Token account that got the tokens.
    pub destination: Pubkey,
    /// Tokens, atoms.
    pub amount: u64,
    /// Shares that ended.
    pub shares: u64,
    /// Shares that the owner has after.
    pub owner_shares_after: u64,
    /// Those of them that are still to leave.
    pub requested_after: u64,
    /// Shares of the pool after.
    pub shares_after: u64,
    /// What the pool was worth before to whoever leaves, atoms.
    pub worth_low: u64,
    /// What the market is short of, atoms; 0 where the pool has no position.
    pub shortfall_atoms: u64,
    /// Lots of its position, + long, - short.
    pub inventory_lots: i64,
}

/// A spent pool began a new epoch: the shares there were are worth nothing.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolReset {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// The new epoch.
    pub epoch: u32,
    /// Shares that ended.
    pub shares: u64,
    /// What was left, atoms.
    pub atoms: u64,
}

/// An authority had a pool take nothing that enlarges its position.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolStopped {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Authority that signed.
    pub by: Pubkey,
    /// Whether it was stopped before.
    pub before: bool,
}

/// A pool's parameters changed; it is stopped no more.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolChanged {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Parameters before.
    pub before: PoolParams,
    /// Parameters after.
    pub after: PoolParams,
    /// Whether it was stopped before.
    pub stopped_before: bool,
}

/// A pool took lots over that the book left of a liquidation. The event of the liquidation comes before
/// it; its liquidator got the rewards.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolTook {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Whose lots they were.
    pub trader: Pubkey,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Signed lots of the pool's fill.
    pub lots: i64,
    /// Signed quote of it, discount included.
    pub quote_atoms: i64,
    /// What the pool gained against the mark.
    pub discount_atoms: u64,
    /// What insurance paid it on top.
    pub premium_atoms: u64,
    /// What it moved into the position's margin.
    pub margin_added: u64,
    /// Signed lots of its position before.
    pub lots_before: i64,
    /// Signed lots of its position after.
    pub lots_after: i64,
    /// Its free collateral after.
    pub free_after: i64,
    /// What it was worth before to whoever leaves, atoms.
    pub worth_low: u64,
    /// Notional by which it enlarged its position in the window, this take included.
    pub window_atoms: u64,
}

/// A part of a pool's position was closed against the book.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolUnwound {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Whoever called it and signed.
    pub keeper: Pubkey,
    /// Worst price of the auction, ticks.
    pub limit_ticks: u64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Lots that were due.
    pub due_lots: u64,
    /// Lots closed.
    pub closed_lots: u64,
    /// Paid to the keeper.
    pub keeper_atoms: u64,
    /// Sum of the long lots after.
    pub open_interest_after: u64,
    /// What the fills made of the pool's trader account.
    pub taker: PartyTraded,
    /// Fills, in order.
    pub fills: Vec<OrderFilled>,
    /// Orders removed, in order.
    pub removed: Vec<OrderRemoved>,
    /// Orders that were passed over and stay.
    pub kept_orders: u32,
}

/// Margin moved between a pool's free collateral and its position.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct PoolSynced {
    /// The market.
    pub market: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Moved into the position, atoms; negative out of it.
    pub moved_atoms: i64,
    /// Margin of the position after.
    pub margin_after: i64,
    /// Free collateral after.
    pub free_after: i64,
    /// Oracle price, ticks.
    pub mark_ticks: u64,
}
