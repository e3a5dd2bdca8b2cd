//! The mathematics of Ballast: margin, funding, trades, liquidation, insurance,
//! the auto-deleveraging ranking and its proof.
//!
//! No account, clock or token type appears here: the on-chain program, the
//! clients and the simulator call the same functions. Every amount is an integer
//! of a stated unit and every rounding goes against the trader.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::as_conversions)]

pub mod adl;
pub mod book;
pub mod descent;
pub mod distress;
pub mod error;
pub mod fees;
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
