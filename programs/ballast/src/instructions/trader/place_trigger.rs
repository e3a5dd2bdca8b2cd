//! Sets a stop-loss or take-profit of a position.

use anchor_lang::prelude::*;

use ballast_state::{
    error::BallastError, events::TriggerPlaced, instructions::PlaceTriggerArgs, market::Market,
    trader::Trader, trigger::Trigger,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require},
};

/// Accounts of `place_trigger`.
#[event_cpi]
#[derive(Accounts)]
pub struct PlaceTrigger<'info> {
    /// Owner or delegate of the trader account.
    pub authority: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The trader account.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
}

impl PlaceTrigger<'_> {
    /// Sets the trigger, in place of the one of its kind. It reserves nothing; the position takes
    /// both of its triggers along when it closes or changes side. A leg has triggers as an isolated position has.
    ///
    /// # Errors
    /// `NotTraderAuthority`, `NoPosition`, `PriceOutOfRange` for either price, `ZeroLots`,
    /// `TriggerNeverFills`.
    pub fn handle(ctx: Context<Self>, args: PlaceTriggerArgs) -> Result<()> {
        let event = ctx.accounts.place(&args)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    fn place(&self, args: &PlaceTriggerArgs) -> Result<TriggerPlaced> {
        let key = self.market.key();
        let market = self.market.current()?;
        let mut trader = self.trader.current_mut()?;
        trader.require_authority(self.authority.key)?;
        let slot = trader.any_mut(&key)?;
        require!(slot.lots != 0, BallastError::NoPosition);
        market.lot_price(args.price_ticks)?;
        if args.worst_ticks != 0 {
            market.lot_price(args.worst_ticks)?;
        }
        require!(args.lots > 0, BallastError::ZeroLots);
        let lots = u32::try_from(args.lots.min(slot.lots.unsigned_abs()))
            .map_err(|_| error!(BallastError::SizeOutOfRange))?;
        let trigger = Trigger {
            price_ticks: args.price_ticks,
            worst_ticks: args.worst_ticks,
            lots,
            placed_lots: lots,
        };
        let side = slot.position()?.lots.side();
        let side = side.ok_or_else(|| error!(BallastError::NoPosition))?;
        require!(
            trigger.can_fill(args.kind, side),
            BallastError::TriggerNeverFills
        );
        *slot.trigger_mut(args.kind) = trigger;
        trader.invariant_of(&key)?;
        Ok(TriggerPlaced {
            market: key,
            trader: self.trader.key(),
            kind: args.kind,
            price_ticks: args.price_ticks,
            worst_ticks: args.worst_ticks,
            lots,
        })
    }
}
