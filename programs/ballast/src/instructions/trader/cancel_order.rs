//! Takes one order out of the book.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError, events::OrdersCancelled, instructions::OrderRef, market::Market,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{emit::emit, error::error, instructions::orders, loaders::book_account::MarketBook};

/// Accounts of `cancel_order`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelOrder<'info> {
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

impl CancelOrder<'_> {
    /// Takes the order out; what it reserved becomes free collateral. Needs no price and cannot be
    /// paused; funding accrues at the last price first.
    ///
    /// # Errors
    /// `NotTraderAuthority`; `OrderNotFound`, also when it has been filled or cancelled before.
    pub fn handle(ctx: Context<Self>, order: OrderRef) -> Result<()> {
        let event = ctx.accounts.cancel(order)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    #[inline(never)]
    fn cancel(&self, order: OrderRef) -> Result<OrdersCancelled> {
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let book = MarketBook::load(&market, &self.book)?;
        market.accrue_at_last_price(Clock::get()?.unix_timestamp)?;
        let slot = trader
            .any_mut(&key)
            .map_err(|_| error!(BallastError::OrderNotFound))?;
        let reserve = slot.order_margin;
        let cancelled = orders::cancel_order(&book, slot, order)?;
        orders::give_back(&mut trader, &key, reserve, cancelled.margin)?;
        book.refresh_impact(&mut market)?;
        market.invariant()?;
        Ok(OrdersCancelled {
            market: key,
            trader: self.trader.key(),
            free_after: trader.free,
            orders: vec![orders::record(&market, &cancelled)],
        })
    }
}
