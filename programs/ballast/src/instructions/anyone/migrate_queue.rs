//! Brings a queue to today's layout.

use anchor_lang::prelude::*;
use ballast_state::{error::BallastError, events::AccountMigrated};

use crate::{emit::emit, loaders::queue_account};

/// Accounts of `migrate_queue`.
#[event_cpi]
#[derive(Accounts)]
pub struct MigrateQueue<'info> {
    /// CHECK: a queue of any market: its owner and its first bytes say so.
    #[account(mut, owner = crate::ID @ BallastError::QueueNotOwned)]
    pub queue: UncheckedAccount<'info>,
}

impl MigrateQueue<'_> {
    /// Brings a queue to today's layout; changes nothing where it is of that already. Its positions and
    /// the session under way stay as they are. Anyone may call it.
    ///
    /// # Errors
    /// `QueueLayout`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let queue = &ctx.accounts.queue;
        let (version_before, version_after) = queue_account::migrate(queue)?;
        let event = AccountMigrated {
            account: queue.key(),
            version_before,
            version_after,
            removed: Vec::new(),
        };
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }
}
