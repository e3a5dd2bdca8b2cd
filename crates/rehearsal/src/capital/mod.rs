//! How much is deleveraged with how much capital: the same crashes with different pools and insurance.

mod days;
mod runs;
mod table;

use std::path::PathBuf;

use anyhow::{ensure, Result};
use clap::Args;

use days::Day;
use runs::Run;

/// What is compared.
#[derive(Clone, Debug, Args)]
pub struct CapitalArgs {
    /// Seeds of the population: 1 to so many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub seeds: u64,
    /// Further days: CSV files with the header `timestamp,price`; the generated day is always played.
    #[arg(long = "day", value_name = "FILE")]
    pub days: Vec<PathBuf>,
    /// Of a file, only the stretch of so many minutes in which the price lies farthest apart.
    #[arg(long, value_name = "MINUTES", default_value_t = 90, value_parser = clap::value_parser!(u32).range(10..=10_080))]
    pub window: u32,
    /// Pools, basis points of the worth of the open interest.
    #[arg(long = "pool", value_name = "BPS", value_delimiter = ',', default_values_t = [0, 200, 500, 1_000])]
    pub pools: Vec<u64>,
    /// Insurance, basis points of the worth of the open interest.
    #[arg(long = "insurance", value_name = "BPS", value_delimiter = ',', default_values_t = [10, 50, 200])]
    pub insurance: Vec<u64>,
    /// Trader accounts of the population.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=2_000))]
    pub traders: u32,
    /// Largest notional that a pool holds, basis points of its worth.
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u32).range(100..=10_000))]
    pub pool_cap_bps: Option<u32>,
    /// As for a single rehearsal.
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u16).range(0..=9_999))]
    pub discount_full_ratio_bps: Option<u16>,
    /// Crashes that are played at the same time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub jobs: usize,
    /// Where the figures of every crash are written, as JSON. Crashes that it has already are not played
    /// again.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/rehearsal/capital.json"
    )]
    pub out: PathBuf,
    /// The built program.
    #[arg(long, value_name = "PATH", default_value = "target/deploy/ballast.so")]
    pub program: PathBuf,
}

/// Plays everything and prints the tables. `false` when a check of a crash failed.
pub fn run(args: &CapitalArgs) -> Result<bool> {
    ensure!(
        args.program.is_file(),
        "the built program is not at {}; run `cargo xtask build`, or name it with --program",
        args.program.display()
    );
    let days = Day::all(args)?;
    let runs = runs::play(args, &days)?;
    println!("{}", table::render(args, &days, &runs));
    println!("Wrote {}", args.out.display());
    let failed: Vec<&Run> = runs.iter().filter(|run| !run.faults.is_empty()).collect();
    for run in &failed {
        println!("FAILED {}: {}", run.key(), run.faults.join("; "));
    }
    Ok(failed.is_empty())
}
