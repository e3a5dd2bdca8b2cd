//! `cargo xtask e2e`: the market on a test validator.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::cargo;
use crate::program::{BALLAST, GATE, ORACLE};
use crate::{tasks, workspace};

/// Exit code of `ballast-e2e` where there is no test validator.
const NO_VALIDATOR: i32 = 3;

/// What it is made of.
const COMMANDS: [&str; 4] = ["ballast-e2e", "deploy", "ballast", "ballast-keeper"];

/// Builds the programs and every command and plays the scenario.
pub fn run(args: &[OsString]) -> Result<ExitCode, String> {
    let status = cargo::status(&mut command(&workspace::root()?, args)?)?;
    Ok(cargo::exit_code(status))
}

/// The same as a part of all tests: the exit code of a failure. Where there is no test validator, it
/// says so, which is none.
pub fn fails_where_possible() -> Result<Option<ExitCode>, String> {
    let status = cargo::status(&mut command(&workspace::root()?, &[])?)?;
    if status.code() == Some(NO_VALIDATOR) {
        println!("The end-to-end run was skipped: there is no test validator.");
        return Ok(None);
    }
    Ok((!status.success()).then(|| cargo::exit_code(status)))
}

/// Whether there is a test validator, where `crates/localnet` looks for one.
pub fn has_validator() -> bool {
    let named = std::env::var_os("SOLANA_TEST_VALIDATOR").is_some_and(|name| !name.is_empty());
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&folders);
    named || folders.any(|folder| folder.join("solana-test-validator").is_file())
}

fn command(root: &Path, args: &[OsString]) -> Result<Command, String> {
    let program = BALLAST.ensure_built(root)?;
    let gate = GATE.ensure_built(root)?;
    let oracle = ORACLE.ensure_built(root)?;
    let mut run = tasks::command_among(root, "ballast-e2e", &COMMANDS)?;
    run.current_dir(root);
    run.arg("--program").arg(program);
    run.arg("--gate").arg(gate);
    run.arg("--oracle").arg(oracle);
    run.arg("--market").arg(root.join("tests/e2e/market.toml"));
    run.arg("--out").arg(root.join("target/e2e"));
    run.args(args);
    Ok(run)
}
