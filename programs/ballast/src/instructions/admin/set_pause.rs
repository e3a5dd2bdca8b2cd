//! Pauses and resumes actions.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError,
    events::PauseSet,
    exchange::{Exchange, PAUSE_ALL},
    seeds::EXCHANGE_ADDRESS,
};

use crate::{emit::emit, error::require, nonce::refuse_nonce};

/// Accounts of `set_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetPause<'info> {
    /// The pause authority or the admin.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl SetPause<'_> {
    /// Puts exactly `flags` (a union of `PAUSE_*`) in force.
    ///
    /// # Errors
    /// `NotPauseAuthority`, `UnknownPauseFlag`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>, flags: u32) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let by = ctx.accounts.authority.key();
        require!(flags & !PAUSE_ALL == 0, BallastError::UnknownPauseFlag);
        let flags_before = {
            let mut exchange = ctx.accounts.exchange.load_mut()?;
            require!(
                by == exchange.pause_authority || by == exchange.admin,
                BallastError::NotPauseAuthority
            );
            let before = core::mem::replace(&mut exchange.pause_flags, flags);
            exchange.invariant()?;
            before
        };
        emit(
            &ctx.accounts.event_authority,
            &PauseSet {
                by,
                flags_before,
                flags_after: flags,
            },
        )?;
        Ok(())
    }
}
