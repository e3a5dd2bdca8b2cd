use ballast_engine::margin::{initial_margin, maintenance_margin};
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

fn ceil(value: &BigRational) -> u64 {
    u64::try_from(value.ceil().to_integer()).unwrap()
}

#[test]
fn brackets_add_up() {
    let params = params();
    // 50 at 2.5%, 200 at 5% and 50 at 10% of a million atoms.
    assert_eq!(maintenance_margin(&params, 300_000_000), Ok(16_250_000));
    assert_eq!(initial_margin(&params, 300_000_000), Ok(32_500_000));
    assert_eq!(maintenance_margin(&params, 1), Ok(1));
    assert_eq!(maintenance_margin(&params, 0), Ok(0));
    let none = RiskParams {
        tier_count: 0,
        ..params
    };
    assert_eq!(initial_margin(&none, 5), Err(EngineError::RiskTiers));
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn margin_is_the_exact_sum_rounded_up(params in any_params(), notional in any_magnitude(i64::MAX.unsigned_abs())) {
        prop_assert_eq!(initial_margin(&params, notional), Ok(ceil(&exact(&params, notional, true))));
        prop_assert_eq!(maintenance_margin(&params, notional), Ok(ceil(&exact(&params, notional, false))));
    }

    #[test]
    fn margin_is_continuous_and_monotone(params in any_params(), notional in any_magnitude(1 << 50), at_limit in 0_usize..5) {
        let notional = params.tiers.get(at_limit).map_or(notional, |tier| tier.notional_limit_atoms);
        for margin in [initial_margin, maintenance_margin] {
            let (before, after) = (margin(&params, notional).unwrap(), margin(&params, notional + 1).unwrap());
            // No rate exceeds the whole, so an atom of notional adds at most one.
            prop_assert!(after == before || after == before + 1);
            prop_assert!(before <= notional);
        }
        prop_assert!(maintenance_margin(&params, notional).unwrap() <= initial_margin(&params, notional).unwrap());
    }
}
