//! The packages of npm that `app` and `app/web` need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::{cargo, stamp};

const NODE: &str = "Node.js 20 or later with npm";
const NODE_PROBE: &str =
    "node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' && npm --version";

/// Installs what a package of this repository needs, unless that is there; the package's folder.
///
/// # Errors
/// A sentence about what is missing.
pub fn prepare(root: &Path, package: &str) -> Result<PathBuf, String> {
    cargo::need(root, NODE, NODE_PROBE, &["nodejs", "npm"])?;
    let folder = root.join(package);
    let installed = folder.join("node_modules/.installed");
    let wanted = stamp::digest(&folder, &["package.json", "package-lock.json"])
        .map_err(|problem| format!("{package}/package-lock.json cannot be read ({problem})."))?
        .to_string();
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    if !run(&folder, &["ci", "--loglevel=error"])?.success() {
        return Err(format!(
            "npm could not install the packages that {package}/ needs."
        ));
    }
    fs::write(&installed, wanted)
        .map_err(|problem| format!("{} cannot be written ({problem}).", installed.display()))?;
    Ok(folder)
}

/// Runs npm in a package's folder.
pub fn run(folder: &Path, args: &[&str]) -> Result<ExitStatus, String> {
    let mut npm = Command::new("npm");
    cargo::status(npm.current_dir(folder).args(args))
}
