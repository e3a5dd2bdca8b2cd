//! Pays out what an account has in a market that has ended.

use anchor_lang::prelude::*;
use ballast_engine::{
    held::HeldClaim,
    position::Position,
    units::LotPrice,
    wind_down::{is_solvent, worth, MarketAction},
};
use ballast_state::{
    error::BallastError, events::PositionSettled, market::Market, position_slot::PositionSlot,
    trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    instructions::{
        orders::cancel_for,
        position_change::{Change, PositionChanges, Remembered},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// Accounts of `settle_position`.
#[event_cpi]
#[derive(Accounts)]
pub struct SettlePosition<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The trader.
    #[account(mut)]
    pub trader: AccountLoader<'info, Trader>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked by `MarketQueues::load`.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's book, checked by `MarketBook::load`.
    #[account(mut)]
    pub book: UncheckedAccount<'info>,
}

impl SettlePosition<'_> {
    /// Cancels the trader's orders and pays its position at the last price, and its held profit,
    /// into free collateral; the slot is free again. Where deficits were written off, a position gets
    /// its part of what there is. What anybody gets depends on no order of calls. Anyone may call it,
    /// for anybody; it cannot be paused.
    ///
    /// # Errors
    /// `MarketTrades`; `NoPosition` without a slot of the market; for a position or held profit
    /// `MarketInsolvent` while anybody's equity is below zero, and `ClaimsNotCounted`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = ctx.accounts.settle()?;
        emit(&ctx.accounts.event_authority, &*event)
    }

    #[inline(never)]
    fn settle(&self) -> Result<Box<PositionSettled>> {
        let (key, trader_key) = (self.market.key(), self.trader.key());
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::Settle)?;
        let mut trader = self.trader.current_mut()?;
        let free = trader.free();
        let slot = trader.slot_mut(&key)?;
        let before = market.settled(slot)?;
        let mut event = event(&key, &trader_key, &market, &before);
        let claim = slot.held_claim();
        let holds = is_current(&market, slot);
        if before.is_empty() && slot.order_count == 0 && !holds {
            // A part of a ledger that has ended, of which nothing is left; queues and book may be
            // closed by now.
            slot.store_held_claim(&HeldClaim::default());
            trader.finish(&key)?;
            event.free_after = trader.free;
            return Ok(event);
        }
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let book = MarketBook::load(&market, &self.book)?;
        let price = market.final_price()?;
        if !before.is_empty() || holds {
            market.require_no_legs()?;
            require_solvent(&market, &queues, price)?;
            require!(market.claims_are_known(), BallastError::ClaimsNotCounted);
        }
        let mut changes = PositionChanges::open(key, &market, &queues);
        let mut entered = changes.enter(free, slot.order_margin);
        event.cancelled = cancel_for(&trader_key, &book, slot)?;
        if !before.is_empty() {
            let claim = worth(&before, price, market.funding.index).or_ballast()?;
            event.paid_atoms = pay_claim(&mut market, &mut changes, claim)?;
            let change = Change {
                trader: &trader_key,
                before: &before,
                after: &Position::default(),
                remembered: Remembered::Nothing,
                stamp: None,
            };
            changes.apply(&mut entered, slot, &change)?;
            changes.taken_over(&before, price)?;
            let taken = market.wind_down.taking_over(before.lots.get());
            market.wind_down = taken.or_ballast()?;
        }
        let paid = market
            .wind_down
            .pay_held(&market.held, &claim)
            .or_ballast()?;
        slot.store_held_claim(&HeldClaim::default());
        market.wind_down = paid.wind_down;
        market.held = paid.ledger;
        market.insurance = market.insurance.credit(paid.to_insurance).or_ballast()?;
        event.held_atoms = paid.atoms;
        let freed = event.cancelled.as_ref().map_or(0, |one| one.margin_atoms);
        for atoms in [freed, event.paid_atoms, paid.atoms] {
            trader.credit(atoms)?;
        }
        changes.leave(&trader_key, &mut trader, &entered, 0)?;
        changes.close(&mut market)?;
        market.invariant()?;
        event.free_after = trader.free;
        Ok(event)
    }
}

/// Whether the slot has shares of the ledger that there is.
fn is_current(market: &Market, slot: &PositionSlot) -> bool {
    slot.held_shares > 0 && slot.held_epoch == market.held.epoch
}

/// What a position that is worth `claim` is paid: all of it, or its part where something was written
/// off.
#[inline(never)]
fn pay_claim(market: &mut Market, changes: &mut PositionChanges, claim: u64) -> Result<u64> {
    let written_off = market.write_off();
    if !written_off.is_any() {
        return Ok(claim);
    }
    let before = market.uncovered().or_ballast()?;
    let paid = written_off.pay(&market.wind_down, claim).or_ballast()?;
    market.wind_down = paid.wind_down;
    market.insurance = market.insurance.credit(paid.to_insurance).or_ballast()?;
    changes.uncovered(before, market.uncovered().or_ballast()?);
    Ok(paid.atoms)
}

/// Fails unless nobody of the market lacks anything: looks at the roots.
#[inline(never)]
pub fn require_solvent(market: &Market, queues: &MarketQueues, price: LotPrice) -> Result<()> {
    let solvent = queues.read_both(|long, short| {
        is_solvent(long, short, price, market.funding.index).or_ballast()
    })?;
    require!(solvent, BallastError::MarketInsolvent);
    Ok(())
}

#[inline(never)]
fn event(market: &Pubkey, trader: &Pubkey, of: &Market, before: &Position) -> Box<PositionSettled> {
    Box::new(PositionSettled {
        market: *market,
        trader: *trader,
        lots: before.lots.get(),
        entry_quote_atoms: before.entry_quote.get(),
        margin_atoms: before.margin.get(),
        final_ticks: of.final_ticks,
        funding_index: of.funding.index.get(),
        paid_atoms: 0,
        held_atoms: 0,
        cancelled: None,
        free_after: 0,
    })
}
