//! A world in which those sleep for whom nobody can do anything is one in which everybody is asked for at every
//! price.

use ballast_engine::risk::RiskParams;

use super::book::Depth;
use super::levels::Levels;
use super::snapshot::{Snapshot, Step};
use super::world::World;
use crate::makers::MakerStyle;
use crate::random::Stream;

#[path = "../../tests/adl/venue.rs"]
#[allow(dead_code)]
mod venue;

/// A fall or a rise of a few per cent with many small moves, 20 seconds apart.
fn path(market: &Snapshot, seed: u64) -> Vec<Step> {
    let mut stream = Stream::new(seed, 1);
    let drift = 0.000_8 * (stream.unit() - 0.5);
    let mut price = 1.0;
    let points: Vec<(u32, f64)> = (1..=400)
        .map(|at| {
            price *= f64::exp(drift + 0.006 * (stream.unit() - 0.5));
            (20 * at, price)
        })
        .collect();
    market.path(&points)
}

/// What a path left: the positions and what is free of them, what became of everybody and of the market.
fn left(world: &World<'_>) -> String {
    let accounts: Vec<_> = world
        .accounts()
        .iter()
        .enumerate()
        .map(|(place, account)| {
            let slot = &account.slot;
            let position = (slot.lots, slot.entry_quote, slot.margin, account.free);
            (position, slot.paid_in, world.fate(place))
        })
        .collect();
    format!(
        "{:?} {accounts:?} {:?}",
        world.outcome(),
        world.market().insurance
    )
}

fn compare(market: &Snapshot, seed: u64) -> (u32, u64) {
    let levels = Levels::of(market).expect("levels");
    let mut some = World::new(market, &levels).expect("a world");
    let mut nobody = World::new(market, &levels).expect("a world");
    nobody.wakeful = true;
    let path = path(market, seed);
    for steps in (0..=path.len()).step_by(100).skip(1) {
        some.play(&path[..steps]).expect("a path");
        nobody.play(&path[..steps]).expect("a path");
        assert!(left(&some) == left(&nobody), "seed {seed}, {steps} prices");
    }
    (some.sleepers.sleeps(), some.outcome().adl_lots)
}

fn market(seed: u64, risk: RiskParams) -> Snapshot {
    let population = venue::population(120, seed);
    venue::snapshot(risk, &population, 20_000_000 * (seed % 4))
}

#[test]
fn who_sleeps_misses_nothing() {
    let (mut sleeps, mut cut) = (0, 0);
    for seed in 0..24 {
        let funded = RiskParams {
            funding_rate_ppm_per_hour: [0, 400, -400][seed as usize % 3],
            ..venue::params()
        };
        let mut market = market(seed, funded);
        let worth = market.market.open_interest_lots * venue::START;
        // Nothing, hardly anything, the usual.
        if seed % 4 > 0 {
            market.assume_liquidators(worth * (seed % 4) / 200);
        }
        if seed % 2 > 0 {
            market.depth = Some(Depth {
                style: MakerStyle {
                    depth_lots: market.market.open_interest_lots / 200,
                    spread_bps: 8,
                    min_lots: market.market.risk.min_position_lots,
                },
                worth: worth / 100,
                inventory: 0,
            });
        }
        let (more, lots) = compare(&market, seed);
        sleeps += more;
        cut += lots;
    }
    assert!(sleeps > 300 && cut > 0, "{sleeps} {cut}");
}
