//! Waiting longer after every failure.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// Delays that double from `base` to at most `cap`, each shortened by up to a half at random, so
/// that many who failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self {
            base,
            cap,
            failures: 0,
        }
    }

    /// Failures since the last success.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure: how long to wait before the next attempt.
    pub fn fail(&mut self) -> Duration {
        self.fail_with(random_word())
    }

    /// As [`Self::fail`], with the random number given.
    pub fn fail_with(&mut self, random: u64) -> Duration {
        let doubled = self
            .base
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let full = doubled.min(self.cap);
        let half = full / 2;
        let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        let jitter = Duration::from_millis(random % millis.saturating_add(1));
        full.saturating_sub(half).saturating_add(jitter)
    }

    /// Forgets the failures.
    pub const fn succeed(&mut self) {
        self.failures = 0;
    }
}

/// A number that differs from call to call; not for secrets.
fn random_word() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_double_up_to_the_cap_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(SECOND, 8 * SECOND);
        // The whole delay: the largest remainder of the jitter.
        let mut whole = |half: u64| backoff.fail_with(half * 1_000);
        assert_eq!(whole(0), SECOND / 2, "half of it without jitter");
        assert_eq!(whole(1), 2 * SECOND);
        assert_eq!(whole(2), 4 * SECOND);
        assert_eq!(whole(4), 8 * SECOND);
        assert_eq!(whole(4), 8 * SECOND);
        for _ in 0..100 {
            assert_eq!(backoff.fail_with(4_000), 8 * SECOND);
        }
        assert_eq!(backoff.failures(), 105);
        backoff.succeed();
        assert_eq!((backoff.failures(), backoff.fail_with(500)), (0, SECOND));
    }

    #[test]
    fn jitter_shortens_by_half_at_most() {
        let mut backoff = Backoff::new(SECOND, SECOND);
        for _ in 0..100 {
            let delay = backoff.fail();
            assert!(delay >= SECOND / 2 && delay <= SECOND, "{delay:?}");
        }
    }
}
