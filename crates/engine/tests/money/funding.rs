use ballast_engine::error::EngineError;
use ballast_engine::funding::{FundingRates, FundingState, FUNDING_SCALE};
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{FundingIndex, Side, MAX_LOT_PRICE};
use proptest::prelude::*;

use crate::fixture::{any_magnitude, base_rate, cases, position, price};

/// Unix seconds at the start of an hour.
const HOUR: i64 = 489_000 * 3_600;
/// Atoms per lot.
const PRICE: u64 = 10_000_000;

/// Base and highest rate in ppm, with an impact notional.
fn sampled(base: i32, highest: u32) -> RiskParams {
    RiskParams {
        impact_notional_atoms: 1_000_000,
        max_funding_rate_ppm: highest,
        ..base_rate(base)
    }
}

/// Impact prices of 0 are none.
fn with_book(state: FundingState, bid: u64, ask: u64) -> FundingState {
    let deep = |at| (at > 0).then(|| price(at));
    state
        .with_impact(Side::Long, deep(bid))
        .with_impact(Side::Short, deep(ask))
}

fn market(bid: u64, ask: u64) -> FundingState {
    with_book(FundingState::starting(HOUR), bid, ask)
}

/// Index and carry together, in `1 / FUNDING_SCALE` atoms per lot.
fn exact(state: &FundingState) -> i128 {
    i128::from(state.index.get()) * i128::from(FUNDING_SCALE) + i128::from(state.carry)
}

fn run(state: FundingState, params: &RiskParams, seconds: i64) -> FundingState {
    let until = state.last_timestamp + seconds;
    let after = state.accrue(params, price(PRICE), until).unwrap();
    after.invariant().unwrap();
    after
}

#[test]
fn an_hour_at_the_rate_moves_the_index_by_its_share() {
    let state = FundingState::starting(1_000);
    let after = state.accrue(&base_rate(100), price(PRICE), 4_600).unwrap();
    assert_eq!(
        (after.index.get(), after.carry, after.last_timestamp),
        (1_000, 0, 4_600)
    );
    let short = state.accrue(&base_rate(-100), price(PRICE), 4_600).unwrap();
    assert_eq!(short.index.get(), -1_000);
    let long = position(3, 10_000_000, 50_000).settle(after.index).unwrap();
    assert_eq!(long.margin.get(), 47_000);
    let short = position(-3, 10_000_000, 50_000)
        .settle(after.index)
        .unwrap();
    assert_eq!(short.margin.get(), 53_000);
}

#[test]
fn time_going_back_changes_nothing() {
    for params in [base_rate(100), sampled(100, 100)] {
        let state = with_book(FundingState::starting(1_000), 7, 7);
        assert_eq!(state.accrue(&params, price(5), 999), Ok(state));
        assert_eq!(state.accrue(&params, price(5), 1_000), Ok(state));
        assert_eq!(state.accrue(&params, price(5), i64::MIN), Ok(state));
    }
}

#[test]
fn without_an_impact_notional_the_book_is_nothing_to_funding() {
    let params = base_rate(100);
    let (bare, deep) = (market(0, 0), market(2 * PRICE, 3 * PRICE));
    let (bare, deep) = (run(bare, &params, 1_800), run(deep, &params, 1_800));
    assert_eq!((bare.index.get(), deep.index.get()), (500, 500));
    assert_eq!((deep.rate_ppm, deep.rate_sum), (100, 0));
    let rates = deep.rates(&params, price(PRICE)).unwrap();
    assert_eq!(
        (rates.current_ppm, rates.sample_ppm, rates.next_ppm),
        (100, 100, 100)
    );
}

#[test]
fn an_hour_pays_the_samples_of_the_hour_before() {
    // The middle of the book is 50 ppm above the price: 100 + 50 ppm.
    let params = sampled(100, 2_000);
    let first = run(market(9_999_500, 10_001_500), &params, 3_600);
    assert_eq!((first.index.get(), first.carry), (0, 0));
    assert_eq!((first.rate_ppm, first.rate_sum), (150, 0));
    // The second hour pays for it, whatever the book is by now.
    let second = run(with_book(first, 0, 0), &params, 3_600);
    assert_eq!(second.index.get(), 1_500);
    let long = position(3, PRICE, 50_000).settle(second.index);
    let short = position(-3, PRICE, 50_000).settle(second.index);
    assert_eq!(long.unwrap().margin.get(), 50_000 - 4_500);
    assert_eq!(short.unwrap().margin.get(), 50_000 + 4_500);
    // The third pays for the second, when the book was empty.
    let third = run(second, &params, 3_600);
    assert_eq!((third.index.get(), third.rate_ppm), (1_500, 0));
}

#[test]
fn a_sample_counts_for_as_long_as_it_stood() {
    let params = sampled(0, 2_000);
    // 20 minutes at 300 ppm, 40 at -60 ppm: 60 ppm on average.
    let above = run(market(10_002_000, 10_004_000), &params, 1_200);
    assert_eq!((above.rate_ppm, above.rate_sum), (0, 360_000));
    let half = run(with_book(above, 9_998_800, 10_000_000), &params, 2_400);
    assert_eq!((half.rate_ppm, half.rate_sum), (60, 0));
    // 10 ppm for a second of an hour is less than a millionth.
    let still = run(with_book(half, 0, 0), &params, 3_599);
    let brief = run(with_book(still, 9_999_900, 9_999_900), &params, 1);
    assert_eq!(brief.rate_ppm, 0);
}

#[test]
fn the_premium_has_the_sign_of_the_book_and_rounds_towards_zero() {
    let params = sampled(0, 10_000);
    for (bid, ask, at, ppm) in [
        (PRICE, PRICE, PRICE, 0),
        (PRICE - 1_000, PRICE + 1_000, PRICE, 0),
        (PRICE, PRICE + 2_000, PRICE, 100),
        (PRICE - 2_000, PRICE, PRICE, -100),
        // Half the distance is 0.95 ppm.
        (PRICE, PRICE + 19, PRICE, 0),
        (PRICE, PRICE - 19, PRICE, 0),
        (PRICE, PRICE + 39, PRICE, 1),
        (PRICE, PRICE - 39, PRICE, -1),
        (1_003, 1_004, 1_000, 3_500),
        (MAX_LOT_PRICE, MAX_LOT_PRICE, MAX_LOT_PRICE, 0),
    ] {
        let sample = market(bid, ask).sample_ppm(&params, price(at));
        assert_eq!(sample, Ok(ppm), "{bid} {ask} at {at}");
    }
}

#[test]
fn a_pause_takes_the_premium_away() {
    let params = sampled(100, 2_000);
    let deep = market(PRICE, PRICE + 2_000);
    assert_eq!(deep.sample_ppm(&params, price(PRICE)), Ok(200));
    let paused = deep.with_pause(true);
    assert_eq!(paused.sample_ppm(&params, price(PRICE)), Ok(100));
    assert_eq!(paused.with_pause(false), deep);
    let thin = market(PRICE, 0).with_pause(true);
    assert_eq!(thin.sample_ppm(&params, price(PRICE)), Ok(0));
}

#[test]
fn base_and_premium_together_are_clamped() {
    let params = sampled(100, 500);
    for (middle, ppm) in [
        (PRICE, 100),
        (PRICE + 3_999, 499),
        (PRICE + 4_000, 500),
        (PRICE + 4_010, 500),
        (PRICE + PRICE / 20, 500),
        (PRICE - 5_999, -499),
        (PRICE - 6_010, -500),
        (PRICE - PRICE / 20, -500),
        // Outside the band of 5%.
        (PRICE + PRICE / 20 + 1, 0),
        (PRICE - PRICE / 20 - 1, 0),
        (MAX_LOT_PRICE, 0),
        (1, 0),
    ] {
        let sample = market(middle, middle).sample_ppm(&params, price(PRICE));
        assert_eq!(sample, Ok(ppm), "{middle}");
    }
    // One side outside the band is enough.
    for (bid, ask) in [(PRICE, 2 * PRICE), (PRICE / 2, PRICE)] {
        assert_eq!(market(bid, ask).sample_ppm(&params, price(PRICE)), Ok(0));
    }
    // As far apart as prices go, either way.
    for (middle, mark) in [(MAX_LOT_PRICE, 1), (1, MAX_LOT_PRICE)] {
        let sample = market(middle, middle).sample_ppm(&params, price(mark));
        assert_eq!(sample, Ok(0));
    }
}

#[test]
fn a_book_that_is_not_deep_enough_pays_nothing() {
    let params = sampled(100, 2_000);
    for (bid, ask) in [(0, 0), (2 * PRICE, 0), (0, 2 * PRICE)] {
        let after = run(market(bid, ask), &params, 36_000);
        assert_eq!((after.index.get(), after.carry), (0, 0));
        assert_eq!(
            after.rates(&params, price(PRICE)),
            Ok(FundingRates::default())
        );
    }
}

#[test]
fn an_order_that_stands_no_time_leaves_no_trace() {
    let params = sampled(100, 2_000);
    let quiet = run(market(PRICE, PRICE), &params, 1_234);
    let flashed = run(with_book(quiet, 2 * PRICE, 2 * PRICE), &params, 0);
    let back = with_book(flashed, PRICE, PRICE);
    assert_eq!(back, quiet);
    assert_eq!(run(back, &params, 9_999), run(quiet, &params, 9_999));
}

#[test]
fn the_rates_tell_what_will_accrue() {
    let params = sampled(100, 2_000);
    let first = run(market(PRICE, PRICE), &params, 3_600);
    let state = run(with_book(first, PRICE, PRICE + 4_000), &params, 900);
    let rates = state.rates(&params, price(PRICE)).unwrap();
    assert_eq!(
        (rates.current_ppm, rates.sample_ppm, rates.next_ppm),
        (100, 300, 300)
    );
    let gone = with_book(state, 0, 0);
    let rates = gone.rates(&params, price(PRICE)).unwrap();
    assert_eq!((rates.sample_ppm, rates.next_ppm), (0, 75));
    assert_eq!(run(gone, &params, 2_700).rate_ppm, 75);
}

#[test]
fn the_premium_can_be_turned_on_and_off() {
    let (off, on) = (base_rate(100), sampled(100, 2_000));
    let base = run(market(PRICE, PRICE + 4_000), &off, 1_800);
    // The hour under way goes on as it was; the next pays for the half that was sampled.
    let half = run(base, &on, 1_800);
    assert_eq!((half.index.get(), half.rate_ppm), (1_000, 150));
    let sampled = run(half, &on, 60);
    let again = run(sampled, &off, 60);
    assert_eq!((again.rate_ppm, again.rate_sum), (100, 0));
}

#[test]
fn times_and_sums_out_of_range_are_refused() {
    let params = sampled(100, 2_000);
    let early = FundingState::starting(-1);
    let refused = Err(EngineError::Overflow);
    assert_eq!(early.accrue(&params, price(5), 10), refused);
    assert_eq!(early.rates(&params, price(5)).err(), refused.err());
    let state = with_book(FundingState::starting(0), 5, 5);
    assert_eq!(
        state.accrue(&base_rate(10_000), price(5), i64::MAX),
        refused
    );
    let full = FundingState {
        index: FundingIndex::new(i64::MAX),
        rate_ppm: 10_000,
        ..state
    };
    assert_eq!(full.accrue(&params, price(MAX_LOT_PRICE), 3_600), refused);
    for broken in [
        FundingState {
            carry: FUNDING_SCALE,
            ..state
        },
        FundingState {
            rate_ppm: 10_001,
            ..state
        },
        FundingState {
            rate_ppm: i32::MIN,
            ..state
        },
        FundingState {
            rate_sum: 36_000_001,
            ..state
        },
        FundingState {
            rate_sum: i64::MIN,
            ..state
        },
        FundingState { paused: 2, ..state },
    ] {
        assert_eq!(broken.invariant(), Err(EngineError::Overflow));
    }
    let most = FundingState {
        rate_sum: -36_000_000,
        rate_ppm: -10_000,
        ..state
    };
    assert_eq!(most.invariant(), Ok(()));
}

/// Seconds at one price and one book; impact prices of 0 are none.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    seconds: i64,
    price: u64,
    bid: u64,
    ask: u64,
}

fn any_stretch() -> impl Strategy<Value = Stretch> {
    let seconds = prop_oneof![
        4 => 0_i64..600,
        2 => 0_i64..4_000,
        1 => Just(3_600_i64),
        1 => 7_000_i64..15_000,
    ];
    let impact = || prop_oneof![1 => Just(0_u64), 6 => 19_800_u64..20_200];
    (seconds, 19_800_u64..20_200, impact(), impact()).prop_map(|(seconds, price, bid, ask)| {
        Stretch {
            seconds,
            price,
            bid,
            ask,
        }
    })
}

/// Sample of a stretch, ppm, by its definition.
fn sample(stretch: &Stretch, base: i32, highest: u32) -> i128 {
    if stretch.bid == 0 || stretch.ask == 0 {
        return 0;
    }
    let apart = i128::from(stretch.bid + stretch.ask) - 2 * i128::from(stretch.price);
    let rate = i128::from(base) + apart * 1_000_000 / (2 * i128::from(stretch.price));
    rate.clamp(-i128::from(highest), i128::from(highest))
}

/// Index and carry as the samples of every single second make them.
fn second_by_second(stretches: &[Stretch], base: i32, highest: u32, start: i64) -> i128 {
    let (mut total, mut rate, mut sum) = (0_i128, 0_i128, 0_i128);
    let mut now = start;
    for stretch in stretches {
        let sample = sample(stretch, base, highest);
        for second in 0..stretch.seconds {
            total += rate * i128::from(stretch.price);
            sum += if second < 3_600 { sample } else { 0 };
            now += 1;
            if now % 3_600 == 0 {
                rate = sum / 3_600;
                sum = 0;
            }
        }
    }
    total
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn splitting_an_interval_changes_nothing(
        rate in -10_000_i32..=10_000, at in any_magnitude(MAX_LOT_PRICE),
        first in 0_i64..10_000_000, second in 0_i64..10_000_000, carry in 0..FUNDING_SCALE,
    ) {
        let params = base_rate(rate);
        let state = FundingState { carry, ..FundingState::starting(-5) };
        let whole = state.accrue(&params, price(at), -5 + first + second).unwrap();
        let parts = state.accrue(&params, price(at), -5 + first).unwrap()
            .accrue(&params, price(at), -5 + first + second).unwrap();
        prop_assert_eq!(parts, whole);
        // Index and carry together are the exact integral.
        let integral = i128::from(rate) * i128::from(at) * i128::from(first + second) + i128::from(carry);
        prop_assert_eq!(exact(&whole), integral);
        whole.invariant().unwrap();
    }

    #[test]
    fn splitting_a_sampled_interval_changes_nothing(
        base in -5_000_i32..=5_000, highest in 5_000_u32..=10_000,
        at in any_magnitude(MAX_LOT_PRICE), bid in any_magnitude(MAX_LOT_PRICE),
        above in -20_000_i64..20_000, carry in 0..FUNDING_SCALE,
        rate_ppm in -10_000_i32..=10_000, sampled_at in -10_000_i64..=10_000,
        offset in 0_i64..3_600, more in 0_i64..20_000,
        mut cuts in proptest::collection::vec(0_i64..=3_600, 1..20),
    ) {
        let params = sampled(base, highest);
        // Half the time near the price, where the premium is not clamped.
        let bid = if above < 0 { bid } else { at };
        let ask = bid.saturating_add_signed(above / 2).clamp(1, MAX_LOT_PRICE);
        let state = FundingState {
            carry, rate_ppm, rate_sum: sampled_at * offset,
            ..with_book(FundingState::starting(HOUR + offset), bid, ask)
        };
        cuts.sort_unstable();
        let mut parts = state;
        for cut in &cuts {
            parts = parts.accrue(&params, price(at), HOUR + offset + cut).unwrap();
            parts.invariant().unwrap();
        }
        let end = HOUR + offset + cuts[cuts.len() - 1];
        prop_assert_eq!(parts, state.accrue(&params, price(at), end).unwrap());
        // Of more than an hour the first is sampled.
        let end = HOUR + offset + 3_600;
        let hour = state.accrue(&params, price(at), end).unwrap();
        let unseen = with_book(hour, 0, 0).accrue(&params, price(at), end + more).unwrap();
        let whole = state.accrue(&params, price(at), end + more).unwrap();
        prop_assert_eq!(with_book(whole, 0, 0), unseen);
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn funding_is_what_every_second_adds(
        base in -500_i32..=500, highest in 500_u32..=10_000, offset in 0_i64..3_600,
        stretches in proptest::collection::vec(any_stretch(), 1..12),
    ) {
        let params = sampled(base, highest);
        let mut state = FundingState::starting(HOUR + offset);
        for stretch in &stretches {
            let until = state.last_timestamp + stretch.seconds;
            state = with_book(state, stretch.bid, stretch.ask)
                .accrue(&params, price(stretch.price), until).unwrap();
            state.invariant().unwrap();
        }
        let reference = second_by_second(&stretches, base, highest, HOUR + offset);
        prop_assert_eq!(exact(&state), reference);
    }

    #[test]
    fn what_longs_pay_shorts_get(
        base in -500_i32..=500, offset in 0_i64..3_600,
        stretches in proptest::collection::vec(any_stretch(), 1..12),
        sizes in proptest::collection::vec(1_i64..1_000, 1..6),
    ) {
        let params = sampled(base, 10_000);
        let mut state = FundingState::starting(HOUR + offset);
        let total: i64 = sizes.iter().sum();
        let mut held: Vec<_> = sizes.iter().map(|size| position(*size, 20_000, 0)).collect();
        held.push(position(-total, 20_000, 0));
        let held_before = held.clone();
        for (number, stretch) in stretches.iter().enumerate() {
            let until = state.last_timestamp + stretch.seconds;
            state = with_book(state, stretch.bid, stretch.ask)
                .accrue(&params, price(stretch.price), until).unwrap();
            // One of them settles at every step, the others only at the end.
            let one = number % held.len();
            held[one] = held[one].settle(state.index).unwrap();
        }
        let mut sum = 0;
        for (at, before) in held.iter().zip(&held_before) {
            let settled = at.settle(state.index).unwrap();
            prop_assert_eq!(settled.margin.get(), -before.lots.get() * state.index.get());
            sum += settled.margin.get();
        }
        prop_assert_eq!(sum, 0);
    }
}
