//! Names or dismisses a delegate.

use anchor_lang::prelude::*;

use ballast_state::{
    events::DelegateSet,
    trader::{Trader, DELEGATE_BLOCK_TRADES},
};

use crate::emit::emit;
use crate::loaders::current::Current;

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
    /// The delegate may trade with the book and move margin, and sign block trades only with
    /// `block_trades`; not withdraw. `None` dismisses it.
    ///
    /// # Errors
    /// `NotOwner`.
    pub fn handle(ctx: Context<Self>, delegate: Option<Pubkey>, block_trades: bool) -> Result<()> {
        let after = delegate.unwrap_or_default();
        let (before, flags) = {
            let mut trader = ctx.accounts.trader.current_mut()?;
            trader.require_owner(ctx.accounts.owner.key)?;
            let before = core::mem::replace(&mut trader.delegate, after);
            trader.delegate_flags = match block_trades && after != Pubkey::default() {
                true => DELEGATE_BLOCK_TRADES,
                false => 0,
            };
            trader.invariant()?;
            (before, trader.delegate_flags)
        };
        let trader = ctx.accounts.trader.key();
        emit(
            &ctx.accounts.event_authority,
            &DelegateSet {
                trader,
                before,
                after,
                block_trades: flags & DELEGATE_BLOCK_TRADES != 0,
            },
        )?;
        Ok(())
    }
}
