//! One step of a liquidation into the book and the caller's account.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError, exchange::Exchange, market::Market, seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::{
    emit::emit,
    instructions::{
        liquidation::{Liquidation, TakesOver},
        matching::Listed,
    },
};

/// Accounts of `liquidate`. The remaining accounts are the trader accounts of the makers whose
/// orders take lots, writable, in the order of the book; before them, where legs have orders among those,
/// the board and, writable, their cross queues.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// Owner or delegate of the liquidator's account.
    pub liquidator_authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader who is liquidated.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// The trader account that takes the lots over.
    #[account(
        mut,
        constraint = liquidator.key() != trader.key() @ BallastError::TradersNotDistinct,
    )]
    pub liquidator: AccountLoader<'info, Trader>,
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

impl<'info> Liquidate<'info> {
    /// Liquidates one step of a position below maintenance; the trader's orders in the market are
    /// cancelled first. The engine derives the size. The orders of the listed makers take lots
    /// while their price is no worse for the trader than the liquidator's. The liquidator's account
    /// takes over up to `take_over_lots` of the rest at the mark less the discount,
    /// locking `liquidator_margin` atoms of its free collateral if that opens or enlarges its
    /// position.
    ///
    /// # Errors
    /// `Healthy`, `LadderInterval`, `InsuranceCannotPay` (then deleverage), `NothingFilled`,
    /// `LiquidationSkipsBook`, `NoPosition`, `NotTraderAuthority`, `TradersNotDistinct`,
    /// `InsufficientCollateral`, `BelowInitialMargin`, `PositionTooLarge`, `NoFreeSlot`,
    /// `QueueFull`, `TooManyMakers`, `MakerForeign`, `Paused`, the `Price...` errors.
    pub fn handle(
        ctx: Context<'info, Self>,
        liquidator_margin: u64,
        take_over_lots: u64,
    ) -> Result<()> {
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
            takes_over: TakesOver::Liquidator {
                lots: take_over_lots,
                margin: liquidator_margin,
            },
        };
        let done = liquidation.step()?;
        emit(&accounts.event_authority, &*done.event)?;
        done.profits
            .hold(&accounts.venue(&[&accounts.trader, &accounts.liquidator], listed.makers))
    }
}
