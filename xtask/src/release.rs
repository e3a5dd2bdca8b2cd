//! `cargo xtask release`: the programs built twice, from the same commit in two folders, and what they
//! are: target/release-build/release.toml.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use sha2::{Digest, Sha256};

use crate::{cargo, workspace};

/// Where everything happens; made anew each time.
const FOLDER: &str = "target/release-build";
/// Packages of a release.
const PACKAGES: [&str; 2] = ["ballast", "ballast-gate"];

/// Builds the programs of the last commit in two folders, under two names of the caller's home, and
/// compares them.
pub fn release() -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let commit = committed(&root)?;
    let folder = root.join(FOLDER);
    let _ = fs::remove_dir_all(&folder);
    make(&folder)?;
    let here = checkout(&root, &folder, "one")?;
    let there = checkout(&root, &folder, "somewhere/else/two")?;
    for (checkout, home) in [(&here, None), (&there, Some(folder.join("other-home")))] {
        build(checkout, home.as_deref())?;
    }
    let mut text = description(&root, &commit)?;
    for package in PACKAGES {
        let name = file_name(package);
        let [one, two] = [&here, &there].map(|checkout| read(&checkout.join("out").join(&name)));
        let (one, two) = (one?, two?);
        if one != two {
            return Err(format!(
                "{name} is not the same in both folders, which {} still has: sha256 {} and {}.",
                folder.display(),
                hash(&one),
                hash(&two)
            ));
        }
        let to = folder.join(&name);
        fs::write(&to, &one).map_err(|problem| unwritten(&to, &problem))?;
        println!("{name}: sha256 {} in both folders", hash(&one));
        let table = package.replace('-', "_");
        // Writing to a string does not fail.
        let _ = write!(text, "\n[{table}]\nsha256 = \"{}\"\n", hash(&one));
    }
    let file = folder.join("release.toml");
    fs::write(&file, text).map_err(|problem| unwritten(&file, &problem))?;
    println!("{}", file.display());
    Ok(ExitCode::SUCCESS)
}

/// The last commit, if nothing differs from it.
fn committed(root: &Path) -> Result<String, String> {
    let changed = git(root, &["status", "--porcelain"])?;
    if !changed.is_empty() {
        return Err(format!(
            "a release is built from a commit, and this differs from the last one:\n{changed}"
        ));
    }
    git(root, &["rev-parse", "HEAD"])
}

fn git(root: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    let answer = command.arg("-C").arg(root).args(args).output();
    let answer = answer.map_err(|problem| format!("git could not be started ({problem})."))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        return Err(format!("git {} failed: {}", args.join(" "), said.trim()));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|problem| unwritten(folder, &problem))
}

/// A clone of the last commit.
fn checkout(root: &Path, folder: &Path, name: &str) -> Result<PathBuf, String> {
    let to = folder.join(name);
    make(to.parent().unwrap_or(folder))?;
    let target = to.display().to_string();
    git(root, &["clone", "--quiet", "--shared", ".", &target])?;
    Ok(to)
}

/// Builds every package of a checkout. With a home, the tools' folders have other names there.
fn build(checkout: &Path, home: Option<&Path>) -> Result<(), String> {
    for package in PACKAGES {
        println!("building {package} in {}", checkout.display());
        let mut build = Command::new(checkout.join("scripts/sbf/build.sh"));
        cargo::forget_package(&mut build);
        build.current_dir(checkout).arg(package).arg("out");
        if let Some(home) = home {
            for (variable, folder) in moved(home)? {
                build.env(variable, folder);
            }
            build.env("USER", "somebody").env("TZ", "Asia/Tokyo");
        }
        if !cargo::status(&mut build)?.success() {
            return Err(format!(
                "{package} was not built in {}; the lines above say why.",
                checkout.display()
            ));
        }
    }
    Ok(())
}

/// The folders of cargo and of the toolchain under other names: variables and links.
fn moved(home: &Path) -> Result<Vec<(&'static str, PathBuf)>, String> {
    make(home)?;
    let own = std::env::var_os("HOME").map_or_else(PathBuf::new, PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| own.join(".cache"), Into::into);
    let mut links = Vec::new();
    for (variable, otherwise) in [
        ("CARGO_HOME", own.join(".cargo")),
        ("SBF_TOOLCHAIN", cache.join("ballast-sbf")),
    ] {
        let real = std::env::var_os(variable).map_or(otherwise, PathBuf::from);
        let link = home.join(variable.to_lowercase());
        if link.symlink_metadata().is_err() {
            symlink(&real, &link).map_err(|problem| unwritten(&link, &problem))?;
        }
        links.push((variable, link));
    }
    Ok(links)
}

/// What the programs were built from.
fn description(root: &Path, commit: &str) -> Result<String, String> {
    let field = |file: &str, path: &[&str]| {
        let bytes = read(&root.join(file))?;
        let table = toml::from_str(&String::from_utf8_lossy(&bytes))
            .map_err(|problem| format!("{file} is no TOML ({problem})."))?;
        let table = toml::Value::Table(table);
        let mut value = Some(&table);
        for key in path {
            value = value.and_then(|value| value.get(*key));
        }
        let name = value.and_then(toml::Value::as_str).map(str::to_owned);
        name.ok_or_else(|| format!("{file} has no {}.", path.join(".")))
    };
    Ok(format!(
        "version = \"{}\"\ncommit = \"{commit}\"\ncargo_lock_sha256 = \"{}\"\ntoolchain = \"{}\"\n",
        field("Cargo.toml", &["workspace", "package", "version"])?,
        hash(&read(&root.join("Cargo.lock"))?),
        field("rust-toolchain.toml", &["toolchain", "channel"])?,
    ))
}

fn file_name(package: &str) -> String {
    format!("{}.so", package.replace('-', "_"))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|problem| format!("{} cannot be read ({problem}).", file.display()))
}

fn unwritten(path: &Path, problem: &std::io::Error) -> String {
    format!("{} cannot be written ({problem}).", path.display())
}

/// SHA-256 of a program without the zeros at its end, as `ballast verify` has it of what is
/// deployed, where zeros fill the account up.
fn hash(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    let code = bytes.get(..end.map_or(0, |last| last + 1));
    let digest = Sha256::digest(code.unwrap_or_default());
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_do_not_count_and_every_other_byte_does() {
        // SHA-256 of "abc", from FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), abc);
        assert_eq!(hash(b"abc\0\0\0"), abc);
        assert_ne!(hash(b"abd"), abc);
        assert_ne!(hash(b"\0abc"), abc);
    }

    #[test]
    fn a_release_says_what_it_was_built_from() {
        let root = workspace::root().expect("a checkout");
        let text = description(&root, "c0ffee").expect("the manifests");
        let table: toml::Table = toml::from_str(&text).expect("TOML");
        assert_eq!(table["version"].as_str(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(table["commit"].as_str(), Some("c0ffee"));
        let lock = table["cargo_lock_sha256"].as_str().expect("a hash");
        assert_eq!(lock.len(), 64);
        assert!(table["toolchain"]
            .as_str()
            .is_some_and(|name| name.starts_with("1.")));
    }
}
