//! Tasks that build a command of this workspace and hand over to it.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::program::{BALLAST, GATE, PROOF};
use crate::{cargo, workspace};

/// Builds the programs and prints their paths.
pub fn build() -> Result<ExitCode, String> {
    let root = workspace::root()?;
    for program in [BALLAST, GATE] {
        println!("{}", program.ensure_built(&root)?.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the program and the rehearsal and hands over to it.
pub fn rehearse(args: &[OsString]) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let program = BALLAST.ensure_built(&root)?;
    let mut rehearsal = package_command(&root, "ballast-rehearsal", "ballast-rehearsal")?;
    rehearsal.arg("--program").arg(program);
    let status = cargo::status(rehearsal.args(args))?;
    Ok(cargo::exit_code(status))
}

/// Builds the program and the rehearsal and has it compare amounts of capital.
pub fn capital(args: &[OsString]) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let program = BALLAST.ensure_built(&root)?;
    let mut rehearsal = package_command(&root, "ballast-rehearsal", "ballast-rehearsal")?;
    rehearsal.arg("capital").arg("--program").arg(program);
    let status = cargo::status(rehearsal.args(args))?;
    Ok(cargo::exit_code(status))
}

/// Builds the program and the rehearsal and has it score the forecast of deleveraging.
pub fn score_risk(args: &[OsString]) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let program = BALLAST.ensure_built(&root)?;
    let mut rehearsal = command_among(&root, "ballast-rehearsal", &["ballast-rehearsal"])?;
    rehearsal.arg("score").arg("--program").arg(program);
    let status = cargo::status(rehearsal.args(args))?;
    Ok(cargo::exit_code(status))
}

/// Proves the lemmas of docs/ADL.md with z3.
pub fn lemmas(args: &[OsString]) -> Result<ExitCode, String> {
    let mut solver = Command::new(workspace::root()?.join("scripts/smt/run.sh"));
    Ok(cargo::exit_code(cargo::status(solver.args(args))?))
}

/// Checks the dependencies with cargo-deny.
pub fn deny() -> Result<ExitCode, String> {
    let mut check = Command::new(workspace::root()?.join("scripts/deny/run.sh"));
    cargo::forget_package(&mut check);
    Ok(cargo::exit_code(cargo::status(&mut check)?))
}

/// Builds the `ballast` command and hands over to `ballast explain-adl`.
pub fn explain_adl(args: &[OsString]) -> Result<ExitCode, String> {
    let mut explanation = package_command(&workspace::root()?, "ballast-cli", "ballast")?;
    let status = cargo::status(explanation.arg("explain-adl").args(args))?;
    Ok(cargo::exit_code(status))
}

/// Builds the `deploy` command and hands over to it, in the root of the workspace.
pub fn deploy(args: &[OsString]) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let mut deployment = command_among(&root, "deploy", &["deploy"])?;
    let status = cargo::status(deployment.current_dir(&root).args(args))?;
    Ok(cargo::exit_code(status))
}

/// Builds the programs and the benchmark and hands over to it, in the root of the workspace.
pub fn bench(args: &[OsString]) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let program = BALLAST.ensure_built(&root)?;
    let proof = PROOF.ensure_built(&root)?;
    let mut bench = command_among(&root, "ballast-bench", &["ballast-bench"])?;
    bench.current_dir(&root);
    bench.arg("--program").arg(program);
    bench.arg("--proof").arg(proof);
    let status = cargo::status(bench.args(args))?;
    Ok(cargo::exit_code(status))
}

/// Set where the whole workspace is built anyway, as `.ci/run` does.
const TOGETHER: &str = "BALLAST_TOGETHER";

/// A command of one package, built with nothing that only other packages need; where the whole
/// workspace is built anyway, with the features that its other builds have.
fn package_command(root: &Path, package: &str, name: &str) -> Result<Command, String> {
    if std::env::var_os(TOGETHER).is_some() {
        return command_among(root, name, &[name]);
    }
    let mut build = cargo::cargo();
    build.current_dir(root);
    build.args(["build", "--locked", "--package", package, "--bin", name]);
    after(&mut build, name)
}

/// A command of this workspace, built together with others.
pub fn command_among(root: &Path, name: &str, all: &[&str]) -> Result<Command, String> {
    let bins: Vec<_> = all.iter().map(|bin| ("--bin", *bin)).collect();
    built(root, &bins, name)
}

/// Builds targets of this workspace, each an option of cargo with a name, and gives one of them by
/// its place in the build folder.
///
/// Every package and one test take part in the build, so that the dependencies get the features
/// they have in `cargo xtask test` and are built once for both.
pub fn built(root: &Path, targets: &[(&str, &str)], place: &str) -> Result<Command, String> {
    let mut build = cargo::cargo();
    build
        .current_dir(root)
        .args(["build", "--locked", "--workspace"])
        .args(targets.iter().flat_map(|(kind, name)| [kind, name]))
        .args(["--test", "repository"]);
    after(&mut build, place)
}

/// Runs a build; what it makes stands beside this xtask.
fn after(build: &mut Command, place: &str) -> Result<Command, String> {
    if !cargo::status(build)?.success() {
        return Err(format!("{place} was not built; the lines above say why."));
    }
    std::env::current_exe()
        .map(|xtask| Command::new(xtask.with_file_name(place)))
        .map_err(|problem| format!("{place} is not to be found ({problem})."))
}
