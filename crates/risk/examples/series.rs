//! Prints synthetic prices, GARCH(1,1) with Student's t, a minute apart: so many of a seed.
//!
//! `cargo run --release -p ballast-risk --example series -- 100000 1 > prices.csv`

#[path = "../tests/calibration/series.rs"]
mod series;

use std::io::Write;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut next = || {
        numbers
            .next()
            .context("expected a count and a seed")?
            .context("expected a number")
    };
    let (count, seed) = (next()?, next()?);
    let prices = series::minutes(seed, usize::try_from(count)?, 150.);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    out.write_all(series::csv(&prices).as_bytes())?;
    Ok(())
}
