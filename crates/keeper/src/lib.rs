//! The keeper: what needs doing at a price, and doing it.
//!
//! - [`positions`] and [`market`]: a market and every position of it, in memory.
//! - [`evaluate`]: what needs doing at a moment, the worst health first.
//! - [`plan`]: from a job to the instructions that do it.
//! - [`repair`]: what an error of the program means for a job.

pub mod evaluate;
pub mod market;
pub mod plan;
pub mod positions;
pub mod repair;
