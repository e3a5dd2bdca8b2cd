//! The prices of several markets at the same times: from files, or moved together by a beta and noise of their own.

use std::path::PathBuf;

use anyhow::{ensure, Context, Result};
use ballast_risk::prices::PricePoint;
use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::scenario::generated_path;
use crate::scenario::prices::PricePath;

/// First price in US cents, and how far the price follows that of the first market, basis points.
const CORRELATED: [(i64, i64); 7] = [
    (440_000, 12_500),
    (25, 8_000),
    (12_000_000, 16_000),
    (2_600, 9_000),
    (125_000, 11_000),
    (280, 14_000),
    (1_700, 7_000),
];
const NANO_PER_CENT: i64 = 10_000_000;
/// Millionths of the whole.
const ONE: i64 = 1_000_000;
/// Largest step of a market's own noise, millionths.
const NOISE: i64 = 2_500;
/// What is left of the noise before it at the next price, per cent.
const STAYS: i64 = 97;
/// No generated price is below this part of the first, millionths.
const FLOOR: i64 = 50_000;

/// The prices of one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketPath {
    /// Where they come from, in words.
    pub source: String,
    /// At each time, 1e-9 USD.
    pub nano: Vec<i64>,
}

/// Prices of all markets at the same times; at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Unix seconds, rising.
    pub times: Vec<i64>,
    /// The markets.
    pub markets: Vec<MarketPath>,
    /// Whether any of it is generated.
    pub generated: bool,
}

impl Paths {
    /// Those of so many markets: of one file for each, or of the first market with the others moved along.
    ///
    /// # Errors
    /// Files that cannot be read, or whose times do not overlap.
    pub fn of(files: &[PathBuf], markets: usize, seed: u64) -> Result<Self> {
        if files.len() > 1 {
            let paths = files.iter().map(|file| PricePath::load(file));
            return Self::together(&paths.collect::<Result<Vec<_>>>()?);
        }
        let first = match files.first() {
            Some(file) => PricePath::load(file)?,
            None => generated_path::generate(seed),
        };
        Self::correlated(&first, markets, seed)
    }

    /// The first market's path, and others that follow it.
    fn correlated(path: &PricePath, markets: usize, seed: u64) -> Result<Self> {
        let points = &path.points;
        let start = path
            .first()
            .context("a price path is not empty")?
            .price_nano;
        let mut all = vec![MarketPath {
            source: path.source.sentence(),
            nano: points.iter().map(|point| point.price_nano).collect(),
        }];
        for (number, (cents, beta_bps)) in (1..u64::try_from(markets)?).zip(CORRELATED) {
            let mut draws = ChaCha8Rng::seed_from_u64(seed ^ (0x4d4b_5453 + number));
            let first = cents * NANO_PER_CENT;
            let mut noise = 0;
            let mut nano = Vec::with_capacity(points.len());
            for (place, point) in points.iter().enumerate() {
                if place > 0 {
                    noise = noise * STAYS / 100 + draws.gen_range(-NOISE..=NOISE);
                }
                let moved = i128::from(point.price_nano - start) * i128::from(ONE);
                let moved = i64::try_from(moved / i128::from(start))?;
                let level = (ONE + moved * beta_bps / 10_000 + noise).max(FLOOR);
                let price = i128::from(first) * i128::from(level) / i128::from(ONE);
                nano.push(i64::try_from(price)?);
            }
            all.push(MarketPath {
                source: format!(
                    "GENERATED: {}.{:02} times the moves of the first market, with noise of its own",
                    beta_bps / 10_000,
                    beta_bps % 10_000 / 100
                ),
                nano,
            });
        }
        Ok(Self {
            times: points.iter().map(|point| point.timestamp).collect(),
            markets: all,
            generated: true,
        })
    }

    /// Paths of files at every time of any of them at which all have a price: the last one before it.
    fn together(paths: &[PricePath]) -> Result<Self> {
        let edge = |path: &PricePath, last: bool| -> Result<i64> {
            let points = &path.points;
            let point = if last { points.last() } else { points.first() };
            Ok(point.context("a price path is not empty")?.timestamp)
        };
        let (mut from, mut to) = (i64::MIN, i64::MAX);
        for path in paths {
            from = from.max(edge(path, false)?);
            to = to.min(edge(path, true)?);
        }
        let points = paths.iter().flat_map(|path| &path.points);
        let mut times: Vec<i64> = points.map(|point| point.timestamp).collect();
        times.sort_unstable();
        times.dedup();
        times.retain(|time| (from..=to).contains(time));
        ensure!(
            times.len() > 1,
            "the prices of the files have less than two times in common: the latest first price is of {from}, the earliest last price of {to}"
        );
        let along = |path: &PricePath| MarketPath {
            source: path.source.sentence(),
            nano: times
                .iter()
                .map(|time| last_before(&path.points, *time))
                .collect(),
        };
        let markets = paths.iter().map(along).collect();
        Ok(Self {
            times,
            markets,
            generated: false,
        })
    }

    /// The prices at a place of the path, by market.
    pub fn at(&self, place: usize) -> Vec<i64> {
        let price = |market: &MarketPath| market.nano.get(place).copied().unwrap_or(0);
        self.markets.iter().map(price).collect()
    }
}

/// The last price at or before `time`, or the first.
fn last_before(points: &[PricePoint], time: i64) -> i64 {
    let after = points.partition_point(|point| point.timestamp <= time);
    let point = points.get(after.saturating_sub(1));
    point.map_or(0, |point| point.price_nano)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::prices::PriceSource;

    #[test]
    fn the_others_follow_the_first_by_their_betas() {
        let paths = Paths::of(&[], 8, 3).expect("a path");
        assert_eq!((paths.markets.len(), paths.times.len()), (8, 211));
        let fall = |market: &MarketPath| {
            let low = *market.nano.iter().min().expect("prices");
            (market.nano[0] - low) * 1_000 / market.nano[0]
        };
        let falls: Vec<i64> = paths.markets.iter().map(fall).collect();
        // 16.5% times the beta, within what the noise adds.
        for (fall, expected) in falls.iter().zip([165, 206, 132, 264, 148, 181, 231, 115]) {
            assert!((fall - expected).abs() < 30, "{falls:?}");
        }
        assert_eq!(paths.markets[1].nano[0], 4_400_000_000_000);
        assert_eq!(paths, Paths::of(&[], 8, 3).expect("a path"));
        let other = Paths::of(&[], 8, 4).expect("a path");
        assert_ne!(paths.markets[2].nano, other.markets[2].nano);
        let fewer = Paths::of(&[], 2, 3).expect("a path");
        assert_eq!(fewer.markets, paths.markets[..2]);
    }

    #[test]
    fn files_are_played_where_they_overlap() {
        let path = |points: &[(i64, i64)]| PricePath {
            source: PriceSource::Generated,
            points: points
                .iter()
                .map(|(timestamp, price_nano)| PricePoint {
                    timestamp: *timestamp,
                    price_nano: *price_nano,
                })
                .collect(),
        };
        let one = path(&[(10, 1), (20, 2), (40, 4)]);
        let other = path(&[(15, 7), (35, 8), (60, 9)]);
        let paths = Paths::together(&[one.clone(), other]).expect("they overlap");
        assert_eq!(paths.times, [15, 20, 35, 40]);
        assert_eq!(paths.markets[0].nano, [1, 2, 2, 4]);
        assert_eq!(paths.markets[1].nano, [7, 7, 8, 8]);
        let apart = path(&[(50, 1), (60, 1)]);
        let error = Paths::together(&[one, apart]).expect_err("apart");
        assert!(error.to_string().contains("less than two times"), "{error}");
    }
}
