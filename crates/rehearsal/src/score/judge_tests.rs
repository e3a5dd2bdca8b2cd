//! The gate on markets that the engine plays on along prices of a law that no forecaster is told: the simulation
//! passes, and those that are wrong on purpose do not.

use ballast_risk::adl::forecast::Source;
use ballast_risk::adl::snapshot::Snapshot;
use ballast_risk::adl::world::World;
use ballast_risk::adl::Levels;
use ballast_risk::path::PathModel;
use ballast_state::Pubkey;

use super::forecasters::foresee;
use super::history::History;
use super::judge::Verdict;
use super::play::Case;

#[path = "../../../risk/tests/adl/venue.rs"]
#[allow(dead_code)]
mod venue;

const MARKETS: u64 = 120;
const TRADERS: usize = 40;
const PRICES: u32 = 150;
const PATHS: u32 = 60;

/// A market with little insurance, in which a pass cuts a tenth of a position.
fn market(seed: u64) -> Snapshot {
    let mut risk = venue::params();
    risk.adl.max_close_bps = 1_000;
    let population = venue::population(TRADERS, seed);
    let mut market = venue::snapshot(risk, &population, 0);
    let worth = market.market.open_interest_lots * venue::START;
    market.market.insurance.balance = worth / 2_000;
    market.assume_liquidators(market.usual_capital().expect("a price"));
    market
}

/// What was said of every position of a market, and what came.
fn cases(seed: u64) -> Vec<Case> {
    let market = market(seed);
    let history = History::draw(seed, PRICES).expect("prices");
    let model = PathModel::fit(&history.past).expect("enough");
    let people: Vec<Pubkey> = market.accounts.iter().map(|one| one.trader).collect();
    let source = Source::Drawn(&model, seed, PRICES * 20);
    let foreseen = foresee(&market, &source, PATHS, &people).expect("a forecast");
    let last = history.past.points().last().expect("a price").price_nano;
    let points: Vec<(u32, f64)> = (1..)
        .zip(&history.path.points)
        .map(|(at, point)| (20 * at, point.price_nano as f64 / last as f64))
        .collect();
    let levels = Levels::of(&market).expect("levels");
    let mut world = World::new(&market, &levels).expect("a world");
    world.play(&market.path(&points)).expect("a path");
    let judged = foreseen.into_iter().map(|(position, said)| {
        let place = market.place(&position.trader).expect("an account");
        let fate = world.fate(place);
        Case {
            seed,
            light: position.light,
            long: position.long,
            volatility: model.volatility(),
            said,
            cut: fate.cut_lots > 0,
            loss: fate.gave_up as f64 / position.notional,
        }
    });
    judged.collect()
}

#[test]
fn the_simulation_passes_and_who_is_wrong_on_purpose_does_not() {
    let cases: Vec<Case> = (1..=MARKETS).flat_map(cases).collect();
    let verdict = Verdict::of(&cases).expect("some are cut");
    println!("{}", super::table::lines(&verdict));
    assert!(verdict.forecast().passes, "{:?}", verdict.forecast());
    for wrong in &verdict.forecasters[1..] {
        assert!(!wrong.passes, "{wrong:?}");
    }
}
