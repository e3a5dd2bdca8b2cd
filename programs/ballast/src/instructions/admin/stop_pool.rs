//! Has a pool take nothing more.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError, events::PoolStopped, exchange::Exchange, pool::Pool,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{emit::emit, nonce::refuse_nonce};

/// Accounts of `stop_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct StopPool<'info> {
    /// The guardian or the admin.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl StopPool<'_> {
    /// From now on the pool takes nothing that enlarges its position; everything else goes on. It takes
    /// again after a change of its parameters that is staged from now on.
    ///
    /// # Errors
    /// `NotGuardian`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let event = ctx.accounts.stop()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    fn stop(&self) -> Result<PoolStopped> {
        let by = self.authority.key();
        let exchange = self.exchange.current()?;
        exchange.require_guardian(&by)?;
        let mut pool = self.pool.current_mut()?;
        let before = pool.stopped != 0;
        pool.stop(Clock::get()?.slot);
        pool.invariant()?;
        Ok(PoolStopped {
            market: pool.market,
            pool: self.pool.key(),
            by,
            before,
        })
    }
}
