//! Properties of the queue, the ranking, the completeness proof and deleveraging,
//! against references in rational arithmetic.
#![allow(clippy::arithmetic_side_effects)]

mod adl;
mod encoding;
mod fixture;
mod order;
mod passes;
mod proof;
mod scale;
mod selection;
mod slab;
mod solvency;
mod ties;
mod tree;
mod write_off;
