//! An interval of 90% holds the truth in 85 to 95 of 100 series, of independent points and where volatility
//! changes.

use ballast_risk::bootstrap::{Blocks, Interval, Resampling};
use ballast_risk::histories::Histories;
use ballast_risk::moves::{self, Side};
use ballast_risk::random::Stream;
use ballast_risk::returns::Return;
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

/// In how many of the runs the interval holds the true quantile of the falls of a series of log returns.
fn held(truth: f64, level: f64, returns: impl Fn(u64) -> Vec<f64>) -> u64 {
    let holds = |run: u64| {
        let one = |close: f64| Return {
            high: close.max(0.),
            low: close.min(0.),
            close,
        };
        let history = [returns(run).into_iter().map(one).collect::<Vec<_>>()];
        let falls = moves::against(&history, 1, Side::Long);
        let resampling = Resampling {
            block: BLOCK,
            draws: DRAWS,
            seed: run,
        };
        let estimate = |tail: &Tail| tail.quantile(level, POINTS as f64).0;
        let blocks = Blocks::of(&falls, BLOCK).interval(resampling, estimate);
        let histories = Histories::like(&history, run).expect("moves");
        let value = estimate(&Tail::of(falls));
        let drawn = histories.interval(1, Side::Long, value, estimate);
        let Interval { low, high } = blocks.with(drawn);
        u64::from((low..=high).contains(&truth))
    };
    (first_run()..first_run() + runs()).map(holds).sum()
}

/// `BALLAST_COVERAGE_FIRST`: other series than those of every day.
fn first_run() -> u64 {
    let told = std::env::var("BALLAST_COVERAGE_FIRST");
    told.map_or(0, |text| text.parse().expect("a number"))
}

fn runs() -> u64 {
    let told = std::env::var("BALLAST_COVERAGE_RUNS");
    told.map_or(RUNS, |text| text.parse().expect("a number"))
}

fn require(what: &str, held: u64) {
    let runs = runs();
    println!("{what}: {held} of {runs}");
    let expected = runs * 85 / 100..=runs * 95 / 100;
    assert!(expected.contains(&held), "{what}: {held} of {runs}");
}

#[test]
fn intervals_hold_the_quantiles_of_pareto_series() {
    for (shape, level) in [(0.25, 0.99), (0.25, 0.999), (0.35, 0.995)] {
        let returns = |run| {
            let mut stream = Stream::new(1_000 + run, 0);
            let mut one = || {
                let sign = if stream.below(2) == 0 { 1. } else { -1. };
                sign * stream.unit().powf(-shape)
            };
            (0..POINTS).map(|_| one()).collect()
        };
        // Half of the returns are falls.
        let truth = f64::powf(2. * (1. - level), -shape);
        let held = held(truth, level, returns);
        require(&format!("Pareto {shape} at {level}"), held);
    }
}

#[test]
fn intervals_hold_the_quantiles_of_garch_series() {
    let returns = |run| Garch::HOURS.returns(2_000 + run, POINTS);
    let held = held(GARCH_99, 0.99, returns);
    require("GARCH at 0.99", held);
}
