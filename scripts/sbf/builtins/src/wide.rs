//! 128-bit multiplication and division out of 64-bit operations.
//!
//! Nothing here may multiply or divide a 128-bit value: on the VM that would call itself.

use core::hint::black_box;

/// The lower half of a word.
const HALF: u64 = 0xffff_ffff;

/// The low 128 bits of `a * b`; the same bits serve signed and unsigned operands.
#[inline]
pub fn multiply(a: u128, b: u128) -> u128 {
    let (top, bottom) = multiply_words(low(a), low(b));
    let crossed = low(a)
        .wrapping_mul(high(b))
        .wrapping_add(high(a).wrapping_mul(low(b)));
    join(top.wrapping_add(crossed), bottom)
}

/// Quotient and remainder of unsigned division.
///
/// # Panics
/// When `divisor` is zero; compiled code has checked that before it gets here.
#[inline(never)]
pub fn divide(dividend: u128, divisor: u128) -> (u128, u128) {
    if high(divisor) != 0 {
        return divide_by_two_words(dividend, divisor);
    }
    let (top, bottom, divisor) = (high(dividend), low(dividend), low(divisor));
    if top == 0 {
        let quotient = bottom / divisor;
        let rest = bottom.wrapping_sub(quotient.wrapping_mul(divisor));
        return (quotient.into(), rest.into());
    }
    let upper = top / divisor;
    let carried = top.wrapping_sub(upper.wrapping_mul(divisor));
    let (lower, rest) = divide_by_word(carried, bottom, divisor);
    (join(upper, lower), rest.into())
}

/// Quotient and remainder of signed division, rounded towards zero; the remainder has the sign of
/// the dividend. `i128::MIN / -1` wraps to `i128::MIN`.
///
/// # Panics
/// When `divisor` is zero; compiled code has checked that before it gets here.
#[inline]
pub fn divide_signed(dividend: i128, divisor: i128) -> (i128, i128) {
    let (quotient, rest) = divide(dividend.unsigned_abs(), divisor.unsigned_abs());
    let quotient_is_negative = (dividend < 0) != (divisor < 0);
    (
        with_sign(quotient, quotient_is_negative),
        with_sign(rest, dividend < 0),
    )
}

/// Division by a divisor of more than 64 bits: the quotient is one word.
///
/// It is estimated from the top 127 bits of the dividend and the top 64 of the divisor. The
/// estimate is exact or one too large, so one is taken off and given back where it was right.
fn divide_by_two_words(dividend: u128, divisor: u128) -> (u128, u128) {
    if dividend < divisor {
        return (0, dividend);
    }
    let shift = leading_zeros(high(divisor));
    let top = top_word_shifted(divisor, shift);
    let halved = dividend >> 1;
    let (estimate, _) = divide_by_long_word(high(halved), low(halved), top);
    let mut quotient = (estimate >> (63 - shift)).saturating_sub(1);
    let mut rest = dividend.wrapping_sub(multiply(divisor, quotient.into()));
    if rest >= divisor {
        quotient = quotient.wrapping_add(1);
        rest = rest.wrapping_sub(divisor);
    }
    (quotient.into(), rest)
}

/// Divides `top * 2^64 + bottom` by `divisor`, for `top < divisor`: quotient and remainder fit a
/// word. Long division in base 2^32.
fn divide_by_word(top: u64, bottom: u64, divisor: u64) -> (u64, u64) {
    let shift = leading_zeros(divisor);
    let top = top_word_shifted(join(top, bottom), shift);
    let (quotient, rest) = divide_by_long_word(top, bottom << shift, divisor << shift);
    (quotient, rest >> shift)
}

/// [`divide_by_word`] for a divisor whose top bit is set.
fn divide_by_long_word(top: u64, bottom: u64, divisor: u64) -> (u64, u64) {
    let (first, rest) = digit(top, bottom >> 32, divisor);
    let (second, rest) = digit(rest, bottom & HALF, divisor);
    ((first << 32) | second, rest)
}

/// One base-2^32 digit of the quotient `(rest * 2^32 + next) / divisor` and what remains of it.
///
/// Needs `rest < divisor`, `next < 2^32` and a divisor whose top bit is set: then the digit
/// estimated from the divisor's upper half is at most two too large.
fn digit(rest: u64, next: u64, divisor: u64) -> (u64, u64) {
    let (upper, lower) = (divisor >> 32, divisor & HALF);
    let mut digit = rest / upper;
    let mut left = rest.wrapping_sub(digit.wrapping_mul(upper));
    while digit > HALF || digit.wrapping_mul(lower) > ((left << 32) | next) {
        digit = digit.wrapping_sub(1);
        left = left.wrapping_add(upper);
        if left > HALF {
            break;
        }
    }
    let taken = digit.wrapping_mul(divisor);
    let rest = (rest << 32).wrapping_add(next).wrapping_sub(taken);
    (digit, rest)
}

/// The full product of two words, `(high, low)`.
///
/// The compiler knows this sum of partial products for a 128-bit multiplication, which is a call to
/// the routine it is part of. A mask whose value is hidden from it keeps the sum as written.
fn multiply_words(a: u64, b: u64) -> (u64, u64) {
    let half = black_box(HALF);
    let (a_upper, a_lower, b_upper, b_lower) = (a >> 32, a & half, b >> 32, b & half);
    // None of the sums overflows: (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1.
    let bottom = a_lower.wrapping_mul(b_lower);
    let middle = a_upper.wrapping_mul(b_lower).wrapping_add(bottom >> 32);
    let carried = a_lower.wrapping_mul(b_upper).wrapping_add(middle & half);
    let top = a_upper
        .wrapping_mul(b_upper)
        .wrapping_add(middle >> 32)
        .wrapping_add(carried >> 32);
    (top, a.wrapping_mul(b))
}

/// The top word of `value << shift`, for a shift below 64.
fn top_word_shifted(value: u128, shift: u32) -> u64 {
    (high(value) << shift) | (low(value) >> 1 >> (63 - shift))
}

/// Leading zero bits of a word that is not zero, by halving: the VM has no instruction for it.
fn leading_zeros(word: u64) -> u32 {
    let (mut word, mut zeros) = (word, 0);
    for width in [32, 16, 8, 4, 2, 1] {
        if word >> (64 - width) == 0 {
            word <<= width;
            zeros += width;
        }
    }
    zeros
}

fn with_sign(magnitude: u128, negative: bool) -> i128 {
    let value = magnitude.cast_signed();
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}

fn high(value: u128) -> u64 {
    (value >> 64) as u64
}

fn low(value: u128) -> u64 {
    value as u64
}

fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// Zero, one, every power of two, and the neighbours of each, up and down.
    fn edges() -> Vec<u128> {
        let mut values = vec![0, u128::MAX];
        for bit in 0..u128::BITS {
            let power = 1_u128 << bit;
            values.extend([power - 1, power, power + 1, power.wrapping_neg()]);
        }
        // Words whose halves make the estimated digit of a quotient too large.
        for word in [0x8000_0000_ffff_ffff_u64, 0xffff_ffff_0000_0001] {
            values.extend([u128::from(word), u128::from(word) << 64]);
            values.push(join(word, u64::MAX));
        }
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Values of every length, not only long ones.
    fn any_length() -> impl Strategy<Value = u128> {
        (any::<u128>(), 0..u128::BITS).prop_map(|(value, shift)| value >> shift)
    }

    fn assert_agrees_with_host(a: u128, b: u128) {
        let (x, y) = (a.cast_signed(), b.cast_signed());
        assert_eq!(multiply(a, b), a.wrapping_mul(b), "{a:#x} * {b:#x}");
        assert_eq!(
            multiply(a, b).cast_signed(),
            x.wrapping_mul(y),
            "{x} * {y}, signed"
        );
        if b != 0 {
            assert_eq!(divide(a, b), (a / b, a % b), "{a:#x} / {b:#x}");
            assert_eq!(
                divide_signed(x, y),
                (x.wrapping_div(y), x.wrapping_rem(y)),
                "{x} / {y}, signed"
            );
        }
    }

    #[test]
    fn edge_values_agree_with_the_host() {
        let edges = edges();
        for &a in &edges {
            for &b in &edges {
                assert_agrees_with_host(a, b);
            }
        }
    }

    #[test]
    fn dividends_around_a_multiple_agree_with_the_host() {
        for divisor in edges().into_iter().filter(|&divisor| divisor != 0) {
            for quotient in edges() {
                let multiple = divisor.wrapping_mul(quotient);
                for dividend in [multiple.wrapping_sub(1), multiple, multiple.wrapping_add(1)] {
                    assert_agrees_with_host(dividend, divisor);
                }
            }
        }
    }

    #[test]
    fn leading_zeros_agree_with_the_host() {
        for bit in 0..u64::BITS {
            for word in [1 << bit, u64::MAX >> bit, (1 << bit) | 1] {
                assert_eq!(leading_zeros(word), word.leading_zeros(), "{word:#x}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "divide by zero")]
    fn division_by_zero_panics() {
        divide(1, 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 20_000,
            rng_seed: RngSeed::Fixed(128),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn random_values_agree_with_the_host(a in any_length(), b in any_length()) {
            assert_agrees_with_host(a, b);
            assert_agrees_with_host(a.wrapping_neg(), b);
            assert_agrees_with_host(a, b.wrapping_neg());
            assert_agrees_with_host(a.wrapping_neg(), b.wrapping_neg());
        }
    }
}
