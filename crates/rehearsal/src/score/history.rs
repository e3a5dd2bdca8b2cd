//! Prices that no forecaster knows the law of: volatility wanders, and returns have heavy tails.

use ballast_risk::prices::{PricePoint, Prices};
use ballast_risk::random::Stream;

use anyhow::Result;

use crate::scenario::prices::{PricePath, PriceSource};

/// Seconds between prices, of which three are a minute.
const STEP: i64 = 20;
/// The last price of the past.
const START: i64 = 1_760_129_400;
/// Prices of the past: two days.
const PAST: usize = 8_640;
/// Where prices begin, 1e-9 USD.
const FIRST: f64 = 206e9;
/// Usual size of a return.
const SIGMA: f64 = 0.004;
/// What the logarithm of volatility keeps of itself over a step: half after twelve hours.
const KEEPS: f64 = 0.999_679;
/// How far the logarithm of volatility wanders in the long run.
const WANDERS: f64 = 0.6;
/// Prices are multiples of this, a tenth of a cent.
const GRAIN: i64 = 1_000_000;

/// What happened before a rehearsal, and what happens in it.
pub struct History {
    /// The past.
    pub past: Prices,
    /// The prices of the rehearsal.
    pub path: PricePath,
}

impl History {
    /// That of a seed, with so many prices to come.
    ///
    /// # Errors
    /// A price below nothing, which is never drawn.
    pub fn draw(seed: u64, prices: u32) -> Result<Self> {
        let mut stream = Stream::new(seed, 0);
        let future = usize::try_from(prices)?;
        let mut level = WANDERS * normal(&mut stream);
        let (mut price, mut points) = (FIRST, Vec::new());
        let begin = START - STEP * i64::try_from(PAST)?;
        for step in 0..PAST + future {
            level = KEEPS * level + WANDERS * (1.0 - KEEPS * KEEPS).sqrt() * normal(&mut stream);
            price *= (SIGMA * level.exp() * heavy(&mut stream)).exp();
            points.push(PricePoint {
                timestamp: begin + STEP * i64::try_from(step)?,
                price_nano: (price as i64 / GRAIN).max(1) * GRAIN,
            });
        }
        Ok(Self {
            past: Prices::new(points[..PAST].to_vec())?,
            path: PricePath {
                source: PriceSource::Generated,
                points: points.split_off(PAST),
            },
        })
    }

    /// What is known after so many prices of the rehearsal.
    ///
    /// # Errors
    /// Never in fact.
    pub fn known(&self, prices: usize) -> Result<Prices> {
        let seen = self.path.points.iter().take(prices);
        Prices::new(self.past.points().iter().chain(seen).copied().collect())
    }
}

/// A normal number, by Box and Muller (1958).
fn normal(stream: &mut Stream) -> f64 {
    let radius = (-2.0 * stream.unit().ln()).sqrt();
    radius * (core::f64::consts::TAU * stream.unit()).cos()
}

/// Student's t with five degrees of freedom, of variance 1.
fn heavy(stream: &mut Stream) -> f64 {
    let squares: f64 = (0..5).map(|_| normal(stream).powi(2)).sum();
    normal(stream) / (squares / 5.0).sqrt() * (3.0_f64 / 5.0).sqrt()
}

#[cfg(test)]
mod tests {
    use ballast_risk::path::PathModel;

    use super::*;

    #[test]
    fn the_seed_decides_and_the_rehearsal_follows_the_past() {
        let one = History::draw(1, 60).expect("prices");
        let again = History::draw(1, 60).expect("prices");
        assert_eq!((&one.past, &one.path), (&again.past, &again.path));
        assert_ne!(one.path, History::draw(2, 60).expect("prices").path);
        let last = one.past.points().last().map(|point| point.timestamp);
        assert_eq!(one.path.points[0].timestamp - STEP, last.expect("a price"));
        assert_eq!(one.known(10).expect("prices").points().len(), PAST + 10);
    }

    /// How far a path goes down, up, and from end to end, and where it ends, from a price of 1.
    fn reach(prices: impl Iterator<Item = f64>) -> [f64; 4] {
        let begin = [1.0_f64; 3];
        let [low, high, last] = prices.fold(begin, |[low, high, _], price| {
            [low.min(price), high.max(price), price]
        });
        [low, high, high / low, last]
    }

    #[test]
    fn paths_reach_as_far_as_the_prices_that_come() {
        const HISTORIES: u64 = 200;
        const PATHS: u64 = 99;
        const PRICES: u32 = 150;
        // How many of a hundred paths reach less far than what came is one of 0 to 99, each as often.
        let mut tenths = [[0_u32; 10]; 4];
        for seed in 1..=HISTORIES {
            let history = History::draw(seed, PRICES).expect("prices");
            let model = PathModel::fit(&history.past).expect("enough");
            let last = history.past.points().last().expect("a price").price_nano as f64;
            let come = history.path.points.iter();
            let came = reach(come.map(|point| point.price_nano as f64 / last));
            let mut less = [0_usize; 4];
            for index in 0..PATHS {
                let bars = model.path(seed, index, PRICES as usize / 3);
                let points = bars.iter().flat_map(|bar| bar.points().into_iter().skip(1));
                for ((less, path), came) in less.iter_mut().zip(reach(points)).zip(came) {
                    *less += usize::from(path < came);
                }
            }
            for (tenths, less) in tenths.iter_mut().zip(less) {
                tenths[less / 10] += 1;
            }
        }
        for tenths in tenths {
            let expected = HISTORIES as f64 / 10.0;
            let apart = tenths.map(|count| (f64::from(count) - expected).powi(2) / expected);
            // Chi-squared with nine degrees of freedom is above this once in a thousand.
            assert!(apart.iter().sum::<f64>() < 27.9, "{tenths:?}");
        }
    }
}
