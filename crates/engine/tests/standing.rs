//! Where a position stands, and the price at which it would be first, against a look at every
//! position and every price.
#![allow(clippy::arithmetic_side_effects)]

use core::cmp::Ordering;

use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, CutStamp, Queue, QueueRef};
use ballast_engine::rank::{compare, Class, ClosePrice, Exposure, Ranked, Round};
use ballast_engine::standing::{price_to_be_first, Band, Standing};
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side, Ticks};
use ballast_engine::EngineError;
use proptest::prelude::*;

const INDEX: FundingIndex = FundingIndex::new(2);

/// Lots, entry quote and margin, atoms.
type Row = (u64, i64, i64);

fn queue_of(side: Side, rows: &[Row]) -> Vec<u64> {
    let mut words = vec![0_u64; queue_size(rows.len()).unwrap().div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Queue::create(bytes, [1; 32], side).unwrap();
    let mut queue = Queue::new(bytes).unwrap();
    for (lots, entry, margin) in rows.iter().copied() {
        let sign = if side == Side::Long { 1 } else { -1 };
        let position = Position {
            lots: Lots::on_side(side, lots).unwrap(),
            entry_quote: Atoms::new(sign * entry),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::new(lots.cast_signed() % 5),
        };
        queue.insert([2; 32], &position).unwrap();
    }
    words
}

fn round(side: Side, mark: u64, min_profit_bps: u32) -> Round {
    Round {
        side,
        mark: LotPrice::new(mark).unwrap(),
        close: ClosePrice {
            quote: mark.cast_signed(),
            lots: 1,
        },
        funding_index: INDEX,
        min_profit_bps,
        rank_tolerance_bps: 0,
        max_close_bps: 5_000,
        least_lots: 0,
        epoch: 1,
    }
}

fn exposures(queue: &QueueRef<'_>, round: &Round) -> Vec<(u32, Exposure)> {
    let exposure = |entry| Exposure::of_entry(entry, round.side, round.funding_index);
    let steps = queue.iter().map(Result::unwrap);
    steps.map(|(node, entry)| (node, exposure(entry))).collect()
}

/// Whoever is first to be cut, by comparing everybody.
fn first(all: &[(u32, Exposure)], round: &Round) -> Option<u32> {
    let eligible = |exposure: &Exposure| exposure.class(round).unwrap() > Class::Ineligible;
    let solvent = all.iter().filter(|(_, exposure)| eligible(exposure));
    let best = solvent.max_by(|(_, a), (_, b)| compare(round, a, b).unwrap());
    best.map(|(node, _)| *node)
}

/// For every node the price at which it is first, by a look at every price of the band.
fn by_brute_force(
    all: &[(u32, Exposure)],
    present: &Round,
    tick: u64,
    (lowest, highest): (u64, u64),
) -> Vec<Option<u64>> {
    let mark = present.mark.get() / tick;
    let mut nearest = vec![None; all.len()];
    for ticks in lowest..=highest {
        let at = round(present.side, ticks * tick, present.min_profit_bps);
        let Some(node) = first(all, &at) else {
            continue;
        };
        let known: &mut Option<u64> = &mut nearest[usize::try_from(node).unwrap()];
        let nearer = |best: u64| ticks.abs_diff(mark) < best.abs_diff(mark);
        if known.is_none_or(nearer) {
            *known = Some(ticks);
        }
    }
    nearest
}

/// How often each outcome occurred: none, at the mark, below, above.
fn check_prices(
    side: Side,
    rows: &[Row],
    (mark, tick): (u64, u64),
    min_profit_bps: u32,
    band: (u64, u64),
) -> [u32; 4] {
    let words = queue_of(side, rows);
    let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
    let present = round(side, mark * tick, min_profit_bps);
    let all = exposures(&queue, &present);
    let limits = Band {
        lowest: Ticks::new(band.0),
        highest: Ticks::new(band.1),
    };
    let mut outcomes = [0; 4];
    let expected = by_brute_force(&all, &present, tick, band);
    for (node, _) in &all {
        let place = usize::try_from(*node).unwrap();
        let found = price_to_be_first(&queue, &present, *node, tick, limits).unwrap();
        let found = found.map(Ticks::get);
        assert_eq!(found, expected[place], "{side:?} node {node} of {rows:?}");
        outcomes[match found.map(|ticks| ticks.cmp(&mark)) {
            None => 0,
            Some(Ordering::Equal) => 1,
            Some(Ordering::Less) => 2,
            Some(Ordering::Greater) => 3,
        }] += 1;
    }
    outcomes
}

fn sides() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

/// Few prices and margins, so that ties and crossings abound.
fn small_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (1_u64..5, 3_i64..60, -8_i64..50, 0_i64..3);
    let row = row.prop_map(|(lots, entry, margin, more)| {
        let signed = lots.cast_signed();
        (lots, entry * signed + more % signed, margin * signed + more)
    });
    prop::collection::vec(row, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_price_to_be_first_is_the_nearest_of_all(
        side in sides(),
        rows in small_rows(),
        mark in 1_u64..70,
        tick in 1_u64..3,
        min_profit_bps in prop_oneof![Just(0), Just(10), Just(900), Just(4_000), Just(12_000)],
        lowest in 1_u64..40,
        width in 0_u64..120,
    ) {
        check_prices(side, &rows, (mark, tick), min_profit_bps, (lowest, lowest + width));
    }

    /// Margins of many times the worth, with which one of two positions leads only in between.
    #[test]
    fn leads_that_end_again_are_found(
        side in sides(),
        rows in prop::collection::vec((1_u64..3, 20_i64..60, 0_i64..300), 2..4),
        mark in 1_u64..300,
    ) {
        check_prices(side, &rows, (mark, 1), 0, (1, 300));
    }

    #[test]
    fn a_standing_counts_who_ranks_before(
        side in sides(),
        rows in small_rows(),
        mark in 1_u64..70,
        min_profit_bps in prop_oneof![Just(0), Just(900)],
    ) {
        let words = queue_of(side, &rows);
        let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
        let round = round(side, mark, min_profit_bps);
        let mut all = exposures(&queue, &round);
        all.sort_by(|(_, a), (_, b)| compare(&round, b, a).unwrap());
        let classes: Vec<_> = all.iter().map(|(_, e)| e.class(&round).unwrap()).collect();
        let eligible = classes.iter().filter(|class| **class > Class::Ineligible).count();
        let (mut lots, mut cuttable) = (0, 0);
        for (rank, (node, exposure)) in all.iter().enumerate() {
            let standing = Standing::of(&queue, &round, *node).unwrap();
            prop_assert_eq!(standing.ranked, Ranked::new(&round, exposure).unwrap());
            prop_assert_eq!(usize::try_from(standing.rank).unwrap(), rank);
            prop_assert_eq!(usize::try_from(standing.eligible).unwrap(), eligible);
            prop_assert_eq!(standing.lots_ahead, lots);
            prop_assert_eq!(standing.notional_ahead, u128::from(lots * mark));
            prop_assert_eq!(standing.cuttable_ahead, cuttable);
            let fifth = if rank < eligible { 5 - rank * 5 / eligible } else { 0 };
            prop_assert_eq!(usize::from(standing.light), fifth);
            lots += exposure.lots;
            if classes[rank] > Class::Ineligible {
                cuttable += exposure.lots.div_ceil(2);
            }
        }
    }
}

/// Pseudo-random numbers.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(0x5851_f42d_4c95_7f2d)
        .wrapping_add(0x1405_7b7e_f767_814f);
    state.rotate_left(29) ^ (*state >> 11)
}

fn below(state: &mut u64, bound: u64) -> i64 {
    (next(state) % bound).cast_signed()
}

#[test]
fn prices_of_a_real_market_are_found_too() {
    let mut state = 3;
    let mut outcomes = [0; 4];
    for side in [Side::Long, Side::Short] {
        for leverage in [3, 30] {
            for _ in 0..4 {
                let mut row = || {
                    let lots = below(&mut state, 5_000) + 1;
                    let entry = 190_000 + below(&mut state, 20_000);
                    let margin = entry / (1 + below(&mut state, leverage));
                    let odd = below(&mut state, 7);
                    (lots.unsigned_abs(), entry * lots + odd, margin * lots - odd)
                };
                let rows: Vec<Row> = (0..20).map(|_| row()).collect();
                let found = check_prices(side, &rows, (20_000, 10), 10, (17_000, 23_000));
                for (sum, more) in outcomes.iter_mut().zip(found) {
                    *sum += more;
                }
            }
        }
    }
    assert!(outcomes.iter().all(|count| *count > 10), "{outcomes:?}");
}

/// A position entered at 20 with bankruptcy price 0 against one entered at 10 with -125: both in
/// profit above 20, it leads from 25, where their scores are equal and it is nearer to
/// bankruptcy, to 100.
#[test]
fn a_lead_that_ends_again_is_found() {
    // One atom a lot goes to funding.
    let words = queue_of(Side::Long, &[(1, 10, 136), (1, 20, 21)]);
    let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
    let from = |mark| {
        let band = Band {
            lowest: Ticks::new(21),
            highest: Ticks::new(5_000),
        };
        let present = round(Side::Long, mark, 0);
        let found = price_to_be_first(&queue, &present, 1, 1, band);
        found.unwrap().map(Ticks::get)
    };
    assert_eq!(from(21), Some(25));
    assert_eq!(from(60), Some(60));
    assert_eq!(from(4_000), Some(100));
}

/// The indicator and the price are those of a queue in which nobody has been cut; the lots
/// that may still be cut are not.
#[test]
fn caps_do_not_move_a_standing() {
    let mut words = queue_of(Side::Long, &[(10, 100, 51), (10, 110, 51)]);
    let present = round(Side::Long, 20, 0);
    let at = |words: &[u64], node| {
        let queue = QueueRef::new(bytemuck::cast_slice(words)).unwrap();
        let standing = Standing::of(&queue, &present, node).unwrap();
        let price = price_to_be_first(&queue, &present, node, 1, Band::ALL).unwrap();
        (standing.rank, standing.cuttable_ahead, price)
    };
    let first = (0, 0, Some(Ticks::new(20)));
    let before = at(&words, 1);
    assert_eq!((at(&words, 0), before.0, before.1), (first, 1, 5));
    let mut queue = Queue::new(bytemuck::cast_slice_mut(&mut words)).unwrap();
    let epoch = queue.open_pass(0).unwrap();
    let capped = CutStamp {
        epoch,
        lots: 5,
        capped_epoch: epoch,
    };
    queue.stamp(0, capped).unwrap();
    assert_eq!(at(&words, 0), first);
    assert_eq!(at(&words, 1), (1, 0, before.2));
}

#[test]
fn what_cannot_be_found_is_none_or_an_error() {
    let words = queue_of(Side::Long, &[(2, 20, 4)]);
    let queue = QueueRef::new(bytemuck::cast_slice(&words)).unwrap();
    let present = round(Side::Long, 10, 0);
    let find = |node, tick, lowest, highest| {
        let band = Band {
            lowest: Ticks::new(lowest),
            highest: Ticks::new(highest),
        };
        price_to_be_first(&queue, &present, node, tick, band)
    };
    assert_eq!(find(0, 1, 1, 99), Ok(Some(Ticks::new(10))));
    // Funding has settled to 2 atoms a lot, both times.
    assert_eq!(find(0, 1, 12, 99), Ok(Some(Ticks::new(12))));
    assert_eq!(find(0, 1, 1, 7), Ok(None), "insolvent");
    assert_eq!(find(0, 1, 9, 8), Ok(None), "an empty band");
    assert_eq!(find(0, 0, 1, 99), Err(EngineError::PriceOutOfRange));
    assert_eq!(find(7, 1, 1, 99), Err(EngineError::NodeNotFound));
    let other = Round {
        side: Side::Short,
        ..present
    };
    let wrong = price_to_be_first(&queue, &other, 0, 1, Band::ALL);
    assert_eq!(wrong, Err(EngineError::WrongSide));
    assert_eq!(Standing::of(&queue, &other, 0), Err(EngineError::WrongSide));
    let all = price_to_be_first(&queue, &present, 0, 3, Band::ALL);
    assert_eq!(all, Ok(Some(Ticks::new(3))));
}
