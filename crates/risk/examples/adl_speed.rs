//! How long a forecast of deleveraging takes: `adl_speed [POSITIONS [PATHS]]`, one thread, 24 hours in minutes of
//! three prices each, a volatility of about 3.5 % a day. Three markets: with makers and liquidators, with
//! liquidators alone, and one in which nobody can take over anything. The fingerprint is of all that was
//! found: two builds that say the same print the same.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use ballast_risk::adl::book::Depth;
use ballast_risk::adl::forecast::{forecast, Forecast, Source};
use ballast_risk::adl::snapshot::Snapshot;
use ballast_risk::makers::MakerStyle;
use ballast_risk::path::PathModel;
use ballast_risk::prices::{PricePoint, Prices};
use ballast_risk::random::Stream;

#[path = "../tests/adl/venue.rs"]
#[allow(dead_code)]
mod venue;

const DAY: u32 = 86_400;
/// Depth of the makers' side and their worth, as parts of the open interest.
const DEPTH_PART: u64 = 10;
const WORTH_PART: u64 = 5;
/// Insurance, as a part of the open interest's worth.
const INSURANCE_PART: u64 = 1_000;

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

fn market(positions: usize) -> Snapshot {
    let population = venue::population(positions, 1);
    let mut market = venue::snapshot(venue::params(), &population, 0);
    market.market.insurance.balance = worth(&market) / INSURANCE_PART;
    market
}

/// Worth of the open interest, atoms.
fn worth(market: &Snapshot) -> u64 {
    market.market.open_interest_lots * venue::START
}

fn depth(market: &Snapshot) -> Depth {
    Depth {
        style: MakerStyle {
            depth_lots: market.market.open_interest_lots / DEPTH_PART,
            spread_bps: 8,
            min_lots: market.market.risk.min_position_lots,
        },
        worth: worth(market) / WORTH_PART,
        inventory: 0,
    }
}

fn main() -> Result<(), anyhow::Error> {
    let mut numbers = std::env::args().skip(1);
    let mut number = |usual: u32| match numbers.next() {
        Some(text) => text.parse(),
        None => Ok(usual),
    };
    let positions = usize::try_from(number(100_000)?)?;
    let paths = number(1_000)?;
    let model = model()?;
    let poor = market(positions);
    let mut alone = poor.clone();
    alone.assume_liquidators(alone.usual_capital().unwrap_or(0));
    let mut made = alone.clone();
    made.depth = Some(depth(&made));
    for (name, market) in [
        ("makers and liquidators", made),
        ("liquidators alone", alone),
        ("nobody", poor),
    ] {
        let source = Source::Drawn(&model, 1, DAY);
        let (begun, used) = (Instant::now(), processor_seconds());
        let found = forecast(&market, &source, paths, 1)?;
        let took = match (used, processor_seconds()) {
            (Some(before), Some(after)) => after - before,
            _ => begun.elapsed().as_secs_f64(),
        };
        say(name, &found, took);
    }
    Ok(())
}

/// What the system has given this process so far, where it says so (Linux, in hundredths): others may be
/// at work on the same core.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let hundredths: f64 = fields.split_whitespace().nth(11)?.parse().ok()?;
    Some(hundredths / 100.)
}

fn say(name: &str, found: &Forecast, seconds: f64) {
    let (positions, paths) = (found.positions.len(), found.paths);
    let mean = |of: fn(&ballast_risk::adl::forecast::PositionForecast) -> u32| {
        let sum: u64 = found.positions.iter().map(|one| u64::from(of(one))).sum();
        sum as f64 / f64::from(paths)
    };
    let mut hasher = DefaultHasher::new();
    format!("{found:?}").hash(&mut hasher);
    println!(
        "{positions} positions, {paths} paths, {name}: {seconds:.2} s, {:.2} ms a path; a path liquidates {:.1} and cuts {:.1} positions; anybody is cut on {} paths; fingerprint {:016x}",
        seconds * 1e3 / f64::from(paths),
        mean(|one| one.liquidated.hits),
        mean(|one| one.cut.hits),
        found.market.adl.hits,
        hasher.finish(),
    );
}
