//! `ballast-rehearsal`: a market crash on the built program, and a report of it.

mod args;
mod capital;
mod crash;
mod markets;
mod plan;
mod rehearse;
mod report;
mod scenario;
mod score;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use args::RehearseArgs;
use capital::CapitalArgs;
use score::ScoreArgs;

/// Play a market crash through the built program, in an embedded Solana virtual machine.
#[derive(Debug, Parser)]
#[command(
    name = "ballast-rehearsal",
    version,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    rehearse: RehearseArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rehearse many crashes with different pools and insurance, and compare how much is deleveraged
    Capital(CapitalArgs),
    /// Score the forecast of deleveraging against what came, over many small rehearsals
    Score(ScoreArgs),
}

/// Exit code when a check of the report fails.
const FAILURE: u8 = 1;
/// Exit code when the rehearsal cannot be played as it is asked for.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        None => rehearse::run(&cli.rehearse),
        Some(Command::Capital(args)) => capital::run(args),
        Some(Command::Score(args)) => score::run(args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILURE),
        Err(error) => {
            eprintln!("ballast-rehearsal: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}
