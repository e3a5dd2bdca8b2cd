//! How far the price moves against a position within a horizon, with interval and rule.

use anyhow::Result;
use serde::Serialize;

use super::Request;
use crate::bootstrap::{Blocks, Interval, Resampling};
use crate::decimal::Decimal;
use crate::filter::{Filter, Settings};
use crate::histories::Histories;
use crate::moves::{self, Side, Window};
use crate::tails::{Estimator, Tail};
use crate::walk::{Fit, History, Promise};

/// Independent horizons that a history has to hold for their moves to be taken from it; moves of longer ones
/// are scaled by the square root of time.
const LEAST_HORIZONS: usize = 50;
/// Blocks that a history is cut into: the fewer, the longer the storms that stay whole.
const BLOCKS: usize = 20;
/// Levels of the table of return levels.
const RETURN_LEVELS: [f64; 5] = [0.99, 0.995, 0.999, 0.9995, 0.9999];

/// What a move is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The moves of the history as they were.
    History,
    /// The moves over the scale of their time, at the scale of now.
    Now,
}

/// The loss of a horizon.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// Part of the notional.
    pub loss: f64,
    /// What holds it in 90 of 100 draws.
    pub interval: Interval,
    side: Side,
    basis: Basis,
    estimator: Estimator,
    seconds: f64,
    /// The horizon it was scaled from, seconds, where it was.
    scaled_from: Option<f64>,
    level: f64,
}

impl Loss {
    /// How it came about.
    pub fn rule(&self) -> String {
        let basis = match self.basis {
            Basis::History => "over the history",
            Basis::Now => "at the volatility of now with a quarter of stress",
        };
        let scaled = match self.scaled_from {
            Some(from) => format!(", from {} by the square root of time", time(from)),
            None => String::new(),
        };
        let percent = (1e6 * self.level).round() / 1e4;
        format!(
            "{percent}% of moves against a {} within {} {basis}, {}{scaled}",
            self.side.name(),
            time(self.seconds),
            self.estimator.name()
        )
    }
}

fn time(seconds: f64) -> String {
    if seconds >= 7_200. {
        format!("{} h", (seconds / 360.).round() / 10.)
    } else if seconds >= 120. {
        format!("{} min", (seconds / 6.).round() / 10.)
    } else {
        format!("{} s", (seconds * 10.).round() / 10.)
    }
}

/// Moves of a side at several levels.
#[derive(Clone, Debug, Serialize)]
pub struct Levels {
    /// Steps of the horizon, in seconds.
    pub horizon_seconds: Decimal,
    /// Shape of the tail; `None` where it could not be fitted.
    pub shape: Option<Decimal>,
    /// What holds the shape in 90 of 100 draws.
    pub shape_interval: Option<[Decimal; 2]>,
    /// The levels.
    pub levels: Vec<ReturnLevel>,
}

/// A move that is exceeded in one of so many horizons.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ReturnLevel {
    /// The level.
    pub level: Decimal,
    /// Part of the price.
    pub loss: Decimal,
    /// What holds it in 90 of 100 draws.
    pub interval: [Decimal; 2],
}

/// Estimates of one history.
pub struct Margins<'a> {
    history: &'a History,
    filter: Filter,
    histories: Histories,
    settings: Settings,
    draws: u64,
    seed: u64,
}

/// Windows of a horizon, and what their moves are multiplied with to be those of the time asked for.
struct Horizon {
    windows: Vec<Window>,
    steps: usize,
    factor: f64,
    scaled_from: Option<f64>,
}

impl<'a> Margins<'a> {
    pub fn new(history: &'a History, settings: Settings, request: &Request) -> Result<Self> {
        Ok(Self {
            filter: Filter::fit(&history.stretches, history.step, settings)?,
            histories: Histories::like(&history.stretches, request.seed)?,
            history,
            settings,
            draws: request.draws,
            seed: request.seed,
        })
    }

    /// Volatility of a second at the scale of now, part of the price.
    pub fn second(&self) -> f64 {
        let scale = self.filter.scale(self.filter.now().sigma());
        scale / (self.history.step as f64).sqrt()
    }

    fn horizon(&self, seconds: f64) -> Horizon {
        let step = self.history.step as f64;
        let longest = (self.history.count() / LEAST_HORIZONS).max(1);
        let wanted = (seconds / step).round().max(1.) as usize;
        let steps = wanted.min(longest);
        let taken = steps as f64 * step;
        let is_scaled = steps < wanted || taken > 1.5 * seconds;
        Horizon {
            windows: moves::windows(&self.history.stretches, &self.filter, steps),
            steps,
            factor: if is_scaled {
                (seconds / taken).sqrt()
            } else {
                1.
            },
            scaled_from: is_scaled.then_some(taken),
        }
    }

    /// The largest of the losses of both sides, over the history and at the volatility of now.
    pub fn loss(&self, seconds: f64, level: f64) -> Loss {
        let horizon = self.horizon(seconds);
        let promise = Promise {
            steps: horizon.steps,
            level,
        };
        let fit = Fit::of(&horizon.windows, promise, self.settings);
        let scale = self.filter.scale(self.filter.now().sigma());
        let independent = horizon.windows.len() as f64 / horizon.steps as f64;
        let mut largest: Option<(Loss, Vec<f64>, f64)> = None;
        for side in Side::BOTH {
            for basis in [Basis::History, Basis::Now] {
                let (sample, factor) = match basis {
                    Basis::History => {
                        let moves = horizon.windows.iter().map(|one| one.against(side));
                        (moves.collect(), horizon.factor)
                    }
                    Basis::Now => (
                        fit.multiples_of(&horizon.windows, side),
                        horizon.factor * scale,
                    ),
                };
                let sample: Vec<f64> = sample;
                let (value, estimator) = Tail::of(sample.clone()).quantile(level, independent);
                let loss = side.loss(value * factor);
                if largest.as_ref().is_none_or(|(one, ..)| loss > one.loss) {
                    let found = Loss {
                        loss,
                        interval: Interval {
                            low: loss,
                            high: loss,
                        },
                        side,
                        basis,
                        estimator,
                        seconds,
                        scaled_from: horizon.scaled_from,
                        level,
                    };
                    largest = Some((found, sample, factor));
                }
            }
        }
        let (mut loss, sample, factor) = largest.expect("both sides were tried");
        let estimate = |tail: &Tail| {
            let value = tail.quantile(level, independent).0;
            loss.side.loss(value * factor)
        };
        loss.interval = self
            .blocks(&sample)
            .interval(self.resampling(sample.len()), estimate);
        if loss.basis == Basis::History {
            let (steps, side) = (horizon.steps, loss.side);
            let drawn = self.histories.interval(steps, side, loss.loss, estimate);
            loss.interval = loss.interval.with(drawn);
        }
        loss
    }

    /// Moves of a side at several levels, as the history has them.
    pub fn levels(&self, side: Side, seconds: f64) -> Levels {
        let horizon = self.horizon(seconds);
        let moves = horizon.windows.iter().map(|one| one.against(side));
        let sample: Vec<f64> = moves.collect();
        let independent = sample.len() as f64 / horizon.steps as f64;
        let blocks = self.blocks(&sample);
        let resampling = self.resampling(sample.len());
        let tail = Tail::of(sample);
        let shape = |tail: &Tail| tail.pareto().map(|pareto| pareto.shape);
        let at = |level: f64| {
            let loss =
                |tail: &Tail| side.loss(tail.quantile(level, independent).0 * horizon.factor);
            let value = loss(&tail);
            let interval = blocks.interval(resampling, loss);
            let drawn = self.histories.interval(horizon.steps, side, value, loss);
            let interval = interval.with(drawn);
            ReturnLevel {
                level: Decimal(level),
                loss: Decimal(value),
                interval: [Decimal(interval.low), Decimal(interval.high)],
            }
        };
        let fitted = shape(&tail);
        Levels {
            horizon_seconds: Decimal(seconds),
            shape: fitted.map(Decimal),
            shape_interval: fitted.map(|_| {
                // A shape may be negative, its exponential is not.
                let drawn = |tail: &Tail| shape(tail).unwrap_or(0.).exp();
                let interval = blocks.interval(resampling, drawn);
                [Decimal(interval.low.ln()), Decimal(interval.high.ln())]
            }),
            levels: RETURN_LEVELS.map(at).to_vec(),
        }
    }

    fn blocks(&self, sample: &[f64]) -> Blocks {
        Blocks::of(sample, self.resampling(sample.len()).block)
    }

    fn resampling(&self, count: usize) -> Resampling {
        Resampling {
            block: (count / BLOCKS).max(1),
            draws: self.draws,
            seed: self.seed,
        }
    }
}
