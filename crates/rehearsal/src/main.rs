//! `ballast-rehearsal`: a market crash on the built program, and a report of it.

mod args;
mod crash;
mod plan;
mod rehearse;
mod report;
mod scenario;

use std::process::ExitCode;

use clap::Parser;

use args::RehearseArgs;

/// Exit code when a check of the report fails.
const FAILURE: u8 = 1;
/// Exit code when the rehearsal cannot be played as it is asked for.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match rehearse::run(&RehearseArgs::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILURE),
        Err(error) => {
            eprintln!("ballast-rehearsal: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}
