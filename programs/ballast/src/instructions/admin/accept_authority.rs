//! Takes a role.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError,
    events::AuthorityAccepted,
    exchange::{Exchange, Role},
    seeds::EXCHANGE_ADDRESS,
    staged::{Change, Staged},
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{err, require},
    nonce::refuse_nonce,
};

/// Accounts of `accept_authority`.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    /// The staged successor.
    pub successor: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The staged hand-over.
    #[account(mut, close = staged_payer)]
    pub staged: AccountLoader<'info, Staged>,
    /// CHECK: gets the rent back; the key stored in the staged change.
    #[account(mut, address = staged.current()?.payer @ BallastError::StagedMismatch)]
    pub staged_payer: UncheckedAccount<'info>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl AcceptAuthority<'_> {
    /// Hands the role of the staged hand-over of this `id` to the signer, once it is due.
    ///
    /// # Errors
    /// Those of `Staged::due`; `StagedMismatch` for another change; `NotProposed`; `DurableNonce`.
    pub fn handle(ctx: Context<Self>, id: [u8; 32]) -> Result<()> {
        let accounts = &ctx.accounts;
        refuse_nonce(&accounts.instructions)?;
        let role = accounts.role(&id)?;
        let holder = accounts.successor.key();
        let former = {
            let mut exchange = accounts.exchange.current_mut()?;
            let former = exchange.hand_over(role, holder);
            exchange.invariant()?;
            former
        };
        emit(
            &accounts.event_authority,
            &AuthorityAccepted {
                role,
                former,
                holder,
            },
        )
    }

    #[inline(never)]
    fn role(&self, id: &[u8; 32]) -> Result<Role> {
        let slot = Clock::get()?.slot;
        let exchange = self.exchange.current()?;
        match self.staged.current()?.due(id, &exchange, None, slot)? {
            Change::Authority { role, successor } => {
                require!(successor == *self.successor.key, BallastError::NotProposed);
                Ok(role)
            }
            _ => err!(BallastError::StagedMismatch),
        }
    }
}
