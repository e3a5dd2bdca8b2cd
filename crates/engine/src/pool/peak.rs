//! How far a pool has fallen from its height.

use super::PoolParams;
use crate::error::EngineError;
use crate::math::{mul_div_floor, product};
use crate::units::BPS_ONE;

/// Shares whose worth is compared.
pub const SHARES_COMPARED: u64 = 1 << 32;

/// What a pool's shares were worth at their height. It sinks with time: by the drawdown in every
/// window, in a straight line, so that a pool that lost begins to take again after a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// Worth of [`SHARES_COMPARED`] shares, atoms; 0 before the first look.
    pub value: u64,
    /// Slot of that look.
    pub slot: u64,
}

impl Peak {
    /// The height as it counts in `slot`, atoms.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn at(&self, params: &PoolParams, slot: u64) -> Result<u64, EngineError> {
        let elapsed = slot.max(self.slot).wrapping_sub(self.slot);
        let whole = params.window_slots.checked_mul(BPS_ONE);
        let whole = whole.ok_or(EngineError::Overflow)?;
        let sunk = elapsed
            .checked_mul(u64::from(params.drawdown_bps))
            .filter(|sunk| *sunk < whole);
        let Some(sunk) = sunk else {
            return Ok(0);
        };
        let lost = mul_div_floor(self.value, sunk, whole)?;
        self.value.checked_sub(lost).ok_or(EngineError::Overflow)
    }

    /// After a look at shares worth `value` in `slot`: they are the new height unless it is above them.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn seen(&self, params: &PoolParams, value: u64, slot: u64) -> Result<Self, EngineError> {
        if value < self.at(params, slot)? {
            return Ok(*self);
        }
        Ok(Self { value, slot })
    }

    /// Whether shares worth `value` in `slot` have lost more than the drawdown.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn has_fallen(
        &self,
        params: &PoolParams,
        value: u64,
        slot: u64,
    ) -> Result<bool, EngineError> {
        let kept = BPS_ONE.checked_sub(params.drawdown_bps.into());
        let least = product(self.at(params, slot)?, kept.unwrap_or(0));
        Ok(product(value, BPS_ONE) < least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: PoolParams = PoolParams {
        drawdown_bps: 1_000,
        window_slots: 300,
        ..PoolParams::DEFAULT
    };

    #[test]
    fn a_height_sinks_by_the_drawdown_in_a_window() {
        let peak = Peak {
            value: 1_000,
            slot: 50,
        };
        let at = |slot| peak.at(&PARAMS, slot).unwrap();
        assert_eq!((at(0), at(50), at(51)), (1_000, 1_000, 1_000));
        assert_eq!((at(53), at(350), at(650)), (999, 900, 800));
        assert_eq!((at(3_049), at(3_050), at(u64::MAX)), (1, 0, 0));
    }

    #[test]
    fn what_is_worth_less_than_the_height_leaves_it() {
        let first = Peak::default().seen(&PARAMS, 1_000, 50).unwrap();
        assert_eq!((first.value, first.slot), (1_000, 50));
        assert_eq!(first.seen(&PARAMS, 950, 60), Ok(first));
        let later = first.seen(&PARAMS, 950, 350).unwrap();
        assert_eq!((later.value, later.slot), (950, 350));
    }

    #[test]
    fn the_drawdown_counts_from_the_height_as_it_is_now() {
        let peak = Peak {
            value: 1_000,
            slot: 50,
        };
        let fallen = |value, slot| peak.has_fallen(&PARAMS, value, slot).unwrap();
        assert!(!fallen(900, 50) && fallen(899, 50));
        assert!(!fallen(810, 350) && fallen(809, 350));
        assert!(!fallen(0, 3_050));
        assert!(!Peak::default().has_fallen(&PARAMS, 0, 0).unwrap());
    }
}
