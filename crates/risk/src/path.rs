//! Simulated paths of a price: filtered historical simulation.
//!
//! A step draws one of the history's residuals, a whole bar with its extremes, and multiplies it with the
//! volatility of its time ([`crate::garch`]), which the draws move on. Nothing is assumed of the shape of
//! returns; that one residual says nothing of the next is.

use anyhow::{ensure, Result};

use crate::garch::{self, Garch};
use crate::prices::Prices;
use crate::random::Stream;
use crate::returns::{self, Return};

/// Steps of a path are not finer than this, seconds.
pub const FINEST_STEP_SECONDS: i64 = 60;
/// Residuals without which a history says too little.
pub const LEAST_RESIDUALS: usize = 250;

/// A step of a path, prices as multiples of the price at which the path begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// When the step begins: the close of the one before.
    pub open: f64,
    /// The highest price within.
    pub high: f64,
    /// The lowest price within.
    pub low: f64,
    /// When it ends.
    pub close: f64,
}

impl Bar {
    /// The four prices in an order of time that they may have had: the extreme away from the close first.
    #[must_use]
    pub fn points(&self) -> [f64; 4] {
        let (first, second) = if self.close > self.open {
            (self.low, self.high)
        } else {
            (self.high, self.low)
        };
        [self.open, first, second, self.close]
    }
}

/// Draws paths as a history says.
#[derive(Clone, Debug)]
pub struct PathModel {
    step: i64,
    residuals: Vec<Return>,
    now: Garch,
}

impl PathModel {
    /// Fits the model to prices. Steps are one minute, or what the prices carry where that is longer.
    ///
    /// # Errors
    /// Too little data, with what is wanted; a constant series.
    pub fn fit(prices: &Prices) -> Result<Self> {
        let step = prices.step()?.max(FINEST_STEP_SECONDS);
        let (now, seen) = Garch::fit(&returns::of(&prices.bars(step)))?;
        let residuals = garch::residuals(&seen);
        ensure!(
            residuals.len() >= LEAST_RESIDUALS,
            "{} steps of {step} seconds can be used; at least {LEAST_RESIDUALS} are wanted: give a longer history",
            residuals.len()
        );
        Ok(Self {
            step,
            residuals,
            now,
        })
    }

    /// Seconds of a step.
    #[must_use]
    pub const fn step_seconds(&self) -> i64 {
        self.step
    }

    /// Volatility of the next step, as a part of the price.
    #[must_use]
    pub fn volatility(&self) -> f64 {
        self.now.sigma()
    }

    /// Volatility of the next hour, millionths of the price.
    #[must_use]
    pub fn hour_ppm(&self) -> u32 {
        let steps = 3_600. / self.step as f64;
        (self.volatility() * steps.sqrt() * 1e6).round() as u32
    }

    /// The path of that index: so many steps from a price of 1. The same seed and index give the same
    /// path, whatever else is drawn; a longer path begins as the shorter one.
    #[must_use]
    pub fn path(&self, seed: u64, index: u64, steps: usize) -> Vec<Bar> {
        let mut path = Vec::new();
        self.path_into(seed, index, steps, &mut path);
        path
    }

    /// The same into a buffer, of which the content is replaced.
    pub fn path_into(&self, seed: u64, index: u64, steps: usize, path: &mut Vec<Bar>) {
        let mut stream = Stream::new(seed, index);
        let (mut volatility, mut level) = (self.now, 0.);
        let mut open = 1.;
        path.clear();
        path.reserve(steps);
        for _ in 0..steps {
            let residual = self.residuals[stream.below(self.residuals.len())];
            let scale = volatility.sigma();
            let move_of = |part: f64| part * scale;
            let close = f64::exp(level + move_of(residual.close));
            let high = f64::exp(level + move_of(residual.high));
            let low = f64::exp(level + move_of(residual.low));
            path.push(Bar {
                open,
                high: high.max(open),
                low: low.min(open),
                close,
            });
            volatility.add(move_of(residual.close));
            level += move_of(residual.close);
            open = close;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::PricePoint;

    /// A walk of steps that differ, over so many minutes.
    fn history(minutes: i64, size: f64) -> Prices {
        let mut stream = Stream::new(7, 0);
        let mut price = 100e9;
        let points = (0..minutes).map(|minute| {
            price *= f64::exp(size * (stream.unit() - 0.5));
            PricePoint {
                timestamp: 1_000_000 + minute * 60,
                price_nano: price as i64,
            }
        });
        Prices::new(points.collect()).expect("valid")
    }

    #[test]
    fn a_path_follows_from_its_seed_and_index_alone() {
        let model = PathModel::fit(&history(2_000, 0.01)).expect("enough");
        assert_eq!(model.step_seconds(), 60);
        let path = model.path(1, 9, 200);
        let _other = model.path(1, 8, 10);
        assert_eq!(model.path(1, 9, 200), path);
        assert_eq!(model.path(1, 9, 50)[..], path[..50]);
        assert_ne!(model.path(1, 10, 200), path);
        assert_ne!(model.path(2, 9, 200), path);
    }

    #[test]
    fn bars_join_and_hold_their_prices() {
        let model = PathModel::fit(&history(2_000, 0.01)).expect("enough");
        let path = model.path(1, 0, 500);
        assert_eq!(path[0].open, 1.);
        for pair in path.windows(2) {
            assert_eq!(pair[0].close, pair[1].open);
        }
        for bar in &path {
            let points = bar.points();
            assert!(points.iter().all(|one| (bar.low..=bar.high).contains(one)));
            assert_eq!((points[0], points[3]), (bar.open, bar.close));
        }
    }

    #[test]
    fn a_simulated_hour_varies_as_the_history_does() {
        let size = 0.01;
        let model = PathModel::fit(&history(20_000, size)).expect("enough");
        let ends = (0..4_000).map(|index| model.path(3, index, 60)[59].close.ln());
        let ends: Vec<f64> = ends.collect();
        let variance = ends.iter().map(|end| end * end).sum::<f64>() / 4_000.;
        let expected = 60. * size * size / 12.;
        assert!(
            (variance / expected - 1.).abs() < 0.1,
            "{variance} {expected}"
        );
    }

    #[test]
    fn too_little_says_how_much_is_wanted() {
        let error = PathModel::fit(&history(200, 0.01)).unwrap_err().to_string();
        assert!(error.contains("at least 250 are wanted"), "{error}");
    }
}
