//! Lets changes wait for longer.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError,
    events::DelaysChanged,
    exchange::{Delays, Exchange},
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{emit::emit, nonce::refuse_nonce};

/// Accounts of `raise_delays`.
#[event_cpi]
#[derive(Accounts)]
pub struct RaiseDelays<'info> {
    /// The admin.
    pub admin: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl RaiseDelays<'_> {
    /// Puts longer delays in force at once; they hold for what is staged already as well. Shorter
    /// ones are staged.
    ///
    /// # Errors
    /// `NotAdmin`, `DelayNotRaised`, `DelayOutOfRange`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>, delays: Delays) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let before = {
            let mut exchange = ctx.accounts.exchange.current_mut()?;
            exchange.require_admin(ctx.accounts.admin.key)?;
            let before = exchange.raise_delays(delays)?;
            exchange.invariant()?;
            before
        };
        emit(
            &ctx.accounts.event_authority,
            &DelaysChanged {
                before,
                after: delays,
            },
        )?;
        Ok(())
    }
}
