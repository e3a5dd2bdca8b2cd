use ballast_engine::margin::{initial_margin, maintenance_margin, MarginScale};
use ballast_engine::risk::RiskParams;
use ballast_engine::EngineError;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use crate::fixture::{any_magnitude, any_params, cases, params};

/// Margin as a rational, bracket by bracket.
pub fn exact(params: &RiskParams, notional: u64, initial: bool) -> BigRational {
    let count = usize::try_from(params.tier_count).unwrap();
    let mut total = BigInt::from(0);
    let mut from = 0;
    for (number, tier) in params.tiers[..count].iter().enumerate() {
        let last = number + 1 == count;
        let to = if last {
            notional.max(from)
        } else {
            notional.clamp(from, tier.notional_limit_atoms)
        };
        let bps = if initial {
            tier.initial_margin_bps
        } else {
            tier.maintenance_margin_bps
        };
        total += BigInt::from(to - from) * bps;
        from = tier.notional_limit_atoms;
    }
    BigRational::new(total, BigInt::from(10_000))
}

fn unscaled(params: &RiskParams, notional: u64) -> Result<u64, EngineError> {
    initial_margin(params, &MarginScale::NONE, notional)
}

fn ceil(value: &BigRational) -> u64 {
    u64::try_from(value.ceil().to_integer()).unwrap()
}

#[test]
fn brackets_add_up() {
    let params = params();
    // 50 at 2.5%, 200 at 5% and 50 at 10% of a million atoms.
    assert_eq!(maintenance_margin(&params, 300_000_000), Ok(16_250_000));
    assert_eq!(unscaled(&params, 300_000_000), Ok(32_500_000));
    assert_eq!(maintenance_margin(&params, 1), Ok(1));
    assert_eq!(maintenance_margin(&params, 0), Ok(0));
    let none = RiskParams {
        tier_count: 0,
        ..params
    };
    assert_eq!(unscaled(&none, 5), Err(EngineError::RiskTiers));
}

#[test]
fn initial_margin_is_multiplied_and_then_brought_towards_the_whole() {
    let params = RiskParams {
        open_interest_lower_bps: 5_000,
        open_interest_upper_bps: 15_000,
        ..params()
    };
    let scaled = |multiplier_ppm, open_interest_lots| {
        let scale = MarginScale {
            multiplier_ppm,
            open_interest_lots,
        };
        initial_margin(&params, &scale, 300_000_001)
    };
    // Of 32,500,000.2 atoms, rounded up.
    assert_eq!(scaled(1_000_000, 0), Ok(32_500_001));
    assert_eq!(scaled(1_500_000, 0), Ok(48_750_002));
    assert_eq!(scaled(5_000_000, 0), Ok(162_500_005));
    assert_eq!(scaled(20_000_000, 0), Ok(300_000_001));
    // A limit of 10,000,000 lots: from 5,000,000 on, all of it at 15,000,000.
    assert_eq!(scaled(1_000_000, 5_000_000), Ok(32_500_001));
    assert_eq!(scaled(1_000_000, 7_500_000), Ok(32_500_001 + 66_875_000));
    assert_eq!(scaled(1_500_000, 7_500_000), Ok(48_750_002 + 62_812_500));
    assert_eq!(scaled(1_000_000, 5_000_001), Ok(32_500_001 + 27));
    assert_eq!(scaled(1_000_000, 15_000_000), Ok(300_000_001));
    assert_eq!(scaled(1_000_000, u64::MAX), Ok(300_000_001));
    let most = MarginScale {
        open_interest_lots: u64::MAX,
        ..MarginScale::NONE
    };
    assert_eq!(most.and_open(1), Err(EngineError::Overflow));
    assert_eq!(most.and_open(0), Ok(most));
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn scaled_margin_is_between_the_brackets_and_the_whole(
        params in any_params(), notional in any_magnitude(i64::MAX.unsigned_abs()),
        multiplier_ppm in 1_000_000_u32..=5_000_000, (lower, range) in (0_u16..=10_000, 0_u16..=20_000),
        (limit, open) in (any_magnitude(562_949_953_290_240), any_magnitude(1 << 50)),
    ) {
        let params = RiskParams {
            open_interest_lower_bps: if range == 0 { 0 } else { lower },
            open_interest_upper_bps: if range == 0 { 0 } else { lower + range },
            max_open_interest_lots: limit,
            ..params
        };
        let scale = MarginScale { multiplier_ppm, open_interest_lots: open };
        let scaled = initial_margin(&params, &scale, notional).unwrap();
        let least = unscaled(&RiskParams { open_interest_upper_bps: 0, ..params }, notional).unwrap();
        prop_assert!(least <= scaled && scaled <= notional);
        // Against fractions, with a ceiling after each step.
        let times = BigRational::new(BigInt::from(least) * multiplier_ppm, BigInt::from(1_000_000));
        let multiplied = ceil(&times.min(BigInt::from(notional).into()));
        let full = BigInt::from(limit) * range;
        let above: BigInt = BigInt::from(open) * 10_000 - BigInt::from(limit) * lower;
        let above = above.max(BigInt::from(0));
        let more = if range == 0 { 0 } else {
            ceil(&BigRational::new(BigInt::from(notional - multiplied) * above.min(full.clone()), full))
        };
        prop_assert_eq!(scaled, multiplied + more);
        // It grows with the position, the multiplier and open interest.
        let larger = initial_margin(&params, &scale, notional + 1).unwrap();
        prop_assert!(larger >= scaled);
        let wilder = MarginScale { multiplier_ppm: multiplier_ppm + 1, ..scale };
        prop_assert!(initial_margin(&params, &wilder, notional).unwrap() >= scaled);
        let fuller = scale.and_open(1).unwrap();
        prop_assert!(initial_margin(&params, &fuller, notional).unwrap() >= scaled);
    }

    #[test]
    fn margin_is_the_exact_sum_rounded_up(params in any_params(), notional in any_magnitude(i64::MAX.unsigned_abs())) {
        prop_assert_eq!(unscaled(&params, notional), Ok(ceil(&exact(&params, notional, true))));
        prop_assert_eq!(maintenance_margin(&params, notional), Ok(ceil(&exact(&params, notional, false))));
    }

    #[test]
    fn margin_is_continuous_and_monotone(params in any_params(), notional in any_magnitude(1 << 50), at_limit in 0_usize..5) {
        let notional = params.tiers.get(at_limit).map_or(notional, |tier| tier.notional_limit_atoms);
        for margin in [unscaled, maintenance_margin] {
            let (before, after) = (margin(&params, notional).unwrap(), margin(&params, notional + 1).unwrap());
            // No rate exceeds the whole, so an atom of notional adds at most one.
            prop_assert!(after == before || after == before + 1);
            prop_assert!(before <= notional);
        }
        prop_assert!(maintenance_margin(&params, notional).unwrap() <= unscaled(&params, notional).unwrap());
    }
}
