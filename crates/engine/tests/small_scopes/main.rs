//! Every queue of up to five positions over a small grid of entries, margins, marks and
//! close prices, both sides, against the rules in rational arithmetic.
//!
//! `BALLAST_SCOPES=wide` widens the grid.
#![allow(clippy::arithmetic_side_effects)]

mod cuts;
mod grid;
mod rules;
mod solvency;
mod walks;
