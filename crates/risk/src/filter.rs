//! Volatility by exponentially weighted moving average, with a weight on stress: filtered historical
//! simulation (Barone-Adesi, Giannopoulos and Vosper 1999), where a return is a residual times the
//! volatility of its time.
//!
//! The scale of a step is `(1 - w) * sigma + w * stressed`: `sigma` squared is the average of past squared
//! returns with weights that halve every half-life, `stressed` the volatility that `sigma` stays below in
//! 95% of the time. The stressed part keeps the scale from collapsing in a calm market and from following
//! every burst in a wild one.

use anyhow::{ensure, Result};

use crate::returns::Return;

/// Returns at the beginning of a stretch that only inform the average.
pub const WARM_UP: usize = 30;
/// Part of the time in which volatility is below what counts as stressed.
pub const STRESSED_LEVEL: f64 = 0.95;

/// How volatility is followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// After so many seconds a return weighs half in the average.
    pub half_life_seconds: f64,
    /// Weight of stressed volatility, 0 to 1.
    pub stressed_weight: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            half_life_seconds: 43_200.,
            stressed_weight: 0.25,
        }
    }
}

impl Settings {
    /// What the average keeps of the past over a step of so many seconds.
    #[must_use]
    pub fn decay(&self, step: i64) -> f64 {
        (-(step as f64) / self.half_life_seconds).exp2()
    }

    /// The scale at a volatility, where stressed volatility is that much.
    #[must_use]
    pub fn scale(&self, sigma: f64, stressed: f64) -> f64 {
        (1. - self.stressed_weight) * sigma + self.stressed_weight * stressed
    }
}

/// The average of squared returns, weighted by age, of which the weights add up to 1 from the first return.
#[derive(Clone, Copy, Debug)]
pub struct Ewma {
    decay: f64,
    sum: f64,
    weight: f64,
}

impl Ewma {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new(decay: f64) -> Self {
        Self {
            decay,
            sum: 0.,
            weight: 0.,
        }
    }

    /// Adds a return.
    pub fn add(&mut self, close: f64) {
        self.sum = self.decay * self.sum + close * close;
        self.weight = self.decay * self.weight + 1.;
    }

    /// Volatility of the next step; 0 before the first return.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        if self.weight > 0. {
            (self.sum / self.weight).sqrt()
        } else {
            0.
        }
    }
}

/// Volatility through a history.
#[derive(Clone, Debug)]
pub struct Filter {
    settings: Settings,
    /// For each stretch the volatility before each of its steps; what only informs the average has none.
    sigmas: Vec<Vec<Option<f64>>>,
    stressed: f64,
    last: Ewma,
}

impl Filter {
    /// Follows the volatility of stretches of returns, steps of so many seconds.
    ///
    /// # Errors
    /// Too few returns, or a series that does not move.
    pub fn fit(stretches: &[Vec<Return>], step: i64, settings: Settings) -> Result<Self> {
        let decay = settings.decay(step);
        let (mut sigmas, mut last) = (Vec::new(), Ewma::new(decay));
        for stretch in stretches {
            // The average goes on across a gap: a return is missing there, volatility is not.
            let mut seen = 0;
            let before = |one: &Return| {
                let sigma = (seen >= WARM_UP || last.weight > WARM_UP as f64).then(|| last.sigma());
                last.add(one.close);
                seen += 1;
                sigma.filter(|sigma| *sigma > 0.)
            };
            sigmas.push(stretch.iter().map(before).collect::<Vec<_>>());
        }
        let mut all: Vec<f64> = sigmas.iter().flatten().flatten().copied().collect();
        let moves = stretches.iter().flatten().any(|one| one.close != 0.);
        ensure!(
            moves,
            "the price never changes: a constant series says nothing of risk"
        );
        ensure!(
            !all.is_empty(),
            "expected more than {WARM_UP} steps without a gap; give a longer history"
        );
        all.sort_unstable_by(f64::total_cmp);
        let stressed = quantile_of_sorted(&all, STRESSED_LEVEL);
        Ok(Self {
            settings,
            sigmas,
            stressed,
            last,
        })
    }

    /// Volatility before each step of each stretch; `None` where too little was known.
    #[must_use]
    pub fn sigmas(&self) -> &[Vec<Option<f64>>] {
        &self.sigmas
    }

    /// The scale that belongs to a volatility of a step.
    #[must_use]
    pub fn scale(&self, sigma: f64) -> f64 {
        self.settings.scale(sigma, self.stressed)
    }

    /// Stressed volatility of a step.
    #[must_use]
    pub const fn stressed(&self) -> f64 {
        self.stressed
    }

    /// The average after the last return.
    #[must_use]
    pub const fn now(&self) -> Ewma {
        self.last
    }
}

/// The value that a part `level` of a sorted sample does not exceed, between its neighbours in a straight line.
///
/// # Panics
/// On an empty sample.
#[must_use]
pub fn quantile_of_sorted(sorted: &[f64], level: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = level.clamp(0., 1.) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let part = place - below as f64;
    sorted[below] + part * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(size: f64, count: usize) -> Vec<Return> {
        let one = |place: usize| Return {
            close: if place.is_multiple_of(2) { size } else { -size },
            ..Return::default()
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn of_equal_moves_the_volatility_is_their_size() {
        let fitted = Filter::fit(&[flat(0.01, 100)], 60, Settings::default()).expect("moves");
        assert!((fitted.now().sigma() - 0.01).abs() < 1e-12);
        assert!((fitted.stressed() - 0.01).abs() < 1e-12);
        let sigmas = fitted.sigmas();
        assert_eq!(sigmas[0].iter().flatten().count(), 70);
        let scale = fitted.scale(sigmas[0][99].expect("known"));
        assert!((scale - 0.01).abs() < 1e-12);
    }

    #[test]
    fn a_return_weighs_half_after_its_half_life() {
        let settings = Settings {
            half_life_seconds: 600.,
            stressed_weight: 0.,
        };
        let mut average = Ewma::new(settings.decay(60));
        (0..10_000).for_each(|_| average.add(0.));
        average.add(1.);
        let first = average.sigma().powi(2);
        (0..10).for_each(|_| average.add(0.));
        assert!((average.sigma().powi(2) / first - 0.5).abs() < 1e-3);
    }

    #[test]
    fn a_constant_or_short_series_is_refused() {
        let constant = Filter::fit(&[flat(0., 100)], 60, Settings::default());
        assert!(constant.unwrap_err().to_string().contains("constant"));
        let short = Filter::fit(&[flat(0.1, WARM_UP)], 60, Settings::default());
        assert!(short.unwrap_err().to_string().contains("longer history"));
    }

    #[test]
    fn stress_keeps_the_scale_up_in_calm() {
        let mut history = flat(0.05, 2_000);
        history.extend(flat(0.001, 20_000));
        let fitted = Filter::fit(&[history], 60, Settings::default()).expect("moves");
        let calm = fitted.now().sigma();
        assert!(calm < 0.002 && fitted.stressed() > 0.02);
        assert!(fitted.scale(calm) > 3. * calm);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1., 2., 4.];
        assert_eq!(
            [0., 0.25, 0.5, 0.75, 1.].map(|level| quantile_of_sorted(&sorted, level)),
            [1., 1.5, 2., 3., 4.]
        );
    }
}
