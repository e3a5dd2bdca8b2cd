//! Begins and lifts pauses.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError, events::PauseSet, exchange::Exchange, seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{emit::emit, nonce::refuse_nonce};

/// Accounts of `set_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetPause<'info> {
    /// The guardian or the admin.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl SetPause<'_> {
    /// Begins the signer's pause of `flags` (a union of `PAUSE_*`) for `slots`, each flag at most as
    /// long as it may last, in the place of the one there is; without flags lifts it. The pause of
    /// the other authority stays as it is.
    ///
    /// # Errors
    /// `NotGuardian`, `UnknownPauseFlag`, `PauseTooLong`, `TooManyPauses`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>, flags: u32, slots: u64) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let by = ctx.accounts.authority.key();
        let event = {
            let slot = Clock::get()?.slot;
            let mut exchange = ctx.accounts.exchange.current_mut()?;
            let flags_before = exchange.pauses(slot);
            let set = exchange.set_pause(&by, flags, slots, slot)?;
            exchange.invariant()?;
            PauseSet {
                by,
                flags_before,
                flags_after: exchange.pauses(slot),
                until_slot: set.last_end(),
            }
        };
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }
}
