//! `cargo xtask check-wasm`: the libraries compile for a browser, and each compiles alone; and
//! [`module`]: the engine as one module.

pub mod module;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::{cargo, workspace};

const TARGET: &str = "wasm32-unknown-unknown";

/// What tells cargo to compile the standard library.
const BUILD_STD: [&str; 2] = ["-Z", "build-std=std,panic_abort"];

/// The packages that a browser shares with the program.
const LIBRARIES: [&str; 3] = ["ballast-engine", "ballast-state", "ballast-client"];

/// Compiles the libraries for WebAssembly and then each alone for this machine, with the features
/// that its own manifest asks for and no others.
pub fn check() -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let mut for_wasm = check_command(&root, &LIBRARIES);
    for_wasm.args(["--target", TARGET, "--target-dir", "target/wasm"]);
    if !target_is_installed()? {
        compile_std_too(&mut for_wasm, &root)?;
    }
    run(
        &mut for_wasm,
        &format!("{} for {TARGET}", LIBRARIES.join(", ")),
    )?;
    for library in LIBRARIES {
        run(
            &mut check_command(&root, &[library]),
            &format!("{library} alone"),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check_command(root: &Path, packages: &[&str]) -> Command {
    let mut check = cargo::cargo();
    check.current_dir(root).args(["check", "--locked", "--lib"]);
    check.args(packages.iter().flat_map(|package| ["-p", package]));
    check
}

fn run(check: &mut Command, what: &str) -> Result<(), String> {
    match cargo::status(check)?.success() {
        true => {
            println!("{what}: compiles");
            Ok(())
        }
        false => Err(format!(
            "{what}: does not compile; the lines above say why."
        )),
    }
}

/// Whether rustup or a distribution has installed the target's standard library.
fn target_is_installed() -> Result<bool, String> {
    Ok(sysroot()?.join("lib/rustlib").join(TARGET).is_dir())
}

/// Lets cargo compile the standard library for the target from its source: the toolchain's, or the
/// one that the program is built with.
fn compile_std_too(check: &mut Command, root: &Path) -> Result<(), String> {
    if sysroot()?.join("lib/rustlib/src/rust/library").is_dir() {
        check.args(BUILD_STD).env("RUSTC_BOOTSTRAP", "1");
        return Ok(());
    }
    compile_std_of_program(check, root)
}

/// The same with the source that the program is built with, whatever the toolchain has.
fn compile_std_of_program(check: &mut Command, root: &Path) -> Result<(), String> {
    check.args(BUILD_STD).env("RUSTC_BOOTSTRAP", "1");
    let mut setup = Command::new(root.join("scripts/sbf/setup.sh"));
    let parts = first_line(&mut setup)?.ok_or_else(|| {
        format!(
            "the standard library's source is missing; install the target with: \
             rustup target add {TARGET}"
        )
    })?;
    check.env("__CARGO_TESTS_ONLY_SRC_ROOT", parts);
    Ok(())
}

fn sysroot() -> Result<PathBuf, String> {
    first_line(Command::new("rustc").args(["--print", "sysroot"]))?
        .map(PathBuf::from)
        .ok_or_else(|| "rustc does not say where its toolchain is.".into())
}

/// The first line that a command prints; none where it fails.
fn first_line(command: &mut Command) -> Result<Option<String>, String> {
    cargo::forget_package(command);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|problem| {
        let program = command.get_program().to_string_lossy();
        format!("{program} could not be started ({problem}).")
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().filter(|_| output.status.success());
    Ok(line.map(str::to_owned))
}
