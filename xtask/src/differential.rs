//! The long run against the reference model.

use std::process::ExitCode;

use clap::Args;

use crate::cargo;
use crate::program::BALLAST;
use crate::workspace;

/// How long the comparison is.
#[derive(Debug, Args)]
pub struct Options {
    /// Random calls
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    ops: u64,
    /// Hostile lists
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    lists: u64,
    /// Where the random numbers begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Builds the program and compares it with the reference model for as long as the options say.
pub fn run(options: &Options) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let program = BALLAST.ensure_built(&root)?;
    let mut tests = cargo::cargo();
    tests
        .current_dir(&root)
        .env("BALLAST_SO", program)
        .env("BALLAST_DIFF_OPS", options.ops.to_string())
        .env("BALLAST_HOSTILE_LISTS", options.lists.to_string())
        .env("BALLAST_SEED", options.seed.to_string())
        .args(["test", "--locked", "--workspace", "--test", "differential"])
        .args(["--", "--nocapture", "--test-threads", "1"]);
    Ok(cargo::exit_code(cargo::status(&mut tests)?))
}
