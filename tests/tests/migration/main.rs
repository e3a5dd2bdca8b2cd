//! A live market of 0.2.0 under today's program: refused until it is migrated, migrated in any order,
//! then played to its end.

mod fields;
mod order;
mod refusals;
mod rest;
mod snapshot;
