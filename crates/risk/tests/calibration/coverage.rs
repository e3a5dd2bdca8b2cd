//! An interval of 90% holds the truth in 85 to 95 of 100 series of independent points, and in somewhat fewer
//! where volatility changes: docs/RISK.md.

use ballast_risk::bootstrap::{Blocks, Interval, Resampling};
use ballast_risk::random::Stream;
use ballast_risk::tails::Tail;

use super::series::Garch;

const RUNS: u64 = 200;
const DRAWS: u64 = 200;

/// In how many of the runs the interval holds the true quantile.
fn held(truth: f64, level: f64, block: usize, sample: impl Fn(u64) -> Vec<f64>) -> u64 {
    let holds = |run: u64| {
        let sample = sample(run);
        let independent = sample.len() as f64;
        let resampling = Resampling {
            block,
            draws: DRAWS,
            seed: run,
        };
        let estimate = |tail: &Tail| tail.quantile(level, independent).0;
        let Interval { low, high } = Blocks::of(&sample, block).interval(resampling, estimate);
        u64::from((low..=high).contains(&truth))
    };
    (0..RUNS).map(holds).sum()
}

fn is_between(held: u64, least: u64, most: u64) -> bool {
    (RUNS * least / 100..=RUNS * most / 100).contains(&held)
}

#[test]
fn intervals_hold_the_quantiles_of_pareto_series() {
    for (shape, level) in [(0.25, 0.99), (0.25, 0.999), (0.35, 0.995)] {
        let sample = |run| {
            let mut stream = Stream::new(1_000 + run, 0);
            (0..5_000).map(|_| stream.unit().powf(-shape)).collect()
        };
        let truth = f64::powf(1. - level, -shape);
        let held = held(truth, level, 1, sample);
        assert!(
            is_between(held, 85, 95),
            "{shape} {level}: {held} of {RUNS}"
        );
    }
}

/// Volatility that changes. A deeper level of as short a series is held less often.
#[test]
fn intervals_hold_the_quantiles_of_garch_series() {
    let falls = |seed, count| {
        let returns = Garch::HOURS.returns(seed, count);
        returns
            .into_iter()
            .map(|one| (-one).max(0.))
            .collect::<Vec<f64>>()
    };
    let mut long = falls(9, 2_000_000);
    long.sort_unstable_by(f64::total_cmp);
    let level = 0.99;
    let truth = long[(level * long.len() as f64) as usize];
    let held = held(truth, level, 100, |run| falls(2_000 + run, 5_000));
    assert!(is_between(held, 80, 95), "{held} of {RUNS}");
}
