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
}
