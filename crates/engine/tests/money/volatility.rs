//! What the multiplier does for every history of prices, and what who would move it can.

use ballast_engine::units::Ticks;
use ballast_engine::volatility::{
    Volatility, COUNTED_SECONDS, FALL_PPM_PER_HOUR, MOST_MOVE_PPM, ONE_PPM, RISE_PPM_PER_HOUR,
};
use proptest::prelude::*;

use crate::fixture::{any_magnitude, cases};

const START: i64 = 1_700_000_000;
const MOST: u16 = 30_000;

/// A price: seconds after the one before it, and ticks.
type Step = (i64, u64);

fn history() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![
        5 => 0_i64..130,
        3 => 60_i64..4_000,
        1 => 4_000_i64..400_000,
        1 => 400_000_i64..10_000_000,
    ];
    let calm = (9_900_u64..10_100).prop_map(|ticks| ticks * 20);
    let price = prop_oneof![4 => calm, 1 => any_magnitude(u64::from(u32::MAX) - 1)];
    proptest::collection::vec((wait, price), 1..60)
}

fn count(state: Volatility, most: u16, at: i64, ticks: u64) -> Volatility {
    state.counted(most, Ticks::new(ticks), at).unwrap()
}

/// Every state with its time.
fn played(most: u16, steps: &[Step]) -> Vec<(i64, Volatility)> {
    let mut at = START;
    let mut state = Volatility::default();
    let next = |(wait, ticks): &Step| {
        at += wait;
        state = count(state, most, at, *ticks);
        (at, state)
    };
    steps.iter().map(next).collect()
}

/// Prices of a quiet market, one a minute for `hours`: up and down by `ticks` of 100,000.
fn quiet(mut state: Volatility, from: i64, hours: i64, ticks: u64) -> (i64, Volatility) {
    for minute in 1..=hours * 60 {
        let price = 100_000 + if minute % 2 == 0 { 0 } else { ticks };
        state = count(state, MOST, from + minute * 60, price);
    }
    (from + hours * 3_600, state)
}

/// A market that has moved by a thousandth a minute for 100 days.
fn settled() -> (i64, Volatility) {
    let begun = count(Volatility::default(), MOST, START, 100_000);
    quiet(begun, START, 100 * 24, 100)
}

fn multiplier(state: &Volatility) -> u64 {
    u64::from(state.multiplier(MOST))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_multiplier_stays_within_its_bounds_and_moves_no_faster_than_they_say(
        steps in history(), most in prop_oneof![Just(MOST), 10_000_u16..=50_000],
    ) {
        let states = played(most, &steps);
        let multipliers: Vec<(i64, i64)> = states
            .iter()
            .map(|(at, state)| (*at, i64::from(state.multiplier(most))))
            .collect();
        for (_, multiplier) in &multipliers {
            prop_assert!((i64::from(ONE_PPM)..=i64::from(most) * 100).contains(multiplier));
        }
        for (place, (from, before)) in multipliers.iter().enumerate() {
            for (to, after) in &multipliers[place..] {
                // What a market does within a minute is counted at its end.
                let seconds = to - from + i64::from(COUNTED_SECONDS) - 1;
                let most_of = |rate: u64| i64::try_from(rate).unwrap() * seconds / 3_600;
                prop_assert!(after - before <= most_of(RISE_PPM_PER_HOUR));
                prop_assert!(before - after <= most_of(FALL_PPM_PER_HOUR));
            }
        }
    }

    #[test]
    fn prices_between_two_that_count_change_nothing(
        steps in history(), between in proptest::collection::vec((1_i64..60, any_magnitude(u64::from(u32::MAX) - 1)), 0..20),
        wait in 60_i64..100_000, last in 1_u64..1_000_000,
    ) {
        let (at, before) = *played(MOST, &steps).last().unwrap();
        let counted = i64::from(before.counted_at);
        let late = at.max(counted + wait);
        let alone = count(before, MOST, late, last);
        let mut sorted = between.clone();
        sorted.sort_unstable_by_key(|(after, _)| *after);
        let many = sorted
            .iter()
            .filter(|(after, _)| counted + after >= at)
            .fold(before, |state, (after, ticks)| count(state, MOST, counted + after, *ticks));
        prop_assert_eq!(many, before);
        prop_assert_eq!(count(many, MOST, late, last), alone);
    }

    #[test]
    fn whoever_looks_after_a_silence_sees_the_whole_move(
        wait in 3_600_i64..500_000, moved in 1_u64..20_000,
    ) {
        let (now, state) = settled();
        let looked = count(state, MOST, now + wait, 100_000 + moved);
        let unmoved = count(state, MOST, now + wait, 100_000);
        prop_assert!(looked.fast > unmoved.fast && looked.slow > unmoved.slow);
        // Hardly different from the same move in its last minute.
        let quiet = count(state, MOST, now + wait - 60, 100_000);
        let sudden = count(quiet, MOST, now + wait, 100_000 + moved);
        if wait < 6_000 {
            prop_assert!(looked.fast.abs_diff(sudden.fast) < looked.fast / 5);
        }
    }
}

#[test]
fn a_quiet_market_has_no_multiplier_whatever_its_size_of_moves() {
    let begun = count(Volatility::default(), MOST, START, 100_000);
    for ticks in [0, 1, 10, 100, 1_000, 10_000] {
        let (_, state) = quiet(begun, START, 30 * 24, ticks);
        let multiplier = multiplier(&state);
        assert!(multiplier <= 1_010_000, "{ticks}: {state:?}");
    }
}

#[test]
fn noise_at_the_confidence_limit_is_slow_and_what_it_does_goes_away() {
    // 2% of confidence either way, every minute for an hour, in a market that moves by 0.1%.
    let (now, state) = settled();
    let noisy = (1..=60).fold(state, |state, minute| {
        let price = if minute % 2 == 0 { 98_000 } else { 102_000 };
        count(state, MOST, now + minute * 60, price)
    });
    let pumped = multiplier(&noisy);
    assert!(pumped > 1_200_000 && pumped <= 1_250_000, "{pumped}");
    // Twenty times an hour as bad, no faster.
    let wild = (1..=60).fold(state, |state, minute| {
        let price = if minute % 2 == 0 { 50_000 } else { 200_000 };
        count(state, MOST, now + minute * 60, price)
    });
    assert!(multiplier(&wild) <= 1_250_000);
    // Until the fast average has forgotten; then it falls.
    let (_, later) = quiet(wild, now + 3_600, 10 * 24, 100);
    assert_eq!(multiplier(&later), u64::from(ONE_PPM), "{later:?}");
}

#[test]
fn one_wild_price_counts_as_two_moves_of_a_fifth() {
    let (now, state) = settled();
    let there = count(state, MOST, now + 60, 1_000_000);
    let back = count(there, MOST, now + 120, 100_000);
    let clamped = [(now + 60, 120_000), (now + 120, 96_000)]
        .iter()
        .fold(state, |state, (at, ticks)| count(state, MOST, *at, *ticks));
    assert_eq!((back.fast, back.slow), (clamped.fast, clamped.slow));
    assert!(multiplier(&back) <= 1_000_000 + RISE_PPM_PER_HOUR * 120 / 3_600);
    assert_eq!(MOST_MOVE_PPM, 200_000);
    // A price that is gone within the minute was never there.
    let unseen = count(
        count(state, MOST, now + 1, 1_000_000),
        MOST,
        now + 60,
        100_100,
    );
    assert_eq!(unseen, count(state, MOST, now + 60, 100_100));
}

#[test]
fn many_prices_in_one_second_count_once() {
    let (now, state) = settled();
    let at = now + 60;
    let once = count(state, MOST, at, 110_000);
    let many = (0..1_000).fold(once, |state, number| {
        count(state, MOST, at, 50_000 + number * 100)
    });
    assert_eq!(many, once);
}

#[test]
fn a_crash_raises_it_hour_by_hour_and_it_falls_for_days() {
    let (now, state) = settled();
    // A 1% fall a minute for ten minutes, then twenty times the usual moves for six hours.
    let crash = (1..=10_u64).fold(state, |state, minute| {
        let at = now + i64::try_from(minute).unwrap() * 60;
        count(state, MOST, at, 100_000 - minute * 1_000)
    });
    let (now, stormy) = quiet(crash, now + 600, 6, 2_000);
    let top = multiplier(&stormy);
    assert!((2_400_000..=2_600_000).contains(&top), "{top}");
    let (now, calmer) = quiet(stormy, now, 24, 100);
    let (_, calm) = quiet(calmer, now, 6 * 24, 100);
    assert!(multiplier(&calmer) >= top.min(2_500_000) - 24 * FALL_PPM_PER_HOUR);
    assert!(multiplier(&calm) < multiplier(&calmer));
}
