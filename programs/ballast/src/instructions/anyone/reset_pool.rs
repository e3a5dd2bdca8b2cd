//! Begins a new epoch of a spent pool.

use anchor_lang::prelude::*;
use ballast_state::{events::PoolReset, market::Market, pool::Pool, trader::Trader};

use crate::emit::emit;
use crate::loaders::current::Current;

/// Accounts of `reset_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct ResetPool<'info> {
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Its pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The pool's trader account.
    pub pool_trader: AccountLoader<'info, Trader>,
}

impl ResetPool<'_> {
    /// Ends the shares of a pool that has no position and is spent, so that others may begin with it
    /// anew. Anyone may call it.
    ///
    /// # Errors
    /// `PoolHasPosition`, `PoolNotSpent`; `WrongPool`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.reset()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    fn reset(&self) -> Result<PoolReset> {
        let market = self.market.current()?;
        let mut pool = self.pool.current_mut()?;
        let trader = self.pool_trader.current()?;
        pool.require_of(self.market.as_ref().key, self.pool_trader.as_ref().key)?;
        let (assets, shares) = (pool.assets(&market, &trader)?, pool.shares);
        pool.reset(&assets)?;
        pool.invariant()?;
        Ok(PoolReset {
            market: self.market.key(),
            pool: self.pool.key(),
            epoch: pool.epoch,
            shares,
            atoms: assets.free,
        })
    }
}
