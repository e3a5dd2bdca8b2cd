//! Makes a market reduce-only.

use anchor_lang::prelude::*;
use ballast_engine::wind_down::{MarketAction, MarketMode};
use ballast_state::{
    error::BallastError, events::ReduceOnlySet, exchange::Exchange, market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{emit::emit, nonce::refuse_nonce};

/// Accounts of `set_reduce_only`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetReduceOnly<'info> {
    /// The guardian or the admin.
    pub authority: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl SetReduceOnly<'_> {
    /// From now on the market's open interest does not rise; everything else goes on. It is opened
    /// again by a staged change, which waits.
    ///
    /// # Errors
    /// `NotGuardian`, `MarketEnded`, `DurableNonce`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let event = ctx.accounts.set()?;
        emit(&ctx.accounts.event_authority, &event)
    }

    fn set(&self) -> Result<ReduceOnlySet> {
        let by = self.authority.key();
        let exchange = self.exchange.current()?;
        exchange.require_guardian(&by)?;
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::ChangeParameters)?;
        let before = market.mode() == MarketMode::ReduceOnly;
        market.mode = MarketMode::ReduceOnly.number();
        market.invariant()?;
        Ok(ReduceOnlySet {
            market: self.market.key(),
            by,
            before,
            after: true,
        })
    }
}
