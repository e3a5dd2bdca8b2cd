//! Statistics of prices: what a market moved, how volatile it is, how far it may move next, and the risk
//! parameters that follow.
//!
//! Everything is a function of prices and a seed: the same input gives the same output on any number of
//! threads. Floats stay in this crate; what leaves it for a chain is integers that the engine has accepted.

#[cfg(test)]
extern crate self as ballast_risk;

pub mod adl;
pub mod backtest;
pub mod bootstrap;
pub mod calibrate;
pub mod decimal;
pub mod file;
pub mod filter;
pub mod garch;
pub mod histories;
pub mod makers;
pub mod moves;
pub mod path;
pub mod prices;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod returns;
pub mod scores;
pub mod tails;
pub mod units;
pub mod walk;
