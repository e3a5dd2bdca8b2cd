//! What keepers do for the pool once for each price: its margin goes where it belongs, and what is due of
//! its position is closed against the book.

use ballast_engine::descent::{Makers, Met};
use ballast_engine::fees::{split, taker_fee};
use ballast_engine::liquidation::{health, Health};
use ballast_engine::pool::{keeper_fee, Unwind};
use ballast_engine::units::{Atoms, LotPrice, Lots, Side};
use ballast_state::error::{BallastError, Result};

use super::book::BookAt;
use super::world::{signed, World};

impl World<'_> {
    /// Brings the pool's margin to where it belongs, and unwinds its position while it is well.
    pub(super) fn tend_pool(&mut self) -> Result<()> {
        let (Some(pool), Some(at)) = (&self.pool, self.snapshot.pool) else {
            return Ok(());
        };
        let place = u32::try_from(at.account).map_err(|_| BallastError::Overflow)?;
        let position = self.position(place)?;
        if position.is_empty() {
            return Ok(());
        }
        let free = Atoms::new(self.accounts[at.account].free);
        let synced = pool.synced(&self.market, &self.touched, &position, free, self.now);
        if let Ok(synced) = synced {
            self.wake(place)?;
            let distress = self.accounts[at.account].slot.distress();
            self.change(place, &synced.position, &distress, None)?;
            self.account_mut(place).free = synced.free.get();
            self.leave(place, synced.free.get() - free.get(), None)?;
            self.note_level(place)?;
        }
        let mark = self.touched.mark.price;
        let state = health(&self.position(place)?, mark, &self.market.risk)?;
        if state == Health::Healthy {
            self.unwind(place)?;
        }
        Ok(())
    }

    /// Closes what is due of the pool's position as far as the book takes it.
    fn unwind(&mut self, place: u32) -> Result<()> {
        let (Some(pool), Some(mut book), Some(assets)) =
            (self.pool, self.book.clone(), self.pool_assets()?)
        else {
            return Ok(());
        };
        let position = assets.position;
        let due = pool.next_unwind(&self.market, &self.touched, position.lots, self.now.slot);
        let Ok(due) = due else {
            return Ok(());
        };
        let limit = due.limit.lot_price(self.market.oracle.atoms_per_lot_tick)?;
        let before = book.bought;
        let (closed, notional) = fill(&mut book, &due, limit)?;
        if closed == 0 {
            return Ok(());
        }
        let low = pool.worth(&assets, &self.market, &self.touched, 0)?.low;
        self.count_makers(book.bought - before, before)?;
        self.book = Some(book);
        let quote = Atoms::from_unsigned(notional)?;
        let quote = match due.side {
            Side::Long => quote,
            Side::Short => Atoms::ZERO.try_sub(quote)?,
        };
        let filled = position.fill(Lots::on_side(due.side, closed)?, quote)?;
        self.wake(place)?;
        let distress = self.accounts[super::world::index(place)].slot.distress();
        self.change(place, &filled.position, &distress, None)?;
        let free = Atoms::from_unsigned(assets.free)?.try_add(filled.payout()?)?;
        // What only gets smaller pays the fee as far as it can.
        let fee = taker_fee(&self.market.risk, notional)?.min(free.positive_part());
        let booked = split(&self.market.risk, Atoms::from_unsigned(fee)?)?;
        self.market.book_fees(booked.market, booked.insurance)?;
        let free = free.try_sub_unsigned(fee)?;
        let mark = self.touched.mark.price;
        let reward = keeper_fee(&pool.params, mark, closed, free)?;
        self.account_mut(place).free = free.try_sub_unsigned(reward)?.get();
        self.pay_first(signed(reward)?)?;
        let gained = self.accounts[super::world::index(place)].free - signed(assets.free)?;
        let profit = self.leave(place, gained, None)?;
        if let Some(pool) = &mut self.pool {
            pool.unwound(self.now.slot, due.lots, closed, low)?;
        }
        if profit > 0 {
            self.hold(&[(place, profit)])?;
        }
        Ok(())
    }
}

/// Lets an unwind meet the book down to its limit: lots and their worth.
fn fill(book: &mut BookAt, due: &Unwind, limit: LotPrice) -> Result<(u64, u64)> {
    let (side, mut closed, mut notional) = (due.side.opposite(), 0, 0);
    while closed < due.lots {
        let Some(best) = book.best(side)? else {
            break;
        };
        let crosses = match due.side {
            Side::Long => best.price <= limit,
            Side::Short => best.price >= limit,
        };
        if !crosses {
            break;
        }
        let Met::Filled(lots) = book.meet(best.node, due.lots - closed)? else {
            break;
        };
        closed += lots;
        notional += best.price.notional(lots)?;
    }
    Ok((closed, notional))
}
