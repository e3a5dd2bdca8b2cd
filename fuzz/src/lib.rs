//! What the fuzz targets do with bytes. A panic is a finding.
#![allow(clippy::arithmetic_side_effects)]

pub mod bytes;
pub mod ledger;
pub mod money;
pub mod proof;
pub mod queue;
pub mod store;
