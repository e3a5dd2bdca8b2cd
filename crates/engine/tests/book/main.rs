//! The order book against a plain list of orders, and over bytes that are not a book.
#![allow(clippy::arithmetic_side_effects)]

mod capacity;
mod corruption;
mod fixture;
mod impact;
mod migrate;
mod model;
mod operations;
mod reduce_only;
