//! Volatility of the next step, as a path moves it on: GARCH(1,1) (Bollerslev 1986).
//!
//! `v' = (1 - p) L + p v + a (r^2 - v)`: the variance `v` of the next step returns to the long-run variance `L`,
//! of which a part `p` of the distance is left after a step, and follows each squared return by a part `a`. `L` is
//! the history's own (variance targeting, Engle and Mezrich 1996). `p` and `a` are those of a fixed set under which
//! the history is likeliest if returns were normal, which they need not be (quasi maximum likelihood, Bollerslev
//! and Wooldridge 1992): the history itself says how fast its volatility changes. No search can fail.
//!
//! The margins of [`crate::calibrate`] take another measure on purpose ([`crate::filter`]): theirs is meant to be
//! high in a calm. This one is meant to be neither too high nor too low.

use anyhow::{ensure, Result};

use crate::filter::WARM_UP;
use crate::returns::Return;

/// Steps after which a return weighs half in the variance.
const MEMORIES: [f64; 9] = [5., 10., 20., 40., 80., 160., 320., 640., 1_280.];
/// After how many times as many half of the way back to the long-run variance is gone.
const PERSISTENCES: [f64; 5] = [2., 4., 8., 16., 64.];

/// Returns over the volatility expected of them, less their mean: a drift that a history happened to have is no
/// forecast.
#[must_use]
pub fn residuals(seen: &[Seen]) -> Vec<Return> {
    let over = |Seen { one, sigma }: &Seen| Return {
        high: one.high / sigma,
        low: one.low / sigma,
        close: one.close / sigma,
    };
    let mut residuals: Vec<Return> = seen.iter().map(over).collect();
    let sum: f64 = residuals.iter().map(|one| one.close).sum();
    let mean = sum / residuals.len().max(1) as f64;
    for one in &mut residuals {
        *one = Return {
            high: (one.high - mean).max(0.).max(one.close - mean),
            low: (one.low - mean).min(0.).min(one.close - mean),
            close: one.close - mean,
        };
    }
    residuals
}

/// Variance of the next step, and how it moves on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Garch {
    long_run: f64,
    persistence: f64,
    weight: f64,
    variance: f64,
}

/// A return and the volatility that it was expected to have.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The return.
    pub one: Return,
    /// Volatility before it.
    pub sigma: f64,
}

impl Garch {
    /// Fits stretches of returns. Also every return with the volatility expected of it, but for those that only
    /// inform the average.
    ///
    /// # Errors
    /// Too few returns, or a series that does not move.
    pub fn fit(stretches: &[Vec<Return>]) -> Result<(Self, Vec<Seen>)> {
        let all: Vec<Return> = stretches.iter().flatten().copied().collect();
        ensure!(
            all.len() > WARM_UP,
            "expected more than {WARM_UP} steps without a gap, found {}; give a longer history",
            all.len()
        );
        let squares = all.iter().map(|one| one.close * one.close);
        let long_run = squares.sum::<f64>() / all.len() as f64;
        ensure!(
            long_run > 0.,
            "the price never changes: a constant series says nothing of risk"
        );
        let (_, best) = MEMORIES
            .iter()
            .flat_map(|memory| PERSISTENCES.map(|times| Self::of(long_run, *memory, times)))
            .map(|one| (one.misfit(&all), one))
            .min_by(|one, other| one.0.total_cmp(&other.0))
            .expect("the set is not empty");
        Ok(best.follow(&all))
    }

    fn of(long_run: f64, memory: f64, times: f64) -> Self {
        let persistence = f64::exp2(-1. / (memory * times));
        Self {
            long_run,
            persistence,
            weight: persistence - f64::exp2(-1. / memory),
            variance: long_run,
        }
    }

    /// Twice how unlikely the returns are, but for a constant.
    fn misfit(mut self, returns: &[Return]) -> f64 {
        let mut sum = 0.;
        for (place, one) in returns.iter().enumerate() {
            if place >= WARM_UP {
                sum += self.variance.ln() + one.close * one.close / self.variance;
            }
            self.add(one.close);
        }
        sum
    }

    /// After all returns, of the size that they had on average.
    fn follow(mut self, returns: &[Return]) -> (Self, Vec<Seen>) {
        let mut seen = Vec::with_capacity(returns.len());
        for one in returns {
            let sigma = self.sigma();
            seen.push(Seen { one: *one, sigma });
            self.add(one.close);
        }
        seen.drain(..WARM_UP);
        let ratios = seen
            .iter()
            .map(|seen| (seen.one.close / seen.sigma).powi(2));
        let size = ratios.sum::<f64>() / seen.len() as f64;
        for one in &mut seen {
            one.sigma *= size.sqrt();
        }
        self.variance *= size;
        self.long_run *= size;
        (self, seen)
    }

    /// The same where a storm or a calm is over.
    #[must_use]
    pub const fn at_long_run(self) -> Self {
        Self {
            variance: self.long_run,
            ..self
        }
    }

    /// Adds a return.
    pub fn add(&mut self, close: f64) {
        self.variance = (1. - self.persistence) * self.long_run
            + self.persistence * self.variance
            + self.weight * (close * close - self.variance);
    }

    /// Volatility of the next step.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.variance.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn returns(closes: impl Iterator<Item = f64>) -> Vec<Return> {
        let one = |close: f64| Return {
            close,
            ..Return::default()
        };
        closes.map(one).collect()
    }

    /// Even moves, three times as large in every other stretch of so many steps.
    fn storms(count: usize, stretch: usize) -> Vec<Return> {
        let mut stream = Stream::new(11, 0);
        let size = |place: usize| {
            if (place / stretch).is_multiple_of(2) {
                1.
            } else {
                3.
            }
        };
        returns((0..count).map(|place| 0.001 * size(place) * (stream.unit() - 0.5) * 12_f64.sqrt()))
    }

    #[test]
    fn volatility_follows_a_storm_at_the_speed_of_the_history() {
        // After a storm of 200 steps and after a calm of as many.
        for (count, expected) in [(4_000, 0.003), (4_200, 0.001)] {
            let (now, seen) = Garch::fit(&[storms(count, 200)]).expect("moves");
            let ratio = now.sigma() / expected;
            assert!((0.75..1.35).contains(&ratio), "{ratio} {now:?}");
            assert_eq!(seen.len(), count - WARM_UP);
        }
        // What has no memory of its own is not followed.
        let (steady, _) = Garch::fit(&[storms(4_000, 4_000)]).expect("moves");
        assert!((steady.sigma() / 0.001 - 1.).abs() < 0.1, "{steady:?}");
    }

    #[test]
    fn returns_are_of_the_size_expected_of_them() {
        let (_, seen) = Garch::fit(&[storms(3_000, 100)]).expect("moves");
        let ratios = seen
            .iter()
            .map(|seen| (seen.one.close / seen.sigma).powi(2));
        assert!((ratios.sum::<f64>() / seen.len() as f64 - 1.).abs() < 1e-9);
    }

    #[test]
    fn a_variance_returns_to_the_long_run() {
        let (mut now, _) = Garch::fit(&[storms(4_000, 200)]).expect("moves");
        let long_run = now.long_run;
        for _ in 0..1_000_000 {
            now.add(now.sigma());
        }
        assert!((now.variance / long_run - 1.).abs() < 1e-3);
    }

    #[test]
    fn a_constant_or_short_series_is_refused() {
        let constant = Garch::fit(&[returns([0.; 100].into_iter())]).unwrap_err();
        assert!(constant.to_string().contains("constant"));
        let short = Garch::fit(&[storms(WARM_UP, 10)]).unwrap_err();
        assert!(short.to_string().contains("longer history"));
    }
}
