//! Accrues a market's funding.

use anchor_lang::prelude::*;
use ballast_engine::oracle::Action;
use ballast_state::{
    error::BallastError, events::FundingAccrued, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{emit::emit, oracle::touch};

/// Accounts of `accrue_funding`.
#[event_cpi]
#[derive(Accounts)]
pub struct AccrueFunding<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's price account, checked by the oracle adapter.
    pub price: UncheckedAccount<'info>,
}

impl AccrueFunding<'_> {
    /// Records the price and accrues funding up to now.
    ///
    /// # Errors
    /// The `Price...` errors.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = {
            let accounts = &ctx.accounts;
            let mut market = accounts.market.current_mut()?;
            let index_before = market.funding.index.get();
            let clock = Clock::get()?;
            let touched = touch(
                &mut market,
                &accounts.price,
                Action::Funding,
                &clock,
                accounts.exchange.current()?.pauses(clock.slot),
            )?;
            let rates = market.funding_rates(touched.mark.price)?;
            market.invariant()?;
            FundingAccrued {
                market: accounts.market.key(),
                index_before,
                index_after: touched.funding_index.get(),
                mark_ticks: touched.price.price.get(),
                accrued_until: market.funding.last_timestamp,
                rate_ppm: rates.current_ppm,
                sample_ppm: rates.sample_ppm,
            }
        };
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }
}
