//! Brings a market to today's layout.

use anchor_lang::prelude::*;
use ballast_state::{events::AccountMigrated, market::Market, version::Versioned};

use crate::{
    emit::emit,
    error::OrBallast,
    loaders::{book_account::MarketBook, current::any_version_mut},
};

/// Accounts of `migrate_market`.
#[event_cpi]
#[derive(Accounts)]
pub struct MigrateMarket<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book, checked against its stored key; of either layout.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl MigrateMarket<'_> {
    /// Brings a market to today's layout, having charged funding at what it knew; changes nothing where
    /// it is of that already. The impact prices are those of the book, where that is of today's layout,
    /// else none until it is. Anyone may call it.
    ///
    /// # Errors
    /// `WrongBook`; `UnknownVersion`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.migrate()?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn migrate(&self) -> Result<AccountMigrated> {
        let mut market = any_version_mut(&self.market)?;
        let book = MarketBook::load(&market, &self.book)?;
        let version_before = u32::from(market.version);
        if market.to_migrate().or_ballast()? {
            let clock = Clock::get()?;
            market.migrate(clock.unix_timestamp, clock.slot)?;
            if book.is_current()? {
                book.record_impact(&mut market)?;
            }
            market.invariant()?;
        }
        Ok(AccountMigrated {
            account: self.market.key(),
            version_before,
            version_after: u32::from(market.version),
            removed: Vec::new(),
        })
    }
}
