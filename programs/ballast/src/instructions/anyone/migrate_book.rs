//! Brings a book to today's layout.

use anchor_lang::prelude::*;
use ballast_engine::book::BOOK_VERSION;
use ballast_state::{events::AccountMigrated, market::Market, version::Versioned};

use crate::{
    emit::emit,
    loaders::{book_account::MarketBook, current::any_version_mut},
};

/// Accounts of `migrate_book`.
#[event_cpi]
#[derive(Accounts)]
pub struct MigrateBook<'info> {
    /// The market, of either layout.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's book, checked against its stored key.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl MigrateBook<'_> {
    /// Brings a book further towards today's layout, looking at up to `max_nodes` nodes; changes nothing
    /// where it is of that already. Whoever brings it to the end records its impact prices in the
    /// market, where that is of today's layout. Anyone may call it, as often as it takes.
    ///
    /// # Errors
    /// `WrongBook`; `BookLayout`.
    pub fn handle(ctx: Context<Self>, max_nodes: u32) -> Result<()> {
        let event = ctx.accounts.migrate(max_nodes)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn migrate(&self, max_nodes: u32) -> Result<AccountMigrated> {
        let mut market = any_version_mut(&self.market)?;
        let book = MarketBook::load(&market, &self.book)?;
        let (version_before, version_after) = book.migrate(max_nodes)?;
        let finished = version_before != BOOK_VERSION && version_after == BOOK_VERSION;
        if finished && market.require_current().is_ok() {
            market.accrue_at_last_price(Clock::get()?.unix_timestamp)?;
            book.record_impact(&mut market)?;
            market.invariant()?;
        }
        Ok(AccountMigrated {
            account: self.book.key(),
            version_before,
            version_after,
            removed: Vec::new(),
        })
    }
}
