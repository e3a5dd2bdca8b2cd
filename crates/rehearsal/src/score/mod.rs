//! Whether the forecast of deleveraging is any good: many small rehearsals through the built program, what
//! was forecast of each before its crash, and what came.

pub mod forecasters;
mod history;
mod judge;
mod picture;
mod play;
mod table;

use std::fs;
use std::path::PathBuf;

use anyhow::{ensure, Context, Result};
use clap::Args;

use judge::Verdict;

/// What is scored.
#[derive(Clone, Debug, Args)]
pub struct ScoreArgs {
    /// Rehearsals, each of its own seed; the first half fits what the forecast is compared with, the second
    /// half is scored.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(4..=10_000))]
    pub rehearsals: u64,
    /// Seed of the first rehearsal; the others follow it.
    #[arg(long, value_name = "SEED", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub first_seed: u64,
    /// Trader accounts of each population.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=2_000))]
    pub traders: u32,
    /// Prices of each rehearsal.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(30..=2_000))]
    pub prices: u32,
    /// Paths of each forecast.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    pub paths: u32,
    /// Rehearsals that are played at the same time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub jobs: usize,
    /// Print the scores and do not fail for them: too few rehearsals tell little.
    #[arg(long)]
    pub no_gate: bool,
    /// Directory for score.json and reliability.svg.
    #[arg(long, value_name = "DIR", default_value = "target/score-risk")]
    pub out: PathBuf,
    /// The built program.
    #[arg(long, value_name = "PATH", default_value = "target/deploy/ballast.so")]
    pub program: PathBuf,
}

/// Plays, scores, and prints the table. `false` when the forecast does not pass, or one that is wrong on
/// purpose does.
pub fn run(args: &ScoreArgs) -> Result<bool> {
    ensure!(
        args.program.is_file(),
        "the built program is not at {}; run `cargo xtask build`, or name it with --program",
        args.program.display()
    );
    let cases = play::all(args)?;
    let verdict = Verdict::of(&cases, args.first_seed + args.rehearsals / 2)?;
    println!("{}", table::render(args, &verdict));
    write(args, &verdict)?;
    Ok(args.no_gate || verdict.passes())
}

fn write(args: &ScoreArgs, verdict: &Verdict) -> Result<()> {
    let at = |name: &str| args.out.join(name);
    fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    for (name, text) in [
        ("score.json", serde_json::to_string_pretty(verdict)?),
        (
            "reliability.svg",
            picture::reliability(&verdict.forecast().bins)?,
        ),
    ] {
        fs::write(at(name), text).with_context(|| at(name).display().to_string())?;
    }
    println!(
        "Wrote {0}/score.json and {0}/reliability.svg",
        args.out.display()
    );
    Ok(())
}
