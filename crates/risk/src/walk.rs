//! Walk-forward: at every step of the test only what was known before it is used.

use anyhow::{ensure, Result};

use crate::backtest::Outcome;
use crate::filter::{quantile_of_sorted, Filter, Settings, STRESSED_LEVEL};
use crate::moves::{self, Side, Window};
use crate::prices::Bars;
use crate::returns::{self, Return};
use crate::tails::Tail;

/// Longest history that a fit looks back on, seconds: a year.
const LONGEST_TRAINING: i64 = 365 * 86_400;
/// Parts of the training after which a fit is made anew: every 30 days of a year.
const REFITS: usize = 12;
/// Horizons to judge, without which a backtest says nothing.
pub const LEAST_TESTED: usize = 10;

/// What is promised of the margins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Promise {
    /// Steps of the horizon.
    pub steps: usize,
    /// Part of the horizons in which the margin suffices.
    pub level: f64,
}

/// A history of returns with when each step begins.
#[derive(Clone, Debug)]
pub struct History {
    /// Seconds of a step.
    pub step: i64,
    /// Stretches without a gap.
    pub stretches: Vec<Vec<Return>>,
    /// When each step begins, over all stretches, unix seconds.
    pub times: Vec<i64>,
}

impl History {
    /// The history that bars make.
    #[must_use]
    pub fn of(bars: &Bars) -> Self {
        Self {
            step: bars.step,
            stretches: returns::of(bars),
            times: bars.iter().map(|bar| bar.time).collect(),
        }
    }

    /// Steps of it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.times.len()
    }
}

/// Which margins are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// The scale follows every step: what the estimator says.
    EveryStep,
    /// What a fit says when it is made stays until the next: what a file of parameters does. The larger of
    /// the margin at the volatility of that time and of the training's own quantile.
    Held,
}

/// Plays margins of both sides through the later part of a history: fitted on what came before, up to a
/// year and at most half of the history, anew every twelfth of that. Horizons do not overlap.
///
/// # Errors
/// A history too short for [`LEAST_TESTED`] horizons.
pub fn forward(
    history: &History,
    promise: Promise,
    settings: Settings,
    follow: Follow,
) -> Result<[Vec<Outcome>; 2]> {
    let filter = Filter::fit(&history.stretches, history.step, settings)?;
    let windows = moves::windows(&history.stretches, &filter, promise.steps);
    let longest = usize::try_from(LONGEST_TRAINING / history.step)?;
    let training = longest.min(history.count() / 2);
    let every = (training / REFITS).max(promise.steps);
    let mut outcomes = [Vec::new(), Vec::new()];
    let (mut fit, mut next_fit, mut next) = (None, training, training);
    for window in &windows {
        if window.place < next {
            continue;
        }
        let Some(sigma) = window.sigma else { continue };
        next = window.place + promise.steps;
        if window.place >= next_fit {
            let past = past(&windows, window.place, training, promise.steps);
            let made = Some(Fit::of(past, promise, settings)).filter(Fit::is_known);
            fit = made.map(|made| (made.clone(), made.held(sigma)));
            next_fit = window.place + every;
        }
        let Some((fit, held)) = &fit else { continue };
        for ((side, outcomes), held) in Side::BOTH.into_iter().zip(&mut outcomes).zip(held) {
            let margin = match follow {
                Follow::EveryStep => fit.log_margin(side, sigma),
                Follow::Held => *held,
            };
            outcomes.push(Outcome {
                time: history.times[window.place],
                margin: side.loss(margin),
                moved: side.loss(window.against(side)),
            });
        }
    }
    let tested = outcomes[0].len();
    ensure!(
        tested >= LEAST_TESTED,
        "the backtest has {tested} horizons of {} seconds behind its first fit; at least {LEAST_TESTED} are \
         wanted: give a longer history or a shorter horizon",
        promise.steps as i64 * history.step
    );
    Ok(outcomes)
}

/// The windows that were over when step `now` began, of the last `training` steps.
fn past(windows: &[Window], now: usize, training: usize, steps: usize) -> &[Window] {
    let begin = windows.partition_point(|window| window.place + training < now);
    let end = windows.partition_point(|window| window.place + steps <= now);
    &windows[begin.min(end)..end]
}

/// What a fit knows.
#[derive(Clone, Debug)]
pub struct Fit {
    settings: Settings,
    stressed: f64,
    /// Quantile of the moves over the scale, longs and shorts.
    multiples: [f64; 2],
    /// Quantile of the moves themselves.
    moves: [f64; 2],
}

impl Fit {
    /// Fits windows in order of time.
    #[must_use]
    pub fn of(windows: &[Window], promise: Promise, settings: Settings) -> Self {
        let mut sigmas: Vec<f64> = windows.iter().filter_map(|window| window.sigma).collect();
        sigmas.sort_unstable_by(f64::total_cmp);
        let mut fit = Self {
            settings,
            stressed: 0.,
            multiples: [0.; 2],
            moves: [0.; 2],
        };
        if sigmas.is_empty() {
            return fit;
        }
        fit.stressed = quantile_of_sorted(&sigmas, STRESSED_LEVEL);
        let independent = sigmas.len() as f64 / promise.steps as f64;
        fit.multiples = Side::BOTH.map(|side| {
            let tail = Tail::of(fit.multiples_of(windows, side));
            tail.quantile(promise.level, independent).0
        });
        fit.moves = Side::BOTH.map(|side| {
            let moves = windows.iter().map(|window| window.against(side));
            Tail::of(moves.collect())
                .quantile(promise.level, independent)
                .0
        });
        fit
    }

    /// The moves against a side over the scale of their time.
    #[must_use]
    pub fn multiples_of(&self, windows: &[Window], side: Side) -> Vec<f64> {
        let multiple = |window: &Window| {
            let sigma = window.sigma?;
            Some(window.against(side) / self.scale(sigma))
        };
        windows.iter().filter_map(multiple).collect()
    }

    /// The scale that belongs to a volatility.
    #[must_use]
    pub fn scale(&self, sigma: f64) -> f64 {
        self.settings.scale(sigma, self.stressed)
    }

    /// The margin of a side at a volatility, a logarithm.
    #[must_use]
    pub fn log_margin(&self, side: Side, sigma: f64) -> f64 {
        let [long, short] = self.multiples;
        let multiple = match side {
            Side::Long => long,
            Side::Short => short,
        };
        multiple * self.scale(sigma)
    }

    /// The margins of a file that is written at this volatility.
    fn held(&self, sigma: f64) -> [f64; 2] {
        let [long, short] = self.moves;
        [
            long.max(self.log_margin(Side::Long, sigma)),
            short.max(self.log_margin(Side::Short, sigma)),
        ]
    }

    fn is_known(&self) -> bool {
        self.stressed > 0. && self.multiples.iter().all(|multiple| *multiple > 0.)
    }
}
