//! The mathematics of Ballast: margin, funding, trades, liquidation, insurance,
//! the auto-deleveraging ranking and its proof.
//!
//! No account, clock or token type appears here: the on-chain program, the
//! clients and the simulator call the same functions. Every amount is an integer
//! of a stated unit and every rounding goes against the trader.
//!
//! - [`units`], [`math`]: quantities with a type each; comparisons in 256 bits.
//! - [`position`], [`margin`], [`risk`], [`funding`], [`fees`], [`trade`]: what a position is worth and may do.
//! - [`book`], [`order`], [`matching`]: orders, and whom they meet.
//! - [`settlement`]: that the legs of an instruction net to zero.
//! - [`oracle`]: which fault of a price blocks what.
//! - [`volatility`]: how much of late a market moves more than usual, and what that does to initial margin.
//! - [`protection`]: steps that reduce a position before it is liquidated.
//! - [`liquidation`], [`insurance`], [`reward`], [`payout`]: how much is closed, who pays, and what of the fees is paid out.
//! - [`solvency`], [`held`]: what a market lacks, and the profit that is held while it does.
//! - [`pool`], [`shares`], [`window`]: capital that takes positions over before anybody is cut, who owns what of it, and
//!   what was taken lately.
//! - [`wind_down`], [`write_off`]: what each mode of a market allows, how a market ends, and what is paid where
//!   not everything is covered.
//! - [`cross`]: positions of an account that share their collateral.
//! - [`rank`], [`queue`], [`adl`], [`proof`], [`selection`], [`standing`]: who is deleveraged, and that nobody was
//!   skipped.
//!
//! # Example
//!
//! A long of 10 SOL, entered at $200 with $100 of margin, when SOL is at $188. A lot is 0.001 SOL, a tick
//! $0.001, so that a lot at a tick is an atom of a currency with six decimals.
//!
//! ```
//! use ballast_engine::position::Position;
//! use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots};
//!
//! let long = Position {
//!     lots: Lots::new(10_000)?,
//!     entry_quote: Atoms::new(10_000 * 200_000),
//!     margin: Atoms::new(100_000_000),
//!     funding_index: FundingIndex::ZERO,
//! };
//! assert_eq!(long.equity(LotPrice::new(188_000)?)?, Atoms::new(-20_000_000));
//! // At its bankruptcy price, $190, nothing is left of it.
//! assert_eq!(long.bankruptcy_value(), 190_000 * 10_000);
//! # Ok::<(), ballast_engine::EngineError>(())
//! ```

#![no_std]
#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::as_conversions)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

#[cfg(feature = "test")]
extern crate std;

pub mod adl;
pub mod book;
pub mod breach;
pub mod cross;
pub mod deficit;
pub mod descent;
pub mod distress;
pub mod error;
pub mod fees;
#[cfg(feature = "test")]
pub mod fixtures;
pub mod funding;
pub mod health;
pub mod held;
pub mod insurance;
pub mod liquidation;
pub mod margin;
pub mod matching;
pub mod math;
pub mod oracle;
pub mod order;
pub mod payout;
pub mod pool;
pub mod position;
pub mod price_levels;
pub mod proof;
pub mod protection;
pub mod queue;
pub mod rank;
pub mod reward;
pub mod risk;
pub mod selection;
pub mod settlement;
pub mod shares;
pub mod slab;
pub mod solvency;
pub mod standing;
pub mod trade;
pub mod units;
pub mod volatility;
pub mod wind_down;
pub mod window;
pub mod write_off;

pub use error::EngineError;
