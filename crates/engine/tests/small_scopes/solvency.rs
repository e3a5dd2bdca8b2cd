//! Who is bankrupt in every small queue, at every price on, between and beside the bankruptcy
//! prices of the grid.

use ballast_engine::position::Position;
use ballast_engine::queue::QueueRef;
use ballast_engine::solvency::{anybody_bankrupt, deficits, Deficits};
use ballast_engine::units::{FundingIndex, LotPrice, Side};

use crate::grid::{for_each_queue, index, kinds, Store, MOST};

/// Every mark up to beyond the highest bankruptcy price of the grid and its funding.
const MARKS: std::ops::RangeInclusive<u64> = 1..=12;
/// Whole atoms per lot either way.
const FUNDING: std::ops::RangeInclusive<i64> = -3..=3;

/// Equity after funding, atoms.
fn equity(position: &Position, mark: u64, funding: i64) -> i64 {
    let lots = position.lots.get();
    let worth = lots * i64::try_from(mark).expect("small");
    let owed = lots * (funding - position.funding_index.get());
    position.margin.get() + worth - position.entry_quote.get() - owed
}

/// What became of the comparisons.
#[derive(Debug, Default)]
struct Tally {
    solvent: u64,
    bankrupt: u64,
    /// The poorest has exactly nothing.
    nothing_left: u64,
    /// Somebody lacks a single atom.
    one_atom: u64,
    cut_short: u64,
}

fn check(view: &QueueRef<'_>, equities: &[i64], mark: u64, funding: i64, tally: &mut Tally) {
    let (price, index_) = (
        LotPrice::new(mark).expect("small"),
        FundingIndex::new(funding),
    );
    let missing: Vec<u64> = equities
        .iter()
        .filter(|equity| **equity < 0)
        .map(|equity| equity.unsigned_abs())
        .collect();
    let anybody = anybody_bankrupt(view, price, index_);
    assert_eq!(anybody, Ok(!missing.is_empty()), "{equities:?} at {mark}");
    let all = deficits(view, price, index_, u32::MAX)
        .expect("sound")
        .expect("enough nodes");
    let expected = Deficits {
        atoms: missing.iter().sum(),
        count: index(missing.len()),
        visited: all.visited,
    };
    assert_eq!(all, expected, "{equities:?} at {mark}");
    assert!(all.visited <= view.len());
    // Exactly as many nodes as were looked at suffice.
    assert_eq!(deficits(view, price, index_, all.visited), Ok(Some(all)));
    if let Some(fewer) = all.visited.checked_sub(1) {
        assert_eq!(deficits(view, price, index_, fewer), Ok(None));
        tally.cut_short += u64::from(fewer > 0);
    }
    if missing.is_empty() {
        assert!(all.visited <= 1, "a solvent queue takes its root");
        tally.solvent += 1;
        tally.nothing_left += u64::from(equities.contains(&0));
    } else {
        tally.bankrupt += 1;
        tally.one_atom += u64::from(missing.contains(&1));
    }
}

fn check_side(side: Side) {
    let kinds = kinds(side);
    let (mut tally, mut queues) = (Tally::default(), 0_u64);
    let mut store = Store::new();
    for_each_queue(kinds.len(), MOST, |chosen| {
        store.fill(side, &kinds, chosen);
        for mark in MARKS {
            for funding in FUNDING {
                let equities: Vec<i64> = chosen
                    .iter()
                    .map(|kind| equity(&kinds[*kind], mark, funding))
                    .collect();
                check(&store.view(), &equities, mark, funding, &mut tally);
            }
        }
        queues += 1;
    });
    println!("{side:?}: {queues} queues, {tally:?}");
    let counts = [
        tally.solvent,
        tally.bankrupt,
        tally.nothing_left,
        tally.one_atom,
        tally.cut_short,
    ];
    assert!(counts.iter().all(|count| *count > 10_000), "{tally:?}");
}

#[test]
fn every_small_queue_of_longs_knows_its_bankrupts() {
    check_side(Side::Long);
}

#[test]
fn every_small_queue_of_shorts_knows_its_bankrupts() {
    check_side(Side::Short);
}
