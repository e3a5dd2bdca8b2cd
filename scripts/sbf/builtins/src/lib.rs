//! The 128-bit routines the compiler calls by name when it builds for the VM.
//!
//! The VM multiplies and divides 64-bit words only. [`wide`] holds the arithmetic and runs on any
//! machine, so the tests compare it with the host's; `exports`, built for the VM alone, gives it
//! the names and the calling convention of the compiler's library calls.

#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", feature(abi_unadjusted))]

#[cfg(target_arch = "bpf")]
mod exports;
pub mod wide;
