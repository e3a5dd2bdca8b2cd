//! Cross margin: an account with one leg is an isolated position, the bound of a record holds in every
//! history, a bankrupt account ends at nothing, and nobody who could rank higher is passed over.
#![allow(clippy::arithmetic_side_effects)]

mod attacks;
mod board;
mod checks;
mod close_prices;
mod completeness;
mod conversions;
mod counterparty;
mod ended;
mod equivalence;
mod fixture;
mod history;
mod limits;
mod liquidation;
mod lists;
mod makers;
mod records;
mod scale;
mod stages;
mod structure;
mod theorem;
mod tight;
mod trades;
