//! Who is bankrupt in random queues, up to the limits of every type, and what a gap would cost.

use ballast_engine::position::Position;
use ballast_engine::solvency::{anybody_bankrupt, deficit_bound, deficits, gap_curve, Deficits};
use ballast_engine::units::{FundingIndex, LotPrice, Side, MAX_LOTS, MAX_LOT_PRICE};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_market, any_side, cases, lot_price, position, Dice, Store};

/// Equity at a mark after funding, atoms.
fn equity(position: &Position, mark: LotPrice, funding: FundingIndex) -> i128 {
    let lots = i128::from(position.lots.get());
    let rise = i128::from(funding.get()) - i128::from(position.funding_index.get());
    i128::from(position.margin.get()) + lots * (i128::from(mark.get()) - rise)
        - i128::from(position.entry_quote.get())
}

/// How many have less than nothing, and how much less in all.
fn expected(positions: &[Position], mark: LotPrice, funding: FundingIndex) -> (u32, u128) {
    let missing: Vec<u128> = positions
        .iter()
        .map(|position| equity(position, mark, funding))
        .filter(|equity| *equity < 0)
        .map(i128::unsigned_abs)
        .collect();
    let count = u32::try_from(missing.len()).expect("few");
    (count, missing.iter().sum())
}

fn check(store: &Store, positions: &[Position], mark: LotPrice, funding: FundingIndex) {
    let view = store.view();
    let (count, atoms) = expected(positions, mark, funding);
    assert_eq!(anybody_bankrupt(&view, mark, funding), Ok(count > 0));
    let lots = positions.iter().map(Position::size).sum();
    let bound = deficit_bound(&view, mark, funding, lots).expect("sound");
    assert!(u128::from(bound) >= atoms || bound == u64::MAX);
    assert_eq!(bound > 0, count > 0);
    let found = deficits(&view, mark, funding, u32::MAX);
    let Ok(atoms) = u64::try_from(atoms) else {
        assert_eq!(found, Err(EngineError::Overflow));
        return;
    };
    let found = found.expect("sound").expect("enough nodes");
    assert_eq!((found.count, found.atoms), (count, atoms));
    let height = view.tree().root();
    let height = view.tree().linked(height).map_or(0, height_of);
    assert!(found.visited <= 1 + 2 * count * height);
    assert!(found.visited <= view.len());
}

fn height_of(root: &ballast_engine::queue::QueueEntry) -> u32 {
    u32::from(ballast_engine::slab::TreeNode::height(root))
}

/// A position whose equity at this mark and funding index is just `equity`, where that is
/// within what a queue holds.
fn left_with(
    side: Side,
    lots: u64,
    entry: u64,
    (mark, funding): (LotPrice, FundingIndex),
    settled: i64,
    equity: i64,
) -> Option<Position> {
    let signed = i128::from(lots) * if side == Side::Long { 1 } else { -1 };
    let gained = signed * (i128::from(mark.get()) - i128::from(entry));
    let owed = signed * (i128::from(funding.get()) - i128::from(settled));
    let margin = i64::try_from(i128::from(equity) - gained + owed).ok()?;
    let held = position(side, lots, lots * entry, margin, settled);
    let totals = ballast_engine::queue::Totals::of(&held, side).ok()?;
    totals.check_range().ok()?;
    Some(held)
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn a_queue_knows_its_bankrupts((round, positions) in any_market(24), raw in any::<u64>()) {
        let store = Store::filled(round.side, &positions);
        check(&store, &positions, round.mark, round.funding_index);
        check(&store, &positions, round.mark, FundingIndex::ZERO);
        // At a bankruptcy price and an atom to either side.
        let mut dice = Dice(raw);
        for held in positions.iter().take(4) {
            let lots = i128::from(held.lots.get());
            let at = i128::from(round.mark.get()) - equity(held, round.mark, round.funding_index) / lots;
            for off in -1..=1 {
                let mark = u64::try_from(at + off).ok().and_then(|mark| LotPrice::new(mark).ok());
                let mark = mark.unwrap_or_else(|| lot_price(dice.within(1, MAX_LOT_PRICE)));
                check(&store, &positions, mark, round.funding_index);
            }
        }
    }

    #[test]
    fn a_single_atom_decides_at_any_size(
        side in any_side(),
        lots in prop_oneof![Just(1), Just(MAX_LOTS), Just(MAX_LOTS - 1), 1..=MAX_LOTS, 1_u64..=100],
        entry in prop_oneof![1..=MAX_LOT_PRICE, 1_u64..=1_000],
        mark in prop_oneof![1..=MAX_LOT_PRICE, 1_u64..=1_000],
        funding in -1_000_i64..=1_000, settled in -1_000_i64..=1_000,
    ) {
        let at = (lot_price(mark), FundingIndex::new(funding));
        for left in [-2, -1, 0, 1, 2] {
            let Some(held) = left_with(side, lots, entry, at, settled, left) else {
                continue;
            };
            let store = Store::filled(side, &[held]);
            let missing = u64::try_from(-left).unwrap_or(0);
            prop_assert_eq!(anybody_bankrupt(&store.view(), at.0, at.1), Ok(left < 0));
            let found = Deficits { atoms: missing, count: u32::from(left < 0), visited: 1 };
            prop_assert_eq!(deficits(&store.view(), at.0, at.1, 1), Ok(Some(found)));
        }
    }
}

#[test]
fn an_empty_queue_takes_no_look() {
    let store = Store::new(Side::Long, 4);
    let (mark, funding) = (lot_price(1), FundingIndex::new(i64::MAX));
    assert_eq!(anybody_bankrupt(&store.view(), mark, funding), Ok(false));
    let none = Ok(Some(Deficits::default()));
    assert_eq!(deficits(&store.view(), mark, funding, 0), none);
}

#[test]
fn one_bankrupt_among_many_takes_a_path() {
    let mut dice = Dice(3);
    for side in [Side::Long, Side::Short] {
        let (bad, good) = match side {
            Side::Long => (1_000_000, 900_000),
            Side::Short => (1_000_000, 1_100_000),
        };
        let mut held: Vec<Position> = (0..2_000)
            .map(|_| position(side, 10, 10 * dice.within(good - 50_000, good), 800_000, 0))
            .collect();
        held.push(position(side, 10, 10 * bad, 10, 0));
        let store = Store::filled(side, &held);
        let mark = match side {
            Side::Long => lot_price(999_998),
            Side::Short => lot_price(1_000_002),
        };
        let found = deficits(&store.view(), mark, FundingIndex::ZERO, u32::MAX);
        let found = found.expect("sound").expect("enough nodes");
        assert_eq!((found.atoms, found.count), (10, 1));
        assert!(found.visited <= 25, "{} nodes", found.visited);
    }
}

#[test]
fn a_sum_beyond_64_bits_is_refused() {
    let poor = position(Side::Long, MAX_LOTS, MAX_LOTS * MAX_LOT_PRICE, 0, 0);
    let store = Store::filled(Side::Long, &[poor, poor, poor]);
    let found = deficits(&store.view(), LotPrice::MIN, FundingIndex::ZERO, 3);
    assert_eq!(found, Err(EngineError::Overflow));
}

#[test]
fn a_gap_counts_who_it_leaves_with_nothing() {
    // 1,000 lots at 200 with margins of 10, 20 and 40 atoms a lot.
    let longs: Vec<Position> = [10_000, 20_000, 40_000]
        .map(|margin| position(Side::Long, 1_000, 200_000, margin, 0))
        .to_vec();
    let store = Store::filled(Side::Long, &longs);
    let curve = |moves: &[i32]| -> Vec<_> {
        gap_curve(
            store.view(),
            lot_price(200),
            FundingIndex::ZERO,
            moves.to_vec(),
        )
        .map(|gap| {
            gap.map(|gap| {
                (
                    gap.move_bps,
                    gap.price.get(),
                    gap.deficits.atoms,
                    gap.deficits.count,
                )
            })
        })
        .collect()
    };
    assert_eq!(
        curve(&[0, -500, -501, -1_000, -2_000, 2_000]),
        [
            Ok((0, 200, 0, 0)),
            // Exactly nothing is left of the first.
            Ok((-500, 190, 0, 0)),
            // 189.98 is 189.
            Ok((-501, 189, 1_000, 1)),
            Ok((-1_000, 180, 10_000, 1)),
            Ok((-2_000, 160, 50_000, 2)),
            Ok((2_000, 240, 0, 0)),
        ]
    );
    for beyond in [-10_000, -20_000, i32::MIN] {
        assert_eq!(curve(&[beyond]), [Err(EngineError::PriceOutOfRange)]);
    }
    let gaps = |moves: [i32; 2]| {
        gap_curve(store.view(), LotPrice::MAX, FundingIndex::ZERO, moves)
            .map(|gap| gap.map(|gap| gap.price))
            .collect::<Vec<_>>()
    };
    let above = Err(EngineError::PriceOutOfRange);
    assert_eq!(gaps([0, 1]), [Ok(LotPrice::MAX), above]);
    let shorts = [position(Side::Short, 1_000, 200_000, 10_000, 0)];
    let store = Store::filled(Side::Short, &shorts);
    let gaps: Vec<_> = gap_curve(
        store.view(),
        lot_price(200),
        FundingIndex::new(-1),
        [400, 401, 900],
    )
    .map(|gap| gap.map(|gap| (gap.price.get(), gap.deficits.atoms)))
    .collect();
    // A short pays an atom a lot of funding; 208.02 is 209.
    assert_eq!(gaps, [Ok((208, 0)), Ok((209, 0)), Ok((218, 9_000))]);
}

/// Where the first of three nodes, a child of the second, points back at its parent or at the
/// third, more nodes would be looked at than there are.
#[test]
fn a_loop_and_a_node_with_two_parents_are_corrupt() {
    const LEFT_OF_FIRST: usize = ballast_engine::queue::QUEUE_HEADER_SIZE;
    let (mark, funding) = (lot_price(1), FundingIndex::ZERO);
    for link in [1_u32, 2] {
        let poor = position(Side::Long, 10, 10_000, 0, 0);
        let mut store = Store::filled(Side::Long, &[poor, poor, poor]);
        assert_eq!(store.view().tree().root(), 1);
        store.bytes()[LEFT_OF_FIRST..LEFT_OF_FIRST + 4].copy_from_slice(&link.to_le_bytes());
        let found = deficits(&store.view(), mark, funding, u32::MAX);
        assert_eq!(found, Err(EngineError::TreeCorrupt), "{link}");
        assert_eq!(deficits(&store.view(), mark, funding, 3), Ok(None));
    }
}
