//! Running other programs.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

/// The cargo that runs this task, without what `cargo run` tells the program it starts.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_package(&mut command);
    command
}

/// Takes the variables that describe the package `xtask` out of a command's environment.
pub fn forget_package(command: &mut Command) {
    for name in package_variables() {
        command.env_remove(name);
    }
}

/// Takes them out of this process's environment, for libraries that start cargo themselves.
pub fn forget_own_package() {
    for name in package_variables() {
        std::env::remove_var(name);
    }
}

fn package_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let text = name.to_string_lossy();
        text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_")
    })
}

/// Waits for the command; `Err` is a sentence about a command that could not be started.
pub fn status(command: &mut Command) -> Result<ExitStatus, String> {
    command.status().map_err(|problem| {
        let program = command.get_program().to_string_lossy();
        format!("{program} could not be started ({problem}).")
    })
}

/// The exit code to hand on; a command ended by a signal counts as a failure.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}

/// Makes sure that a shell command succeeds, installing Debian packages where that is possible.
pub fn need(root: &Path, what: &str, probe: &str, packages: &[&str]) -> Result<(), String> {
    let mut command = Command::new(root.join("scripts/need.sh"));
    command.args([what, probe]).args(packages);
    match status(&mut command)?.success() {
        true => Ok(()),
        false => Err(format!("this cannot be done without {what}.")),
    }
}
