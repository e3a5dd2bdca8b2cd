//! How long a forecast of deleveraging takes: `adl_speed [POSITIONS [PATHS [LIQUIDATORS_USD]]]`, one thread,
//! 24 hours in minutes of three prices each, a volatility of about 3.5 % a day.

use std::time::Instant;

use ballast_risk::adl::forecast::{forecast, Source};
use ballast_risk::path::PathModel;
use ballast_risk::prices::{PricePoint, Prices};
use ballast_risk::random::Stream;

#[path = "../tests/adl/venue.rs"]
#[allow(dead_code)]
mod venue;

const DAY: u32 = 86_400;

/// A week of minutes of a walk.
fn model() -> Result<PathModel, anyhow::Error> {
    let mut stream = Stream::new(5, 0);
    let mut price = 200e9;
    let points = (0..10_080).map(|minute| {
        price *= f64::exp(0.003_2 * (stream.unit() - 0.5));
        PricePoint {
            timestamp: 1_600_000_000 + minute * 60,
            price_nano: price as i64,
        }
    });
    PathModel::fit(&Prices::new(points.collect())?)
}

fn main() -> Result<(), anyhow::Error> {
    let mut numbers = std::env::args().skip(1);
    let mut number = |usual: u64| -> Result<u64, anyhow::Error> {
        Ok(match numbers.next() {
            Some(text) => text.parse()?,
            None => usual,
        })
    };
    let positions = usize::try_from(number(100_000)?)?;
    let paths = u32::try_from(number(1_000)?)?;
    let model = model()?;
    let population = venue::population(positions, 1);
    let mut market = venue::snapshot(venue::params(), &population, 0);
    market.market.insurance.balance = market.usual_capital().map_or(0, |atoms| atoms / 40);
    let capital = match numbers.next() {
        Some(usd) => usd.parse::<u64>()? * 1_000_000,
        None => market.usual_capital().unwrap_or(0),
    };
    market.assume_liquidators(capital);
    let source = Source::Drawn(&model, 1, DAY);
    let begun = Instant::now();
    let found = forecast(&market, &source, paths, 1)?;
    let taken = begun.elapsed().as_secs_f64();
    let sum = |of: fn(&ballast_risk::adl::forecast::PositionForecast) -> u32| -> u64 {
        found.positions.iter().map(|one| u64::from(of(one))).sum()
    };
    println!(
        "{positions} positions, {paths} paths: {taken:.2} s, {:.2} ms a path; a path liquidates {} and cuts {} positions on average; anybody cut on {} of {paths} paths",
        taken * 1e3 / f64::from(paths),
        sum(|one| one.liquidated.hits) / u64::from(paths),
        sum(|one| one.cut.hits) / u64::from(paths),
        found.market.adl.hits,
    );
    Ok(())
}
