//! Replaces a market's risk parameters.

use anchor_lang::prelude::*;

use ballast_engine::risk::RiskParams;
use ballast_state::{
    error::BallastError, events::MarketRiskUpdated, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::{
    emit::emit,
    error::{require_keys_eq, OrBallast},
    loaders::book_account::MarketBook,
};

/// Accounts of `update_market_risk`.
#[event_cpi]
#[derive(Accounts)]
pub struct UpdateMarketRisk<'info> {
    /// The risk authority.
    pub risk_authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's order book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl UpdateMarketRisk<'_> {
    /// Funding up to now accrues under the old parameters at the last price; then `risk` is in
    /// force, and the book is averaged to its impact notional.
    ///
    /// # Errors
    /// `NotRiskAuthority`, the `Risk...` errors, the `Book...` errors, `WrongBook`.
    pub fn handle(ctx: Context<Self>, risk: RiskParams) -> Result<()> {
        let before = ctx.accounts.replace(&risk)?;
        let market = ctx.accounts.market.key();
        emit(
            &ctx.accounts.event_authority,
            &MarketRiskUpdated {
                market,
                before,
                after: risk,
            },
        )?;
        Ok(())
    }

    #[inline(never)]
    fn replace(&self, risk: &RiskParams) -> Result<RiskParams> {
        require_keys_eq!(
            self.exchange.load()?.risk_authority,
            self.risk_authority.key(),
            BallastError::NotRiskAuthority
        );
        risk.validate().or_ballast()?;
        let mut market = self.market.load_mut()?;
        market.accrue_at_last_price(Clock::get()?.unix_timestamp)?;
        let before = core::mem::replace(&mut market.risk, *risk);
        MarketBook::load(&market, &self.book)?.record_impact(&mut market)?;
        market.invariant()?;
        Ok(before)
    }
}
