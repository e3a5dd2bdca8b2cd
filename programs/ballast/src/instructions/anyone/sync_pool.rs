//! Moves margin between a pool's free collateral and its position.

use anchor_lang::prelude::*;
use ballast_engine::oracle::Action;
use ballast_state::{
    error::BallastError,
    events::PoolSynced,
    exchange::{Exchange, PAUSE_REMOVE_MARGIN},
    market::Market,
    pool::Pool,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    instructions::{
        position_change::{Change, PositionChanges, Remembered},
        profit::Profits,
    },
    loaders::queue_account::MarketQueues,
    oracle::{now, touch},
};

/// Accounts of `sync_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct SyncPool<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Its pool.
    pub pool: AccountLoader<'info, Pool>,
    /// The pool's trader account.
    #[account(mut)]
    pub pool_trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
}

impl SyncPool<'_> {
    /// Brings the equity of the pool's position to what the pool wants, as the engine says. Out of the
    /// position margin moves only at a price at which a trader may take some out.
    ///
    /// # Errors
    /// `NothingToSync`, `NoPosition`, `WrongPool`, `BelowInitialMargin`, `Paused`, the `Price...` errors.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let (event, profits) = accounts.sync()?;
        emit(&accounts.event_authority, &event)?;
        profits.hold(&accounts.venue(&[&accounts.pool_trader], &[]))
    }

    #[inline(never)]
    fn sync(&self) -> Result<(PoolSynced, Profits)> {
        let (key, trader_key) = (self.market.key(), self.pool_trader.key());
        let clock = Clock::get()?;
        let mut market = self.market.current_mut()?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let mut trader = self.pool_trader.current_mut()?;
        let pool = self.pool.current()?;
        pool.require_of(&key, &trader_key)?;
        let action = Action::Flag {
            flagged_slot: trader.flagged_slot(&key, clock.slot),
        };
        let exchange = self.exchange.current()?;
        let pauses = exchange.pauses(clock.slot);
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let free = trader.free();
        let slot = trader.position_mut(&key)?;
        let before = market.settled(slot)?;
        let synced = pool.synced(&market, &touched, &before, free, now(&clock))?;
        if synced.moved.is_negative() {
            exchange.require_not_paused(PAUSE_REMOVE_MARGIN, clock.slot)?;
        }
        let change = Change {
            trader: &trader_key,
            before: &before,
            after: &synced.position,
            remembered: Remembered::Before,
            stamp: None,
        };
        let mut changes = PositionChanges::open(key, &market, &queues).priced(&touched);
        let mut entered = changes.enter(free, slot.order_margin);
        changes.apply(&mut entered, slot, &change)?;
        trader.free = synced.free.get();
        changes.leave(&trader_key, &mut trader, &entered, 0)?;
        changes.settle(&market)?;
        market.invariant()?;
        let event = PoolSynced {
            market: key,
            pool: self.pool.key(),
            moved_atoms: synced.moved.get(),
            margin_after: synced.position.margin.get(),
            free_after: trader.free,
            mark_ticks: touched.price.price.get(),
        };
        Ok((event, changes.profits()))
    }
}
