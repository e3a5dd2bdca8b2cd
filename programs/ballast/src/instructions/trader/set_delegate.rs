//! Names or dismisses a delegate.

use anchor_lang::prelude::*;

use ballast_state::{events::DelegateSet, trader::Trader};

use crate::emit::emit;

/// Accounts of `set_delegate`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetDelegate<'info> {
    /// Owner of the account.
    pub owner: Signer<'info>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
}

impl SetDelegate<'_> {
    /// The delegate may trade and move margin, not withdraw. `None` dismisses it.
    ///
    /// # Errors
    /// `NotOwner`.
    pub fn handle(ctx: Context<Self>, delegate: Option<Pubkey>) -> Result<()> {
        let after = delegate.unwrap_or_default();
        let before = {
            let mut trader = ctx.accounts.trader.load_mut()?;
            trader.require_owner(ctx.accounts.owner.key)?;
            let before = core::mem::replace(&mut trader.delegate, after);
            trader.invariant()?;
            before
        };
        let trader = ctx.accounts.trader.key();
        emit(
            &ctx.accounts.event_authority,
            &DelegateSet {
                trader,
                before,
                after,
            },
        )?;
        Ok(())
    }
}
