//! Building programs for the VM.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo;
use crate::stamp::{self, Stamp};

/// A package that is built for the VM.
pub struct Program {
    package: &'static str,
    folder: &'static str,
    /// The packages of this workspace it depends on.
    uses: &'static [&'static str],
}

/// The program itself.
pub const BALLAST: Program = Program {
    package: "ballast",
    folder: "programs/ballast",
    uses: &["crates/engine", "crates/state"],
};

/// The program that holds the upgrade authority.
pub const GATE: Program = Program {
    package: "ballast-gate",
    folder: "programs/gate",
    uses: &["crates/engine", "crates/state"],
};

/// The program that shows that the VM's 128-bit arithmetic is right.
pub const PROBE: Program = Program {
    package: "probe",
    folder: "scripts/sbf/probe",
    uses: &[],
};

/// The program that runs the completeness proof alone.
pub const PROOF: Program = Program {
    package: "proof",
    folder: "crates/bench/proof",
    uses: &["crates/engine"],
};

/// The program that writes Pyth's price accounts on a test validator.
pub const ORACLE: Program = Program {
    package: "oracle-writer",
    folder: "tests/oracle",
    uses: &[],
};

/// What every program is built with.
const SHARED_INPUTS: [&str; 4] = [
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain.toml",
    "scripts/sbf",
];

impl Program {
    /// Builds the program unless what is there was made from the same inputs; returns its path.
    pub fn ensure_built(&self, root: &Path) -> Result<PathBuf, String> {
        let deploy = root.join("target/deploy");
        let built = deploy
            .join(self.package.replace('-', "_"))
            .with_extension("so");
        let recorded = built.with_extension("stamp");
        let inputs = [&[self.folder], self.uses, &SHARED_INPUTS].concat();
        let inputs = stamp::digest(root, &inputs)
            .map_err(|problem| format!("the program's sources cannot be read ({problem})."))?;
        if Stamp::read(&recorded).is_some_and(|stamp| stamp.is_current(inputs, &built)) {
            return Ok(built);
        }
        std::fs::create_dir_all(&deploy)
            .map_err(|problem| format!("{} cannot be made ({problem}).", deploy.display()))?;
        if !self.build_with_platform_tools(root)? {
            self.build_with_registries(root)?;
        }
        Stamp::of(inputs, &built)
            .and_then(|stamp| stamp.write(&recorded))
            .map_err(|problem| format!("{} was not built ({problem}).", built.display()))?;
        Ok(built)
    }

    /// `cargo build-sbf`: `false` where it is not installed or does not succeed.
    fn build_with_platform_tools(&self, root: &Path) -> Result<bool, String> {
        let mut probe = cargo::cargo();
        probe.args(["build-sbf", "--version"]);
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        if !cargo::status(&mut probe)?.success() {
            return Ok(false);
        }
        let mut build = cargo::cargo();
        build
            .current_dir(root)
            .args(["build-sbf", "--manifest-path"])
            .arg(root.join(self.folder).join("Cargo.toml"))
            .args(["--sbf-out-dir", "target/deploy", "--", "--locked"]);
        let built = cargo::status(&mut build)?.success();
        if !built {
            eprintln!("xtask: cargo build-sbf failed; scripts/sbf builds the program instead.");
        }
        Ok(built)
    }

    /// The route that needs package registries only.
    fn build_with_registries(&self, root: &Path) -> Result<(), String> {
        let mut build = Command::new(root.join("scripts/sbf/build.sh"));
        cargo::forget_package(&mut build);
        build.arg(self.package).arg(root.join("target/deploy"));
        match cargo::status(&mut build)?.success() {
            true => Ok(()),
            false => Err("the program was not built; the lines above say why.".into()),
        }
    }
}
