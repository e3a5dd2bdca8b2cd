//! The days that are rehearsed.

use std::cmp::Ordering;
use std::path::Path;

use anyhow::{Context, Result};
use ballast_risk::prices::PricePoint;

use super::CapitalArgs;
use crate::scenario::generated_path;
use crate::scenario::prices::PricePath;

/// A day: one path of prices, or one for each seed.
pub struct Day {
    /// Its name in tables.
    pub name: String,
    path: Option<PricePath>,
}

impl Day {
    /// The generated day and those of the files.
    pub fn all(args: &CapitalArgs) -> Result<Vec<Self>> {
        let generated = Self {
            name: "generated".to_owned(),
            path: None,
        };
        let mut days = vec![generated];
        for file in &args.days {
            days.push(Self::of_file(file, args.window)?);
        }
        Ok(days)
    }

    fn of_file(file: &Path, minutes: u32) -> Result<Self> {
        let whole = PricePath::load(file)?;
        let name = file.file_stem().context("a price file has a name")?;
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            path: Some(PricePath {
                points: steepest(&whole.points, i64::from(minutes) * 60).to_vec(),
                ..whole
            }),
        })
    }

    /// Its prices.
    pub fn path(&self, seed: u64) -> PricePath {
        match &self.path {
            Some(path) => path.clone(),
            None => generated_path::generate(seed),
        }
    }
}

/// Of the stretches of `seconds` that begin with a price, the one with the largest ratio of its highest
/// to its lowest price; the middle one of several, so that what follows the move is played too where the
/// stretch is longer than the move, and never less than two prices.
fn steepest(points: &[PricePoint], seconds: i64) -> &[PricePoint] {
    let stretch = |from: usize| {
        let begin = points[from].timestamp;
        let inside = |point: &&PricePoint| point.timestamp <= begin + seconds;
        let count = points[from..].iter().take_while(inside).count();
        &points[from..from + count]
    };
    let (mut best, mut farthest) = (Vec::new(), (0, 1));
    for from in 0..points.len().saturating_sub(1) {
        let part = stretch(from);
        let prices = || part.iter().map(|point| i128::from(point.price_nano));
        let (low, high) = (prices().min().unwrap_or(1), prices().max().unwrap_or(1));
        match (high * farthest.1).cmp(&(farthest.0 * low)) {
            _ if part.len() < 2 => {}
            Ordering::Greater => (best, farthest) = (vec![from], (high, low)),
            Ordering::Equal => best.push(from),
            Ordering::Less => {}
        }
    }
    let middle = best.get(best.len() / 2);
    middle.map_or(points, |from| stretch(*from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(prices: &[i64]) -> Vec<PricePoint> {
        let point = |(minute, price_nano): (i64, &i64)| PricePoint {
            timestamp: 1_000 + minute * 60,
            price_nano: *price_nano,
        };
        (0..).zip(prices).map(point).collect()
    }

    #[test]
    fn the_stretch_is_the_one_that_moves_most() {
        let all = points(&[100, 101, 102, 90, 91, 95, 110, 111]);
        let prices = |seconds| -> Vec<i64> {
            let part = steepest(&all, seconds);
            part.iter().map(|point| point.price_nano).collect()
        };
        assert_eq!(prices(60), [95, 110]);
        assert_eq!(prices(180), [90, 91, 95, 110]);
        // Those that begin with one of the first four prices move as much.
        assert_eq!(prices(100_000), [102, 90, 91, 95, 110, 111]);
    }
}
