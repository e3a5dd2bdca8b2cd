//! Running other programs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use serde_json::Value;

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

/// A test binary.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its target's name.
    pub name: String,
    /// Where it is.
    pub binary: PathBuf,
}

impl Suite {
    /// The suite that a message of cargo names.
    pub fn of_message(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let binary = message["executable"].as_str()?;
        Some(Self {
            name: message["target"]["name"].as_str()?.to_owned(),
            binary: binary.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_read_from_the_messages_of_cargo() {
        let message =
            r#"{"reason":"compiler-artifact","target":{"name":"money"},"executable":"/t/money-1"}"#;
        let found = Suite::of_message(message).unwrap();
        assert_eq!(
            (found.name.as_str(), found.binary.as_path()),
            ("money", Path::new("/t/money-1"))
        );
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"engine"},"executable":null}"#;
        assert!(Suite::of_message(library).is_none());
    }
}
