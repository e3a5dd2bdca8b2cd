//! The ranking equals a sort by the rules, on every class, side and scale.

use std::cmp::Ordering;

use ballast_engine::fixtures::ranking::{integer, ranking, Rated};
use ballast_engine::position::Position;
use ballast_engine::proof::{best_below, BestFirst};
use ballast_engine::queue::CutStamp;
use ballast_engine::rank::{
    compare, light, score_q32, Class, Exposure, Ranked, Round, Score, INFINITE_SCORE,
};
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use num_bigint::BigInt;
use proptest::prelude::*;

use crate::fixture::{any_market, cases, lot_price, position, Store};
use crate::proof::plain_round;

fn listed(positions: &[Position], stamps: &[CutStamp]) -> Vec<(usize, Position, CutStamp)> {
    positions
        .iter()
        .enumerate()
        .map(|(number, position)| {
            let stamp = stamps.get(number).copied().unwrap_or_default();
            (number, *position, stamp)
        })
        .collect()
}

fn exposure(round: &Round, number: usize, position: &Position) -> Exposure {
    let sequence = u64::try_from(number).expect("small");
    Exposure::of_position(position, round.funding_index, sequence).expect("within range")
}

pub fn any_stamps(count: usize) -> impl Strategy<Value = Vec<CutStamp>> {
    let stamp = prop_oneof![
        3 => Just(CutStamp::default()),
        1 => (1_u32..=4, 0_u32..=5, any::<bool>()).prop_map(|(epoch, lots, capped)| CutStamp {
            epoch,
            lots,
            capped_epoch: if capped { epoch } else { 0 },
        }),
    ];
    prop::collection::vec(stamp, count)
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn best_first_is_a_sort_of_everybody(
        (round, positions) in any_market(24),
        stamps in any_stamps(24),
    ) {
        let mut store = Store::filled(round.side, &positions);
        while store.queue().open_pass(0).expect("few") < 4 {}
        for (number, stamp) in stamps.iter().enumerate().take(positions.len()) {
            let index = u32::try_from(number).expect("small");
            prop_assert_eq!(store.queue().stamp(index, *stamp), Ok(()));
        }
        prop_assert_eq!(store.view().invariant(), Ok(()));
        let expected: Vec<_> = ranking(&round, &listed(&positions, &stamps))
            .iter()
            .map(|rated| u32::try_from(rated.number).expect("small"))
            .collect();
        let found: Vec<_> = BestFirst::new(store.view(), round)
            .map(|step| step.expect("sound").0)
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_two_positions_compare_as_by_the_rules((round, positions) in any_market(6)) {
        for (a, left) in positions.iter().enumerate() {
            let rated = Rated::new(&round, a, left, CutStamp::default());
            let mine = exposure(&round, a, left);
            let ranked = Ranked::new(&round, &mine).expect("within range");
            let class = match rated.class {
                2 => Class::Winner,
                1 => Class::Other,
                _ => Class::Ineligible,
            };
            prop_assert_eq!(ranked.class, class);
            for (b, right) in positions.iter().enumerate() {
                let other = Rated::new(&round, b, right, CutStamp::default());
                let order = compare(&round, &mine, &exposure(&round, b, right));
                prop_assert_eq!(order, Ok(rated.compare(&other)));
                if a == b {
                    prop_assert_eq!(order, Ok(Ordering::Equal));
                }
            }
        }
    }

    #[test]
    fn displayed_scores_are_the_exact_ones_rounded_down((round, positions) in any_market(8)) {
        for (number, position) in positions.iter().enumerate() {
            let exposure = exposure(&round, number, position);
            let rated = Rated::new(&round, number, position, CutStamp::default());
            match (score_q32(&round, &exposure), rated.score) {
                (Ok(found), None) => prop_assert_eq!(found, INFINITE_SCORE),
                (Ok(found), Some(score)) => {
                    let scaled = (score * integer(1_u64 << 32)).floor().to_integer();
                    prop_assert_eq!(BigInt::from(found), scaled);
                }
                (Err(_), score) => {
                    // Only a score above 2^95 cannot be displayed.
                    let huge = score.is_some_and(|score| score >= integer(1_u128 << 95));
                    prop_assert!(huge);
                }
            }
        }
    }
}

/// Equities that only funding can carry beyond 64 bits, up to where a product leaves 128.
#[test]
fn scores_of_equities_beyond_64_bits_are_exact_or_refused() {
    let mark = lot_price(1_000);
    let lots = u64::from(u32::MAX);
    let worth = i128::from(lots) * 1_000;
    for (side, sign) in [(Side::Long, 1), (Side::Short, -1)] {
        // Half and twice the mark: in profit on one side, in loss on the other.
        for entry in [lots * 500, lots * 2_000] {
            for bits in [63, 64, 65, 80, 85, 86, 90, 93] {
                let equity = 1_i128 << bits;
                let exposure = Exposure {
                    side,
                    lots,
                    entry,
                    bankruptcy: worth - sign * equity,
                    sequence: 0,
                };
                let (change, equity) = (
                    u128::from(entry.abs_diff(lots * 1_000)),
                    equity.unsigned_abs(),
                );
                let (entry, lots) = (u128::from(entry), u128::from(lots));
                let loss = (side == Side::Long) == (entry > lots * 1_000);
                let (numerator, denominator) = if loss {
                    (change.checked_mul(equity), Some(entry * lots))
                } else {
                    (Some(change * lots), entry.checked_mul(equity))
                };
                let expected = match (numerator, denominator) {
                    (Some(numerator), Some(denominator)) => Ok(Score {
                        loss,
                        numerator,
                        denominator,
                    }),
                    _ => Err(EngineError::Overflow),
                };
                assert_eq!(exposure.score(mark), expected, "{exposure:?}");
            }
        }
    }
}

/// Cross products take 256 bits: these wrap to the wrong order in 128.
#[test]
fn scores_beyond_64_bits_compare_exactly() {
    let score = |numerator, denominator| Score {
        loss: false,
        numerator,
        denominator,
    };
    let one = 1_u128 << 100;
    for (less, more) in [
        (score(one, one), score(one + 1, one)),
        (score(one, one + 1), score(one, one)),
        (score(1, 1 << 64), score(1 << 64, 1)),
        (score(1 << 64, 1 << 64), score(1 << 65, 1)),
        (score(1, 1), score(u128::MAX, 3)),
    ] {
        assert_eq!(less.compare(&more), Ordering::Less);
        assert_eq!(more.compare(&less), Ordering::Greater);
        let lost = |score: Score| Score {
            loss: true,
            ..score
        };
        assert_eq!(lost(less).compare(&lost(more)), Ordering::Greater);
        assert_eq!(less.compare(&lost(more)), Ordering::Greater);
    }
    // Within a tolerance the products are checked.
    let limit = u128::MAX / 10_000;
    let last = score(1, 2);
    assert_eq!(score(limit, 1).beats(&last, 1), Ok(true));
    let refused = Err(EngineError::Overflow);
    assert_eq!(score(limit + 1, 1).beats(&last, 1), refused);
    assert_eq!(last.beats(&score(limit + 1, 1), 0), refused);
}

#[test]
fn a_class_is_refused_where_a_total_times_lots_could_wrap() {
    let round = plain_round(Side::Long, 1_000);
    let exposure = |lots, bankruptcy| Exposure {
        side: Side::Long,
        lots,
        entry: 1_000,
        bankruptcy,
        sequence: 0,
    };
    let refused = Err(EngineError::Overflow);
    let largest = (1_i128 << 94) - 1;
    assert_eq!(exposure(1, largest).class(&round), Ok(Class::Ineligible));
    assert_eq!(exposure(1, -largest).class(&round), Ok(Class::Other));
    assert_eq!(exposure(1, largest + 1).class(&round), refused);
    assert_eq!(exposure(1, -largest - 1).class(&round), refused);
    assert!(exposure((1 << 33) - 1, 0).class(&round).is_ok());
    assert_eq!(exposure(1 << 33, 0).class(&round), refused);
}

#[test]
fn an_empty_queue_has_no_best() {
    let store = Store::filled(ballast_engine::units::Side::Long, &[]);
    let round = crate::proof::plain_round(ballast_engine::units::Side::Long, 100);
    assert_eq!(best_below(&store.view(), &round, None), Ok(None));
}

#[test]
fn lights_fall_by_fifths() {
    let lights: Vec<_> = (0..10).map(|rank| light(rank, 10)).collect();
    assert_eq!(lights, [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]);
    assert_eq!((light(0, 1), light(0, 0), light(9, 3)), (5, 1, 1));
}

/// Who entered at the close price loses nothing by it. As nobody can stand in the
/// ranking at exactly the close price and outside of the winners, no mass of such
/// positions can hide from the bound.
#[test]
fn a_position_entered_at_the_close_price_wins() {
    for (side, close, worse) in [(Side::Long, 990, 991), (Side::Short, 1_010, 1_009)] {
        let mut round = plain_round(side, 1_000);
        round.mark = lot_price(1_000);
        round.close.quote = close * i64::try_from(round.close.lots).expect("small");
        for (entry, class) in [(close, Class::Winner), (worse, Class::Other)] {
            let entry = u64::try_from(entry).expect("positive");
            let position = position(side, 7, 7 * entry, 700, 0);
            assert_eq!(exposure(&round, 0, &position).class(&round), Ok(class));
        }
    }
}
