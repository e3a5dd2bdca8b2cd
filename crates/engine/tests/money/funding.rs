use ballast_engine::funding::{FundingState, FUNDING_SCALE};
use ballast_engine::units::MAX_LOT_PRICE;
use proptest::prelude::*;

use crate::fixture::{any_magnitude, cases, position, price};

#[test]
fn an_hour_at_the_rate_moves_the_index_by_its_share() {
    let state = FundingState::starting(1_000);
    let after = state.accrue(100, price(10_000_000), 4_600).unwrap();
    assert_eq!(
        (after.index.get(), after.carry, after.last_timestamp),
        (1_000, 0, 4_600)
    );
    let short = state.accrue(-100, price(10_000_000), 4_600).unwrap();
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
    let state = FundingState::starting(1_000);
    assert_eq!(state.accrue(100, price(5), 999), Ok(state));
    assert_eq!(state.accrue(100, price(5), i64::MIN), Ok(state));
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn splitting_an_interval_changes_nothing(
        rate in -10_000_i32..=10_000, at in any_magnitude(MAX_LOT_PRICE),
        first in 0_i64..10_000_000, second in 0_i64..10_000_000, carry in 0..FUNDING_SCALE,
    ) {
        let state = FundingState { carry, ..FundingState::starting(-5) };
        let whole = state.accrue(rate, price(at), -5 + first + second).unwrap();
        let parts = state.accrue(rate, price(at), -5 + first).unwrap()
            .accrue(rate, price(at), -5 + first + second).unwrap();
        prop_assert_eq!(parts, whole);
        // Index and carry together are the exact integral.
        let exact = i128::from(rate) * i128::from(at) * i128::from(first + second) + i128::from(carry);
        prop_assert_eq!(i128::from(whole.index.get()) * i128::from(FUNDING_SCALE) + i128::from(whole.carry), exact);
        whole.invariant().unwrap();
    }
}
