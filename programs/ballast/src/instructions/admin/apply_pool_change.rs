//! Applies a staged change of a pool.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::PoolChanged,
    exchange::Exchange,
    market::Market,
    pool::Pool,
    seeds::EXCHANGE_ADDRESS,
    staged::{Change, Staged},
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{err, require_keys_eq},
};

/// Accounts of `apply_pool_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyPoolChange<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Its pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The staged change.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
}

impl ApplyPoolChange<'_> {
    /// Puts the staged parameters of this `id` in force, which are within the bounds of the market's
    /// parameters of today; a pool that was stopped goes on. Anyone may call it once they are due.
    ///
    /// # Errors
    /// Those of `Staged::due`; `StagedStale` also for what was staged before the pool was stopped;
    /// `StagedMismatch` for another change; `WrongPool`.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let event = ctx.accounts.apply(&id)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn apply(&self, id: &[u8; 32]) -> Result<PoolChanged> {
        let key = self.market.key();
        let (exchange, market) = (self.exchange.current()?, self.market.current()?);
        let mut pool = self.pool.current_mut()?;
        require_keys_eq!(pool.market, key, BallastError::WrongPool);
        let staged = self.staged.current()?;
        let of = Some((&key, &*market));
        let slot = Clock::get()?.slot;
        let Change::Pool(params) = staged.due(id, &exchange, of, slot)? else {
            return err!(BallastError::StagedMismatch);
        };
        let (before, stopped_before) = (pool.params, pool.stopped != 0);
        pool.change(&params, staged.staged_slot, slot)?;
        pool.invariant()?;
        Ok(PoolChanged {
            market: key,
            pool: self.pool.key(),
            before,
            after: params,
            stopped_before,
        })
    }
}
