//! `cargo xtask localnet`: a live market on this machine.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use crate::program::{BALLAST, GATE, ORACLE};
use crate::{tasks, wasm, web, workspace};

/// What it is made of.
const COMMANDS: [&str; 4] = [
    "ballast-localnet",
    "ballast-keeper",
    "ballast-gateway",
    "deploy",
];

/// Builds the programs, the commands and the web app and becomes the market, so that what ends this ends it.
pub fn run(args: &[OsString]) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let (program, gate, oracle) = (
        BALLAST.ensure_built(&root)?,
        GATE.ensure_built(&root)?,
        ORACLE.ensure_built(&root)?,
    );
    wasm::module::build(&root)?;
    let app = web::built(&root)?;
    let mut run = tasks::command_among(&root, COMMANDS[0], &COMMANDS)?;
    run.current_dir(&root);
    run.arg("--program").arg(program);
    run.arg("--gate").arg(gate);
    run.arg("--oracle").arg(oracle);
    run.arg("--market").arg(root.join("tests/e2e/market.toml"));
    run.arg("--app").arg(app);
    run.arg("--logs").arg(root.join("target/localnet"));
    let problem = run.args(args).exec();
    Err(format!("{} could not be started ({problem}).", COMMANDS[0]))
}
