//! Takes a staged change back.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError, events::ChangeCancelled, exchange::Exchange, seeds::EXCHANGE_ADDRESS,
    staged::Staged,
};

use crate::loaders::current::Current;
use crate::{emit::emit, error::require};

/// Accounts of `cancel_staged`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelStaged<'info> {
    /// The guardian, the admin or the proposer; anybody once the change is void.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The staged change.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
}

impl CancelStaged<'_> {
    /// Takes back the staged change of this `id`. The one instruction of authorities that a
    /// transaction with a durable nonce may carry: nobody knows the id before the change is staged.
    ///
    /// # Errors
    /// `StagedMismatch`, `MayNotCancel`.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let accounts = &ctx.accounts;
        let event = {
            let staged = accounts.staged.current()?;
            require!(staged.id == id, BallastError::StagedMismatch);
            let exchange = accounts.exchange.current()?;
            let slot = Clock::get()?.slot;
            staged.require_cancellable(&exchange, accounts.authority.key, slot)?;
            ChangeCancelled {
                staged: accounts.staged.key(),
                id,
                target: staged.target,
                kind: staged.kind,
                by: accounts.authority.key(),
            }
        };
        emit(&accounts.event_authority, &event)?;
        Ok(())
    }
}
