//! A copy of the engine with its mutants, built once.

use std::path::{Path, PathBuf};

use super::instrument::{instrument, switch, Mutant};
use crate::cargo::{self, Suite};
use crate::copies::{files, put, read};

/// The package whose tests are tried.
const PACKAGE: &str = "crates/engine";
/// Sources that only serve tests.
const FOR_TESTS: [&str; 2] = ["fixtures", "tests.rs"];

/// The copy: a workspace of its own.
pub struct Copy {
    /// Its folder.
    pub root: PathBuf,
    /// All mutants.
    pub mutants: Vec<Mutant>,
}

impl Copy {
    /// Writes the copy of the package to `root`, below the checkout at `original`. A file whose text
    /// has not changed is left alone, so that cargo need not build again.
    ///
    /// # Errors
    /// A sentence.
    pub fn write(original: &Path, root: PathBuf) -> Result<Self, String> {
        let mut copy = Self {
            root,
            mutants: Vec::new(),
        };
        let manifest = read(&original.join("Cargo.toml"))?;
        put(&copy.root, Path::new("Cargo.toml"), &alone(&manifest)?)?;
        for name in ["Cargo.lock", "idl/ballast.json"] {
            let text = read(&original.join(name))?;
            if name != "Cargo.lock" || !copy.root.join(name).exists() {
                put(&copy.root, Path::new(name), &text)?;
            }
        }
        let package = original.join(PACKAGE);
        for path in files(&package)? {
            let name = path
                .strip_prefix(&package)
                .map_err(|problem| problem.to_string())?;
            let mut text = read(&path)?;
            let for_tests = name
                .iter()
                .any(|part| FOR_TESTS.iter().any(|known| part == *known));
            let is_source = name.starts_with("src") && !for_tests;
            if is_source && name.extension().is_some_and(|kind| kind == "rs") {
                text = instrument(&text, &name.display().to_string(), &mut copy.mutants)?;
            }
            if name == Path::new("src/lib.rs") {
                text.push_str("\npub mod mutants;\n");
            }
            put(&copy.root, &Path::new(PACKAGE).join(name), &text)?;
        }
        let switches = Path::new(PACKAGE).join("src/mutants.rs");
        put(&copy.root, &switches, &switch(copy.mutants.len()))?;
        Ok(copy)
    }

    /// Builds the tests.
    ///
    /// # Errors
    /// A sentence.
    pub fn build(&self) -> Result<Vec<Suite>, String> {
        let mut build = cargo::cargo();
        build.current_dir(&self.root);
        build.env("CARGO_TARGET_DIR", self.root.join("target"));
        // A mutant may well be a number out of range, or a name unused.
        build.env("RUSTFLAGS", "--cap-lints allow");
        build.args([
            "test",
            "--tests",
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ]);
        build.stderr(std::process::Stdio::inherit());
        let output = build.output().map_err(|problem| problem.to_string())?;
        if !output.status.success() {
            return Err("the mutants were not built; the lines above say why.".into());
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        Ok(lines.lines().filter_map(Suite::of_message).collect())
    }

    /// The folder in which the tests run.
    pub fn package(&self) -> PathBuf {
        self.root.join(PACKAGE)
    }
}

/// The workspace's manifest with the one package as its only member.
fn alone(manifest: &str) -> Result<String, String> {
    let mut manifest: toml::Table = manifest
        .parse()
        .map_err(|problem| format!("Cargo.toml cannot be read ({problem})."))?;
    let members = toml::Value::from(vec![PACKAGE]);
    let workspace = manifest
        .get_mut("workspace")
        .and_then(toml::Value::as_table_mut);
    let workspace = workspace.ok_or("Cargo.toml has no [workspace].")?;
    workspace.insert("members".into(), members);
    toml::to_string(&manifest).map_err(|problem| problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_the_package_alone() {
        let manifest =
            "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.package]\nedition = \"2021\"\n";
        let alone: toml::Table = alone(manifest).unwrap().parse().unwrap();
        assert_eq!(
            alone["workspace"]["members"],
            toml::Value::from(vec![PACKAGE])
        );
        assert_eq!(
            alone["workspace"]["package"]["edition"].as_str(),
            Some("2021")
        );
    }
}
