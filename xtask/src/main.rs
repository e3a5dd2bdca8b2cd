//! `cargo xtask`: builds the program, runs the tests and checks, rehearses a crash, measures.
//!
//! Each command does all the set-up it needs. What it cannot install is reported in one sentence.

mod cargo;
mod client_ts;
mod copies;
mod differential;
mod e2e;
mod examples;
mod faults;
mod fuzz;
mod idl;
mod localnet;
mod mutants;
mod npm;
mod program;
mod release;
mod stamp;
mod suites;
mod tasks;
mod test;
mod tool;
mod wasm;
mod web;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Builds, tests, rehearses and measures Ballast.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds the programs, target/deploy/ballast.so and ballast_gate.so, unless they are there and current
    Build,
    /// Builds the programs and runs the tests: all, or those that the arguments choose
    Test(test::Options),
    /// Builds everything and plays a crash on a solana-test-validator: deployment, traders, two
    /// keepers and their troubles; the books checked from the chain
    #[command(disable_help_flag = true)]
    E2e(Forwarded),
    /// Builds everything and keeps a live market on this machine, with the web app at the address that is
    /// printed; Ctrl-C ends it (`--help` lists ARGS)
    #[command(disable_help_flag = true)]
    Localnet(Forwarded),
    /// Builds the programs of the last commit in two folders, compares them and writes what they are:
    /// target/release-build/release.toml
    Release,
    /// Sets up the exchange and its markets on a cluster, as migrations/localnet.toml says
    /// (`--help` lists ARGS)
    #[command(disable_help_flag = true)]
    Deploy(Forwarded),
    /// Plays a crash through the built program and writes a report (`--help` lists ARGS)
    #[command(disable_help_flag = true)]
    Rehearse(Forwarded),
    /// Rehearses many crashes with different pools and insurance and compares how much is deleveraged
    /// (`--help` lists ARGS)
    #[command(disable_help_flag = true)]
    Capital(Forwarded),
    /// Scores the forecast of deleveraging against many small rehearsals (`--help` lists ARGS)
    #[command(disable_help_flag = true)]
    ScoreRisk(Forwarded),
    /// Explains a round of the last rehearsal and checks its figures (`--help` lists ARGS)
    #[command(disable_help_flag = true)]
    ExplainAdl(Forwarded),
    /// Runs the examples, or one of them
    Examples(examples::Options),
    /// Measures compute units: docs/COMPUTE_UNITS.md (`--help` lists ARGS; --check compares)
    #[command(disable_help_flag = true)]
    Bench(Forwarded),
    /// Builds the program's IDL: idl/ballast.json
    Idl(Drift),
    /// Generates the TypeScript client from the IDL: app/src/generated
    ClientTs(Drift),
    /// Compiles the libraries for WebAssembly, and each alone
    CheckWasm,
    /// Builds the engine and the reader of rehearsals as WebAssembly modules, app/wasm, and writes what they are:
    /// app/wasm.lock.json, app/backstop.lock.json, app/report.lock.json
    Wasm(Drift),
    /// Builds the web app, app/web/dist, or tests it in a browser
    Web(web::Options),
    /// Checks licences, sources, bans and, where their database is at hand, security advisories of all
    /// dependencies
    Deny,
    /// Proves the lemmas of docs/ADL.md, or those named, with an SMT solver
    Lemmas {
        /// Lemmas, such as L1
        #[arg(value_name = "LEMMA")]
        lemmas: Vec<OsString>,
    },
    /// Fuzzes the engine, guided by coverage
    Fuzz(fuzz::Options),
    /// Changes the engine in many small ways, one at a time, and counts the changes its tests notice
    Mutants(mutants::Options),
    /// Builds the program with known faults, and fails unless the coalition's histories notice each of them
    Faults(faults::Options),
    /// Compares the program with the reference model, at length
    Differential(differential::Options),
}

/// Arguments that the command of the task reads, `--help` among them.
#[derive(Debug, Args)]
struct Forwarded {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// What is done about a file that is generated and committed.
#[derive(Clone, Copy, Debug, Args)]
struct Drift {
    /// Compares with what is committed and writes nothing
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let outcome = match Xtask::parse().task {
        Task::Build => tasks::build(),
        Task::Test(options) => test::test(options),
        Task::E2e(forwarded) => e2e::run(&forwarded.args),
        Task::Localnet(forwarded) => localnet::run(&forwarded.args),
        Task::Release => release::release(),
        Task::Deploy(forwarded) => tasks::deploy(&forwarded.args),
        Task::Rehearse(forwarded) => tasks::rehearse(&forwarded.args),
        Task::Capital(forwarded) => tasks::capital(&forwarded.args),
        Task::ScoreRisk(forwarded) => tasks::score_risk(&forwarded.args),
        Task::ExplainAdl(forwarded) => tasks::explain_adl(&forwarded.args),
        Task::Examples(options) => examples::run(&options),
        Task::Bench(forwarded) => tasks::bench(&forwarded.args),
        Task::Idl(drift) => idl::idl(drift),
        Task::ClientTs(drift) => client_ts::client_ts(drift),
        Task::CheckWasm => wasm::check(),
        Task::Wasm(drift) => wasm::module::modules(drift),
        Task::Web(options) => web::run(&options),
        Task::Deny => tasks::deny(),
        Task::Lemmas { lemmas } => tasks::lemmas(&lemmas),
        Task::Fuzz(options) => fuzz::fuzz(&options),
        Task::Mutants(options) => mutants::mutants(&options),
        Task::Faults(options) => faults::faults(&options),
        Task::Differential(options) => differential::run(&options),
    };
    outcome.unwrap_or_else(|problem| {
        eprintln!("xtask: {problem}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Xtask::command().debug_assert();
    }

    #[test]
    fn forwarded_arguments_keep_their_options() {
        let words = ["cargo xtask", "rehearse", "--help", "--traders", "60"];
        let Task::Rehearse(forwarded) = Xtask::parse_from(words).task else {
            panic!("another task");
        };
        assert_eq!(forwarded.args, ["--help", "--traders", "60"]);
    }
}
