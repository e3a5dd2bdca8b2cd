//! What a pool remembers of what it took over and closed.

use ballast_engine::{
    oracle::{Action, Now},
    pool::{
        enlarged, sync, Auction, Peak, PoolAssets, PoolTaker, Synced, Unwind, UnwindInput,
        SHARES_COMPARED,
    },
    position::Position,
    units::{Atoms, LotPrice, Lots, Ticks},
    window::Window,
};

use super::Pool;
use crate::{
    error::{BallastError, Result},
    market::{Market, Touched},
    trader::Trader,
};

/// Lots that a pool took over.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The current slot.
    pub slot: u64,
    /// What the pool was worth before to whoever leaves, atoms.
    pub low: u64,
    /// The market's price.
    pub mark: LotPrice,
    /// Lots of its position before.
    pub before: Lots,
    /// Lots of its position afterwards.
    pub after: Lots,
    /// Discount that it earned, atoms.
    pub discount: u64,
    /// Premium that it earned, atoms.
    pub premium: u64,
}

impl Pool {
    /// The pool as it is offered lots of `market` in `slot`: `assets` are worth `low` atoms to whoever leaves,
    /// and `has_room` says whether the queue of the victim's side has room for one more position.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn taker(
        &self,
        market: &Market,
        assets: &PoolAssets,
        low: u64,
        slot: u64,
        has_room: bool,
    ) -> Result<PoolTaker<'_>> {
        let window = self.window().rolled(slot, self.params.window_slots)?;
        let value = self.value_compared(low);
        Ok(PoolTaker {
            params: &self.params,
            mode: self.mode(),
            low,
            position: assets.position,
            taken: window.total()?,
            fallen: self.peak().has_fallen(&self.params, value, slot)?,
            has_room,
            multiplier_ppm: market.margin_scale().multiplier_ppm,
        })
    }

    /// The same of the pool whose trader account is `trader`, at the price `touched`.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `Overflow`, `SizeOutOfRange`.
    pub fn offered(
        &self,
        market: &Market,
        trader: &Trader,
        touched: &Touched,
        slot: u64,
        has_room: bool,
    ) -> Result<PoolTaker<'_>> {
        let assets = self.assets(market, trader)?;
        let low = self.worth(&assets, market, touched, 0)?.low;
        self.taker(market, &assets, low, slot, has_room)
    }

    /// The next unwind of its position of `lots`, at the price `touched`.
    ///
    /// # Errors
    /// `NoPosition`, `UnwindTooEarly`; `Overflow`.
    pub fn next_unwind(
        &self,
        market: &Market,
        touched: &Touched,
        lots: Lots,
        slot: u64,
    ) -> Result<Unwind> {
        let due = self.auction().unwind(&UnwindInput {
            params: &self.params,
            risk: market.params(),
            mode: self.mode(),
            lots,
            mark: touched.price.price,
            earlier: Ticks::new(market.price_clock.earlier_ticks),
            least_lots: market.params().min_position_lots,
            slot,
        });
        Ok(due?)
    }

    /// Its settled `position` and its free collateral once margin has been moved between them, at the price
    /// `touched`. Out of the position margin moves only at a price at which a trader may take some out.
    ///
    /// # Errors
    /// `NoPosition`, `NothingToSync`, `BelowInitialMargin`; the `Price...` errors; `Overflow`.
    pub fn synced(
        &self,
        market: &Market,
        touched: &Touched,
        position: &Position,
        free: Atoms,
        now: Now,
    ) -> Result<Synced> {
        let synced = sync(&self.params, market.params(), &touched.mark, position, free)?;
        if synced.moved.is_negative() {
            market.check_price(Action::RemoveMargin, &touched.price, now)?;
        }
        Ok(synced)
    }

    /// Records what it took over.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn took(&mut self, taken: &Taken) -> Result<()> {
        let slot = taken.slot;
        self.look(taken.low, slot)?;
        let notional = taken.mark.notional(enlarged(taken.before, taken.after))?;
        let window = self.window().rolled(slot, self.params.window_slots)?;
        self.store_window(&window.with(notional)?);
        let auction = self
            .auction()
            .after_take(&self.params, slot, taken.before, taken.after)?;
        self.store_auction(&auction);
        self.last_take_slot = slot;
        self.takes = self.takes.wrapping_add(1);
        self.discount_atoms = sum(self.discount_atoms, taken.discount)?;
        self.premium_atoms = sum(self.premium_atoms, taken.premium)?;
        Ok(())
    }

    /// Records what it closed in `slot`: `closed` of the `due` lots, while it was worth `low` atoms to
    /// whoever leaves.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn unwound(&mut self, slot: u64, due: u64, closed: u64, low: u64) -> Result<()> {
        self.look(low, slot)?;
        let auction = self
            .auction()
            .after_unwind(&self.params, slot, due, closed)?;
        self.store_auction(&auction);
        self.unwinds = self.unwinds.wrapping_add(1);
        Ok(())
    }

    /// Remembers the height of its shares, which are worth `low` atoms together in `slot`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn look(&mut self, low: u64, slot: u64) -> Result<()> {
        let peak = self
            .peak()
            .seen(&self.params, self.value_compared(low), slot)?;
        (self.peak_value, self.peak_slot) = (peak.value, peak.slot);
        Ok(())
    }

    /// What [`SHARES_COMPARED`] shares of it are worth, atoms; the most there can be where that is more
    /// than 64 bits, as without shares.
    fn value_compared(&self, low: u64) -> u64 {
        self.fund(low).value(SHARES_COMPARED).unwrap_or(u64::MAX)
    }

    /// What its shares were worth at their height.
    #[must_use]
    pub const fn peak(&self) -> Peak {
        Peak {
            value: self.peak_value,
            slot: self.peak_slot,
        }
    }

    /// When it unwinds.
    #[must_use]
    pub const fn auction(&self) -> Auction {
        Auction {
            begun_slot: self.auction_slot,
            unwind_slot: self.last_unwind_slot,
        }
    }

    const fn store_auction(&mut self, auction: &Auction) {
        self.auction_slot = auction.begun_slot;
        self.last_unwind_slot = auction.unwind_slot;
    }

    /// What it took lately.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window {
            bucket: self.taken_bucket,
            sums: self.taken,
        }
    }

    /// Records that.
    pub const fn store_window(&mut self, window: &Window) {
        self.taken_bucket = window.bucket;
        self.taken = window.sums;
    }
}

fn sum(a: u64, b: u64) -> Result<u64> {
    a.checked_add(b).ok_or(BallastError::Overflow)
}
