//! Records how a position stands: below maintenance, bankrupt, or healthy again.

use anchor_lang::prelude::*;
use ballast_engine::{liquidation::look, oracle::Action};
use ballast_state::{
    error::BallastError, events::PositionFlagged, exchange::Exchange, market::Market,
    pause::clocks_run, seeds::EXCHANGE_ADDRESS, trader::Trader,
};

use crate::loaders::current::Current;
use crate::{emit::emit, error::OrBallast, oracle::touch};

/// Accounts of `flag_bankruptcy`.
#[event_cpi]
#[derive(Accounts)]
pub struct FlagBankruptcy<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the position.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose position is flagged.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
}

impl FlagBankruptcy<'_> {
    /// Flags a position below maintenance (the liquidation discount starts to rise) or bankrupt (the
    /// grace period starts), and clears the flags of one that has recovered. Anyone may call it.
    ///
    /// # Errors
    /// `Healthy` when there is nothing to flag or clear; `NoPosition`; the `Price...` errors.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.flag()?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn flag(&self) -> Result<PositionFlagged> {
        let clock = Clock::get()?;
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        let key = self.market.key();
        let action = Action::Flag {
            flagged_slot: trader.flagged_slot(&key, clock.slot),
        };
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let slot = trader.position_mut(&key)?;
        let position = market.settled(slot)?;
        let counts = clocks_run(pauses);
        let look = look(&position, touched.mark.price, market.params(), counts).or_ballast()?;
        let available = market.insurance_available(clock.slot).or_ballast()?;
        let distress = slot.distress().flagged(look, clock.slot).or_ballast()?;
        slot.store_distress(&distress);
        let event = PositionFlagged {
            market: key,
            trader: self.trader.key(),
            mark_ticks: touched.price.price.get(),
            flagged_slot: slot.flagged_slot,
            bankrupt_slot: slot.bankrupt_slot,
            deficit_atoms: slot.flagged_deficit,
            insurance_available_atoms: available,
            uncovered: look.health.is_uncovered(available),
        };
        market.invariant()?;
        trader.invariant()?;
        Ok(event)
    }
}
