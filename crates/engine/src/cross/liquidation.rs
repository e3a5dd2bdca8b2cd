//! Which leg of an account below maintenance is liquidated, and what restores the account.

use super::{CrossError, Values};
use crate::error::EngineError;
use crate::units::{Atoms, Bps};

impl Values {
    /// What the maintenance and buffer of the other legs leave of the equity, atoms, signed, rounded down:
    /// `V - ceil((M - m_i) (10^4 + buffer) / 10^4)`. The leg at `place` is closed as far as it takes to
    /// have that hold maintenance and the buffer of what is left of it, see
    /// [`Waterfall::begin_leg`](crate::liquidation::Waterfall::begin_leg). `NoLeg`, `Overflow`.
    pub fn room(&self, place: usize, buffer: Bps) -> Result<Atoms, CrossError> {
        let leg = self.leg(place)?;
        let others = self.requirement.checked_sub(leg.requirement);
        let others = others.ok_or(EngineError::Overflow)?;
        let restored = others.checked_add(buffer.ceil_of(others)?);
        let room = self
            .equity
            .try_sub_unsigned(restored.ok_or(EngineError::Overflow)?)?;
        Ok(room)
    }

    /// The leg to liquidate: the one with the largest maintenance margin among those that `may` be, the
    /// first of equals. `None` where none may.
    pub fn largest_leg(&self, may: impl Fn(usize) -> bool) -> Option<usize> {
        let mut largest: Option<(usize, u64)> = None;
        for (place, leg) in self.legs.iter().enumerate() {
            let larger = largest.is_none_or(|(_, requirement)| leg.requirement > requirement);
            if leg.lots > 0 && larger && may(place) {
                largest = Some((place, leg.requirement));
            }
        }
        largest.map(|(place, _)| place)
    }

    /// Whether the leg at `place` may be liquidated now. `may` says of which legs the mark is not frozen
    /// and the market not paused; `ramp_over` that this leg has been flagged for longer than its market's
    /// discount ramp, so that an illiquid one does not hold up the others. `NoLeg`, `LegOrder`.
    pub fn check_leg_order(
        &self,
        place: usize,
        may: impl Fn(usize) -> bool,
        ramp_over: bool,
    ) -> Result<(), CrossError> {
        self.leg(place)?;
        if (ramp_over && may(place)) || self.largest_leg(may) == Some(place) {
            return Ok(());
        }
        Err(CrossError::LegOrder)
    }
}
