//! An interval of 90% holds the truth in 85 to 95 of 100 series of independent points, and in somewhat fewer
//! where volatility changes: docs/RISK.md.

use ballast_risk::bootstrap::{Blocks, Interval, Resampling};
use ballast_risk::random::Stream;
use ballast_risk::tails::Tail;

use super::series::Garch;

/// Series of each kind, unless `BALLAST_COVERAGE_RUNS` says how many.
const RUNS: u64 = 200;
const DRAWS: u64 = 200;

/// Points of a block: a history is cut into twenty.
const BLOCK: usize = POINTS / 20;
const POINTS: usize = 5_000;

/// The 99% level of falls of [`Garch::HOURS`], of a series of 20 million.
const GARCH_99: f64 = 0.021_28;

/// In how many of the runs the interval holds the true quantile.
fn held(truth: f64, level: f64, sample: impl Fn(u64) -> Vec<f64>) -> u64 {
    let holds = |run: u64| {
        let sample = sample(run);
        let independent = sample.len() as f64;
        let resampling = Resampling {
            block: BLOCK,
            draws: DRAWS,
            seed: run,
        };
        let estimate = |tail: &Tail| tail.quantile(level, independent).0;
        let Interval { low, high } = Blocks::of(&sample, BLOCK).interval(resampling, estimate);
        u64::from((low..=high).contains(&truth))
    };
    (0..runs()).map(holds).sum()
}

fn runs() -> u64 {
    let told = std::env::var("BALLAST_COVERAGE_RUNS");
    told.map_or(RUNS, |text| text.parse().expect("a number"))
}

fn require(what: &str, held: u64, least: u64) {
    let runs = runs();
    println!("{what}: {held} of {runs}");
    let expected = runs * least / 100..=runs * 95 / 100;
    assert!(expected.contains(&held), "{what}: {held} of {runs}");
}

#[test]
fn intervals_hold_the_quantiles_of_pareto_series() {
    for (shape, level) in [(0.25, 0.99), (0.25, 0.999), (0.35, 0.995)] {
        let sample = |run| {
            let mut stream = Stream::new(1_000 + run, 0);
            (0..POINTS).map(|_| stream.unit().powf(-shape)).collect()
        };
        let truth = f64::powf(1. - level, -shape);
        let held = held(truth, level, sample);
        require(&format!("Pareto {shape} at {level}"), held, 85);
    }
}

#[test]
fn intervals_hold_the_quantiles_of_garch_series() {
    let falls = |seed, count| {
        let returns = Garch::HOURS.returns(seed, count);
        returns
            .into_iter()
            .map(|one| (-one).max(0.))
            .collect::<Vec<f64>>()
    };
    let level = 0.99;
    let held = held(GARCH_99, level, |run| falls(2_000 + run, POINTS));
    require("GARCH at 0.99", held, 80);
}
