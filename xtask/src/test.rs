//! `cargo xtask test`: the tests, all or some.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use serde_json::Value;

use crate::program::{BALLAST, GATE, ORACLE, PROBE};
use crate::suites::{Counts, Suites};
use crate::{cargo, client_ts, e2e, npm, wasm, web, workspace};

/// Which tests are run. Without any of it all are: those of the TypeScript client and the web app, the
/// examples in the documentation and, where there is a test validator, the end-to-end run among them.
#[derive(Debug, Default, Args)]
pub struct Options {
    /// Suites of these names, or tests whose name contains one of these
    names: Vec<String>,
    /// Tests of these packages
    #[arg(short, long, value_name = "PACKAGE")]
    package: Vec<String>,
    /// Suites: files and folders in folders called `tests`
    #[arg(long, value_name = "SUITE")]
    test: Vec<String>,
    /// Tests inside the libraries
    #[arg(long)]
    lib: bool,
    /// Tests inside the commands
    #[arg(long)]
    bins: bool,
    /// Arguments for the test runner's filter, such as --ignored or --nocapture
    #[arg(last = true)]
    runner: Vec<OsString>,
}

impl Options {
    fn chooses_nothing(&self) -> bool {
        let Self {
            names,
            package,
            test,
            lib,
            bins,
            runner,
        } = self;
        names.is_empty()
            && package.is_empty()
            && test.is_empty()
            && !(*lib || *bins)
            && runner.is_empty()
    }

    /// Takes names that are all suites' for a choice of suites.
    fn with_suites(mut self, suites: &[String]) -> Self {
        if self.names.iter().all(|name| suites.contains(name)) {
            self.test.append(&mut self.names);
        }
        self
    }

    /// What cargo is told, the names of tests aside.
    fn selection(&self) -> Vec<String> {
        let mut selection = Vec::new();
        for package in &self.package {
            selection.extend(["--package".into(), package.clone()]);
        }
        if self.package.is_empty() {
            selection.push("--workspace".into());
        }
        for suite in &self.test {
            selection.extend(["--test".into(), suite.clone()]);
        }
        let kinds = [(self.lib, "--lib"), (self.bins, "--bins")];
        let every = self.test.is_empty() && !self.lib && !self.bins;
        let kinds = kinds.into_iter().chain([(every, "--tests")]);
        selection.extend(kinds.filter(|(on, _)| *on).map(|(_, kind)| kind.into()));
        selection
    }
}

/// Builds the programs and runs the tests, which find Ballast by the variable `BALLAST_SO`. The last
/// line says how many passed and failed.
pub fn test(options: Options) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let options = &options.with_suites(&suites(&root)?);
    let openssl = "perl -MFindBin -MIPC::Cmd -e 1 && make --version";
    cargo::need(&root, "perl with make", openssl, &["perl", "make"])?;
    let postgres = "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb";
    cargo::need(&root, "Postgres", postgres, &["postgresql"])?;
    let program = BALLAST.ensure_built(&root)?;
    GATE.ensure_built(&root)?;
    PROBE.ensure_built(&root)?;
    ORACLE.ensure_built(&root)?;
    let tests = Tests { root, program };
    let mut counts = Counts::default();
    if options.chooses_nothing() {
        if let Some(failed) = tests.besides(&mut counts)? {
            return Ok(failed);
        }
    }
    tests.suites(options, &mut counts)
}

/// Where everything is.
struct Tests {
    root: PathBuf,
    program: PathBuf,
}

impl Tests {
    /// What only belongs to a run of everything; the exit code of a failure.
    fn besides(&self, counts: &mut Counts) -> Result<Option<ExitCode>, String> {
        match npm::prepare(&self.root, client_ts::PACKAGE) {
            Ok(app) => {
                wasm::module::build(&self.root)?;
                let client = client_ts::test(&app)?;
                if !client.success() {
                    return Ok(Some(cargo::exit_code(client)));
                }
                let web = web::test(&self.root)?;
                if !web.success() {
                    return Ok(Some(cargo::exit_code(web)));
                }
            }
            Err(problem) => {
                eprintln!("xtask: TypeScript client and web app are not tested: {problem}")
            }
        }
        for kind in [&["--doc"][..], &["--bench", "latency"]] {
            let mut examples = self.cargo(&["test", "--locked", "--workspace"]);
            let passed = counted(examples.args(kind), counts)?;
            if passed != ExitCode::SUCCESS {
                return Ok(Some(passed));
            }
        }
        e2e::fails_where_possible()
    }

    /// The suites of Rust: by `cargo nextest`, many at a time and with the time of each, where it is
    /// installed.
    fn suites(&self, options: &Options, counts: &mut Counts) -> Result<ExitCode, String> {
        let code = if nextest_is_installed()? {
            let mut run = self.cargo(&["nextest", "run", "--locked"]);
            run.args(options.selection()).args(&options.names);
            run.arg("--").args(&options.runner);
            let report = Suites::report(&self.root);
            // What an earlier run has left must not count.
            let _ = std::fs::remove_file(&report);
            let code = cargo::exit_code(cargo::status(&mut run)?);
            if let Some(suites) = Suites::read(&report)? {
                print!("{suites}");
                counts.add(suites.counts());
            }
            code
        } else {
            eprintln!("xtask: cargo nextest is not installed: the suites run one by one, untimed.");
            let mut run = self.cargo(&["test", "--locked", "--no-fail-fast"]);
            run.args(options.selection());
            run.arg("--").args(&options.names).args(&options.runner);
            counted(&mut run, counts)?
        };
        println!("{counts}");
        Ok(code)
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut command = cargo::cargo();
        command.current_dir(&self.root);
        command.env("BALLAST_SO", &self.program).args(args);
        command
    }
}

/// The names of all suites: files and folders in the packages' folders called `tests`.
fn suites(root: &Path) -> Result<Vec<String>, String> {
    let mut metadata = cargo::cargo();
    metadata.current_dir(root).stderr(Stdio::inherit());
    metadata.args(["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let output = metadata.output().map_err(|problem| problem.to_string())?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|problem| format!("cargo metadata cannot be read ({problem})."))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    Ok(targets
        .filter(|target| target["kind"][0] == "test")
        .filter_map(|target| Some(target["name"].as_str()?.to_owned()))
        .collect())
}

fn nextest_is_installed() -> Result<bool, String> {
    let mut probe = cargo::cargo();
    probe.args(["nextest", "--version"]);
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    Ok(cargo::status(&mut probe)?.success())
}

/// Runs `cargo test`, shows what it prints and counts the tests in it.
fn counted(run: &mut Command, counts: &mut Counts) -> Result<ExitCode, String> {
    let mut child = run
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|problem| format!("cargo test could not be started ({problem})."))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            counts.add(Counts::of_result_line(&line).unwrap_or_default());
        }
    }
    let status = child
        .wait()
        .map_err(|problem| format!("cargo test did not end properly ({problem})."))?;
    Ok(cargo::exit_code(status))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &str) -> Options {
        let words = std::iter::once("test").chain(words.split_whitespace());
        CommandLine::parse_from(words).options
    }

    #[test]
    fn names_of_suites_choose_suites() {
        let suites = ["book", "differential"].map(String::from);
        let chosen = options("differential book").with_suites(&suites);
        let expected = "--workspace --test differential --test book";
        assert_eq!(chosen.selection().join(" "), expected);
        assert!(chosen.names.is_empty());
        let mixed = options("book liquidates").with_suites(&suites);
        assert_eq!(mixed.names, ["book", "liquidates"]);
    }

    #[test]
    fn everything_is_tested_unless_arguments_choose() {
        let selection = |words| options(words).selection().join(" ");
        assert_eq!(selection(""), "--workspace --tests");
        assert_eq!(selection("some_test -- --nocapture"), "--workspace --tests");
        assert_eq!(selection("-p xtask"), "--package xtask --tests");
        assert_eq!(selection("--test book"), "--workspace --test book");
        assert_eq!(selection("--lib -p xtask"), "--package xtask --lib");
        assert!(options("").chooses_nothing());
        for choice in ["name", "-p xtask", "--test book", "--lib", "-- --ignored"] {
            assert!(!options(choice).chooses_nothing(), "{choice}");
        }
    }
}
