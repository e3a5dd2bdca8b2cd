//! The documents point at what is there.

use std::path::{Path, PathBuf};

use crate::root;

/// Every document with its path from the root.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["", "docs", "app"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
        for entry in entries {
            let name = entry.expect("an entry").file_name();
            let path = Path::new(folder).join(name);
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(root().join(&path)).expect("a document");
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn links_lead_to_files() {
    let mut links = 0;
    for (document, text) in documents() {
        let folder = root().join(document.parent().expect("a folder"));
        let targets = text.split("](").skip(1);
        for target in targets.filter_map(|rest| rest.split([')', '#']).next()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let there = folder.join(target).exists();
            assert!(there, "{}: {target}", document.display());
        }
    }
    assert!(links > 30, "links are found: {links}");
}

/// What stands in backquotes and begins with a folder of the repository is a file or a folder of it.
#[test]
fn paths_in_the_text_are_there() {
    let folders = [
        "crates/",
        "programs/",
        "tests/",
        "migrations/",
        "xtask/",
        "scripts/",
        "docs/",
    ];
    let (mut paths, mut missing) = (0, Vec::new());
    for (document, text) in documents() {
        // What the change log tells of may be gone.
        if document == Path::new("CHANGELOG.md") {
            continue;
        }
        for quoted in text.split('`').skip(1).step_by(2) {
            let is_path = folders.iter().any(|folder| quoted.starts_with(folder))
                && !quoted.contains([' ', '*', '<', '{', '\n', ':']);
            if is_path {
                paths += 1;
                if !root().join(quoted).exists() {
                    missing.push(format!("{}: {quoted}", document.display()));
                }
            }
        }
    }
    assert!(paths > 20, "paths are found: {paths}");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The names of the suites in a folder: its files, and its folders that have a `main.rs`.
fn suites(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let suites = paths.filter(|path| {
        path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists()
    });
    let name = |path: PathBuf| path.file_stem()?.to_str().map(str::to_owned);
    suites.filter_map(name).collect()
}

/// docs/TESTING.md says of every suite what it is for.
#[test]
fn every_suite_is_told_of() {
    let text = std::fs::read_to_string(root().join("docs/TESTING.md")).expect("the document");
    let section = text.split("## Suites").nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("a section");
    let mut folders = vec!["migrations".into(), "tests".into(), "xtask".into()];
    for group in ["crates", "programs"] {
        let entries = std::fs::read_dir(root().join(group)).expect("a folder");
        folders.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    let mut all = Vec::new();
    for folder in folders {
        all.extend(suites(&root().join(folder).join("tests")));
    }
    assert!(all.len() > 20, "suites are found: {all:?}");
    let told = |name: &String| section.contains(&format!("`{name}`"));
    let missing: Vec<_> = all.iter().filter(|name| !told(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_readme_is_short() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let lines = readme.lines().count();
    assert!(lines <= 130, "{lines} lines; details belong in docs/");
}
