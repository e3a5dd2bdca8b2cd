//! Closes a part of a pool's position against the book.

use anchor_lang::prelude::*;
use ballast_engine::{
    oracle::Action,
    pool::{keeper_fee, Unwind},
};
use ballast_state::{
    error::BallastError,
    events::PoolUnwound,
    exchange::{Exchange, PAUSE_TRADE},
    market::{Market, Touched},
    pool::Pool,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require, OrBallast},
    instructions::{
        matching::{Listed, Matched, Matching},
        position_change::pay,
        profit::Profits,
        taker::{Taker, TakerOrder},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
    oracle::touch,
};

/// Accounts of `unwind_pool`. The remaining accounts are the makers' trader accounts, writable, in the
/// order of the book; before them, where legs have orders among those,
/// the board and, writable, their cross queues.
#[event_cpi]
#[derive(Accounts)]
pub struct UnwindPool<'info> {
    /// Whoever calls it.
    pub keeper: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Its pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The pool's trader account.
    #[account(mut)]
    pub pool_trader: AccountLoader<'info, Trader>,
    /// The trader account that receives the keeper's part; any.
    #[account(mut)]
    pub reward_trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
}

impl<'info> UnwindPool<'info> {
    /// Closes as many lots as are due against the orders of the listed makers, best first, at the price of
    /// the auction or better. The pool pays a taker's fee, and the caller's part of what it closed.
    ///
    /// # Errors
    /// `UnwindTooEarly`, `NoPosition`, `NothingFilled`, `WrongPool`, `Paused`, `TooManyMakers`, the
    /// `Price...` errors, `QueueFull`, `MakerForeign`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let listed = Listed::of(ctx.remaining_accounts)?;
        let accounts = &ctx.accounts;
        let (event, profits) = accounts.unwind(listed)?;
        if event.keeper_atoms > 0 {
            pay(&accounts.reward_trader, &event.market, event.keeper_atoms)?;
        }
        emit(&accounts.event_authority, &*event)?;
        profits.hold(&accounts.venue(&[&accounts.pool_trader], listed.makers))
    }

    #[inline(never)]
    fn unwind(&self, listed: Listed<'_, 'info>) -> Result<(Box<PoolUnwound>, Profits)> {
        let clock = Clock::get()?;
        let pauses = self
            .exchange
            .current()?
            .require_not_paused(PAUSE_TRADE, clock.slot)?;
        listed.check_makers()?;
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        let mut pool = self.pool.current_mut()?;
        let mut trader = self.pool_trader.current_mut()?;
        let trader_key = self.pool_trader.key();
        pool.require_of(&key, &trader_key)?;
        let touched = touch(&mut market, &self.price, Action::Open, &clock, pauses)?;
        let assets = pool.assets(&market, &trader)?;
        let low = pool.worth(&assets, &market, &touched, 0)?.low;
        let due = pool.next_unwind(&market, &touched, assets.position.lots, clock.slot)?;
        let mut taker = Taker::load(&mut trader, trader_key, &key, &market)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let matching = Matching::new(key, &market, &queues, listed, &touched, &clock, true);
        let mut closed = close(&market, &book, &mut taker, matching, &due, &touched)?;

        let (mark, free) = (touched.mark.price, taker.free);
        let fee = keeper_fee(&pool.params, mark, taker.filled, free).or_ballast()?;
        taker.free = taker.free.try_sub_unsigned(fee).or_ballast()?;
        closed.changes.owe(fee);
        let party = taker.store(&mut trader, &key, &mut closed.changes)?;
        let party = party.ok_or_else(|| error!(BallastError::NothingFilled))?;
        pool.unwound(clock.slot, due.lots, taker.filled, low)?;
        pool.invariant()?;
        closed.book(&mut market, &book)?;
        closed.changes.close(&mut market)?;
        market.invariant()?;
        let profits = closed.changes.profits();
        let event = Box::new(PoolUnwound {
            market: key,
            pool: self.pool.key(),
            keeper: self.keeper.key(),
            limit_ticks: due.limit.get(),
            mark_ticks: touched.price.price.get(),
            funding_index: touched.funding_index.get(),
            due_lots: due.lots,
            closed_lots: taker.filled,
            keeper_atoms: fee,
            open_interest_after: closed.changes.open_interest(),
            taker: party,
            fills: closed.fills,
            removed: closed.removed,
            kept_orders: closed.kept,
        });
        Ok((event, profits))
    }
}

/// Closes what is due against the book.
#[inline(never)]
fn close<'q, 'info>(
    market: &Market,
    book: &MarketBook,
    taker: &mut Taker,
    mut matching: Box<Matching<'_, 'q, 'info>>,
    due: &Unwind,
    touched: &Touched,
) -> Result<Matched<'q, 'info>> {
    let order = TakerOrder {
        request: due.order(),
        self_trade: Unwind::SELF_TRADE,
        margin: 0,
        client_id: 0,
    };
    book.write(|book| taker.work(book, market, touched, &mut matching, &order))?;
    require!(taker.filled > 0, BallastError::NothingFilled);
    Ok(matching.done())
}
