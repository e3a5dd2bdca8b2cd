//! A forecast counts what its paths do, and is right on average along paths of its own law.

use ballast_engine::units::Side;
use ballast_risk::adl::forecast::{forecast, Forecast, PositionForecast, Source};
use ballast_risk::adl::snapshot::Snapshot;
use ballast_risk::adl::world::World;
use ballast_risk::adl::Levels;
use ballast_risk::path::PathModel;

use crate::many::walk;
use crate::venue::{params, population, snapshot};

const HOURS: u32 = 3;
/// Such that a day moves the price by about 16 %.
const WALK: f64 = 0.015;

/// A market with little insurance, in which a pass cuts a tenth of a position.
fn market(seed: u64) -> Snapshot {
    let mut risk = params();
    risk.adl.max_close_bps = 1_000;
    let mut market = snapshot(risk, &population(40, seed), 0);
    market.market.insurance.balance = 2_000_000;
    market.assume_liquidators(market.usual_capital().unwrap());
    market
}

/// What paths of these indices do to a position, each played in a world of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Done {
    cut: u32,
    closed: u32,
    liquidated: u32,
    lots: u64,
    gave_up: u64,
}

fn played(
    market: &Snapshot,
    model: &PathModel,
    seed: u64,
    paths: std::ops::Range<u32>,
) -> Vec<Done> {
    let levels = Levels::of(market).unwrap();
    let source = Source::Drawn(model, seed, HOURS * 3_600);
    let mut all = vec![Done::default(); market.accounts.len()];
    for path in paths {
        let mut world = World::new(market, &levels).unwrap();
        world.play(&source.path(market, path)).unwrap();
        for (place, done) in all.iter_mut().enumerate() {
            let fate = world.fate(place);
            done.cut += u32::from(fate.cut_lots > 0);
            done.closed += u32::from(fate.closed);
            done.liquidated += u32::from(fate.liquidated);
            done.lots += fate.cut_lots;
            done.gave_up += fate.gave_up;
        }
    }
    all
}

fn said(forecast: &Forecast) -> Vec<(usize, Done)> {
    let paths = f64::from(forecast.paths);
    let whole = |mean: f64| (mean * paths).round() as u64;
    let one = |position: &PositionForecast| {
        let done = Done {
            cut: position.cut.hits,
            closed: position.closed.hits,
            liquidated: position.liquidated.hits,
            lots: whole(position.expected_lots),
            gave_up: whole(position.expected_gave_up),
        };
        (position.place, done)
    };
    forecast.positions.iter().map(one).collect()
}

#[test]
fn a_forecast_counts_what_its_paths_do_each_in_a_world_of_its_own() {
    let model = walk(WALK);
    let mut cut = 0;
    for seed in 1..=4 {
        let market = market(seed);
        let source = Source::Drawn(&model, seed, HOURS * 3_600);
        let found = forecast(&market, &source, 40, 2).unwrap();
        let done = played(&market, &model, seed, 0..40);
        for (place, said) in said(&found) {
            assert_eq!(said, done[place], "market {seed}, {place}");
            cut += said.cut;
        }
        // Whoever forgets the cap of a pass, or tells of another trader, says something else.
        let mut uncapped = market.clone();
        uncapped.market.risk.adl.max_close_bps = 10_000;
        let uncapped = forecast(&uncapped, &source, 40, 2).unwrap();
        let differ = |one: &(usize, Done)| one.1 != done[one.0];
        assert!(self::said(&uncapped).iter().any(differ), "market {seed}");
    }
    assert!(cut > 100, "only {cut} cuts were compared");
}

#[test]
fn along_other_paths_of_its_own_law_it_is_right_on_average() {
    const MARKETS: u64 = 30;
    const PATHS: u32 = 60;
    let model = walk(WALK);
    // By how much more positions were cut than was said: longs and shorts, each market one number.
    let mut excess: [Vec<f64>; 2] = Default::default();
    let mut probability = 0.;
    for seed in 1..=MARKETS {
        let market = market(seed);
        let source = Source::Drawn(&model, seed, HOURS * 3_600);
        let found = forecast(&market, &source, PATHS, 2).unwrap();
        let done = played(&market, &model, 1_000 + seed, 0..PATHS);
        let mut sums = [0.; 2];
        for one in &found.positions {
            let hits = f64::from(done[one.place].cut) - f64::from(one.cut.hits);
            sums[usize::from(one.side == Side::Short)] += hits;
            probability += f64::from(one.cut.hits) / f64::from(PATHS) / 40. / MARKETS as f64;
        }
        for (excess, sum) in excess.iter_mut().zip(sums) {
            excess.push(sum / f64::from(PATHS));
        }
    }
    assert!(probability > 0.02, "hardly anybody is cut: {probability}");
    for excess in excess {
        let count = excess.len() as f64;
        let mean = excess.iter().sum::<f64>() / count;
        let squares = excess.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
        let error = (squares / (count - 1.) / count).sqrt();
        assert!(mean.abs() < 3. * error, "{mean} {error}");
    }
}
