//! What was paid or taken lately, in a window that no interval of its length can cheat.
//!
//! Time is cut into buckets of a third of the length, rounded up, and the newest four are kept. Any
//! interval of the length touches four buckets at most, so what was entered in it is never more than the
//! sum; what is older than four thirds of the length, and a bucket, does not count.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;

/// Buckets that are kept.
pub const BUCKETS: usize = 4;

/// Sums of the newest [`BUCKETS`] buckets. All zero is a window in which nothing was entered.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Window {
    /// Number of the newest bucket: its first slot over the length of a bucket.
    pub bucket: u64,
    /// What was entered in the newest bucket, and in those before it, newest first.
    pub sums: [u64; BUCKETS],
}

impl Window {
    /// The window as `slot` finds it, where it is `length` slots long. A slot before the newest bucket
    /// counts as that bucket.
    ///
    /// # Errors
    /// `Overflow` for a length of 0.
    pub fn rolled(&self, slot: u64, length: u64) -> Result<Self, EngineError> {
        // One less than `BUCKETS` cover the length.
        let bucket = slot.checked_div(length.div_ceil(3));
        let bucket = bucket.ok_or(EngineError::Overflow)?;
        let passed = bucket.max(self.bucket).wrapping_sub(self.bucket);
        let [newest, second, third, _] = self.sums;
        let sums = match passed {
            0 => return Ok(*self),
            1 => [0, newest, second, third],
            2 => [0, 0, newest, second],
            3 => [0, 0, 0, newest],
            _ => [0; BUCKETS],
        };
        Ok(Self { bucket, sums })
    }

    /// The window as `slot` finds it, of `from` slots so far and of `to` slots from now on: numbers of
    /// buckets of one length say nothing in the other, so all that still counts is entered in the newest.
    ///
    /// # Errors
    /// `Overflow` for a length of 0.
    pub fn relabelled(&self, slot: u64, from: u64, to: u64) -> Result<Self, EngineError> {
        if from == to {
            return Ok(*self);
        }
        let total = self.rolled(slot, from)?.total()?;
        Self::default().rolled(slot, to)?.with(total)
    }

    /// What was entered in the buckets that are kept.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn total(&self) -> Result<u64, EngineError> {
        let sum = self
            .sums
            .iter()
            .try_fold(0_u64, |sum, part| sum.checked_add(*part));
        sum.ok_or(EngineError::Overflow)
    }

    /// The window with `amount` more in its newest bucket.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn with(&self, amount: u64) -> Result<Self, EngineError> {
        let [newest, second, third, last] = self.sums;
        let newest = newest.checked_add(amount).ok_or(EngineError::Overflow)?;
        Ok(Self {
            sums: [newest, second, third, last],
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// Enters 1 in each of `slots`; what the window says at each of them, that entry included.
    fn totals(slots: &[u64], length: u64) -> Vec<u64> {
        let mut window = Window::default();
        let enter = |slot: &u64| {
            window = window.rolled(*slot, length).unwrap().with(1).unwrap();
            window.total().unwrap()
        };
        slots.iter().map(enter).collect()
    }

    #[test]
    fn no_interval_of_the_length_holds_more_than_the_sum() {
        for length in 1..=13_u64 {
            for first in 0..=length {
                for stride in 1..=4 {
                    let slots: Vec<u64> = (0..20).map(|step| first + step * stride).collect();
                    for (at, total) in totals(&slots, length).iter().enumerate() {
                        let within = |slot: &&u64| slots[at] - **slot < length;
                        let held = slots[..=at].iter().filter(within).count();
                        assert!(*total >= held.try_into().unwrap(), "{length} {slots:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_older_than_four_buckets_is_forgotten() {
        for length in 1..=13_u64 {
            let old = 4 * length.div_ceil(3);
            let window = Window::default()
                .rolled(50, length)
                .unwrap()
                .with(7)
                .unwrap();
            for slot in 50..60 + old {
                let total = window.rolled(slot, length).unwrap().total().unwrap();
                assert!(slot < 50 + old || total == 0, "{length} {slot}");
                assert!(slot >= 50 + length || total == 7, "{length} {slot}");
            }
        }
    }

    #[test]
    fn with_another_length_all_counts_as_entered_now() {
        let window = Window::default().rolled(900, 30).unwrap().with(5).unwrap();
        let window = window.rolled(931, 30).unwrap().with(2).unwrap();
        for to in [3, 60, 9_000] {
            let other = window.relabelled(935, 30, to).unwrap();
            let total = |slot| other.rolled(slot, to).unwrap().total().unwrap();
            assert_eq!((total(935), total(934 + to)), (7, 7));
            assert_eq!(total(935 + 4 * to.div_ceil(3)), 0);
        }
        // What no longer counts does not come back.
        let late = window.relabelled(940, 30, 60).unwrap();
        assert_eq!(late.total(), Ok(2));
        assert_eq!(window.relabelled(940, 30, 30), Ok(window));
        assert_eq!(window.relabelled(940, 0, 30), Err(EngineError::Overflow));
    }

    #[test]
    fn a_slot_that_is_past_counts_as_the_newest() {
        let window = Window::default().rolled(90, 30).unwrap().with(5).unwrap();
        assert_eq!(window.rolled(3, 30), Ok(window));
        assert_eq!(window.rolled(90, 0), Err(EngineError::Overflow));
        assert_eq!(window.with(u64::MAX), Err(EngineError::Overflow));
        let full = Window {
            bucket: 1,
            sums: [u64::MAX, 1, 0, 0],
        };
        assert_eq!(full.total(), Err(EngineError::Overflow));
    }
}
