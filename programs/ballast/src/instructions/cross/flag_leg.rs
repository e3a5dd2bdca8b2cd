//! Records how the account of a leg stands: below maintenance, bankrupt, or healthy again.

use anchor_lang::prelude::*;
use ballast_engine::{cross::LegTerms, oracle::Action};
use ballast_state::{
    cross::Scene,
    error::BallastError,
    events::{LegForced, PositionFlagged},
    exchange::Exchange,
    market::Market,
    pause::clocks_run,
    seeds::EXCHANGE_ADDRESS,
    trader::Trader,
};

use crate::loaders::{board_account::BoardAccount, current::Current};
use crate::{emit::emit, error::OrBallast, oracle::touch};

/// Accounts of `flag_leg`.
#[event_cpi]
#[derive(Accounts)]
pub struct FlagLeg<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the leg.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader whose leg is flagged.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    pub board: UncheckedAccount<'info>,
}

impl FlagLeg<'_> {
    /// Flags a leg of an account below maintenance (the liquidation discount starts to rise) or bankrupt (the
    /// grace period starts), and clears the flags of one that has recovered. Anyone may call it.
    ///
    /// # Errors
    /// `Healthy` when there is nothing to flag or clear; `NoPosition`; `CrossMarkStale`; `WrongBoard`; the
    /// `Price...` errors.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let (flagged, forced) = ctx.accounts.flag()?;
        emit(&ctx.accounts.event_authority, &flagged)?;
        emit(&ctx.accounts.event_authority, &forced)
    }

    #[inline(never)]
    fn flag(&self) -> Result<(PositionFlagged, LegForced)> {
        let clock = Clock::get()?;
        let board = BoardAccount::load(&self.board)?.read()?;
        let mut market = self.market.current_mut()?;
        let mut trader = self.trader.current_mut()?;
        let key = self.market.key();
        let action = Action::Flag {
            flagged_slot: trader.flagged_slot(&key, clock.slot),
        };
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let touched = touch(&mut market, &self.price, action, &clock, pauses)?;
        let terms = LegTerms::of(market.params());
        let scene = Scene {
            key,
            touched: &touched,
            terms: &terms,
            board: &board,
            slot: clock.slot,
        };
        let trouble = scene.trouble(&market, &trader, clocks_run(pauses))?;
        let look = trouble.forced.look;
        let available = market.insurance_available(clock.slot).or_ballast()?;
        let pool_after = trader.cross_pool;
        let slot = trader.leg_mut(&key)?;
        let distress = slot.distress().flagged(look, clock.slot).or_ballast()?;
        slot.store_distress(&distress);
        let flagged = PositionFlagged {
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
        let forced = trouble.event(&key, &flagged.trader, pool_after);
        Ok((flagged, forced))
    }
}
