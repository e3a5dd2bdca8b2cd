//! Moves free collateral to a position's margin.

use anchor_lang::prelude::*;
use ballast_engine::{
    trade,
    wind_down::{worth, MarketAction},
};
use ballast_state::{
    error::BallastError, events::MarginAdded, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS, trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    instructions::position_change::{Change, PositionChanges, Remembered},
    loaders::queue_account::MarketQueues,
};

/// Accounts of `add_margin`.
#[event_cpi]
#[derive(Accounts)]
pub struct AddMargin<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
}

impl AddMargin<'_> {
    /// Moves `amount` atoms. Needs no price, cannot be paused, and leaves funding owed as it is.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `NoPosition`, `ZeroAmount`, `InsufficientCollateral`,
    /// `BankruptcyPriceOutOfRange`; `MarketEnded`; once the market has ended `MarketInsolvent` where it
    /// leaves the position bankrupt, and `MarginAfterWriteOff`.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let event = ctx.accounts.add(amount)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    #[inline(never)]
    fn add(&self, amount: u64) -> Result<MarginAdded> {
        let (market_key, trader_key) = (self.market.key(), self.trader.key());
        let market = self.market.current()?;
        market.require(MarketAction::AddMargin)?;
        require!(
            !market.write_off().is_any(),
            BallastError::MarginAfterWriteOff
        );
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let before = trader.position_mut(&market_key)?.position()?;
        let free = trader.free();
        let (after, free_after) = trade::add_margin(&before, free, amount).or_ballast()?;
        if market.mode().has_ended() {
            // A bankrupt position changes only if that ends its bankruptcy, or an atom at a time would
            // delay everybody.
            let price = market.final_price()?;
            worth(&after, price, market.funding.index).or_ballast()?;
        }
        trader.free = free_after.get();
        let slot = trader.slot_mut(&market_key)?;
        let change = Change {
            trader: &trader_key,
            before: &before,
            after: &after,
            remembered: Remembered::Before,
            stamp: None,
        };
        let mut changes = PositionChanges::open(market_key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        changes.apply(&mut entered, slot, &change)?;
        changes.leave(&trader_key, &mut trader, &entered, 0)?;
        changes.settle(&market)?;
        Ok(MarginAdded {
            trader: trader_key,
            market: market_key,
            amount,
            margin_after: after.margin.get(),
            free_after: trader.free,
        })
    }
}
