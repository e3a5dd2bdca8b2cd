//! `cargo xtask client-ts`: the TypeScript client, generated from the IDL.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use crate::{cargo, npm, workspace, Drift};

/// The package.
pub const PACKAGE: &str = "app";
/// What is generated, in the package.
const GENERATED: &str = "src/generated";
const DIFFERS: &str = "app/src/generated is not what idl/ballast.json makes";

/// Generates `app/src/generated`, or says whether it is what the IDL makes.
pub fn client_ts(drift: Drift) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let app = npm::prepare(&root, PACKAGE)?;
    if !drift.check {
        generate(&app, &app)?;
        println!("app/{GENERATED}");
        return Ok(ExitCode::SUCCESS);
    }
    let fresh = root.join("target/client-ts");
    generate(&app, &fresh)?;
    let read = |package: &Path| {
        let folder = package.join(GENERATED);
        files(&folder).map_err(|problem| format!("{} ({problem}).", folder.display()))
    };
    match difference(&read(&app)?, &read(&fresh)?) {
        None => Ok(ExitCode::SUCCESS),
        Some(file) => Err(format!(
            "{DIFFERS}: {}; run: cargo xtask client-ts",
            file.display()
        )),
    }
}

/// Compiles the client and runs its tests.
pub fn test(app: &Path) -> Result<ExitStatus, String> {
    npm::run(app, &["test", "--silent"])
}

fn generate(app: &Path, package: &Path) -> Result<(), String> {
    let mut node = Command::new("node");
    node.current_dir(app).arg("codama.mjs").arg(package);
    match cargo::status(&mut node)?.success() {
        true => Ok(()),
        false => Err("the client was not generated; the lines above say why.".into()),
    }
}

/// The files of a folder and the folders in it, with what they hold.
fn files(folder: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

/// A file that only one of the folders has, or that is not the same in both.
fn difference(
    one: &BTreeMap<PathBuf, Vec<u8>>,
    other: &BTreeMap<PathBuf, Vec<u8>>,
) -> Option<PathBuf> {
    let mut names = one.keys().chain(other.keys());
    names
        .find(|name| one.get(*name) != other.get(*name))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> BTreeMap<PathBuf, Vec<u8>> {
        let entry = |(name, text): &(&str, &str)| (name.into(), text.as_bytes().to_vec());
        files.iter().map(entry).collect()
    }

    #[test]
    fn any_difference_is_noticed() {
        let same = folder(&[("a.ts", "1"), ("types/b.ts", "2")]);
        assert_eq!(difference(&same, &same), None);
        for other in [
            folder(&[("a.ts", "1"), ("types/b.ts", "3")]),
            folder(&[("a.ts", "1")]),
        ] {
            let expected = Some(PathBuf::from("types/b.ts"));
            assert_eq!(difference(&same, &other), expected);
            assert_eq!(difference(&other, &same), expected);
        }
    }
}
