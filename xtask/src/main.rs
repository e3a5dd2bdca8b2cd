//! `cargo xtask`: builds the program, runs the tests and checks, rehearses a crash, measures.
//!
//! Each command does all the set-up it needs. What it cannot install is reported in one sentence.

mod cargo;
mod client_ts;
mod differential;
mod e2e;
mod fuzz;
mod idl;
mod program;
mod stamp;
mod tasks;

use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  build               builds the program: target/deploy/ballast.so, unless it is there and current
  test [ARGS]         builds the programs and runs every test; ARGS go to `cargo test`
  e2e [ARGS]          builds everything and plays a crash on a solana-test-validator: deployment,
                      traders, two keepers and their troubles; the books checked from the chain
  deploy [ARGS]       sets up the exchange and its markets on a cluster, as migrations/localnet.toml
                      says (`cargo xtask deploy --help` lists ARGS)
  rehearse [ARGS]     builds the program and plays a market crash on it, with a report
                      (`cargo xtask rehearse --help` lists ARGS)
  lemmas [L1 ...]     proves the lemmas of docs/ADL.md with an SMT solver
  fuzz [ARGS]         fuzzes the engine: --seconds N a target (20), --target queue|proof|money,
                      --keep to add inputs that reach something new to the repository's
  bench [ARGS]        builds the program and measures its compute units: docs/COMPUTE_UNITS.md
                      (`cargo xtask bench --help` lists ARGS; --check compares)
  explain-adl [ARGS]  builds the `ballast` command and runs `ballast explain-adl ARGS`, which
                      explains a round of the last rehearsal and checks its figures
  differential [--ops N] [--lists N] [--seed N]
                      builds the program and compares it with the reference model, at length
  idl [--check]       builds the program's IDL: idl/ballast.json; --check compares
  client-ts [--check] generates the TypeScript client from the IDL: app/src/generated; --check
                      compares
  help                prints this text
";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let command = args.next();
    let rest: Vec<OsString> = args.collect();
    let outcome = match command.as_deref().map(|name| name.to_string_lossy()) {
        Some(name) if name == "build" => tasks::build(&rest),
        Some(name) if name == "test" => tasks::test(rest),
        Some(name) if name == "deploy" => tasks::deploy(rest),
        Some(name) if name == "e2e" => e2e::run(&rest),
        Some(name) if name == "rehearse" => tasks::rehearse(rest),
        Some(name) if name == "fuzz" => fuzz::fuzz(&rest),
        Some(name) if name == "lemmas" => tasks::lemmas(&rest),
        Some(name) if name == "bench" => tasks::bench(rest),
        Some(name) if name == "explain-adl" => tasks::explain_adl(rest),
        Some(name) if name == "client-ts" => client_ts::client_ts(&rest),
        Some(name) if name == "idl" => idl::idl(&rest),
        Some(name) if name == "differential" => differential::run(&rest),
        Some(name) if !["help", "--help", "-h"].contains(&name.as_ref()) => {
            eprint!("xtask: there is no command `{name}`.\n\n{HELP}");
            return ExitCode::from(2);
        }
        _ => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
    };
    outcome.unwrap_or_else(|problem| {
        eprintln!("xtask: {problem}");
        ExitCode::FAILURE
    })
}
