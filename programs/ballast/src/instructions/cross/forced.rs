//! A leg in trouble: what the engine is handed for it, and what is written of it.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{Forced, LegTerms, Values},
    health::Health,
    position::Position,
    units::{Atoms, Bps, Side},
};
use ballast_state::{
    cross::{CrossBoard, Legs, Present},
    error::BallastError,
    events::LegForced,
    market::{Market, Touched},
    trader::Trader,
};

use crate::{
    error::{error, require, OrBallast},
    loaders::cross_queues::CrossQueues,
};

/// A leg that is flagged, liquidated, deleveraged or parted with.
pub struct Trouble {
    /// Index of its slot.
    pub index: usize,
    /// Place among the account's legs.
    pub place: usize,
    /// The leg with its share, and how its account stands.
    pub forced: Forced,
    /// What each leg adds.
    pub values: Values,
}

/// The market at hand, as an instruction about a leg finds it.
pub struct Scene<'a> {
    /// The market's key.
    pub key: Pubkey,
    /// As touched.
    pub touched: &'a Touched,
    /// Its margins.
    pub terms: &'a LegTerms,
    /// The board.
    pub board: &'a CrossBoard,
    /// The present slot.
    pub slot: u64,
}

impl Trouble {
    /// What is announced of it.
    pub fn event(&self, market: &Pubkey, trader: &Pubkey, pool_after: i64) -> LegForced {
        LegForced {
            market: *market,
            trader: *trader,
            equity_atoms: self.forced.equity.get(),
            requirement_atoms: self.forced.requirement,
            pool_after,
        }
    }
}

impl Scene<'_> {
    /// The legs of an account, that of the market at hand at the price just read. The marks of the others are
    /// young, or frozen.
    ///
    /// # Errors
    /// `CrossMarkStale`; those of [`Legs::at`].
    pub fn legs(&self, trader: &Trader) -> Result<Legs<'_>> {
        let present = Present::new(self.key, self.touched, self.terms);
        let legs = Legs::at(trader, self.board, &present)?;
        let own = trader.find_leg(&self.key);
        let own = own.and_then(|index| legs.place_of(index).ok());
        legs.check_forcing(self.board, own, self.slot)?;
        Ok(legs)
    }

    /// How the account of a leg in the market stands; `counts` unless liquidation is paused.
    ///
    /// # Errors
    /// `NoPosition`, `CrossMarkStale`.
    #[inline(never)]
    pub fn trouble(&self, market: &Market, trader: &Trader, counts: bool) -> Result<Box<Trouble>> {
        let index = trader.find_leg(&self.key);
        let index = index.ok_or_else(|| error!(BallastError::NoPosition))?;
        let legs = self.legs(trader)?;
        let place = legs.place_of(index)?;
        let account = legs.account();
        let values = account.values().or_ballast()?;
        let buffer = Bps::new(market.params().liquidation_buffer_bps);
        let forced = account
            .forced(&values, place, buffer, counts)
            .or_ballast()?;
        Ok(Box::new(Trouble {
            index,
            place,
            forced,
            values,
        }))
    }

    /// Fails unless the leg may be liquidated now: the one with the largest maintenance margin among those whose
    /// marks are not frozen, or one that has been flagged for longer than the discount's ramp.
    ///
    /// # Errors
    /// `Healthy`, `CrossLegOrder`.
    #[inline(never)]
    pub fn check_order(&self, market: &Market, trader: &Trader, trouble: &Trouble) -> Result<()> {
        require!(
            trouble.forced.look.health != Health::Healthy,
            BallastError::Healthy
        );
        let legs = self.legs(trader)?;
        let flagged = trader.leg(&self.key)?.distress().flagged_for(self.slot);
        let ramp = market.params().discount_ramp_slots;
        let ramp_over = flagged.is_some_and(|slots| slots > ramp);
        let may = |place| legs.may_liquidate(self.board, trouble.place, place);
        let order = trouble
            .values
            .check_leg_order(trouble.place, may, ramp_over);
        order.or_ballast()
    }

    /// The pool once the leg was handed out as `given` and came back as `after` with `payout` beside it, atoms.
    ///
    /// # Errors
    /// `NoPosition`, `Overflow`.
    pub fn pool_after(
        &self,
        trader: &Trader,
        place: usize,
        given: &Position,
        after: &Position,
        payout: Atoms,
    ) -> Result<i64> {
        let legs = self.legs(trader)?;
        let pool = legs.account().pool_after(place, given, after, payout);
        Ok(pool.or_ballast()?.get())
    }
}

/// Notes what insurance and held profit have paid for legs, atoms: in the cross queue of the longs.
///
/// # Errors
/// `CrossQueueMissing`, `Overflow`.
pub fn paid_for_legs(
    queues: &CrossQueues,
    key: &Pubkey,
    market: &Market,
    atoms: u64,
    slot: u64,
) -> Result<()> {
    if atoms == 0 {
        return Ok(());
    }
    queues.write(key, Side::Long, |queue| {
        let draws = queue.as_ref().header().draws;
        queue.set_draws(draws.with(market.params(), slot, atoms)?);
        Ok(())
    })
}
