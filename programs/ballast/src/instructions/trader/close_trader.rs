//! Closes an empty trader account.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError, events::TraderClosed, exchange::Exchange, seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require},
};

/// Accounts of `close_trader`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseTrader<'info> {
    /// Owner of the account; receives its rent.
    #[account(mut)]
    pub owner: Signer<'info>,
    /// The exchange.
    #[account(mut, address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The trader account.
    #[account(mut, close = owner)]
    pub trader: AccountLoader<'info, Trader>,
}

impl CloseTrader<'_> {
    /// Closes the account.
    ///
    /// # Errors
    /// `NotOwner`, `TraderNotEmpty`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let owner = ctx.accounts.owner.key();
        {
            let trader = ctx.accounts.trader.current()?;
            trader.require_owner(&owner)?;
            require!(
                trader.free == 0 && trader.position_count == 0 && trader.cross_pool == 0,
                BallastError::TraderNotEmpty
            );
            let mut exchange = ctx.accounts.exchange.current_mut()?;
            exchange.trader_count = exchange
                .trader_count
                .checked_sub(1)
                .ok_or_else(|| error!(BallastError::ExchangeInvariant))?;
            exchange.invariant()?;
        }
        let trader = ctx.accounts.trader.key();
        emit(
            &ctx.accounts.event_authority,
            &TraderClosed { trader, owner },
        )?;
        Ok(())
    }
}
