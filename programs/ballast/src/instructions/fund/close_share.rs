//! Closes an account for shares of a fund.

use anchor_lang::prelude::*;
use ballast_state::{error::BallastError, events::ShareClosed, share::Share};

use super::create_share::epoch_of;
use crate::loaders::current::Current;
use crate::{emit::emit, error::require};

/// Accounts of `close_share`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseShare<'info> {
    /// Whose shares it kept; receives its rent.
    #[account(mut)]
    pub owner: Signer<'info>,
    /// CHECK: the fund: the key stored in the account, its kind checked by `epoch_of`.
    pub fund: UncheckedAccount<'info>,
    /// The account.
    #[account(mut, close = owner)]
    pub share: AccountLoader<'info, Share>,
}

impl CloseShare<'_> {
    /// Closes the account, which has no shares, or only worthless ones of an earlier epoch.
    ///
    /// # Errors
    /// `NotOwner`, also for another fund; `SharesLeft`; `WrongFund`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let (fund, owner) = (accounts.fund.key(), accounts.owner.key());
        let epoch = epoch_of(&accounts.fund)?;
        {
            let share = accounts.share.current()?;
            share.require_of(&fund, &owner)?;
            require!(share.holding(epoch).shares == 0, BallastError::SharesLeft);
        }
        let share = accounts.share.key();
        emit(
            &ctx.accounts.event_authority,
            &ShareClosed { share, fund, owner },
        )
    }
}
