//! `cargo xtask examples`: runs what `examples/` shows.

use std::path::Path;
use std::process::{Command, ExitCode};

use clap::{Args, ValueEnum};

use crate::program::BALLAST;
use crate::{cargo, tasks, workspace};

/// Which examples are run.
#[derive(Debug, Args)]
pub struct Options {
    /// One example instead of all
    example: Option<Example>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Example {
    /// Ranks a queue, with the engine only
    RankAQueue,
    /// Lists counterparties, with the client only
    PlanAdl,
    /// Trades on the embedded exchange, with the built program
    PlaceOrder,
}

/// Builds and runs the examples; the first that fails is the last.
pub fn run(options: &Options) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let all = Example::value_variants();
    for example in options.example.as_ref().map_or(all, std::slice::from_ref) {
        let mut command = match example {
            Example::RankAQueue => alone(&root, "rank_a_queue", &[]),
            Example::PlanAdl => alone(&root, "plan_adl", &["--features", "client"]),
            Example::PlaceOrder => on_the_program(&root, "place_order")?,
        };
        let status = cargo::status(&mut command)?;
        if !status.success() {
            return Ok(cargo::exit_code(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An example that is built with the dependencies of its own part of Ballast and no others.
fn alone(root: &Path, name: &str, features: &[&str]) -> Command {
    let mut run = cargo::cargo();
    run.current_dir(root);
    run.args(["run", "--quiet", "--locked", "-p", "ballast-examples"]);
    run.args(["--no-default-features", "--example", name]);
    run.args(features);
    run
}

/// An example that shares its dependencies with the tests and runs the built program.
fn on_the_program(root: &Path, name: &str) -> Result<Command, String> {
    let program = BALLAST.ensure_built(root)?;
    let mut example = tasks::built(root, &[("--example", name)], &format!("examples/{name}"))?;
    example.current_dir(root).env("BALLAST_SO", program);
    Ok(example)
}
