//! [`crate::wide`] under the names LLVM emits.
//!
//! `extern "unadjusted"` returns an `i128` in two registers, where LLVM looks for it; rustc's own
//! convention returns it through memory.
#![allow(improper_ctypes_definitions)]

// Memory and floating-point routines: they have to be in the same link.
use solana_compiler_builtins as _;

use crate::wide;

#[no_mangle]
extern "unadjusted" fn __multi3(a: i128, b: i128) -> i128 {
    wide::multiply(a.cast_unsigned(), b.cast_unsigned()).cast_signed()
}

#[no_mangle]
extern "unadjusted" fn __udivti3(dividend: u128, divisor: u128) -> u128 {
    wide::divide(dividend, divisor).0
}

#[no_mangle]
extern "unadjusted" fn __umodti3(dividend: u128, divisor: u128) -> u128 {
    wide::divide(dividend, divisor).1
}

#[no_mangle]
extern "unadjusted" fn __divti3(dividend: i128, divisor: i128) -> i128 {
    wide::divide_signed(dividend, divisor).0
}

#[no_mangle]
extern "unadjusted" fn __modti3(dividend: i128, divisor: i128) -> i128 {
    wide::divide_signed(dividend, divisor).1
}
