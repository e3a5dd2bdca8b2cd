//! Moves a position's margin to free collateral.

use anchor_lang::prelude::*;
use ballast_engine::{oracle::Action, trade};
use ballast_state::{
    error::BallastError,
    events::MarginRemoved,
    exchange::{Exchange, PAUSE_REMOVE_MARGIN},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::OrBallast,
    instructions::{
        position_change::{Change, PositionChanges, Remembered},
        profit::Profits,
    },
    loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// Accounts of `remove_margin`.
#[event_cpi]
#[derive(Accounts)]
pub struct RemoveMargin<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
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
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
}

impl RemoveMargin<'_> {
    /// Moves `amount` atoms; what stays must be initial margin at the worsened price.
    ///
    /// # Errors
    /// `Paused`, `NotTraderAuthority`, `NoPosition`, `ZeroAmount`,
    /// `MarginBelowZero`, `BelowInitialMargin`, the `Price...` errors.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let (event, profits) = ctx.accounts.remove(amount)?;
        emit(&ctx.accounts.event_authority, &event)?;
        profits.hold(&ctx.accounts.venue(&[&ctx.accounts.trader], &[]))
    }

    #[inline(never)]
    fn remove(&self, amount: u64) -> Result<(MarginRemoved, Profits)> {
        let (market_key, trader_key) = (self.market.key(), self.trader.key());
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_REMOVE_MARGIN, clock.slot)?;
        let mut market = self.market.current_mut()?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let touched = touch(
            &mut market,
            &self.price,
            Action::RemoveMargin,
            &clock,
            pauses,
        )?;
        let free = trader.free();
        let slot = trader.position_mut(&market_key)?;
        let before = market.settled(slot)?;
        let (after, free_after) =
            trade::remove_margin(market.params(), &touched.mark, &before, free, amount)
                .or_ballast()?;
        let change = Change {
            trader: &trader_key,
            before: &before,
            after: &after,
            remembered: Remembered::Nothing,
            stamp: None,
        };
        let mut changes = PositionChanges::open(market_key, &market, &queues).priced(&touched);
        let mut entered = changes.enter(free, slot.order_margin);
        changes.apply(&mut entered, slot, &change)?;
        trader.free = free_after.get();
        changes.leave(&trader_key, &mut trader, &entered, 0)?;
        changes.settle(&market)?;
        market.invariant()?;
        let event = MarginRemoved {
            trader: trader_key,
            market: market_key,
            amount,
            margin_after: after.margin.get(),
            free_after: trader.free,
            mark_ticks: touched.price.price.get(),
        };
        Ok((event, changes.profits()))
    }
}
