//! What the prices say of their own source: how far apart they are, and how far from their average.

use crate::filter::quantile_of_sorted;
use crate::prices::{Bars, Prices};

/// Time over which the price's moving average is taken, seconds: about an hour.
const AVERAGE_SECONDS: f64 = 3_600.;
/// Part of the observations that a limit lets pass before it is doubled.
pub(super) const LEVEL: f64 = 0.999;

/// What was observed in 99.9% of all cases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    /// Seconds from one price to the next.
    pub update_gap: f64,
    /// Distance of the price from its average, part of the average.
    pub divergence: f64,
    /// Move of one step, part of the price.
    pub step_move: f64,
}

impl Observed {
    pub(super) fn of(prices: &Prices, bars: &Bars) -> Self {
        let gaps = prices.points().windows(2);
        let gaps = gaps.map(|pair| (pair[1].timestamp - pair[0].timestamp) as f64);
        let weight = -(-(bars.step as f64) / AVERAGE_SECONDS).exp_m1();
        let mut distances = Vec::new();
        for segment in &bars.segments {
            let mut average = segment.first().map_or(0., |bar| bar.open);
            for bar in segment {
                let far = |price: f64| (price / average - 1.).abs();
                distances.push(far(bar.high).max(far(bar.low)));
                average += weight * (bar.close - average);
            }
        }
        let moves = bars.iter();
        let moves = moves.map(|bar| (bar.high / bar.open - 1.).max(1. - bar.low / bar.open));
        Self {
            update_gap: nearly_all(gaps.collect()),
            divergence: nearly_all(distances),
            step_move: nearly_all(moves.collect()),
        }
    }
}

fn nearly_all(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    if all.is_empty() {
        return 0.;
    }
    quantile_of_sorted(&all, LEVEL)
}
