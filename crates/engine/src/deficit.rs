//! Who pays the deficit of a bankrupt position, lot by lot.
//!
//! Insurance stands behind every lot alike: a call that closes some of them draws their share,
//! and what is left of the position keeps its own.

use crate::error::EngineError;
use crate::math::{mul_div_ceil, mul_div_floor};

/// The deficit of a whole position at the mark, and what insurance pays of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deficit {
    /// What the position lacks, atoms.
    pub whole: u64,
    /// What insurance pays once every lot is closed, atoms: no more than `whole`, and no more
    /// than it may pay.
    pub insured: u64,
    /// Lots of the position, unsigned, positive.
    pub lots: u64,
}

impl Deficit {
    /// That of a position of `lots` where insurance may pay `available` atoms.
    #[must_use]
    pub const fn new(whole: u64, available: u64, lots: u64) -> Self {
        let insured = if available < whole { available } else { whole };
        Self {
            whole,
            insured,
            lots,
        }
    }

    /// What insurance leaves of it, atoms.
    pub fn uncovered(&self) -> Result<u64, EngineError> {
        let left = self.whole.checked_sub(self.insured);
        left.ok_or(EngineError::Overflow)
    }

    /// What insurance pays for closing `closed` lots, atoms: their share, rounded down, and with
    /// the last lot all of it.
    ///
    /// `Overflow` for a position of no lots.
    pub fn insurance_for(&self, closed: u64) -> Result<u64, EngineError> {
        mul_div_floor(self.insured, closed, self.lots)
    }

    /// What others bear for `closed` lots, atoms, rounded down. `Overflow` as above.
    pub fn uncovered_for(&self, closed: u64) -> Result<u64, EngineError> {
        mul_div_floor(self.uncovered()?, closed, self.lots)
    }

    /// Most lots whose share insurance pays out of `available` atoms. `Overflow` where that
    /// exceeds 64 bits.
    pub fn lots_within(&self, available: u64) -> Result<u64, EngineError> {
        if self.insured <= available {
            return Ok(self.lots);
        }
        // The largest n with floor(insured n / lots) <= available: insured n < (available + 1) lots.
        let above = available.checked_add(1).ok_or(EngineError::Overflow)?;
        let first_beyond = mul_div_ceil(above, self.lots, self.insured)?;
        first_beyond.checked_sub(1).ok_or(EngineError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insurance_pays_the_share_of_the_closed_lots_and_the_last_lot_the_rest() {
        let deficit = Deficit::new(1_000, 700, 3);
        assert_eq!((deficit.insured, deficit.uncovered()), (700, Ok(300)));
        assert_eq!(deficit.insurance_for(0), Ok(0));
        assert_eq!(deficit.insurance_for(1), Ok(233));
        assert_eq!(deficit.insurance_for(2), Ok(466));
        assert_eq!(deficit.insurance_for(3), Ok(700));
        assert_eq!(deficit.uncovered_for(2), Ok(200));
        assert_eq!(Deficit::new(5, 9, 1).insured, 5);
        let nothing = Deficit::new(1, 1, 0).insurance_for(0);
        assert_eq!(nothing, Err(EngineError::Overflow));
    }

    #[test]
    fn the_lots_within_a_sum_are_the_most_whose_share_it_pays() {
        for insured in 0..12 {
            for lots in 1..9 {
                let deficit = Deficit::new(20, insured, lots);
                for available in 0..14 {
                    let most = deficit.lots_within(available).unwrap();
                    let paid = |lots| deficit.insurance_for(lots).unwrap();
                    assert!(most <= lots && paid(most) <= available);
                    assert!(most == lots || paid(most + 1) > available);
                }
            }
        }
    }
}
