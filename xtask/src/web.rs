//! `cargo xtask web`: the web app, app/web, and its tests in a browser.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use clap::Args;

use crate::program::{BALLAST, GATE, ORACLE};
use crate::{cargo, client_ts, e2e, npm, tasks, wasm, workspace};

const PACKAGE: &str = "app/web";
const CHROMIUM: &str =
    "(command -v chromium || command -v chromium-browser || command -v google-chrome)";
const FIREFOX: &str = "(command -v firefox-esr || command -v firefox)";
/// The commands that the tests in a browser run.
const COMMANDS: [&str; 6] = [
    "ballast-node",
    "ballast",
    "ballast-localnet",
    "ballast-keeper",
    "ballast-gateway",
    "deploy",
];

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
    let dist = built(&root)?;
    println!("{}", dist.display());
    Ok(ExitCode::SUCCESS)
}

/// The built web app's folder; the module has to be built.
///
/// # Errors
/// A sentence about what is missing.
pub fn built(root: &Path) -> Result<PathBuf, String> {
    let web = prepare(root)?;
    match npm::run(&web, &["run", "build", "--silent"])?.success() {
        true => Ok(web.join("dist")),
        false => Err("the web app was not built; the lines above say why.".into()),
    }
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
    // Browsers are installed while everything else is done.
    std::thread::scope(|scope| {
        let browsers = scope.spawn(|| need_browsers(root));
        let units = npm::run(&web, &["test", "--silent"])?;
        if !units.success() {
            return Ok(units);
        }
        let mut programs = vec![("BALLAST_SO", BALLAST.ensure_built(root)?)];
        if e2e::has_validator() {
            programs.push(("BALLAST_GATE_SO", GATE.ensure_built(root)?));
            programs.push(("BALLAST_ORACLE_SO", ORACLE.ensure_built(root)?));
        }
        let node = tasks::command_among(root, COMMANDS[0], &COMMANDS)?;
        let found = browsers.join();
        match found.unwrap_or_else(|_| Err("their installation broke off.".to_owned())) {
            Ok(()) => in_browsers(root, &web, &programs, &node),
            Err(problem) => {
                println!("The browser tests were skipped: {problem}");
                Ok(units)
            }
        }
    })
}

/// Chromium, and where that can be had Firefox, whose test is skipped without it.
fn need_browsers(root: &Path) -> Result<(), String> {
    let both = format!("{CHROMIUM} && {FIREFOX}");
    let packages = ["chromium", "firefox-esr"];
    cargo::need(root, "Chromium and Firefox", &both, &packages)
        .or_else(|_| cargo::need(root, "Chromium", CHROMIUM, &["chromium"]))
}

fn in_browsers(
    root: &Path,
    web: &Path,
    programs: &[(&str, PathBuf)],
    node: &Command,
) -> Result<ExitStatus, String> {
    let commands = Path::new(node.get_program()).parent().unwrap_or(root);
    let mut browser = Command::new("npm");
    browser
        .current_dir(web)
        .args(["run", "browser", "--silent"]);
    browser.env("BALLAST_BIN", commands);
    for (variable, program) in programs {
        browser.env(variable, program);
    }
    cargo::status(&mut browser)
}
