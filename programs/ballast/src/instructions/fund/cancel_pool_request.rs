//! Withdraws a request for the worth of shares of a pool.

use anchor_lang::prelude::*;
use ballast_state::{events::PoolRequestCancelled, pool::Pool, share::Share};

use crate::loaders::current::Current;
use crate::{emit::emit, error::OrBallast};

/// Accounts of `cancel_pool_request`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelPoolRequest<'info> {
    /// Owner of the shares.
    pub owner: Signer<'info>,
    /// The pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The owner's shares.
    #[account(mut)]
    pub share: AccountLoader<'info, Share>,
}

impl CancelPoolRequest<'_> {
    /// Withdraws the request, lapsed or not; the shares stay.
    ///
    /// # Errors
    /// `RequestMissing`; `NotOwner`, also for shares of another fund.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.cancel()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    fn cancel(&self) -> Result<PoolRequestCancelled> {
        let mut pool = self.pool.current_mut()?;
        let mut share = self.share.current_mut()?;
        share.require_of(self.pool.as_ref().key, self.owner.key)?;
        let epoch = pool.epoch;
        let before = share.holding(epoch);
        let after = before.cancel().or_ballast()?;
        share.store(epoch, &after);
        pool.request(&before, &after)?;
        pool.invariant()?;
        Ok(PoolRequestCancelled {
            pool: self.pool.key(),
            owner: self.owner.key(),
            shares: before.requested,
        })
    }
}
