//! What a pool remembers of what it took over and closed.

use ballast_engine::{
    pool::{enlarged, Auction, Peak, PoolAssets, PoolTaker, SHARES_COMPARED},
    units::{LotPrice, Lots},
    window::Window,
};

use super::Pool;
use crate::error::{BallastError, Result};

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
    /// The pool as it is offered lots in `slot`: `assets` are worth `low` atoms to whoever leaves, and
    /// `has_room` says whether the queue of the victim's side has room for one more position.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn taker(
        &self,
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
        })
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
