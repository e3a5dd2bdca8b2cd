//! Asks for shares of the stakes behind a market's insurance to be paid out.

use anchor_lang::prelude::*;
use ballast_state::{events::UnstakeRequested, market::Market, share::Share, stakes::Stakes};

use crate::loaders::current::Current;
use crate::{emit::emit, error::OrBallast};

/// Accounts of `request_unstake`.
#[event_cpi]
#[derive(Accounts)]
pub struct RequestUnstake<'info> {
    /// Owns the shares.
    pub owner: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Its stakes.
    #[account(mut)]
    pub stakes: AccountLoader<'info, Stakes>,
    /// The owner's shares.
    #[account(mut)]
    pub share: AccountLoader<'info, Share>,
}

impl RequestUnstake<'_> {
    /// Asks for so many shares to be paid, in the place of what was asked for before. They go on bearing
    /// losses, and are paid no more than they are worth now.
    ///
    /// # Errors
    /// `WrongStakes`, `NotOwner`; `ZeroAmount`, `SharesMissing`.
    pub fn handle(ctx: Context<Self>, shares: u64) -> Result<()> {
        let event = ctx.accounts.request(shares)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    fn request(&self, shares: u64) -> Result<UnstakeRequested> {
        let market = self.market.current()?;
        let mut stakes = self.stakes.current_mut()?;
        let mut share = self.share.current_mut()?;
        stakes.require_of(self.market.as_ref().key)?;
        share.require_of(self.stakes.as_ref().key, self.owner.key)?;
        let slot = Clock::get()?.slot;
        let before = share.holding(stakes.epoch);
        let fund = stakes.fund(market.staked_atoms);
        let after = before.request(shares, &fund, slot).or_ballast()?;
        stakes.request(&before, &after)?;
        share.store(stakes.epoch, &after);
        stakes.invariant()?;
        Ok(UnstakeRequested {
            market: self.market.key(),
            owner: self.owner.key(),
            shares,
            value_atoms: after.requested_value,
            slot,
            requested_after: stakes.requested,
        })
    }
}
