//! How far an estimate may be off: block bootstrap.
//!
//! A history is cut into blocks that stay together, so that what is alike in neighbours (volatility, windows
//! that overlap) stays alike. Blocks are drawn with replacement and the estimate is made anew of each draw
//! (Künsch 1989).
//!
//! The interval is as wide as the draws vary: `t` standard deviations of their logarithms to either side of the
//! estimate, where `t` is Student's with as many degrees of freedom as there are blocks, less one. What holds the
//! middle of the draws is too narrow: few blocks vary less among themselves than histories do, by
//! `(blocks - 1) / blocks` in variance, and how much they vary is itself known from few (Hesterberg 2015, "What
//! teachers should know about the bootstrap"). An estimate that is not above zero in every draw is taken as it is,
//! without a logarithm.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::random::Stream;
use crate::tails::{tail_points, Tail};

/// What holds an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// What holds both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// Probability that an interval is meant to hold.
pub const COVERAGE: f64 = 0.9;

/// How draws are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampling {
    /// Points of a block.
    pub block: usize,
    /// Draws.
    pub draws: u64,
    /// Seed; draw `i` takes stream `i`.
    pub seed: u64,
}

/// A sample in blocks, of which only what can reach a tail is kept.
#[derive(Clone, Debug)]
pub struct Blocks {
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
struct Block {
    count: usize,
    largest: Vec<f64>,
}

impl Blocks {
    /// Cuts a sample, in order of time, into blocks of so many points; what is left over joins the last.
    #[must_use]
    pub fn of(sample: &[f64], block: usize) -> Self {
        let floor = floor(sample);
        let block = block.clamp(1, sample.len().max(1));
        let whole = (sample.len() / block).max(1);
        let part = |at: usize| {
            let end = if at + 1 == whole {
                sample.len()
            } else {
                (at + 1) * block
            };
            let part = &sample[at * block..end];
            Block {
                count: part.len(),
                largest: part.iter().copied().filter(|one| *one >= floor).collect(),
            }
        };
        Self {
            blocks: (0..whole).map(part).collect(),
        }
    }

    /// What holds an estimate of the tail.
    pub fn interval(&self, resampling: Resampling, estimate: impl Fn(&Tail) -> f64) -> Interval {
        let of = |blocks: &mut dyn Iterator<Item = &Block>| {
            let (mut count, mut largest) = (0, Vec::new());
            for block in blocks {
                count += block.count;
                largest.extend_from_slice(&block.largest);
            }
            estimate(&Tail::of_largest(count, largest))
        };
        let draw = |index: u64| {
            let mut stream = Stream::new(resampling.seed, index);
            let some = self.blocks.iter();
            of(&mut some.map(|_| &self.blocks[stream.below(self.blocks.len())]))
        };
        let value = of(&mut self.blocks.iter());
        let draws: Vec<f64> = (0..resampling.draws.max(2)).map(draw).collect();
        around(value, &draws, self.times())
    }

    /// Standard deviations to either side of an estimate.
    fn times(&self) -> f64 {
        let blocks = self.blocks.len().max(2);
        student(blocks) * (blocks as f64 / (blocks as f64 - 1.)).sqrt()
    }
}

/// What holds an estimate of which these are independent draws.
#[must_use]
pub fn spread(value: f64, draws: &[f64]) -> Interval {
    around(value, draws, student(draws.len()))
}

/// Standard deviations of so many independent numbers that hold one of their kind.
fn student(count: usize) -> f64 {
    let freedom = count.max(2) as f64 - 1.;
    let student = StudentsT::new(0., 1., freedom).expect("degrees of freedom above zero");
    student.inverse_cdf(0.5 + COVERAGE / 2.)
}

/// So many standard deviations of the draws' logarithms to either side of a value.
fn around(value: f64, draws: &[f64], times: f64) -> Interval {
    if value > 0. && draws.iter().all(|draw| *draw > 0.) {
        let half = times * deviation(draws.iter().map(|draw| draw.ln()));
        return Interval {
            low: value * (-half).exp(),
            high: value * half.exp(),
        };
    }
    let half = times * deviation(draws.iter().copied());
    Interval {
        low: value - half,
        high: value + half,
    }
}

/// Standard deviation of some numbers.
fn deviation(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = numbers.clone().count().max(2) as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    let squares = numbers.map(|one| (one - mean).powi(2)).sum::<f64>();
    (squares / (count - 1.)).sqrt()
}

/// What no tail of a draw is likely to reach down to: three times as many points lie above it as in the
/// sample's own tail.
fn floor(sample: &[f64]) -> f64 {
    let keep = (3 * tail_points(sample.len()) + 10).min(sample.len());
    if keep == 0 {
        return 0.;
    }
    let mut sorted = sample.to_vec();
    let at = sample.len() - keep;
    *sorted.select_nth_unstable_by(at, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESAMPLING: Resampling = Resampling {
        block: 10,
        draws: 200,
        seed: 4,
    };

    #[test]
    fn an_interval_holds_the_estimate_and_repeats() {
        let mut stream = Stream::new(2, 0);
        let sample: Vec<f64> = (0..2_003).map(|_| stream.unit()).collect();
        let blocks = Blocks::of(&sample, 10);
        let counts: usize = blocks.blocks.iter().map(|block| block.count).sum();
        assert_eq!(counts, sample.len(), "nothing is left out");
        let estimate = |tail: &Tail| tail.empirical(0.95);
        let interval = blocks.interval(RESAMPLING, estimate);
        assert_eq!(blocks.interval(RESAMPLING, estimate), interval);
        assert!(interval.low < 0.95 && 0.95 < interval.high, "{interval:?}");
        assert!(interval.high - interval.low < 0.04, "{interval:?}");
    }

    #[test]
    fn blocks_that_stay_together_make_it_wider() {
        // Each value stands ten times in a row: a tenth of the points say something.
        let mut stream = Stream::new(3, 0);
        let sample: Vec<f64> = (0..500).flat_map(|_| [stream.unit(); 10]).collect();
        let width = |block| {
            let resampling = Resampling {
                block,
                ..RESAMPLING
            };
            let interval =
                Blocks::of(&sample, block).interval(resampling, |tail| tail.empirical(0.95));
            interval.high - interval.low
        };
        assert!(width(10) > 2. * width(1), "{} {}", width(10), width(1));
    }
}
