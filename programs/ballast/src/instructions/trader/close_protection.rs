//! Closes an account of protective steps.

use anchor_lang::prelude::*;
use ballast_state::{error::BallastError, events::ProtectionClosed, protection::Protection};

use crate::loaders::current::Current;
use crate::{emit::emit, error::require_keys_eq};

/// Accounts of `close_protection`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseProtection<'info> {
    /// Owner of the trader account when it was opened; receives its rent.
    #[account(mut)]
    pub owner: Signer<'info>,
    /// The account.
    #[account(mut, close = owner)]
    pub protection: AccountLoader<'info, Protection>,
}

impl CloseProtection<'_> {
    /// Closes the account with its steps. The trader account may be closed already.
    ///
    /// # Errors
    /// `NotOwner`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let owner = accounts.owner.key();
        let event = {
            let protection = accounts.protection.current()?;
            require_keys_eq!(protection.owner, owner, BallastError::NotOwner);
            ProtectionClosed {
                protection: accounts.protection.key(),
                market: protection.market,
                trader: protection.trader,
                owner,
            }
        };
        emit(&accounts.event_authority, &event)
    }
}
