//! Where the workspace is.

use std::path::{Path, PathBuf};

/// The root of the workspace that the current directory is in.
///
/// It is looked for when the command runs, so that a copied or moved checkout works on itself.
///
/// # Errors
/// A sentence, where no folder above the current directory is such a root.
pub fn root() -> Result<PathBuf, String> {
    let here = std::env::current_dir()
        .map_err(|problem| format!("the current directory cannot be read ({problem})."))?;
    root_above(&here).ok_or_else(|| {
        format!(
            "{} is not inside a checkout of Ballast: no folder above it has a Cargo.toml with \
             [workspace] and the package xtask; change to the checkout and run the command again.",
            here.display()
        )
    })
}

/// The nearest of `start` and the folders above it whose `Cargo.toml` has a `[workspace]` and which
/// holds the package `xtask`.
fn root_above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|folder| is_root(folder))
        .map(Path::to_path_buf)
}

/// A package such as `fuzz` is a workspace of its own: the package `xtask` tells the two apart.
fn is_root(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
    manifest.is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
        && folder.join("xtask/Cargo.toml").is_file()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A folder with what a checkout has: the workspace, the package `xtask`, a package that is a
    /// workspace of its own.
    fn checkout() -> TempDir {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let manifests = [
            ("", "[workspace]\nmembers = [\"xtask\"]\n"),
            ("xtask", "[package]\nname = \"xtask\"\n"),
            ("crates/engine/src", ""),
            ("fuzz", "[package]\nname = \"fuzz\"\n\n[workspace]\n"),
        ];
        for (package, text) in manifests {
            let package = folder.path().join(package);
            fs::create_dir_all(&package).expect("a folder");
            fs::write(package.join("Cargo.toml"), text).expect("a manifest");
        }
        folder
    }

    #[test]
    fn each_of_two_checkouts_is_its_own_root() {
        let (one, copy) = (checkout(), checkout());
        for checkout in [&one, &copy] {
            let root = checkout.path();
            for inside in ["", "xtask", "crates/engine/src", "fuzz"] {
                assert_eq!(root_above(&root.join(inside)).as_deref(), Some(root));
            }
        }
    }

    #[test]
    fn a_checkout_inside_another_is_the_nearer_one() {
        let outer = checkout();
        let inner = outer.path().join("crates/engine");
        fs::write(inner.join("Cargo.toml"), "[workspace]\n").expect("a manifest");
        fs::create_dir_all(inner.join("xtask")).expect("a folder");
        fs::write(inner.join("xtask/Cargo.toml"), "[package]\n").expect("a manifest");
        assert_eq!(root_above(&inner.join("src")), Some(inner));
    }

    #[test]
    fn a_folder_outside_has_no_root() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").expect("a manifest");
        assert_eq!(root_above(folder.path()), None);
    }
}
