//! Cargo commands that are not part of the toolchain.

use std::path::{Path, PathBuf};

use crate::cargo;

/// A package with a command, in the one version that this repository uses.
pub struct Tool {
    package: &'static str,
    version: &'static str,
}

/// Coverage-guided fuzzing.
pub const CARGO_FUZZ: Tool = Tool {
    package: "cargo-fuzz",
    version: "0.13.2",
};

impl Tool {
    /// The command, built once into the user's cache.
    ///
    /// # Errors
    /// A sentence, where it could not be built.
    pub fn binary(&self, root: &Path) -> Result<PathBuf, String> {
        let home = self.home(root);
        let binary = home.join("bin").join(self.package);
        if binary.is_file() {
            return Ok(binary);
        }
        let package = format!("{}@{}", self.package, self.version);
        eprintln!("xtask: building {package}");
        let target = root.join("target").join(self.package);
        let mut install = cargo::cargo();
        install.args(["install", "--quiet", "--locked", &package]);
        install.arg("--root").arg(&home);
        install.arg("--target-dir").arg(&target);
        if !cargo::status(&mut install)?.success() {
            return Err(format!(
                "{package} could not be built; the lines above say why."
            ));
        }
        // What it was built from is not needed again; a rest of it does no harm.
        let _ = std::fs::remove_dir_all(target);
        Ok(binary)
    }

    fn home(&self, root: &Path) -> PathBuf {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache =
            cache.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
        cache
            .unwrap_or_else(|| root.join("target"))
            .join("ballast-tools")
            .join(format!("{}-{}", self.package, self.version))
    }
}
