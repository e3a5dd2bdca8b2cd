use ballast_engine::math::{
    cmp_products, div_rem, mul_div_ceil, mul_div_ceil_signed, mul_div_floor, mul_div_floor_signed,
    mul_wide,
};
use ballast_engine::EngineError;
use num_bigint::{BigInt, BigUint};
use proptest::prelude::*;

use crate::fixture::cases;

/// 128-bit numbers with runs of ones and zeros at every width.
fn wide() -> impl Strategy<Value = u128> {
    prop_oneof![
        any::<u128>(),
        (any::<u128>(), 0_u32..128).prop_map(|(raw, shift)| raw >> shift),
        (0_u32..128, 0_u128..3).prop_map(|(shift, back)| (1_u128 << shift).wrapping_sub(back)),
    ]
}

fn narrow() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(raw, shift)| raw >> shift)
}

fn big(number: u128) -> BigUint {
    BigUint::from(number)
}

/// `number / by` rounded down and up.
fn quotients(number: &BigInt, by: u64) -> (BigInt, BigInt) {
    let by = BigInt::from(by);
    let truncated = number / &by;
    let rest = number - &truncated * &by;
    let zero = BigInt::from(0);
    if rest == zero {
        (truncated.clone(), truncated)
    } else if rest < zero {
        (&truncated - 1, truncated)
    } else {
        (truncated.clone(), &truncated + 1)
    }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn wide_products_are_exact(a in wide(), b in wide()) {
        let product = mul_wide(a, b);
        prop_assert_eq!((big(product.hi) << 128) + big(product.lo), big(a) * big(b));
    }

    #[test]
    fn products_compare_as_integers(a in wide(), b in wide(), c in wide(), d in wide()) {
        prop_assert_eq!(cmp_products(a, b, c, d), (big(a) * big(b)).cmp(&(big(c) * big(d))));
        prop_assert_eq!(cmp_products(a, b, b, a), std::cmp::Ordering::Equal);
    }

    #[test]
    fn division_is_exact(number in wide(), divisor in narrow()) {
        match div_rem(number, divisor) {
            Ok((quotient, rest)) => {
                prop_assert!(rest < divisor);
                let back = big(quotient) * big(divisor.into()) + big(rest.into());
                prop_assert_eq!(back, big(number));
            }
            Err(error) => {
                prop_assert_eq!(divisor, 0);
                prop_assert_eq!(error, EngineError::Overflow);
            }
        }
    }

    #[test]
    fn quotients_round_as_named(a in any::<i64>(), shift in 0_u32..64, b in narrow(), c in narrow()) {
        prop_assume!(c > 0);
        let a = a >> shift;
        let (floor, ceil) = quotients(&(BigInt::from(a) * b), c);
        prop_assert_eq!(mul_div_floor_signed(a, b, c).ok(), i64::try_from(floor).ok());
        prop_assert_eq!(mul_div_ceil_signed(a, b, c).ok(), i64::try_from(ceil).ok());
        let size = a.unsigned_abs();
        let (floor, ceil) = quotients(&(BigInt::from(size) * b), c);
        prop_assert_eq!(mul_div_floor(size, b, c).ok(), u64::try_from(floor).ok());
        prop_assert_eq!(mul_div_ceil(size, b, c).ok(), u64::try_from(ceil).ok());
    }
}
