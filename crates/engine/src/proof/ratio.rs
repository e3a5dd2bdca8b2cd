//! Products and ratios of the bounds, in 64-bit halves, with the side to which they err.

/// `a * b` as upper and lower half.
#[inline(always)]
pub(super) const fn product(a: u64, b: u64) -> (u64, u64) {
    const LOW: u64 = 0xffff_ffff;
    let (a_high, a_low) = (a >> 32, a & LOW);
    let (b_high, b_low) = (b >> 32, b & LOW);
    // Factors of 32 bits, and sums of a product and two numbers of 32 bits: none
    // wraps but the last sum, which is the lower half.
    let low = a_low.wrapping_mul(b_low);
    let cross = a_high.wrapping_mul(b_low).wrapping_add(low >> 32);
    let middle = a_low.wrapping_mul(b_high).wrapping_add(cross & LOW);
    let high = a_high
        .wrapping_mul(b_high)
        .wrapping_add(cross >> 32)
        .wrapping_add(middle >> 32);
    (high, (middle << 32) | (low & LOW))
}

/// A lower bound of `numerator / denominator * 2^shift` within a part in 2^62 and
/// one unit, at most `u64::MAX`.
pub(super) fn ratio_down(numerator: u128, denominator: u128, shift: u32) -> u64 {
    if numerator == 0 {
        return 0;
    }
    let (mantissa, up) = normalised(numerator);
    let (divisor, down, exact) = narrowed(denominator);
    let divisor = divisor.wrapping_add(u128::from(!exact));
    let Some(quotient) = mantissa.checked_div(divisor) else {
        return u64::MAX;
    };
    // The quotient stands for itself times 2^(shift - lost).
    let lost = up.wrapping_add(down);
    let value = if lost >= shift {
        quotient.checked_shr(lost.wrapping_sub(shift)).unwrap_or(0)
    } else {
        shifted_left(quotient, shift.wrapping_sub(lost)).unwrap_or(u128::MAX)
    };
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// An upper bound of `numerator / denominator * 2^shift` within a part in 2^62
/// and one unit. `None` above 128 bits.
pub(super) fn ratio_up(numerator: u128, denominator: u128, shift: u32) -> Option<u128> {
    if numerator == 0 {
        return Some(0);
    }
    let (mantissa, up) = normalised(numerator);
    let (divisor, down, _) = narrowed(denominator);
    let rest = mantissa.checked_rem(divisor)?;
    let quotient = mantissa
        .checked_div(divisor)?
        .checked_add(u128::from(rest > 0))?;
    let lost = up.wrapping_add(down);
    if lost < shift {
        return shifted_left(quotient, shift.wrapping_sub(lost));
    }
    let by = lost.wrapping_sub(shift);
    let Some(value) = quotient.checked_shr(by) else {
        return Some(1);
    };
    let exact = value.checked_shl(by) == Some(quotient);
    value.checked_add(u128::from(!exact))
}

fn shifted_left(number: u128, by: u32) -> Option<u128> {
    if number.leading_zeros() < by {
        return None;
    }
    number.checked_shl(by)
}

/// The number, not 0, with its top bit moved to bit 127, and by how far.
fn normalised(number: u128) -> (u128, u32) {
    let up = number.leading_zeros();
    (number.checked_shl(up).unwrap_or(0), up)
}

/// The number without its bits beyond the first 64, how many those are, and
/// whether they were all 0.
fn narrowed(number: u128) -> (u128, u32, bool) {
    let down = 64_u32.wrapping_sub(number.leading_zeros().min(64));
    let short = number.checked_shr(down).unwrap_or(0);
    (short, down, short.checked_shl(down) == Some(number))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;
    use crate::math::{mul_wide, U256};

    fn next(state: &mut u128) -> u128 {
        *state = state
            .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
            .wrapping_add(0x5851_f42d_4c95_7f2d_1405_7b7e_f767_814f);
        state.rotate_left(64) ^ (*state >> 7)
    }

    /// `number * 2^shift` for a shift of 32 or 64.
    fn shifted(number: u128, shift: u32) -> U256 {
        mul_wide(number, 1 << shift)
    }

    #[test]
    fn ratios_enclose_the_exact_one_tightly() {
        let mut state = 1;
        for _ in 0..20_000 {
            let numerator = next(&mut state) >> (next(&mut state) % 127);
            let denominator = (next(&mut state) >> (next(&mut state) % 127)) | 1;
            let down = u128::from(ratio_down(numerator, denominator, 64));
            assert!(mul_wide(down, denominator) <= shifted(numerator, 64));
            if down < u128::from(u64::MAX) {
                let above = down + (down >> 60) + 2;
                assert!(mul_wide(above, denominator) > shifted(numerator, 64));
            }
            let Some(up) = ratio_up(numerator, denominator, 32) else {
                continue;
            };
            assert!(mul_wide(up, denominator) >= shifted(numerator, 32));
            if let Some(below) = up.checked_sub((up >> 60) + 2) {
                assert!(mul_wide(below, denominator) < shifted(numerator, 32));
            }
        }
    }

    #[test]
    fn halves_make_the_product() {
        let mut state = 1;
        let ends = [0, 1, u64::MAX, 0xffff_ffff, 1 << 32, u64::MAX << 32];
        let random = (0..2_000).map(|_| u64::try_from(next(&mut state) >> 64).unwrap_or(0));
        let numbers: Vec<u64> = ends.into_iter().chain(random).collect();
        for a in &numbers {
            for b in numbers.iter().take(100) {
                let (high, low) = product(*a, *b);
                let whole = (u128::from(high) << 64) | u128::from(low);
                assert_eq!(whole, u128::from(*a) * u128::from(*b));
            }
        }
    }

    #[test]
    fn ratios_at_their_ends() {
        assert_eq!(ratio_down(0, 0, 64), 0);
        assert_eq!(ratio_down(1, 0, 64), u64::MAX);
        assert_eq!(ratio_down(1, 1, 64), u64::MAX);
        assert_eq!(ratio_down(1, 2, 64), 1 << 63);
        assert_eq!(ratio_down(1, u128::MAX, 64), 0);
        assert_eq!(ratio_up(0, 1, 32), Some(0));
        assert_eq!(ratio_up(1, u128::MAX, 32), Some(1));
        assert_eq!(ratio_up(u128::MAX, 1, 32), None);
        assert_eq!(ratio_up(3, 1, 32), Some(3 << 32));
    }
}
