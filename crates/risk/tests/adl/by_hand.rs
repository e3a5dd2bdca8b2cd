//! Shocks of which the outcome follows by hand.

use ballast_risk::adl::forecast::{forecast, Source};
use ballast_risk::adl::snapshot::Snapshot;
use ballast_risk::adl::world::World;
use ballast_risk::adl::Levels;

use crate::venue::{name, params, population, position, snapshot};

/// A long of 20x, one without leverage, and two shorts: one of 10x, one without leverage.
fn four(insurance: u64) -> Snapshot {
    let positions = [
        position(10_000, 200_000, 100_000_000),
        position(5_000, 200_000, 1_000_000_000),
        position(-6_000, 200_000, 120_000_000),
        position(-9_000, 200_000, 1_800_000_000),
    ];
    snapshot(params(), &positions, insurance)
}

#[test]
fn a_fall_of_ten_per_cent_cuts_the_shorts_in_order_and_by_halves() {
    let market = four(0);
    let path = market.path(&[(30, 0.9)]);
    let found = forecast(&market, &Source::Given(&path), 1, 1).unwrap();
    let of = |place: usize| {
        let mut all = found.positions.iter();
        all.find(|one| one.trader == name(place)).unwrap()
    };
    // The long of 20x is bankrupt below $190: $100 are missing at $180. Each short is cut by half, the
    // one of 10x first, which is 7,500 lots; in the next pass half of 3,000 and then the rest, 1,000.
    assert_eq!(of(2).expected_lots, 4_500.);
    assert_eq!(of(3).expected_lots, 5_500.);
    assert_eq!(of(2).expected_gave_up, 45_000_000.);
    assert_eq!(of(2).gave_up_quantiles, [45_000_000; 3]);
    assert_eq!(of(2).profit, 0);
    for (place, hits) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        assert_eq!((of(place).cut.hits, of(place).closed.hits), (hits, 0));
        assert_eq!(of(place).liquidated.hits, 0);
        assert_eq!(of(place).cut_in_first_hour.hits, hits);
    }
    assert_eq!(found.market.adl.hits, 1);
    assert_eq!(found.market.adl_notional, 10_000. * 180_000.);
}

#[test]
fn insurance_that_covers_the_deficit_spares_everybody_if_somebody_takes_over() {
    let mut market = four(1_000_000_000);
    let path = market.path(&[(30, 0.9)]);
    let found = forecast(&market, &Source::Given(&path), 1, 1).unwrap();
    // Nobody liquidates, and insurance alone takes no lots over: it waits for its time.
    assert_eq!(found.market.adl.hits, 0);
    market.assume_liquidators(100_000_000_000);
    let found = forecast(&market, &Source::Given(&path), 1, 1).unwrap();
    assert_eq!(found.market.adl.hits, 0);
    assert_eq!(found.positions[0].liquidated.hits, 1);
    assert!(found.market.insurance_paid > 0.);
}

#[test]
fn a_path_that_passes_nobody_changes_nothing() {
    let market = four(0);
    let path = market.path(&[(30, 0.98), (60, 1.02), (90, 0.975)]);
    let found = forecast(&market, &Source::Given(&path), 3, 1).unwrap();
    for one in &found.positions {
        assert_eq!((one.cut.hits, one.liquidated.hits), (0, 0));
    }
    assert_eq!(found.market.adl.hits, 0);
}

#[test]
fn every_path_keeps_every_atom_and_leaves_nothing_behind_for_the_next() {
    for seed in 0..12 {
        let mut market = snapshot(params(), &population(60, seed), 30_000_000);
        market.assume_liquidators(400_000_000);
        let levels = Levels::of(&market).unwrap();
        let mut world = World::new(&market, &levels).unwrap();
        let paths: Vec<_> = [[0.95, 0.88, 0.93], [1.04, 1.12, 0.9], [0.8, 1.3, 1.0]]
            .iter()
            .map(|ratios| {
                let points: Vec<_> = (1..)
                    .map(|at| at * 40)
                    .zip(ratios.iter().copied())
                    .collect();
                market.path(&points)
            })
            .collect();
        world.play(&[]).unwrap();
        let total = world.total().unwrap();
        let mut outcomes = Vec::new();
        for path in &paths {
            world.play(path).unwrap();
            assert_eq!(world.total().unwrap(), total, "seed {seed}");
            outcomes.push((*world.outcome(), fates(&world)));
        }
        assert!(outcomes.iter().any(|(outcome, _)| outcome.adl_lots > 0));
        for (path, expected) in paths.iter().zip(&outcomes).rev() {
            world.play(path).unwrap();
            assert_eq!((*world.outcome(), fates(&world)), *expected, "seed {seed}");
        }
    }
}

/// Everything of a world that is bytes: market, pool, queues, positions and free collateral.
fn bytes(world: &World<'_>) -> Vec<u8> {
    let mut all = bytemuck::bytes_of(world.market()).to_vec();
    for queue in world.queues() {
        all.extend(queue.bytes());
    }
    for account in world.accounts() {
        all.extend(bytemuck::bytes_of(&account.slot));
        all.extend(account.free.to_le_bytes());
    }
    all
}

#[test]
fn what_is_undone_is_the_snapshot_bit_for_bit() {
    let mut changed = 0;
    for seed in 0..20 {
        let mut market = snapshot(params(), &population(300, seed), 30_000_000);
        market.assume_liquidators(40_000_000 * seed);
        let levels = Levels::of(&market).unwrap();
        let mut world = World::new(&market, &levels).unwrap();
        let start = bytes(&world);
        for ratios in [[0.97, 0.9, 0.86], [1.05, 1.15, 0.95], [0.99, 1.01, 0.995]] {
            let points: Vec<_> = (1..).map(|at| at * 20).zip(ratios).collect();
            world.play(&market.path(&points)).unwrap();
            changed += usize::from(bytes(&world) != start);
            world.rewind().unwrap();
            assert!(bytes(&world) == start, "seed {seed} {ratios:?}");
        }
    }
    assert!(changed > 40, "only {changed} paths changed anything");
}

fn fates(world: &World<'_>) -> Vec<(usize, u64, u64, bool)> {
    let all = world
        .touched()
        .map(|(place, fate)| (place, fate.cut_lots, fate.gave_up, fate.liquidated));
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    all
}
