//! The mathematics of Ballast: margin, funding, trades, liquidation, insurance,
//! the auto-deleveraging ranking and its proof.
//!
//! No account, clock or token type appears here: the on-chain program, the
//! clients and the simulator call the same functions. Every amount is an integer
//! of a stated unit and every rounding goes against the trader.

#![no_std]
#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::as_conversions)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

#[cfg(feature = "test")]
extern crate std;

pub mod adl;
pub mod book;
pub mod error;
pub mod fees;
#[cfg(feature = "test")]
pub mod fixtures;
pub mod funding;
pub mod insurance;
pub mod liquidation;
pub mod margin;
pub mod matching;
pub mod math;
pub mod oracle;
pub mod order;
pub mod position;
pub mod price_levels;
pub mod proof;
pub mod queue;
pub mod rank;
pub mod reward;
pub mod risk;
pub mod selection;
pub mod slab;
pub mod standing;
pub mod trade;
pub mod units;

pub use error::EngineError;
