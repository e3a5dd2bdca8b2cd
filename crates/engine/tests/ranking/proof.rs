//! The walk finds somebody passed over exactly when the rules say there is one.

use ballast_engine::fixtures::ranking::Rated;
use ballast_engine::position::Position;
use ballast_engine::proof::{first_skipped, BestFirst, Threshold};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{ClosePrice, Exposure, Round};
use ballast_engine::units::{FundingIndex, Side};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{any_market, cases, lot_price, position, trader, Store};
use crate::order::any_stamps;

/// Closing at the mark, exact, without least profit or cap.
pub fn plain_round(side: Side, mark: u64) -> Round {
    Round {
        side,
        mark: lot_price(mark),
        close: ClosePrice {
            quote: i64::try_from(mark).expect("small"),
            lots: 1,
        },
        funding_index: FundingIndex::ZERO,
        min_profit_bps: 0,
        rank_tolerance_bps: 0,
        max_close_bps: 10_000,
        least_lots: 0,
        epoch: 1,
    }
}

fn stamped(round: &Round, positions: &[Position], stamps: &[CutStamp]) -> (Store, Vec<CutStamp>) {
    let mut store = Store::filled(round.side, positions);
    while store.queue().open_pass(0).expect("few") < 4 {}
    let stamps: Vec<_> = stamps.iter().copied().take(positions.len()).collect();
    for (number, stamp) in stamps.iter().enumerate() {
        let index = u32::try_from(number).expect("small");
        assert_eq!(store.queue().stamp(index, *stamp), Ok(()));
    }
    (store, stamps)
}

fn rate(round: &Round, positions: &[Position], stamps: &[CutStamp]) -> Vec<Rated> {
    positions
        .iter()
        .zip(stamps)
        .enumerate()
        .map(|(number, (position, stamp))| Rated::new(round, number, position, *stamp))
        .collect()
}

/// Checks one walk against the rules: it names somebody exactly when somebody was
/// passed over, and then one of those.
fn check_walk(
    store: &Store,
    round: &Round,
    rated: &[Rated],
    last: Option<(usize, &Position)>,
    ignored: bool,
) {
    let (threshold, ignore) = match last {
        None => (Threshold::Everyone, None),
        Some((number, position)) => {
            let sequence = u64::try_from(number).expect("small");
            let exposure = Exposure::of_position(position, round.funding_index, sequence);
            let index = u32::try_from(number).expect("small");
            let threshold = Threshold::Beyond(exposure.expect("within range"));
            (threshold, ignored.then_some(index))
        }
    };
    let wronged: Vec<_> = rated
        .iter()
        .filter(|one| match last {
            None => one.cuttable,
            Some((number, _)) => {
                one.passed_over(&rated[number], round.rank_tolerance_bps)
                    && !(ignored && one.number == number)
            }
        })
        .map(|one| u32::try_from(one.number).expect("small"))
        .collect();
    let walk = first_skipped(&store.view(), round, &threshold, ignore).expect("sound");
    match walk.skipped {
        None => assert!(wronged.is_empty(), "missed {wronged:?} beyond {last:?}"),
        Some(index) => assert!(wronged.contains(&index), "{index} was not passed over"),
    }
    assert!(walk.visited <= store.view().len());
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn the_walk_accepts_what_the_rules_accept(
        (round, positions) in any_market(20),
        stamps in any_stamps(20),
        exact in any::<bool>(),
    ) {
        let mut round = round;
        if exact {
            round.rank_tolerance_bps = 0;
        }
        let (store, stamps) = stamped(&round, &positions, &stamps);
        let rated = rate(&round, &positions, &stamps);
        check_walk(&store, &round, &rated, None, false);
        for (number, position) in positions.iter().enumerate() {
            if rated[number].class > 0 {
                check_walk(&store, &round, &rated, Some((number, position)), true);
                check_walk(&store, &round, &rated, Some((number, position)), false);
            }
        }
    }

    /// The list an honest keeper makes passes; without any one of its members but
    /// the last it does not, unless the tolerance says so.
    #[test]
    fn an_honest_list_passes_and_a_gap_is_found(
        (round, positions) in any_market(16),
        length in 1_usize..8,
    ) {
        let whole = Store::filled(round.side, &positions);
        let list: Vec<u32> = BestFirst::new(whole.view(), round)
            .take(length)
            .map(|step| step.expect("sound").0)
            .collect();
        prop_assume!(!list.is_empty());
        let last = *list.last().expect("not empty");
        let entry = whole.view().entry(last).expect("live");
        let last = Exposure::of_entry(entry, round.side, round.funding_index);
        let threshold = Threshold::Beyond(last);
        let exact = Round { rank_tolerance_bps: 0, ..round };
        let mut honest = whole.clone();
        for index in &list {
            honest.queue().remove(*index).expect("live");
        }
        for round in [&exact, &round] {
            let walk = first_skipped(&honest.view(), round, &threshold, None).expect("sound");
            prop_assert_eq!(walk.skipped, None);
        }
        for left_out in &list[..list.len() - 1] {
            let mut store = whole.clone();
            for index in list.iter().filter(|index| *index != left_out) {
                store.queue().remove(*index).expect("live");
            }
            let walk = first_skipped(&store.view(), &exact, &threshold, None).expect("sound");
            prop_assert_eq!(walk.skipped, Some(*left_out));
        }
    }

    /// Funding so far out that prices leave 2^-32 units: fractions decide.
    #[test]
    fn prices_beyond_the_fast_path_are_decided_too(
        mut round in (prop_oneof![Just(Side::Long), Just(Side::Short)], 100_u64..400)
            .prop_map(|(side, mark)| plain_round(side, mark)),
        positions in prop::collection::vec((1_u64..50, 1_u64..500, -50_i64..5_000), 1..12),
        away in 0_i64..300,
        tolerance in prop_oneof![Just(0_u32), 0_u32..=10_000],
        profit in prop_oneof![Just(0_u32), 0_u32..=3_000],
    ) {
        const FAR: i64 = (1 << 31) - 100;
        let long = round.side == Side::Long;
        round.funding_index = FundingIndex::new(if long { -FAR } else { FAR });
        round.close.quote += if long { -away } else { away };
        round.rank_tolerance_bps = tolerance;
        round.min_profit_bps = profit;
        let mut store = Store::new(round.side, positions.len());
        let mut joined = Vec::new();
        for (lots, price, margin) in positions {
            let lots_margin = margin * i64::try_from(lots).expect("small");
            let one = position(round.side, lots, lots * price, lots_margin, round.funding_index.get());
            match store.queue().insert(trader(0), &one) {
                Ok(_) => joined.push(one),
                Err(error) => prop_assert_eq!(error, EngineError::BankruptcyPriceOutOfRange),
            }
        }
        let rated = rate(&round, &joined, &vec![CutStamp::default(); joined.len()]);
        check_walk(&store, &round, &rated, None, false);
        for (number, position) in joined.iter().enumerate() {
            if rated[number].class > 0 {
                check_walk(&store, &round, &rated, Some((number, position)), true);
            }
        }
    }
}

/// Every pair of tiny positions, on both sides, at every mark and close price.
#[test]
fn every_pair_of_tiny_positions() {
    let mut pairs = 0_u32;
    for side in [Side::Long, Side::Short] {
        let mut tiny = Vec::new();
        for lots in 1..=2_u64 {
            for entry in lots..=3 * lots {
                for margin in [-1, 0, 1, 3] {
                    tiny.push(position(side, lots, entry, margin, 0));
                }
            }
        }
        for mark in 1..=3_u64 {
            for away in 0..=2_i64 {
                let mut round = plain_round(side, mark);
                round.close.lots = 2;
                let sign = if side == Side::Long { -1 } else { 1 };
                round.close.quote = 2 * round.close.quote + sign * away;
                for a in &tiny {
                    for b in &tiny {
                        check_pair(&mut round, *a, *b);
                        pairs += 1;
                    }
                }
            }
        }
    }
    assert_eq!(pairs, 2 * 9 * 32 * 32);
}

fn check_pair(round: &mut Round, a: Position, b: Position) {
    let positions = [a, b];
    let store = Store::filled(round.side, &positions);
    for (tolerance, profit) in [(0, 0), (5_000, 5_000), (10_000, 0)] {
        round.rank_tolerance_bps = tolerance;
        round.min_profit_bps = profit;
        let rated = rate(round, &positions, &[CutStamp::default(); 2]);
        if rated[0].class > 0 {
            check_walk(&store, round, &rated, Some((0, &a)), true);
        }
    }
}

/// Exactly `1 + tolerance` times the score of the last one is within tolerance.
#[test]
fn the_tolerance_includes_its_limit() {
    // Entry 50 at a mark of 100 gains all of it; leverage 1 and 2: scores 1 and 2.
    let gain = (
        position(Side::Long, 1, 50, 50, 0),
        position(Side::Long, 1, 50, 0, 0),
    );
    // Entry 200 loses half; leverage 1 and 2: scores -1/2 and -1/4.
    let loss = (
        position(Side::Long, 1, 200, 200, 0),
        position(Side::Long, 1, 200, 150, 0),
    );
    for (last, left_out) in [gain, loss] {
        let store = Store::filled(Side::Long, &[last, left_out]);
        let mut round = plain_round(Side::Long, 100);
        let last = Exposure::of_position(&last, round.funding_index, 0).expect("small");
        let mut skipped = |tolerance| {
            round.rank_tolerance_bps = tolerance;
            first_skipped(&store.view(), &round, &Threshold::Beyond(last), Some(0))
                .expect("sound")
                .skipped
        };
        assert_eq!(skipped(10_000), None);
        assert_eq!(skipped(9_999), Some(1));
        assert_eq!(skipped(0), Some(1));
    }
}

/// A short can gain all but nothing of its entry, and then it wins at any least profit below
/// the whole.
#[test]
fn shorts_win_up_to_the_largest_least_profit() {
    // At a mark of 1, entries of 10,000 and 20,000 have gained 9,999 and 9,999.5 ten-thousandths.
    let last = position(Side::Short, 1, 10_000, 50_000, 0);
    let better = position(Side::Short, 1, 20_000, 0, 0);
    let loser = position(Side::Short, 1, 9_999, 0, 0);
    let store = Store::filled(Side::Short, &[last, better, loser]);
    let skipped = |min_profit_bps, cut: u32| {
        let mut round = plain_round(Side::Short, 1);
        round.min_profit_bps = min_profit_bps;
        let entry = store.view().entry(cut).expect("live");
        let last = Exposure::of_entry(entry, Side::Short, FundingIndex::ZERO);
        first_skipped(&store.view(), &round, &Threshold::Beyond(last), Some(cut))
            .expect("sound")
            .skipped
    };
    assert_eq!(skipped(9_999, 0), Some(1));
    assert_eq!(skipped(9_999, 1), None);
    // Just short of the least profit it ranks behind both winners, whatever it scores.
    assert!(skipped(9_999, 2).is_some());
    // At the whole nobody wins and the score decides alone.
    assert_eq!(skipped(10_000, 2), None);
    assert_eq!(skipped(10_000, 1), Some(2));
}

/// Equal in everything but age: the older one is first, exactly.
#[test]
fn equals_are_cut_by_age_when_exact() {
    let one = position(Side::Short, 3, 600, 90, 0);
    let store = Store::filled(Side::Short, &[one, one, one]);
    let mut round = plain_round(Side::Short, 150);
    let at = |sequence| {
        let last = Exposure::of_position(&one, FundingIndex::ZERO, sequence).expect("small");
        Threshold::Beyond(last)
    };
    let walk = |round: &Round, sequence, ignore| {
        first_skipped(&store.view(), round, &at(sequence), Some(ignore))
            .expect("sound")
            .skipped
    };
    assert_eq!(walk(&round, 0, 0), None);
    assert_eq!(walk(&round, 1, 1), Some(0));
    round.rank_tolerance_bps = 1;
    assert_eq!(walk(&round, 2, 2), None);
}

#[test]
fn a_round_of_another_side_or_an_impossible_price_is_refused() {
    let store = Store::filled(Side::Long, &[]);
    let everyone = Threshold::Everyone;
    let round = plain_round(Side::Short, 10);
    assert_eq!(
        first_skipped(&store.view(), &round, &everyone, None),
        Err(EngineError::WrongSide)
    );
    let mut round = plain_round(Side::Long, 10);
    round.close.quote = 11;
    assert_eq!(
        first_skipped(&store.view(), &round, &everyone, None),
        Err(EngineError::ClosePriceOutOfRange)
    );
    round.close = ClosePrice { quote: 0, lots: 0 };
    assert_eq!(
        first_skipped(&store.view(), &round, &everyone, None),
        Err(EngineError::ClosePriceOutOfRange)
    );
}
