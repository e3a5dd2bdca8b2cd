//! What the walk costs: nodes looked at in large queues, random and hostile.

use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, BestFirst, Threshold};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{compare, Class, Exposure, Round};
use ballast_engine::selection::Selection;
use ballast_engine::slab::TreeNode;
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
    let mut round = plain_round(side, MARK);
    round.rank_tolerance_bps = tolerance_bps;
    nodes_for_top(10, &round, positions)
}

/// Nodes looked at after the honest top `count` were cut.
fn nodes_for_top(count: usize, round: &Round, positions: &[Position]) -> u32 {
    let mut store = Store::filled(round.side, positions);
    let round = *round;
    let top: Vec<u32> = BestFirst::new(store.view(), round)
        .take(count)
        .map(|step| step.expect("sound").0)
        .collect();
    assert_eq!(top.len(), count);
    let last = store
        .view()
        .entry(top[count - 1])
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

/// Little more than the walks look at: a bound that admits more than it must fails.
#[test]
fn the_top_ten_of_a_random_queue_need_few_nodes() {
    let limits = [
        (Side::Long, 1_000, 52, 38),
        (Side::Long, 10_000, 60, 34),
        (Side::Long, 100_000, 84, 40),
        (Side::Short, 1_000, 32, 21),
        (Side::Short, 10_000, 95, 50),
        (Side::Short, 100_000, 196, 70),
    ];
    for (side, count, exact_limit, loose_limit) in limits {
        let positions = random_market(side, count);
        let exact = nodes_for_top_ten(side, &positions, 0);
        let loose = nodes_for_top_ten(side, &positions, 500);
        println!("{side:?} {count}: {exact} nodes exact, {loose} at 5%");
        assert!(exact <= exact_limit, "{exact} nodes of {count}");
        assert!(loose <= loose_limit, "{loose} nodes of {count}");
    }
}

/// The same where nobody wins, so that the score decides alone, down to far into those in loss.
#[test]
fn walks_among_no_winners_need_few_nodes() {
    let limits = [
        (Side::Long, 10, 53, 38),
        (Side::Long, 1_400, 410, 410),
        (Side::Short, 10, 34, 25),
        (Side::Short, 1_400, 520, 520),
    ];
    for (side, cut, exact_limit, loose_limit) in limits {
        let positions = random_market(side, 2_000);
        let nodes = |rank_tolerance_bps| {
            let round = Round {
                min_profit_bps: 10_000,
                rank_tolerance_bps,
                ..plain_round(side, MARK)
            };
            nodes_for_top(cut, &round, &positions)
        };
        let (exact, loose) = (nodes(0), nodes(500));
        println!("{side:?} beyond {cut} of 2000: {exact} nodes exact, {loose} at 5%");
        assert!(exact <= exact_limit, "{exact} nodes");
        assert!(loose <= loose_limit, "{loose} nodes");
    }
}

#[test]
fn a_tolerance_bounds_the_walk_of_a_hostile_queue() {
    for (side, limit) in [(Side::Long, 180), (Side::Short, 125)] {
        let positions = hostile_market(side, 20_000);
        let exact = nodes_for_top_ten(side, &positions, 0);
        let loose = nodes_for_top_ten(side, &positions, 500);
        println!("{side:?} hostile 20000: {exact} nodes exact, {loose} at 5%");
        assert!(loose <= limit, "{loose} nodes");
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

/// A queue in whose first pass all but the positions of `spared` were cut to their cap.
fn capped(positions: &[Position], spared: impl Fn(u32) -> bool, side: Side) -> Store {
    let mut store = Store::filled(side, positions);
    let epoch = store.queue().open_pass(0).expect("first");
    let count = u32::try_from(positions.len()).expect("small");
    for index in (0..count).filter(|index| !spared(*index)) {
        let stamp = CutStamp {
            epoch,
            lots: 1,
            capped_epoch: epoch,
        };
        store.queue().stamp(index, stamp).expect("live");
    }
    store
}

/// Subtrees that were cut to their cap in this pass are not walked again.
#[test]
fn positions_at_their_cap_cost_nothing() {
    for side in [Side::Long, Side::Short] {
        let store = capped(&random_market(side, 4_000), |_| false, side);
        let round = plain_round(side, MARK);
        let walk = first_skipped(&store.view(), &round, &Threshold::Everyone, None).expect("sound");
        assert_eq!((walk.skipped, walk.visited), (None, 1));
        let next = Round { epoch: 2, ..round };
        let walk = first_skipped(&store.view(), &next, &Threshold::Everyone, None).expect("sound");
        assert!(walk.skipped.is_some());
    }
}

/// The one position that is not at its cap is found by its path alone, by the proof and by a
/// selection.
#[test]
fn one_position_among_capped_ones_is_found_by_its_path() {
    for side in [Side::Long, Side::Short] {
        let positions = random_market(side, 4_000);
        let round = plain_round(side, MARK);
        for from in [0, 1_000, 2_000, 3_000] {
            let whole = Store::filled(side, &positions);
            let solvent = |index: &u32| {
                let entry = whole.view();
                let exposure = exposure(&round, entry.entry(*index).expect("live"));
                exposure.class(&round).expect("in range") > Class::Ineligible
            };
            let spared = (from..4_000).find(solvent).expect("somebody is solvent");
            let mut store = capped(&positions, |index| index == spared, side);
            let walk = first_skipped(&store.view(), &round, &Threshold::Everyone, None);
            let walk = walk.expect("sound");
            assert_eq!(walk.skipped, Some(spared));
            let height = u32::from(height(&store));
            assert!(walk.visited <= 2 * height, "{} nodes", walk.visited);
            let mut queue = store.queue();
            let mut selection = Selection::begin(&mut queue, [1; 32], &round, 1).expect("idle");
            let ended = selection.advance(&mut queue, u32::MAX).expect("under way");
            assert!(ended);
            assert_eq!(
                selection.members().first().map(|member| member.node),
                Some(spared)
            );
            // Once to find it, once to see that nobody else is left.
            let most = u64::from(4 * height);
            assert!(selection.visited <= most, "{} nodes", selection.visited);
        }
    }
}

fn height(store: &Store) -> u8 {
    let view = store.view();
    let root = view.entry(view.tree().root()).expect("not empty");
    TreeNode::height(root)
}
