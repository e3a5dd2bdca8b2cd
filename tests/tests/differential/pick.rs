//! Random choices: mostly ordinary, often at a limit, sometimes absurd.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of choices that a seed repeats.
pub struct Pick(ChaCha8Rng);

impl Pick {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Within `low..=high`.
    pub fn within(&mut self, low: i128, high: i128) -> i128 {
        self.0.gen_range(low..=high.max(low))
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.0.gen_range(0..100) < chance
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.0).expect("something to choose from")
    }

    /// One of these if there are any.
    pub fn some<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.choose(&mut self.0).copied()
    }

    /// In random order.
    pub fn shuffle<T>(&mut self, these: &mut [T]) {
        these.shuffle(&mut self.0);
    }

    /// An index, in proportion to the weights.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.0.gen_range(0..weights.iter().sum::<u32>());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        unreachable!("the weights are exhausted last")
    }

    /// An amount up to about `most`: often all of it or one atom off, sometimes nothing or more
    /// than any account can hold.
    pub fn amount(&mut self, most: i128) -> u64 {
        let most = most.clamp(0, i128::from(u64::MAX));
        let amount = match self.weighted(&[70, 8, 6, 6, 4, 3, 3]) {
            0 => self.within(1, most),
            1 => most,
            2 => most + 1,
            3 => most - 1,
            4 => 1,
            5 => 0,
            _ => self.one(&[
                i128::from(u64::MAX),
                i128::from(i64::MAX),
                i128::from(i64::MAX) + 1,
                1 << 62,
                1 << 40,
            ]),
        };
        u64::try_from(amount.clamp(0, i128::from(u64::MAX))).expect("clamped")
    }
}
