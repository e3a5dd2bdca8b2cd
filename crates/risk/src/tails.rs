//! The upper end of a sample: its quantiles, and beyond what it holds, peaks over a threshold.
//!
//! Excesses over a high threshold are close to a generalised Pareto distribution (Balkema and de Haan 1974,
//! Pickands 1975). It is fitted by probability weighted moments (Hosking and Wallis 1987), which need no
//! search, and for fewer than 500 excesses err less than maximum likelihood does.

/// How a quantile came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimator {
    /// The sample's own quantile.
    Empirical,
    /// Peaks over a threshold.
    Pareto,
}

impl Estimator {
    /// The word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empirical => "empirical",
            Self::Pareto => "peaks over threshold",
        }
    }
}

/// Part of a sample that counts as its tail.
pub const TAIL_PART: f64 = 0.1;
/// Tail points from which on half as deep a tail is taken, and so on: the deeper, the less the bias.
const ENOUGH_POINTS: usize = 500;
/// Part of a large sample that counts as its tail.
const LEAST_TAIL_PART: f64 = 0.02;
/// Independent points beyond a level from which on the sample's own quantile is taken.
const EMPIRICAL_POINTS: f64 = 10.;

/// How many of so many points are the tail.
#[must_use]
pub fn tail_points(count: usize) -> usize {
    let part = |part: f64| (count as f64 * part).floor() as usize;
    part(TAIL_PART).min(part(LEAST_TAIL_PART).max(ENOUGH_POINTS))
}

/// The upper end of a sample.
#[derive(Clone, Debug)]
pub struct Tail {
    /// Size of the whole sample.
    count: usize,
    /// Its largest points, ascending.
    largest: Vec<f64>,
}

impl Tail {
    /// The tail of a sample.
    #[must_use]
    pub fn of(mut sample: Vec<f64>) -> Self {
        let count = sample.len();
        let keep = (tail_points(count) + 1).min(count);
        if keep < count {
            sample.select_nth_unstable_by(count - keep, f64::total_cmp);
            sample.drain(..count - keep);
        }
        Self::of_largest(count, sample)
    }

    /// The tail of a sample of which only the largest points are given, more than [`tail_points`] of them.
    #[must_use]
    pub fn of_largest(count: usize, mut largest: Vec<f64>) -> Self {
        largest.sort_unstable_by(f64::total_cmp);
        let keep = (tail_points(count) + 1).min(largest.len());
        largest.drain(..largest.len() - keep);
        Self { count, largest }
    }

    /// The quantile of a level, where the sample is worth `independent` independent points: its own where ten
    /// of those lie beyond, otherwise that of the fitted tail.
    #[must_use]
    pub fn quantile(&self, level: f64, independent: f64) -> (f64, Estimator) {
        if independent * (1. - level) >= EMPIRICAL_POINTS {
            return (self.empirical(level), Estimator::Empirical);
        }
        match self.pareto() {
            Some(pareto) => (pareto.quantile(level), Estimator::Pareto),
            None => (self.empirical(level), Estimator::Empirical),
        }
    }

    /// The sample's own quantile, between neighbours in a straight line: of `n` points the one of rank
    /// `level (n + 1)`, which a part `1 - level` of what comes exceeds on average. The least of the tail for a
    /// level below it.
    #[must_use]
    pub fn empirical(&self, level: f64) -> f64 {
        let last = self.largest.len().saturating_sub(1);
        let above = (1. - level) * self.count as f64 - level;
        let place = (last as f64 - above).clamp(0., last as f64);
        let below = place.floor() as usize;
        let value = |at: usize| self.largest.get(at).copied().unwrap_or(0.);
        let part = place - below as f64;
        value(below) + part * (value((below + 1).min(last)) - value(below))
    }

    /// The generalised Pareto distribution of the excesses; `None` where they do not vary.
    #[must_use]
    pub fn pareto(&self) -> Option<Pareto> {
        let (threshold, points) = self.largest.split_first()?;
        let count = points.len() as f64;
        let excess = |point: &f64| point - threshold;
        let mean = points.iter().map(excess).sum::<f64>() / count;
        let weight = |at: usize| 1. - (at as f64 + 0.65) / count;
        let weighted = points.iter().enumerate();
        let weighted = weighted.map(|(at, point)| weight(at) * excess(point));
        let second = weighted.sum::<f64>() / count;
        let apart = mean - 2. * second;
        if points.len() < 10 || apart <= 1e-12 * mean || mean <= 0. {
            return None;
        }
        Some(Pareto {
            threshold: *threshold,
            beyond: count / self.count as f64,
            shape: 2. - mean / apart,
            scale: 2. * mean * second / apart,
        })
    }
}

/// A tail: `P(X > threshold + y) = beyond * (1 + shape * y / scale)^(-1 / shape)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pareto {
    /// Where the tail begins.
    pub threshold: f64,
    /// Part of the sample that is in the tail.
    pub beyond: f64,
    /// Shape: the larger, the heavier; 1 over the tail index where it is above 0.
    pub shape: f64,
    /// Scale of the excesses, in the unit of the sample.
    pub scale: f64,
}

impl Pareto {
    /// What a part `level` of all points stay below; the threshold at the least.
    #[must_use]
    pub fn quantile(&self, level: f64) -> f64 {
        let rarer = self.beyond / (1. - level);
        if rarer <= 1. {
            return self.threshold;
        }
        let excess = if self.shape.abs() < 1e-9 {
            rarer.ln()
        } else {
            (rarer.powf(self.shape) - 1.) / self.shape
        };
        self.threshold + self.scale * excess
    }

    /// The mean of what lies beyond the quantile of a level, expected shortfall; `None` where the tail is so
    /// heavy that there is none.
    #[must_use]
    pub fn shortfall(&self, level: f64) -> Option<f64> {
        let quantile = self.quantile(level);
        let beyond = self.scale - self.shape * self.threshold;
        (self.shape < 1.).then(|| (quantile + beyond) / (1. - self.shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn pareto_sample(shape: f64, count: usize, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, 0);
        (0..count).map(|_| stream.unit().powf(-shape)).collect()
    }

    #[test]
    fn a_pareto_sample_has_its_shape_and_quantiles() {
        for shape in [0.1, 0.3, 0.45] {
            let fitted = Tail::of(pareto_sample(shape, 200_000, 5)).pareto();
            let fitted = fitted.expect("varies");
            assert!((fitted.shape - shape).abs() < 0.06, "{shape}: {fitted:?}");
            let exact = 0.0001_f64.powf(-shape);
            let ratio = fitted.quantile(0.9999) / exact;
            assert!((ratio - 1.).abs() < 0.12, "{shape}: {ratio}");
        }
    }

    #[test]
    fn shortfall_is_the_mean_beyond() {
        let pareto = Pareto {
            threshold: 1.,
            beyond: 0.1,
            shape: 0.25,
            scale: 0.25,
        };
        // The excesses make X a Pareto distribution of index 4: the mean beyond q is q * 4 / 3.
        let quantile = pareto.quantile(0.99);
        let mean = pareto.shortfall(0.99).expect("a mean");
        assert!((mean / quantile - 4. / 3.).abs() < 1e-9);
    }

    #[test]
    fn deep_levels_are_fitted_and_others_counted() {
        let tail = Tail::of((1..=10_000).map(f64::from).collect());
        let (value, estimator) = tail.quantile(0.99, 10_000.);
        assert_eq!(estimator, Estimator::Empirical);
        assert!((value - 9_900.).abs() < 1.5, "{value}");
        assert_eq!(tail.quantile(0.9999, 10_000.).1, Estimator::Pareto);
        assert_eq!(tail.quantile(0.99, 100.).1, Estimator::Pareto);
        // What does not vary has no tail to fit.
        let flat = Tail::of(vec![2.; 1_000]);
        assert_eq!(flat.quantile(0.9999, 1_000.), (2., Estimator::Empirical));
    }

    #[test]
    fn the_tail_of_the_largest_points_is_that_of_the_sample() {
        let sample = pareto_sample(0.3, 5_000, 1);
        let largest = sample.iter().copied().filter(|one| *one > 1.5).collect();
        let part = Tail::of_largest(5_000, largest);
        assert_eq!(part.pareto(), Tail::of(sample).pareto());
    }
}
