//! Integer arithmetic whose rounding is in the name.

use core::cmp::Ordering;

use crate::error::EngineError;

const LOW_64: u128 = 0xffff_ffff_ffff_ffff;
const LOW_32: u128 = 0xffff_ffff;
const MAX_U32: u64 = 0xffff_ffff;

/// Unsigned 256-bit number, ordered by value. Only ever a product to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct U256 {
    /// Upper 128 bits.
    pub hi: u128,
    /// Lower 128 bits.
    pub lo: u128,
}

/// `a * b`, exact.
#[must_use]
pub const fn mul_wide(a: u128, b: u128) -> U256 {
    let (a_hi, a_lo) = (a >> 64, a & LOW_64);
    let (b_hi, b_lo) = (b >> 64, b & LOW_64);
    // Products of 64-bit halves: none wraps.
    let low = a_lo.wrapping_mul(b_lo);
    let high = a_hi.wrapping_mul(b_hi);
    let cross_a = a_hi.wrapping_mul(b_lo);
    let cross_b = a_lo.wrapping_mul(b_hi);
    // (2^64-1)^2 + 2^64-1 < 2^128, so neither sum wraps.
    let middle = cross_a.wrapping_add(low >> 64);
    let (middle, carry) = middle.overflowing_add(cross_b);
    let carried = if carry { 1_u128 << 64 } else { 0 };
    U256 {
        hi: high.wrapping_add(middle >> 64).wrapping_add(carried),
        lo: (middle << 64) | (low & LOW_64),
    }
}

/// `a * b` where the factors show at once that it fits. The VM multiplies 64-bit words only: what
/// is checked or wider costs it some forty instructions.
const fn narrow_product(a: u64, b: u64) -> Option<u64> {
    let both = (a | b) >> 32 == 0;
    let uneven = (a >> 48 == 0 && b >> 16 == 0) || (a >> 16 == 0 && b >> 48 == 0);
    if both || uneven {
        Some(a.wrapping_mul(b))
    } else {
        None
    }
}

/// `a * b`, exact.
#[must_use]
pub fn product(a: u64, b: u64) -> u128 {
    match narrow_product(a, b) {
        Some(product) => u128::from(product),
        // Factors of 64 bits: no wrap.
        None => u128::from(a).wrapping_mul(u128::from(b)),
    }
}

/// `a * b`. `Overflow` when it leaves `u64`.
pub fn product_u64(a: u64, b: u64) -> Result<u64, EngineError> {
    narrow_product(a, b)
        .or_else(|| a.checked_mul(b))
        .ok_or(EngineError::Overflow)
}

/// Signed `a * b`, exact.
#[must_use]
pub fn product_signed(a: i64, b: i64) -> i128 {
    if let (Ok(a), Ok(b)) = (i32::try_from(a), i32::try_from(b)) {
        // Factors of 32 bits: no wrap.
        return i128::from(i64::from(a).wrapping_mul(i64::from(b)));
    }
    // Factors of 64 bits: no wrap.
    i128::from(a).wrapping_mul(i128::from(b))
}

/// Compares `a * b` with `c * d`, exactly.
#[must_use]
pub fn cmp_products(a: u128, b: u128, c: u128, d: u128) -> Ordering {
    if (a | b | c | d) >> 64 == 0 {
        return a.wrapping_mul(b).cmp(&c.wrapping_mul(d));
    }
    mul_wide(a, b).cmp(&mul_wide(c, d))
}

/// Quotient and remainder. A divisor below 2^32 costs only 64-bit divisions.
/// `Overflow` when `divisor` is 0.
pub fn div_rem(number: u128, divisor: u64) -> Result<(u128, u64), EngineError> {
    if divisor == 0 {
        return Err(EngineError::Overflow);
    }
    if let Ok(small) = u64::try_from(number) {
        let (quotient, rest) = div_rem_u64(small, divisor)?;
        return Ok((u128::from(quotient), rest));
    }
    if divisor <= MAX_U32 {
        return div_rem_by_u32(number, divisor);
    }
    let wide = u128::from(divisor);
    let quotient = number.checked_div(wide).ok_or(EngineError::Overflow)?;
    let rest = number.checked_rem(wide).ok_or(EngineError::Overflow)?;
    Ok((quotient, low_64(rest)?))
}

fn div_rem_u64(number: u64, divisor: u64) -> Result<(u64, u64), EngineError> {
    number
        .checked_div(divisor)
        .zip(number.checked_rem(divisor))
        .ok_or(EngineError::Overflow)
}

/// Long division in base 2^32, upper half first.
fn div_rem_by_u32(number: u128, divisor: u64) -> Result<(u128, u64), EngineError> {
    let (top, rest) = div_rem_u64(low_64(number >> 64)?, divisor)?;
    let digit = low_64((number >> 32) & LOW_32)?;
    let (middle, rest) = div_rem_u64((rest << 32) | digit, divisor)?;
    let digit = low_64(number & LOW_32)?;
    let (bottom, rest) = div_rem_u64((rest << 32) | digit, divisor)?;
    // Each remainder is below the divisor, so middle and bottom are below 2^32.
    let quotient = (u128::from(top) << 64) | (u128::from(middle) << 32) | u128::from(bottom);
    Ok((quotient, rest))
}

fn low_64(number: u128) -> Result<u64, EngineError> {
    u64::try_from(number).map_err(|_| EngineError::Overflow)
}

/// `a * b / c` with what is left over. `Overflow` when the quotient leaves `u64`
/// or `c` is 0.
fn mul_div(a: u64, b: u64, c: u64) -> Result<(u64, u64), EngineError> {
    if let Some(product) = narrow_product(a, b) {
        return div_rem_u64(product, c);
    }
    let (quotient, rest) = div_rem(product(a, b), c)?;
    Ok((low_64(quotient)?, rest))
}

/// `a * b / c` rounded down. `Overflow` when it leaves `u64` or `c` is 0.
pub fn mul_div_floor(a: u64, b: u64, c: u64) -> Result<u64, EngineError> {
    mul_div(a, b, c).map(|(quotient, _)| quotient)
}

/// `a * b / c` rounded up. `Overflow` when it leaves `u64` or `c` is 0.
pub fn mul_div_ceil(a: u64, b: u64, c: u64) -> Result<u64, EngineError> {
    let (quotient, rest) = mul_div(a, b, c)?;
    quotient
        .checked_add(u64::from(rest > 0))
        .ok_or(EngineError::Overflow)
}

/// Signed `a * b / c` rounded towards minus infinity. `Overflow` when it leaves
/// `i64` or `c` is 0.
pub fn mul_div_floor_signed(a: i64, b: u64, c: u64) -> Result<i64, EngineError> {
    if a < 0 {
        negate(mul_div_ceil(a.unsigned_abs(), b, c)?)
    } else {
        i64::try_from(mul_div_floor(a.unsigned_abs(), b, c)?).map_err(|_| EngineError::Overflow)
    }
}

/// Signed `a * b / c` rounded towards plus infinity. `Overflow` when it leaves
/// `i64` or `c` is 0.
pub fn mul_div_ceil_signed(a: i64, b: u64, c: u64) -> Result<i64, EngineError> {
    if a < 0 {
        negate(mul_div_floor(a.unsigned_abs(), b, c)?)
    } else {
        i64::try_from(mul_div_ceil(a.unsigned_abs(), b, c)?).map_err(|_| EngineError::Overflow)
    }
}

/// `-magnitude`. `Overflow` below `i64::MIN`.
pub fn negate(magnitude: u64) -> Result<i64, EngineError> {
    0_i64
        .checked_sub_unsigned(magnitude)
        .ok_or(EngineError::Overflow)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn wide_product_carries() {
        let max = u128::MAX;
        let product = mul_wide(max, max);
        assert_eq!(product, U256 { hi: max - 1, lo: 1 });
        assert_eq!(cmp_products(max, max, max, max - 1), Ordering::Greater);
        assert_eq!(cmp_products(max, 2, 2, max), Ordering::Equal);
        assert_eq!(cmp_products(3, 4, 2, 7), Ordering::Less);
        // Products whose low halves are equal.
        let high = 1_u128 << 64;
        assert_eq!(cmp_products(high, high, high, 2 * high), Ordering::Less);
        assert_eq!(cmp_products(high, 1, 2, 3), Ordering::Greater);
    }

    #[test]
    fn products_are_exact_whichever_way_they_are_made() {
        let edges = [16, 31, 32, 47, 48, 63]
            .map(|bits| [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1])
            .concat();
        let numbers = edges.into_iter().chain([0, 1, 10_000, u64::MAX]);
        for (a, b) in numbers
            .clone()
            .flat_map(|a| numbers.clone().map(move |b| (a, b)))
        {
            let exact = u128::from(a) * u128::from(b);
            assert_eq!(product(a, b), exact, "{a} * {b}");
            let narrow = u64::try_from(exact).map_err(|_| EngineError::Overflow);
            assert_eq!(product_u64(a, b), narrow, "{a} * {b}");
            assert_eq!(mul_div_floor(a, b, 1), narrow, "{a} * {b}");
            for (a, b) in [(a, b), (!a, b), (a, !b), (!a, !b)] {
                let (a, b) = (a.cast_signed(), b.cast_signed());
                let exact = i128::from(a) * i128::from(b);
                assert_eq!(product_signed(a, b), exact, "{a} * {b}");
            }
        }
    }

    #[test]
    fn signed_rounding_follows_the_number_line() {
        assert_eq!(mul_div_floor_signed(-7, 1, 2), Ok(-4));
        assert_eq!(mul_div_ceil_signed(-7, 1, 2), Ok(-3));
        assert_eq!(mul_div_floor_signed(7, 1, 2), Ok(3));
        assert_eq!(mul_div_ceil_signed(7, 1, 2), Ok(4));
        assert_eq!(mul_div_floor_signed(i64::MIN, 1, 1), Ok(i64::MIN));
        assert_eq!(
            mul_div_floor_signed(i64::MAX, 2, 1),
            Err(EngineError::Overflow)
        );
        assert_eq!(mul_div_ceil_signed(1, 1, 0), Err(EngineError::Overflow));
    }
}
