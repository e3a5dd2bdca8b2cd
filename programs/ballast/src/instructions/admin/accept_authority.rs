//! Takes a role.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError,
    events::AuthorityAccepted,
    exchange::{Exchange, Role},
    seeds::EXCHANGE_ADDRESS,
};

use crate::emit::emit;

/// Accounts of `accept_authority`.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    /// The proposed successor.
    pub successor: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
}

impl AcceptAuthority<'_> {
    /// Hands `role` to the signer.
    ///
    /// # Errors
    /// `NotProposed`.
    pub fn handle(ctx: Context<Self>, role: Role) -> Result<()> {
        let holder = ctx.accounts.successor.key();
        let former = {
            let mut exchange = ctx.accounts.exchange.load_mut()?;
            let former = exchange.accept(role, holder)?;
            exchange.invariant()?;
            former
        };
        emit(
            &ctx.accounts.event_authority,
            &AuthorityAccepted {
                role,
                former,
                holder,
            },
        )?;
        Ok(())
    }
}
