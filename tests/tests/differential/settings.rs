//! How much is done and from which seed.

use std::env::var;

/// Calls of the program over all histories.
const OPS: &str = "BALLAST_DIFF_OPS";
/// Lists sent by hostile keepers.
const LISTS: &str = "BALLAST_HOSTILE_LISTS";
/// Where the random numbers start.
const SEED: &str = "BALLAST_SEED";

/// Fewer calls or lists than this replay something: they need not show every kind.
pub const WHOLE_RUN: u64 = 10_000;

/// What the environment asks for.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Calls of the program.
    pub ops: u64,
    /// Hostile lists.
    pub lists: u64,
    /// Seed of the first history; the next has the next.
    pub seed: u64,
}

impl Settings {
    /// Reads the environment; small numbers and a fixed seed where it is silent.
    pub fn read() -> Self {
        let number = |name: &str, silent| match var(name) {
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
            Err(_) => silent,
        };
        let settings = Self {
            ops: number(OPS, 60_000),
            lists: number(LISTS, 10_000),
            seed: number(SEED, 2_001),
        };
        println!(
            "{OPS}={} {LISTS}={} {SEED}={}",
            settings.ops, settings.lists, settings.seed
        );
        settings
    }
}
