//! Withdraws a request for shares of stakes to be paid out.

use anchor_lang::prelude::*;
use ballast_state::{events::UnstakeCancelled, share::Share, stakes::Stakes};

use crate::loaders::current::Current;
use crate::{emit::emit, error::OrBallast};

/// Accounts of `cancel_unstake`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelUnstake<'info> {
    /// Owns the shares.
    pub owner: Signer<'info>,
    /// The stakes.
    #[account(mut)]
    pub stakes: AccountLoader<'info, Stakes>,
    /// The owner's shares.
    #[account(mut)]
    pub share: AccountLoader<'info, Share>,
}

impl CancelUnstake<'_> {
    /// Leaves all shares staked.
    ///
    /// # Errors
    /// `NotOwner`; `RequestMissing`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.cancel()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    fn cancel(&self) -> Result<UnstakeCancelled> {
        let mut stakes = self.stakes.current_mut()?;
        let mut share = self.share.current_mut()?;
        share.require_of(self.stakes.as_ref().key, self.owner.key)?;
        let before = share.holding(stakes.epoch);
        let after = before.cancel().or_ballast()?;
        stakes.request(&before, &after)?;
        share.store(stakes.epoch, &after);
        stakes.invariant()?;
        Ok(UnstakeCancelled {
            market: stakes.market,
            owner: self.owner.key(),
            shares: before.requested,
            requested_after: stakes.requested,
        })
    }
}
