//! Takes all orders of a trader in a market out of the book.

use anchor_lang::prelude::*;

use ballast_state::{
    book_account::OrderSide, events::OrdersCancelled, market::Market, trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    instructions::orders::{cancel_own_orders, give_back, record},
    loaders::book_account::MarketBook,
};

/// Accounts of `cancel_all_orders`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelAllOrders<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl CancelAllOrders<'_> {
    /// Takes the orders of `side`, or of both sides, out; what they reserved becomes free
    /// collateral. Goes through where there are none. Needs no price and cannot be paused; funding
    /// accrues at the last price first.
    ///
    /// # Errors
    /// `NotTraderAuthority`.
    pub fn handle(ctx: Context<Self>, side: Option<OrderSide>) -> Result<()> {
        let event = ctx.accounts.cancel(side)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    #[inline(never)]
    fn cancel(&self, side: Option<OrderSide>) -> Result<OrdersCancelled> {
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let book = MarketBook::load(&market, &self.book)?;
        market.accrue_at_last_price(Clock::get()?.unix_timestamp)?;
        let mut cancelled = Vec::new();
        if let Ok(slot) = trader.any_mut(&key) {
            let each = |order: &_| cancelled.push(record(&market, order));
            let reserve = slot.order_margin;
            let freed = cancel_own_orders(&book, slot, side.map(Into::into), each)?;
            give_back(&mut trader, &key, reserve, freed)?;
        }
        book.refresh_impact(&mut market)?;
        market.invariant()?;
        Ok(OrdersCancelled {
            market: key,
            trader: self.trader.key(),
            free_after: trader.free,
            orders: cancelled,
        })
    }
}
