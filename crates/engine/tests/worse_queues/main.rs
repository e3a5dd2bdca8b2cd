//! A search for queues that make the walk look at many nodes, against the bound of
//! docs/ADL.md.
//!
//! `BALLAST_WORSE_QUEUES` is the number of positions, 20,000 by default.
#![allow(clippy::arithmetic_side_effects)]

mod bound;
mod shape;

use std::collections::HashSet;

use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, Threshold};
use ballast_engine::queue::{queue_size, CutStamp, Queue, QueueRef};
use ballast_engine::rank::{Class, Exposure, Ranked, Round};
use ballast_engine::units::Side;

use bound::Bound;
use shape::{Dice, Shape};

/// Shapes tried by mutation from the worst one found.
const CLIMB: u32 = 100;

fn count() -> usize {
    let number = std::env::var("BALLAST_WORSE_QUEUES").ok();
    number.map_or(20_000, |number| number.parse().expect("a number"))
}

/// What a walk cost and might have cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    visited: u32,
    bound: Bound,
}

impl Cost {
    fn share(&self) -> f64 {
        f64::from(self.visited) / f64::from(self.bound.visited)
    }
}

/// Bytes of a queue, aligned to 8.
fn filled(side: Side, positions: &[Position]) -> Vec<u64> {
    let bytes = queue_size(positions.len().max(1)).expect("fits");
    let mut store = vec![0_u64; bytes.div_ceil(8)];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut store);
    Queue::create(bytes, [7; 32], side).expect("aligned");
    let mut queue = Queue::new(bytes).expect("a queue");
    for position in positions {
        queue.insert([1; 32], position).expect("room");
    }
    store
}

/// Stamps positions as cut to their cap in the first pass.
fn at_cap(store: &mut [u64], cut: &HashSet<usize>) {
    let mut queue = Queue::new(bytemuck::cast_slice_mut(store)).expect("a queue");
    let epoch = queue.open_pass(0).expect("the first");
    for number in cut {
        let stamp = CutStamp {
            epoch,
            lots: 1,
            capped_epoch: epoch,
        };
        let index = u32::try_from(*number).expect("fits");
        queue.stamp(index, stamp).expect("live");
    }
}

/// The walk after an honest keeper has cut the first of the ranking; it must stay within
/// the bound. `None` when nobody ranks.
fn cost(round: &Round, positions: &[Position], shape: &Shape) -> Option<Cost> {
    let mut ranked: Vec<(Ranked, usize)> = positions
        .iter()
        .enumerate()
        .filter_map(|(number, position)| {
            let sequence = u64::try_from(number).expect("fits");
            let exposure = Exposure::of_position(position, round.funding_index, sequence);
            let ranked = Ranked::new(round, &exposure.expect("within range"));
            let ranked = ranked.expect("within range");
            (ranked.class > Class::Ineligible).then_some((ranked, number))
        })
        .collect();
    ranked.sort_by(|a, b| b.0.compare(&a.0).expect("comparable"));
    let cut = shape.cut.min(ranked.len()).max(1);
    let last = ranked.get(cut - 1)?.0;
    let gone: HashSet<usize> = ranked[..cut].iter().map(|(_, number)| *number).collect();
    let store = if shape.stay {
        let mut store = filled(round.side, positions);
        at_cap(&mut store, &gone);
        store
    } else {
        let left = |number: &usize| !gone.contains(number);
        let left = (0..positions.len()).filter(left);
        let left: Vec<Position> = left.map(|number| positions[number]).collect();
        filled(round.side, &left)
    };
    let view = QueueRef::new(bytemuck::cast_slice(&store)).expect("a queue");
    let walk = first_skipped(&view, round, &Threshold::Beyond(last.exposure), None);
    let walk = walk.expect("sound");
    assert_eq!(walk.skipped, None, "an honest list was refused");
    let cost = Cost {
        visited: walk.visited,
        bound: Bound::of(&view, round, &last),
    };
    assert!(cost.visited <= cost.bound.visited, "{cost:?}");
    Some(cost)
}

/// Tries every shape to begin with, then changes the worst one, one or two properties at
/// a time.
fn search(side: Side, tolerance_bps: u32) -> (Cost, Shape) {
    let (count, mut dice) = (count(), Dice(u64::from(tolerance_bps)));
    let step = 1.0 + f64::from(tolerance_bps) / 10_000.0;
    let mut worst: Option<(Cost, Shape)> = None;
    let attempt = |shape: Shape, worst: &mut Option<(Cost, Shape)>| {
        let round = shape.round(side, tolerance_bps);
        let positions = shape.positions(side, count);
        let Some(cost) = cost(&round, &positions, &shape) else {
            return;
        };
        if worst.is_none_or(|(found, _)| cost.visited > found.visited) {
            *worst = Some((cost, shape));
        }
    };
    for (name, shape) in Shape::first(step) {
        let mut found = None;
        attempt(shape, &mut found);
        let (cost, _) = found.expect("somebody ranks");
        println!(
            "{side:?} {tolerance_bps} bps, {name}: {} of {}, k = {:.0}",
            cost.visited, cost.bound.visited, cost.bound.others
        );
        attempt(shape, &mut worst);
    }
    for _ in 0..CLIMB {
        let (_, best) = worst.expect("a first shape");
        let next = best.changed(&mut dice, step);
        let next = if dice.part() < 0.5 {
            next.changed(&mut dice, step)
        } else {
            next
        };
        attempt(next, &mut worst);
    }
    worst.expect("a first shape")
}

fn search_and_print(side: Side, tolerance_bps: u32) {
    let (cost, shape) = search(side, tolerance_bps);
    let share = 100.0 * cost.share();
    println!(
        "{side:?} {tolerance_bps} bps, worst of all: {} of {} nodes allowed ({share:.1}%), \
         B = {:.0}, k = {:.0}, height {}: {shape:?}",
        cost.visited, cost.bound.visited, cost.bound.spans, cost.bound.others, cost.bound.height
    );
    // The search does find something, or it searches for nothing.
    assert!(cost.share() > 0.2, "{cost:?}");
}

#[test]
fn no_queue_of_longs_exceeds_the_bound_at_one_per_cent() {
    search_and_print(Side::Long, 100);
}

#[test]
fn no_queue_of_longs_exceeds_the_bound_at_five_per_cent() {
    search_and_print(Side::Long, 500);
}

#[test]
fn no_queue_of_shorts_exceeds_the_bound_at_one_per_cent() {
    search_and_print(Side::Short, 100);
}

#[test]
fn no_queue_of_shorts_exceeds_the_bound_at_five_per_cent() {
    search_and_print(Side::Short, 500);
}

/// Without a tolerance a line of equal scores is walked whole: the bound needs one.
#[test]
fn an_exact_walk_has_no_such_bound() {
    let shape = Shape::even_line();
    for side in [Side::Long, Side::Short] {
        let positions = shape.positions(side, 2_000);
        let visited = |tolerance_bps| {
            let round = shape.round(side, tolerance_bps);
            cost(&round, &positions, &shape)
                .expect("somebody ranks")
                .visited
        };
        let (exact, loose) = (visited(0), visited(500));
        println!("{side:?}: {exact} of 1999 nodes exact, {loose} at 5%");
        assert!(exact > 1_900 && loose < 600, "{exact} {loose}");
    }
}
