//! Names a successor for a role.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError,
    events::AuthorityProposed,
    exchange::{Exchange, Role},
    seeds::EXCHANGE_ADDRESS,
};

use crate::emit::emit;

/// Accounts of `propose_authority`.
#[event_cpi]
#[derive(Accounts)]
pub struct ProposeAuthority<'info> {
    /// The admin.
    pub admin: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
}

impl ProposeAuthority<'_> {
    /// `successor` may then take `role` by `accept_authority`; the default key withdraws a
    /// proposal.
    ///
    /// # Errors
    /// `NotAdmin`.
    pub fn handle(ctx: Context<Self>, role: Role, successor: Pubkey) -> Result<()> {
        let holder = {
            let mut exchange = ctx.accounts.exchange.load_mut()?;
            exchange.require_admin(ctx.accounts.admin.key)?;
            exchange.propose(role, successor);
            exchange.invariant()?;
            exchange.authority(role)
        };
        emit(
            &ctx.accounts.event_authority,
            &AuthorityProposed {
                role,
                holder,
                successor,
            },
        )?;
        Ok(())
    }
}
