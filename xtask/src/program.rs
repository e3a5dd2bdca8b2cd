//! Building the program for the VM.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo;
use crate::stamp::{self, Stamp};

/// What the built program depends on.
const INPUTS: [&str; 6] = [
    "Cargo.lock",
    "Cargo.toml",
    "crates/engine",
    "programs",
    "rust-toolchain.toml",
    "scripts/sbf",
];

/// Builds the program unless what is there was made from the same inputs; returns its path.
pub fn ensure_built(root: &Path) -> Result<PathBuf, String> {
    let deploy = root.join("target/deploy");
    let program = deploy.join("ballast.so");
    let recorded = deploy.join("ballast.stamp");
    let unreadable = |problem| format!("the program's sources cannot be read ({problem}).");
    let inputs = stamp::digest(root, &INPUTS).map_err(unreadable)?;
    if Stamp::read(&recorded).is_some_and(|stamp| stamp.is_current(inputs, &program)) {
        return Ok(program);
    }
    std::fs::create_dir_all(&deploy)
        .map_err(|problem| format!("{} cannot be made ({problem}).", deploy.display()))?;
    if !build_with_platform_tools(root)? {
        build_with_registries(root)?;
    }
    Stamp::of(inputs, &program)
        .and_then(|stamp| stamp.write(&recorded))
        .map_err(|problem| format!("{} was not built ({problem}).", program.display()))?;
    Ok(program)
}

/// `cargo build-sbf`: `false` where it is not installed or does not succeed.
fn build_with_platform_tools(root: &Path) -> Result<bool, String> {
    let mut probe = cargo::cargo();
    probe.args(["build-sbf", "--version"]);
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    if !cargo::status(&mut probe)?.success() {
        return Ok(false);
    }
    let mut build = cargo::cargo();
    build
        .current_dir(root)
        .args([
            "build-sbf",
            "--manifest-path",
            "programs/ballast/Cargo.toml",
        ])
        .args(["--sbf-out-dir", "target/deploy", "--", "--locked"]);
    let built = cargo::status(&mut build)?.success();
    if !built {
        eprintln!("xtask: cargo build-sbf failed; scripts/sbf builds the program instead.");
    }
    Ok(built)
}

/// The route that needs package registries only.
fn build_with_registries(root: &Path) -> Result<(), String> {
    let mut build = Command::new(root.join("scripts/sbf/build.sh"));
    cargo::forget_package(&mut build);
    build.arg("ballast").arg(root.join("target/deploy"));
    match cargo::status(&mut build)?.success() {
        true => Ok(()),
        false => Err("the program was not built; the lines above say why.".into()),
    }
}
