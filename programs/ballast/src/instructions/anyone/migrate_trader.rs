//! Brings a trader account to today's layout.

use anchor_lang::prelude::*;
use ballast_state::{
    events::{AccountMigrated, MigratedOrder},
    position_slot::PositionSlot,
    trader::{Trader, MAX_POSITIONS, TRADER_VERSION},
    version::Versioned,
};

use crate::{
    emit::emit,
    error::OrBallast,
    loaders::{book_account::MarketBook, current::any_version_mut},
};

/// Accounts of `migrate_trader`. The remaining accounts are the books in which it has orders, writable,
/// in any order.
#[event_cpi]
#[derive(Accounts)]
pub struct MigrateTrader<'info> {
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
}

impl<'info> MigrateTrader<'info> {
    /// Brings a trader account to today's layout; changes nothing where it is of that already. What was
    /// put into a position is its margin as it stands. Reduce-only orders that today's rules do not
    /// allow leave their books, which must be of today's layout. Anyone may call it.
    ///
    /// # Errors
    /// `WrongBook` when the book of a market in which it has orders is not listed; `AccountOutdated`
    /// when that book is to be migrated first; `UnknownVersion`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let event = ctx.accounts.migrate(ctx.remaining_accounts)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn migrate(&self, books: &'info [AccountInfo<'info>]) -> Result<AccountMigrated> {
        let mut trader = any_version_mut(&self.trader)?;
        let version_before = u32::from(trader.version);
        let mut removed = Vec::new();
        if trader.to_migrate().or_ballast()? {
            for index in 0..MAX_POSITIONS {
                let slot = trader.positions.get_mut(index);
                let Some(slot) = slot.filter(|slot| !slot.is_empty()) else {
                    continue;
                };
                slot.migrate();
                adopt_orders(slot, books, &mut removed)?;
                let market = slot.market;
                trader.finish(&market)?;
            }
            trader.version = TRADER_VERSION;
            trader.invariant()?;
        }
        Ok(AccountMigrated {
            account: self.trader.key(),
            version_before,
            version_after: u32::from(trader.version),
            removed,
        })
    }
}

/// Counts the slot's reduce-only orders and brings them to what today's rules allow.
#[inline(never)]
fn adopt_orders<'info>(
    slot: &mut PositionSlot,
    books: &'info [AccountInfo<'info>],
    removed: &mut Vec<MigratedOrder>,
) -> Result<()> {
    if slot.order_count == 0 {
        return Ok(());
    }
    let (market, lots) = (slot.market, slot.position()?.lots);
    let mut own = slot.own_orders();
    MarketBook::listed(&market, books)?.write(|book| {
        book.adopt_reduce_only(&mut own, lots, |order| {
            removed.push(MigratedOrder {
                market,
                order_id: order.id(),
                lots: order.size(),
            });
        })
        .or_ballast()
    })?;
    slot.store_own_orders(&own);
    Ok(())
}
