//! What the walk costs: nodes looked at in large queues, random and hostile.

use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, BestFirst, Threshold};
use ballast_engine::rank::{compare, Exposure, Round};
use ballast_engine::units::Side;

use crate::fixture::{position, Dice, Store};
use crate::proof::plain_round;

const MARK: u64 = 200_000;

/// Entries within a third of the mark, leverage from 1 to 50.
fn random_market(side: Side, count: usize) -> Vec<Position> {
    let mut dice = Dice(1);
    (0..count)
        .map(|_| {
            let lots = dice.within(1, 1_000_000);
            let entry = lots * dice.within(MARK * 2 / 3, MARK * 4 / 3);
            let per_mille = dice.within(20, 1_000);
            let margin = i64::try_from(entry / 1_000 * per_mille).expect("small");
            position(side, lots, entry, margin, 0)
        })
        .collect()
}

/// Positions of nearly one score at the mark, with entries spread evenly: no
/// subtree is worse than another. Lower entries have lower leverage.
fn hostile_market(side: Side, count: u64) -> Vec<Position> {
    (0..count)
        .map(|number| {
            let (lots, gain) = (100_000, MARK * (1_000 + number * 9_000 / count) / 20_000);
            let entry = match side {
                Side::Long => MARK - gain,
                Side::Short => MARK + gain,
            };
            // gain / entry * MARK / equity = 2
            let equity = lots * gain * MARK / entry / 2;
            let margin =
                i64::try_from(equity).expect("small") - i64::try_from(lots * gain).expect("small");
            position(side, lots, lots * entry, margin, 0)
        })
        .collect()
}

/// Nodes looked at after the honest top ten were cut.
fn nodes_for_top_ten(side: Side, positions: &[Position], tolerance_bps: u32) -> u32 {
    let mut store = Store::filled(side, positions);
    let mut round = plain_round(side, MARK);
    round.rank_tolerance_bps = tolerance_bps;
    let top: Vec<u32> = BestFirst::new(store.view(), round)
        .take(10)
        .map(|step| step.expect("sound").0)
        .collect();
    let last = store
        .view()
        .entry(top[9])
        .map(|entry| exposure(&round, entry));
    let last = last.expect("live");
    for index in top {
        store.queue().remove(index).expect("live");
    }
    let walk = first_skipped(&store.view(), &round, &Threshold::Beyond(last), None);
    let walk = walk.expect("sound");
    assert_eq!(walk.skipped, None);
    walk.visited
}

fn exposure(round: &Round, entry: &ballast_engine::queue::QueueEntry) -> Exposure {
    Exposure::of_entry(entry, round.side, round.funding_index)
}

#[test]
fn the_top_ten_of_a_random_queue_need_few_nodes() {
    for side in [Side::Long, Side::Short] {
        for (count, exact_limit, loose_limit) in
            [(1_000, 250, 150), (10_000, 400, 150), (100_000, 500, 150)]
        {
            let positions = random_market(side, count);
            let exact = nodes_for_top_ten(side, &positions, 0);
            let loose = nodes_for_top_ten(side, &positions, 500);
            println!("{side:?} {count}: {exact} nodes exact, {loose} at 5%");
            assert!(exact < exact_limit, "{exact} nodes of {count}");
            assert!(loose < loose_limit, "{loose} nodes of {count}");
        }
    }
}

#[test]
fn a_tolerance_bounds_the_walk_of_a_hostile_queue() {
    for side in [Side::Long, Side::Short] {
        let positions = hostile_market(side, 20_000);
        let exact = nodes_for_top_ten(side, &positions, 0);
        let loose = nodes_for_top_ten(side, &positions, 500);
        println!("{side:?} hostile 20000: {exact} nodes exact, {loose} at 5%");
        assert!(loose < 800, "{loose} nodes");
    }
}

/// Where bounds cannot help, answers are still exact.
#[test]
fn a_hostile_queue_gets_exact_answers() {
    for side in [Side::Long, Side::Short] {
        let positions = hostile_market(side, 600);
        let store = Store::filled(side, &positions);
        let round = plain_round(side, MARK);
        let all: Vec<_> = store
            .view()
            .iter()
            .map(|step| step.expect("sound"))
            .map(|(index, entry)| (index, exposure(&round, entry)))
            .collect();
        for (index, last) in all.iter().step_by(7) {
            let ahead = all
                .iter()
                .filter(|(_, other)| {
                    compare(&round, other, last) == Ok(std::cmp::Ordering::Greater)
                })
                .map(|(index, _)| *index)
                .collect::<Vec<_>>();
            let threshold = Threshold::Beyond(*last);
            let walk = first_skipped(&store.view(), &round, &threshold, Some(*index));
            match walk.expect("sound").skipped {
                None => assert!(ahead.is_empty()),
                Some(found) => assert!(ahead.contains(&found)),
            }
        }
    }
}

/// Subtrees that were cut to their cap in this pass are not walked again.
#[test]
fn positions_at_their_cap_cost_nothing() {
    let positions = random_market(Side::Long, 4_000);
    let mut store = Store::filled(Side::Long, &positions);
    let epoch = store.queue().open_pass(0).expect("first");
    for index in 0..4_000 {
        let stamp = ballast_engine::queue::CutStamp {
            epoch,
            lots: 1,
            capped_epoch: epoch,
        };
        store.queue().stamp(index, stamp).expect("live");
    }
    let round = plain_round(Side::Long, MARK);
    let walk = first_skipped(&store.view(), &round, &Threshold::Everyone, None).expect("sound");
    assert_eq!((walk.skipped, walk.visited), (None, 1));
    let next = Round {
        epoch: epoch + 1,
        ..round
    };
    let walk = first_skipped(&store.view(), &next, &Threshold::Everyone, None).expect("sound");
    assert!(walk.skipped.is_some());
}
