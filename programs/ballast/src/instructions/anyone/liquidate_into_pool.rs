//! One step of a liquidation into the book and the market's pool.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError, exchange::Exchange, market::Market, pool::Pool, seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::{
    emit::emit,
    instructions::{
        liquidation::{Liquidation, TakesOver},
        matching::Listed,
        pool_take::PoolAccounts,
    },
};

/// Accounts of `liquidate_into_pool`. The remaining accounts are the trader accounts of the makers
/// whose orders take lots, writable, in the order of the book; before them, where legs have orders among those,
/// the board and, writable, their cross queues.
#[event_cpi]
#[derive(Accounts)]
pub struct LiquidateIntoPool<'info> {
    /// Owner or delegate of the account that gets the rewards.
    pub liquidator_authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader who is liquidated.
    #[account(
        mut,
        constraint = trader.key() != liquidator.key() @ BallastError::TradersNotDistinct,
        constraint = trader.key() != pool_trader.key() @ BallastError::TradersNotDistinct,
    )]
    pub trader: AccountLoader<'info, Trader>,
    /// The trader account that gets the rewards.
    #[account(mut)]
    pub liquidator: AccountLoader<'info, Trader>,
    /// The market's pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The pool's trader account, which takes the lots over.
    #[account(mut)]
    pub pool_trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

impl<'info> LiquidateIntoPool<'info> {
    /// Liquidates one step of a position below maintenance, or the rest of an unfinished one; the trader's
    /// orders in the market are cancelled first. The orders of the listed makers take lots while their
    /// price is no worse for the trader than the liquidator's. Of the rest the pool takes what the engine
    /// says, at the liquidator's price; with negative equity at the mark, where insurance pays.
    ///
    /// # Errors
    /// `PoolCannotTake`; `WrongPool`; those of `liquidate`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let listed = Listed::of(ctx.remaining_accounts)?;
        let accounts = &ctx.accounts;
        let liquidation = Liquidation {
            authority: accounts.liquidator_authority.key,
            exchange: &accounts.exchange,
            market: &accounts.market,
            trader: &accounts.trader,
            liquidator: &accounts.liquidator,
            book: &accounts.book,
            queue_long: &accounts.queue_long,
            queue_short: &accounts.queue_short,
            price: &accounts.price,
            listed,
            takes_over: TakesOver::Pool(PoolAccounts {
                pool: &accounts.pool,
                trader: &accounts.pool_trader,
            }),
        };
        let done = liquidation.step()?;
        emit(&accounts.event_authority, &*done.event)?;
        if let Some(took) = done.took {
            emit(&accounts.event_authority, &*took)?;
        }
        let named = [
            &accounts.trader,
            &accounts.liquidator,
            &accounts.pool_trader,
        ];
        done.profits.hold(&accounts.venue(&named, listed.makers))
    }
}
