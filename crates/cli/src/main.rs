//! The `ballast` command.

mod args;
mod calibrate;
mod cluster;
mod queue_rent;

use std::process::ExitCode;

use anyhow::Result;
use ballast_explain::report::{answer, Question};
use clap::Parser;

use args::{Cli, Command, ExplainArgs};
use cluster::failure::{Interrupted, NothingFilled, Unsettled, Usage};
use cluster::options::Output;

/// Exit code when something fails that should not.
const FAILURE: u8 = 1;
/// Exit code when the command line asks for something that cannot be.
const USAGE: u8 = 2;
/// Exit code when a transaction was sent and it is not known whether it landed.
const UNSETTLED: u8 = 3;
/// Exit code when an order was placed and nothing of it traded or waits in the book.
const NOTHING_FILLED: u8 = 4;
/// Exit code after an interruption before anything was sent: that of a process which SIGINT ends.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let mut cli = Cli::parse();
    let json = cli.global.json();
    let (outcome, otherwise) = match &mut cli.command {
        Command::ExplainAdl(args) => {
            args.json |= json;
            cli.global.output = output(args.json);
            match &args.signature {
                Some(signature) => (cluster::explain::run(&cli.global, args, signature), FAILURE),
                None => (explain(args), USAGE),
            }
        }
        Command::Calibrate(args) => {
            args.json |= json;
            (calibrate::run(args), USAGE)
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
            ExitCode::from(code(&error).unwrap_or(otherwise))
        }
    }
}

/// The exit code of an error that has one of its own.
fn code(error: &anyhow::Error) -> Option<u8> {
    if error.is::<Usage>() {
        Some(USAGE)
    } else if error.is::<Unsettled>() {
        Some(UNSETTLED)
    } else if error.is::<NothingFilled>() {
        Some(NOTHING_FILLED)
    } else if error.is::<Interrupted>() {
        Some(INTERRUPTED)
    } else {
        None
    }
}

/// Explains a round of a rehearsal's report. `false` when a figure disagrees.
fn explain(args: &ExplainArgs) -> Result<bool> {
    let answer = answer(&Question {
        report: &args.report,
        round: args.round,
        trader: args.trader.as_deref(),
        json: args.json,
    })?;
    println!("{}", answer.text);
    Ok(answer.verified)
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
