//! The `ballast` command.

mod args;
mod explain;
mod policies;
mod queue_rent;
mod rehearsal;
mod report;
mod scenario;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Rehearse(args) => rehearsal::run(args),
        Command::ExplainAdl(args) => explain::run(args),
        Command::QueueRent(args) => queue_rent::run(args),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ballast: {error:#}");
            ExitCode::from(2)
        }
    }
}
