//! The commands.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::program::{BALLAST, ORACLE, PROBE, PROOF};
use crate::{cargo, client_ts, e2e};

/// Builds the program and prints its path.
pub fn build(args: &[OsString]) -> Result<ExitCode, String> {
    if let Some(unknown) = args.first() {
        let unknown = unknown.to_string_lossy();
        return Err(format!("build takes no arguments, but got `{unknown}`."));
    }
    println!("{}", BALLAST.ensure_built(&cargo::root())?.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the programs and runs the tests, which find Ballast by the variable `BALLAST_SO`. Without
/// arguments the end-to-end run is one of them.
pub fn test(args: Vec<OsString>) -> Result<ExitCode, String> {
    let root = cargo::root();
    let openssl = "perl -MFindBin -MIPC::Cmd -e 1 && make --version";
    cargo::need(&root, "perl with make", openssl, &["perl", "make"])?;
    let program = BALLAST.ensure_built(&root)?;
    PROBE.ensure_built(&root)?;
    ORACLE.ensure_built(&root)?;
    let run = |selected: &[&str], args: &[OsString]| {
        let mut tests = cargo::cargo();
        tests.current_dir(&root).env("BALLAST_SO", &program);
        tests.args(["test", "--locked"]).args(selected).args(args);
        cargo::status(&mut tests)
    };
    if args.is_empty() {
        // First, so that the summary of the other tests ends the output.
        match client_ts::prepare(&root) {
            Ok(app) => {
                let client = client_ts::test(&app)?;
                if !client.success() {
                    return Ok(cargo::exit_code(client));
                }
            }
            Err(problem) => eprintln!("xtask: the TypeScript client is not tested: {problem}"),
        }
        let examples = run(&["--workspace", "--doc"], &[])?;
        if !examples.success() {
            return Ok(cargo::exit_code(examples));
        }
        if let Some(failed) = e2e::fails_where_possible()? {
            return Ok(failed);
        }
    }
    Ok(cargo::exit_code(run(&selection(&args), &args)?))
}

/// Builds the program and the rehearsal and hands over to it.
pub fn rehearse(args: Vec<OsString>) -> Result<ExitCode, String> {
    let root = cargo::root();
    let program = BALLAST.ensure_built(&root)?;
    let mut rehearsal = package_command(&root, "ballast-rehearsal", "ballast-rehearsal")?;
    rehearsal.arg("--program").arg(program);
    let status = cargo::status(rehearsal.args(args))?;
    Ok(cargo::exit_code(status))
}

/// Proves the lemmas of docs/ADL.md with z3.
pub fn lemmas(args: &[OsString]) -> Result<ExitCode, String> {
    let mut solver = Command::new(cargo::root().join("scripts/smt/run.sh"));
    Ok(cargo::exit_code(cargo::status(solver.args(args))?))
}

/// Builds the `ballast` command and hands over to `ballast explain-adl`.
pub fn explain_adl(args: Vec<OsString>) -> Result<ExitCode, String> {
    let mut explanation = package_command(&cargo::root(), "ballast-cli", "ballast")?;
    let status = cargo::status(explanation.arg("explain-adl").args(args))?;
    Ok(cargo::exit_code(status))
}

/// Builds the `deploy` command and hands over to it, in the root of the workspace.
pub fn deploy(args: Vec<OsString>) -> Result<ExitCode, String> {
    let root = cargo::root();
    let mut deployment = command_among(&root, "deploy", &["deploy"])?;
    let status = cargo::status(deployment.current_dir(&root).args(args))?;
    Ok(cargo::exit_code(status))
}

/// Builds the programs and the benchmark and hands over to it, in the root of the workspace.
pub fn bench(args: Vec<OsString>) -> Result<ExitCode, String> {
    let root = cargo::root();
    let program = BALLAST.ensure_built(&root)?;
    let proof = PROOF.ensure_built(&root)?;
    let mut bench = command(&root, "ballast-bench")?;
    bench.current_dir(&root);
    bench.arg("--program").arg(program);
    bench.arg("--proof").arg(proof);
    let status = cargo::status(bench.args(args))?;
    Ok(cargo::exit_code(status))
}

/// A command of one package, just built with nothing that only other packages need.
fn package_command(root: &Path, package: &str, name: &str) -> Result<Command, String> {
    let mut build = cargo::cargo();
    build.current_dir(root);
    build.args(["build", "--locked", "--package", package, "--bin", name]);
    built(&mut build, name)
}

/// A command of this workspace, just built.
///
/// Every package and one test take part in the build, so that the dependencies get the features
/// they have in `cargo xtask test` and are built once for both.
fn command(root: &Path, name: &str) -> Result<Command, String> {
    command_among(root, name, &["ballast", "ballast-bench"])
}

/// The same, of several commands that are built together.
pub fn command_among(root: &Path, name: &str, all: &[&str]) -> Result<Command, String> {
    let mut build = cargo::cargo();
    build
        .current_dir(root)
        .args(["build", "--locked", "--workspace"])
        .args(all.iter().flat_map(|bin| ["--bin", bin]))
        .args(["--test", "manifests"]);
    built(&mut build, name)
}

/// Builds a command; its path is that of this xtask's neighbours.
fn built(build: &mut Command, name: &str) -> Result<Command, String> {
    if !cargo::status(build)?.success() {
        return Err(format!(
            "the `{name}` command was not built; the lines above say why."
        ));
    }
    std::env::current_exe()
        .map(|xtask| Command::new(xtask.with_file_name(name)))
        .map_err(|problem| format!("the `{name}` command is not to be found ({problem})."))
}

/// What `cargo test` is told to run besides `args`: every package and every kind of test, unless
/// the arguments choose. Examples in the documentation have a run of their own.
fn selection(args: &[OsString]) -> Vec<&'static str> {
    let own: Vec<&OsStr> = args
        .iter()
        .map(OsString::as_os_str)
        .take_while(|arg| *arg != "--")
        .collect();
    let chooses = |options: &[&str]| {
        own.iter().any(|arg| {
            let arg = arg.to_string_lossy();
            let name = arg.split('=').next().unwrap_or_default();
            options.contains(&name)
        })
    };
    let mut selection = Vec::new();
    if !chooses(&["-p", "--package", "--workspace"]) {
        selection.push("--workspace");
    }
    let kinds = [
        "--lib",
        "--bin",
        "--bins",
        "--test",
        "--tests",
        "--doc",
        "--example",
        "--examples",
        "--all-targets",
    ];
    if !chooses(&kinds) {
        selection.push("--all-targets");
    }
    selection
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection_for(args: &[&str]) -> Vec<&'static str> {
        selection(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_tested_unless_arguments_choose() {
        let everything = ["--workspace", "--all-targets"];
        assert_eq!(selection_for(&[]), everything);
        assert_eq!(selection_for(&["some_test"]), everything);
        assert_eq!(selection_for(&["some_test", "--", "--test"]), everything);
        assert_eq!(selection_for(&["-p", "xtask"]), ["--all-targets"]);
        assert_eq!(selection_for(&["--package=xtask"]), ["--all-targets"]);
        assert_eq!(selection_for(&["--test", "scenarios"]), ["--workspace"]);
        assert!(selection_for(&["--lib", "-p", "xtask"]).is_empty());
    }
}
