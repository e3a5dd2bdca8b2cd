use super::*;

const START: i64 = 1_700_000_000;
const MOST: u16 = 30_000;

/// Prices as `(seconds since the start, ticks)`.
fn after(prices: &[(i64, u64)]) -> Volatility {
    let count = |state: Volatility, (at, ticks): &(i64, u64)| {
        let time = START.checked_add(*at).unwrap();
        let counted = state.counted(MOST, Ticks::new(*ticks), time);
        counted.unwrap()
    };
    prices.iter().fold(Volatility::default(), count)
}

/// A whole average, squared millionths a second.
fn whole(value: u64) -> u64 {
    value >> FRACTION_BITS
}

#[test]
fn where_it_is_off_nothing_is_counted_and_the_multiplier_is_one() {
    let off = Volatility::default().counted(0, Ticks::new(5), -1);
    assert_eq!(off, Ok(Volatility::default()));
    let high = Volatility {
        multiplier_ppm: 2_500_000,
        ..Volatility::default()
    };
    let multipliers = [0, 10_000, 20_000, 30_000].map(|most| high.multiplier(most));
    assert_eq!(multipliers, [1_000_000, 1_000_000, 2_000_000, 2_500_000]);
    assert_eq!(Volatility::default().multiplier(MOST), ONE_PPM);
}

#[test]
fn the_first_price_begins_and_a_minute_counts() {
    let first = after(&[(0, 200_000)]);
    let begun = Volatility {
        counted_ticks: 200_000,
        multiplier_ppm: ONE_PPM,
        counted_at: 1_700_000_000,
        since: 1_700_000_000,
        ..Volatility::default()
    };
    assert_eq!(first, begun);
    assert_eq!(after(&[(0, 200_000), (59, 900_000)]), first);
    // 1%: 10,000 millionths in 60 seconds.
    let second = after(&[(0, 200_000), (60, 202_000)]);
    assert_eq!(whole(second.fast), 100_000_000 / 60);
    assert_eq!(whole(second.slow), 100_000_000 / 60);
    assert_eq!(
        (second.counted_ticks, second.counted_at),
        (202_000, begun.counted_at + 60)
    );
    // An older price, which no market records, counts for nothing.
    assert_eq!(second.counted(MOST, Ticks::new(1), START), Ok(second));
}

#[test]
fn a_young_average_is_that_of_all_there_was() {
    let state = after(&[
        (0, 100_000),
        (600, 101_000),
        (1_000, 101_000),
        (2_000, 99_990),
    ]);
    // Ten thousand millionths up, as many down but for what is rounded.
    let down = (101_000 - 99_990) * PPM / 101_000;
    let mean = (100_000_000 + down * down) / 2_000;
    assert!(whole(state.fast).abs_diff(mean) <= 1, "{state:?}");
    assert!(whole(state.slow).abs_diff(mean) <= 1);
    assert!(state.fast > state.slow);
    assert_eq!(state.multiplier_ppm, ONE_PPM);
}

#[test]
fn half_of_the_fast_average_is_gone_after_its_half_life() {
    let steady = |value| Volatility {
        fast: value,
        slow: value,
        counted_ticks: 100_000,
        multiplier_ppm: ONE_PPM,
        counted_at: 1_700_000_000,
        since: 1_600_000_000,
    };
    let begun = steady(20_000 << FRACTION_BITS);
    let quiet = |hours: i64| {
        let minute = |state: Volatility, minute: i64| {
            let price = Ticks::new(100_000);
            state.counted(MOST, price, START + minute * 60).unwrap()
        };
        (1..=hours * 60).fold(begun, minute)
    };
    let half = quiet(12);
    assert!(whole(half.fast).abs_diff(10_000) < 10, "{half:?}");
    assert!(whole(half.slow) < 20_000 && whole(half.slow) > 19_800);
    assert_eq!(half.multiplier_ppm, ONE_PPM);
    let slow = quiet(60 * 24);
    assert!(whole(slow.slow).abs_diff(10_000) < 10, "{slow:?}");
    // Long silence in one step: the fast average is what happened in it.
    let late = begun.counted(MOST, Ticks::new(110_000), START + 86_400);
    assert_eq!(
        late.map(|late| whole(late.fast)),
        Ok(10_000_000_000 / 86_400)
    );
}

#[test]
fn the_ratio_is_a_square_root_within_its_bounds() {
    let unit = 1 << FRACTION_BITS;
    let ratio = |fast, slow| ratio(fast * unit, slow * unit, MOST).unwrap();
    assert_eq!(ratio(400, 100), 2_000_000);
    assert_eq!(ratio(200, 100), 1_414_200);
    assert_eq!(ratio(100, 400), ONE_PPM);
    assert_eq!(ratio(901, 100), 3_000_000);
    assert_eq!(ratio(600_000_000, 0), 3_000_000);
    // Below the least average everything is calm.
    assert_eq!(ratio(LEAST_VARIANCE, 0), ONE_PPM);
    assert_eq!(ratio(LEAST_VARIANCE * 4, 0), 2_000_000);
}

#[test]
fn the_multiplier_takes_its_time() {
    let calm = Volatility {
        fast: 1_000 << FRACTION_BITS,
        slow: 1_000 << FRACTION_BITS,
        counted_ticks: 100_000,
        multiplier_ppm: ONE_PPM,
        counted_at: 1_700_000_000,
        since: 1_600_000_000,
    };
    let crash = calm.counted(MOST, Ticks::new(70_000), START + 60).unwrap();
    assert_eq!(crash.multiplier_ppm, 1_000_000 + 250_000 / 60);
    // One move counts for a fifth at most, whatever it is.
    let clamped = calm.counted(MOST, Ticks::new(80_000), START + 60).unwrap();
    assert_eq!((crash.fast, crash.slow), (clamped.fast, clamped.slow));
    let silent = calm.counted(MOST, Ticks::new(70_000), START + 4 * 3_600);
    assert_eq!(silent.map(|silent| silent.multiplier_ppm), Ok(2_000_000));
    let high = Volatility {
        multiplier_ppm: 2_000_000,
        ..calm
    };
    let calmer = high
        .counted(MOST, Ticks::new(100_000), START + 7_200)
        .unwrap();
    assert_eq!(calmer.multiplier_ppm, 1_960_000);
    // A lower most is in force at once.
    let lowered = high
        .counted(15_000, Ticks::new(100_000), START + 60)
        .unwrap();
    assert_eq!(lowered.multiplier_ppm, 1_500_000);
}

#[test]
fn what_does_not_fit_is_refused() {
    let state = after(&[(0, 100)]);
    let overflow = Err(EngineError::Overflow);
    assert_eq!(state.counted(MOST, Ticks::new(100), -1), overflow);
    assert_eq!(state.counted(MOST, Ticks::new(100), 1 << 32), overflow);
    let large = state.counted(MOST, Ticks::new(1 << 32), START + 60);
    assert_eq!(large, Err(EngineError::PriceOutOfRange));
    // The widest of everything.
    let wide = after(&[(0, 1), (60, u64::from(u32::MAX)), (120, 1)]);
    assert_eq!(whole(wide.fast), MOST_MOVE_PPM * MOST_MOVE_PPM / 60);
}
