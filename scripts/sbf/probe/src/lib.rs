//! A program that does one 128-bit operation and returns the result.
//!
//! Instruction data: the operation's number (1 byte), `a` and `b` (16 bytes each, little endian).
//! Return data: the 16 bytes of [`apply`]'s result. The same function compiled for the host says
//! what to expect.

#[cfg(target_os = "solana")]
mod entrypoint;

/// How many operations [`apply`] knows; they are numbered from 0.
pub const OPERATIONS: u8 = 20;

/// What an operation without a result gives: overflow, a zero divisor.
const NONE: u128 = 0x6e6f6e65;

/// The operation of this number on `a` and `b`, for signed ones on their bits as `i128`.
pub fn apply(operation: u8, a: u128, b: u128) -> u128 {
    match operation {
        0..10 => unsigned(operation, a, b).unwrap_or(NONE),
        _ => signed(operation - 10, a.cast_signed(), b.cast_signed())
            .map_or(NONE, i128::cast_unsigned),
    }
}

fn unsigned(operation: u8, a: u128, b: u128) -> Option<u128> {
    match operation {
        0 => Some(a.wrapping_mul(b)),
        1 => a.checked_mul(b),
        2 => a.checked_div(b),
        3 => a.checked_rem(b),
        4 => a.checked_add(b),
        5 => a.checked_sub(b),
        6 => Some(a << bits(b)),
        7 => Some(a >> bits(b)),
        8 => Some(u128::from(a < b)),
        _ => Some(u128::from(a.leading_zeros())),
    }
}

fn signed(operation: u8, a: i128, b: i128) -> Option<i128> {
    match operation {
        0 => Some(a.wrapping_mul(b)),
        1 => a.checked_mul(b),
        2 => a.checked_div(b),
        3 => a.checked_rem(b),
        4 => a.checked_add(b),
        5 => a.checked_sub(b),
        6 => a.checked_div_euclid(b),
        7 => Some(a >> bits(b.cast_unsigned())),
        8 => Some(i128::from(a < b)),
        _ => a.checked_rem_euclid(b),
    }
}

/// A shift distance below 128.
fn bits(distance: u128) -> u32 {
    (distance & 127) as u32
}
