//! Clears a stop-loss or take-profit of a position.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError, events::TriggerCancelled, market::Market, trader::Trader,
    trigger::TriggerKind,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require},
};

/// Accounts of `cancel_trigger`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelTrigger<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
}

impl CancelTrigger<'_> {
    /// Clears the trigger of `kind`.
    ///
    /// # Errors
    /// `NotTraderAuthority`; `NoTrigger`, also without a position.
    pub fn handle(ctx: Context<Self>, kind: TriggerKind) -> Result<()> {
        let event = ctx.accounts.cancel(kind)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn cancel(&self, kind: TriggerKind) -> Result<TriggerCancelled> {
        let key = self.market.key();
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let slot = trader.any_mut(&key);
        let trigger = slot
            .map_err(|_| error!(BallastError::NoTrigger))?
            .trigger_mut(kind);
        require!(!trigger.is_unset(), BallastError::NoTrigger);
        let cancelled = core::mem::take(trigger);
        trader.invariant_of(&key)?;
        Ok(TriggerCancelled {
            market: key,
            trader: self.trader.key(),
            kind,
            price_ticks: cancelled.price_ticks,
            lots: cancelled.lots,
        })
    }
}
