//! Random numbers: a stream of its own for every path and every resample, so that neither the order of work
//! nor the number of threads changes a result.

use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The stream of a seed with that index.
    #[must_use]
    pub fn new(seed: u64, index: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index);
        Self { rng }
    }

    /// A number of `0..count`; 0 where there is none. The bias is below `count / 2^32`.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let product = u128::from(self.rng.next_u32()) * u128::from(count);
        usize::try_from(product >> 32).unwrap_or(0)
    }

    /// A number above 0 and below 1.
    pub fn unit(&mut self) -> f64 {
        let bits = self.rng.next_u64() >> 12;
        (bits as f64 + 0.5) / (1_u64 << 52) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_apart_and_repeat() {
        let draw = |seed, index| {
            let mut stream = Stream::new(seed, index);
            [0; 8].map(|_| stream.below(1_000))
        };
        assert_eq!(draw(1, 5), draw(1, 5));
        assert_ne!(draw(1, 5), draw(1, 6));
        assert_ne!(draw(1, 5), draw(2, 5));
    }

    #[test]
    fn draws_are_even() {
        let mut stream = Stream::new(3, 0);
        let mut counts = [0_u32; 10];
        let mut sum = 0.;
        for _ in 0..100_000 {
            counts[stream.below(10)] += 1;
            let unit = stream.unit();
            assert!(unit > 0. && unit < 1.);
            sum += unit;
        }
        assert!(
            counts.iter().all(|count| (9_600..10_400).contains(count)),
            "{counts:?}"
        );
        assert!((sum / 100_000. - 0.5).abs() < 0.005);
        assert_eq!(stream.below(0), 0);
    }
}
