//! Prices in order of time, from a CSV file, and the bars of equal length that they fall into.

mod bars;
mod csv_file;

use std::path::Path;

use anyhow::{ensure, Context, Result};

pub use bars::{Bar, Bars, Gap};

/// One price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePoint {
    /// When it is published, unix seconds.
    pub timestamp: i64,
    /// Price in 1e-9 USD, above zero.
    pub price_nano: i64,
}

/// Prices in rising order of time; at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    points: Vec<PricePoint>,
}

impl Prices {
    /// Prices that are at hand.
    ///
    /// # Errors
    /// Fewer than two, timestamps that do not rise, a price that is not above zero.
    pub fn new(points: Vec<PricePoint>) -> Result<Self> {
        ensure!(
            points.len() >= 2,
            "a price path needs at least two rows, found {}",
            points.len()
        );
        for pair in points.windows(2) {
            let (before, after) = (pair[0].timestamp, pair[1].timestamp);
            ensure!(
                before < after,
                "timestamps must rise, but {after} follows {before}"
            );
        }
        for point in &points {
            ensure!(
                point.price_nano > 0,
                "the price at {} must be above zero",
                point.timestamp
            );
        }
        Ok(Self { points })
    }

    /// Reads a CSV file with the header `timestamp,price`, or `timestamp,open,high,low,close` of which a row
    /// becomes four prices: open, the two extremes (the low first where the close is above the open),
    /// close. Unix seconds and US dollars; of a price, what is beyond a billionth is cut off.
    ///
    /// # Errors
    /// Names the file, the line and the remedy.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the price file {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("price file {}", path.display()))
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// Names the line and the remedy.
    pub fn parse(text: &str) -> Result<Self> {
        Self::new(csv_file::parse(text)?)
    }

    /// The prices.
    #[must_use]
    pub fn points(&self) -> &[PricePoint] {
        &self.points
    }

    /// The prices, as their own.
    #[must_use]
    pub fn into_points(self) -> Vec<PricePoint> {
        self.points
    }

    /// The finest step, seconds, that the prices carry: 95% of them follow within it. One of 1, 5, 10,
    /// 15, 20, 30 seconds, 1, 5, 15, 30 minutes, 1, 4, 12, 24 hours.
    ///
    /// # Errors
    /// Prices farther apart than a day.
    pub fn step(&self) -> Result<i64> {
        let usual = self.usual_spacing();
        let step = STEPS.into_iter().find(|step| usual <= *step);
        step.with_context(|| {
            format!("prices are usually {usual} seconds apart; a day is the most that says anything of risk")
        })
    }

    /// The bars of so many seconds each, and the gaps between them: see [`Bars`].
    #[must_use]
    pub fn bars(&self, step: i64) -> Bars {
        Bars::of(&self.points, step.max(1), self.usual_spacing())
    }

    /// Within so many seconds 95% of the prices follow the one before.
    fn usual_spacing(&self) -> i64 {
        let apart = |pair: &[PricePoint]| pair[1].timestamp - pair[0].timestamp;
        let mut spacings: Vec<i64> = self.points.windows(2).map(apart).collect();
        spacings.sort_unstable();
        spacings[(spacings.len() * 19 / 20).min(spacings.len() - 1)]
    }
}

/// Lengths of bars, seconds.
const STEPS: [i64; 14] = [
    1, 5, 10, 15, 20, 30, 60, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(points: &[(i64, i64)]) -> Prices {
        let point = |(timestamp, usd): &(i64, i64)| PricePoint {
            timestamp: *timestamp,
            price_nano: usd * 1_000_000_000,
        };
        Prices::new(points.iter().map(point).collect()).expect("valid")
    }

    #[test]
    fn the_step_is_what_nearly_all_prices_keep() {
        let every = |seconds: i64| {
            let points: Vec<_> = (0..100).map(|place| (place * seconds, 5)).collect();
            prices(&points).step().expect("a step")
        };
        assert_eq!(
            [1, 19, 20, 60, 61, 3_600].map(every),
            [1, 20, 20, 60, 300, 3_600]
        );
        assert!(prices(&[(0, 5), (90_000, 5)]).step().is_err());
    }

    #[test]
    fn prices_at_hand_are_checked() {
        let point = |timestamp, price_nano| PricePoint {
            timestamp,
            price_nano,
        };
        assert!(Prices::new(vec![point(1, 1)]).is_err());
        assert!(Prices::new(vec![point(1, 1), point(1, 1)]).is_err());
        assert!(Prices::new(vec![point(1, 1), point(2, 0)]).is_err());
    }
}
