//! `cargo xtask web`: the web app, app/web, and its tests in a browser.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use clap::Args;

use crate::program::BALLAST;
use crate::{cargo, client_ts, npm, tasks, wasm, workspace};

const PACKAGE: &str = "app/web";
const BROWSER: &str = "Chromium";
const BROWSER_PROBE: &str =
    "command -v chromium || command -v chromium-browser || command -v google-chrome";
/// The commands that the tests in the browser run.
const COMMANDS: [&str; 2] = ["ballast-node", "ballast"];

/// What is done with the web app.
#[derive(Debug, Args)]
pub struct Options {
    /// Runs its tests, in a browser too
    #[arg(long)]
    test: bool,
}

/// Builds the web app, app/web/dist, or tests it.
pub fn run(options: &Options) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    wasm::module::build(&root)?;
    if options.test {
        return Ok(cargo::exit_code(test(&root)?));
    }
    let web = prepare(&root)?;
    let built = npm::run(&web, &["run", "build"])?;
    println!("{PACKAGE}/dist");
    Ok(cargo::exit_code(built))
}

fn prepare(root: &Path) -> Result<PathBuf, String> {
    npm::prepare(root, client_ts::PACKAGE)?;
    npm::prepare(root, PACKAGE)
}

/// Runs the tests of the web app on the module that is built; those in a browser where there is one.
///
/// # Errors
/// A sentence about what is missing.
pub fn test(root: &Path) -> Result<ExitStatus, String> {
    let web = prepare(root)?;
    let units = npm::run(&web, &["test", "--silent"])?;
    if !units.success() {
        return Ok(units);
    }
    if let Err(problem) = cargo::need(root, BROWSER, BROWSER_PROBE, &["chromium"]) {
        println!("The browser tests were skipped: {problem}");
        return Ok(units);
    }
    let program = BALLAST.ensure_built(root)?;
    let node = tasks::command_among(root, COMMANDS[0], &COMMANDS)?;
    let commands = Path::new(node.get_program()).parent().unwrap_or(root);
    let mut browser = Command::new("npm");
    browser
        .current_dir(&web)
        .args(["run", "browser", "--silent"]);
    browser
        .env("BALLAST_SO", program)
        .env("BALLAST_BIN", commands);
    cargo::status(&mut browser)
}
