//! The `ballast` command.

mod args;
mod cluster;
mod explain;
mod policies;
mod queue_rent;
mod rehearsal;
mod report;
mod scenario;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use cluster::failure::Usage;
use cluster::options::Output;

/// Exit code when something fails that should not.
const FAILURE: u8 = 1;
/// Exit code when the command line asks for something that cannot be.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut cli = Cli::parse();
    let json = cli.global.json();
    let (outcome, otherwise) = match &mut cli.command {
        Command::Rehearse(args) => {
            args.json |= json;
            (rehearsal::run(args), USAGE)
        }
        Command::ExplainAdl(args) => {
            args.json |= json;
            cli.global.output = output(args.json);
            match &args.signature {
                Some(signature) => (cluster::explain::run(&cli.global, args, signature), FAILURE),
                None => (explain::run(args), USAGE),
            }
        }
        Command::QueueRent(args) => {
            args.json |= json;
            (queue_rent::run(args), USAGE)
        }
        Command::Cluster(command) => (cluster::run(&cli.global, command), FAILURE),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILURE),
        Err(error) => {
            eprintln!("ballast: {}", told(&error));
            ExitCode::from(if error.is::<Usage>() {
                USAGE
            } else {
                otherwise
            })
        }
    }
}

fn output(json: bool) -> Output {
    if json {
        Output::Json
    } else {
        Output::Text
    }
}

/// An error and its causes, each once: some name their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
