//! For how long the price sources of a change that waits have been seen to agree.

use ballast_engine::units::Bps;

use crate::{
    derives::*,
    error::{BallastError, Result},
};

/// Most slots for which two looks speak: about an hour.
pub const MOST_WITNESSED_SLOTS: u64 = 9_000;
/// Part of the delay for which both have to have agreed, basis points.
pub const LEAST_WITNESSED_BPS: u32 = 9_000;

/// What has been seen of two price sources. Anybody looks, and chooses when, so agreement counts for
/// the time between two looks, [`MOST_WITNESSED_SLOTS`] at most.
#[repr(C)]
#[derive(
    BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct Witnessed {
    /// Slots between looks at which both agreed.
    pub covered_slots: u64,
    /// Slot of the last look at which they did; 0 before the first.
    pub last_slot: u64,
    /// 1 once they have been apart, for good.
    pub apart: u64,
    /// Zero; room for later versions.
    pub reserved: u64,
}

const _: () = assert!(core::mem::size_of::<Witnessed>() == 32);

impl Witnessed {
    /// What it is after a look in `slot` at which both agreed.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn agreed(&self, slot: u64) -> Result<Self> {
        let since = match self.last_slot {
            0 => Some(0),
            last => slot.checked_sub(last),
        };
        let covered = since
            .map(|since| since.min(MOST_WITNESSED_SLOTS))
            .and_then(|since| self.covered_slots.checked_add(since));
        Ok(Self {
            covered_slots: covered.ok_or(BallastError::Overflow)?,
            last_slot: slot,
            ..*self
        })
    }

    /// What it is once they have been apart.
    #[must_use]
    pub const fn parted(&self) -> Self {
        Self { apart: 1, ..*self }
    }

    /// Whether they have never been apart.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.apart == 0
    }

    /// Slots for which they have to agree where the change waits for so many, rounded up.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn least(delay: u64) -> Result<u64> {
        Ok(Bps::new(LEAST_WITNESSED_BPS).ceil_of(delay)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_between_two_looks_and_an_hour_at_most() {
        let first = Witnessed::default().agreed(1_000_000).unwrap();
        assert_eq!(first.covered_slots, 0);
        let second = first.agreed(1_009_000).unwrap();
        assert_eq!(second.covered_slots, 9_000);
        assert_eq!(second.agreed(1_009_000), Ok(second));
        let late = second.agreed(2_000_000).unwrap();
        assert_eq!((late.covered_slots, late.last_slot), (18_000, 2_000_000));
        assert!(late.holds() && !late.parted().holds());
        assert!(!late.parted().agreed(2_000_001).unwrap().holds());
        assert_eq!(late.agreed(0), Err(BallastError::Overflow));
        assert_eq!(
            [0, 1, 1_512_000].map(Witnessed::least),
            [Ok(0), Ok(1), Ok(1_360_800)]
        );
    }
}
