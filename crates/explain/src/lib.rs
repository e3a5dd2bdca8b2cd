//! Why a round of auto-deleveraging cut whom it cut, in plain words, and whether the figures that were
//! recorded of it are right.
//!
//! Every figure is the engine's own; what a record says is only held against it. A round is explained
//! from the [`report`] of a rehearsal or from the event of a transaction on the [`chain`].

mod audit;
pub mod chain;
mod decision;
mod from_report;
mod json;
mod ledger;
pub mod policies;
pub mod report;
pub mod situation;
mod source;
mod words;

#[cfg(any(test, feature = "test"))]
pub mod fixture;
