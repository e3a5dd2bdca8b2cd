//! Brings the exchange to today's layout.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError, events::AccountMigrated, exchange::Exchange, seeds::EXCHANGE_ADDRESS,
    version::Versioned,
};

use crate::{emit::emit, error::OrBallast, loaders::current::any_version_mut};

/// Accounts of `migrate_exchange`.
#[event_cpi]
#[derive(Accounts)]
pub struct MigrateExchange<'info> {
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
}

impl MigrateExchange<'_> {
    /// Brings the exchange to today's layout; changes nothing where it is of that already. Anyone may
    /// call it.
    ///
    /// # Errors
    /// `UnknownVersion`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = {
            let mut exchange = any_version_mut(&ctx.accounts.exchange)?;
            let version_before = u32::from(exchange.version);
            if exchange.to_migrate().or_ballast()? {
                exchange.migrate();
                exchange.invariant()?;
            }
            AccountMigrated {
                account: EXCHANGE_ADDRESS,
                version_before,
                version_after: u32::from(exchange.version),
                removed: Vec::new(),
            }
        };
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }
}
