//! What may import what, as docs/ARCHITECTURE.md says.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::root;

/// Beginnings of the names of crates that a library which a browser uses is not built from.
const HEAVY_FAMILIES: [&str; 5] = ["anchor-", "spl-", "pyth", "solana-rpc", "solana-sdk"];
/// The names of others.
const HEAVY: [&str; 4] = ["ballast", "litesvm", "solana-program", "tokio"];

/// What a cargo command prints.
fn cargo(args: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(args);
    let output = command.args(["--locked", "--offline"]).output();
    let output = output.expect("cargo starts");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {args:?}: {problem}");
    String::from_utf8(output.stdout).expect("text")
}

/// The packages of the workspace with those of it that each imports.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let imported = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies");
        all.iter()
            .filter(|dependency| dependency["path"].is_string() && dependency["kind"].is_null())
            .map(name)
            .collect()
    };
    packages
        .iter()
        .map(|package| (name(package), imported(package)))
        .collect()
}

/// The table of the document, in the form of [`imports`].
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the document");
    let quoted = |cell: &str| {
        let parts = cell.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    text.lines()
        .skip_while(|line| !line.starts_with("| package | imports |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(package, imported)| (package.to_owned(), quoted(imported)))
        .collect()
}

#[test]
fn packages_import_nothing_but_what_the_document_says() {
    let (said, found) = (table(), imports());
    for (package, imported) in &found {
        let line = said.get(package);
        let line = line.unwrap_or_else(|| panic!("{package} has no line in the document"));
        let beyond: Vec<_> = imported.difference(line).collect();
        assert!(beyond.is_empty(), "{package} imports {beyond:?}");
    }
    let gone: Vec<_> = said
        .keys()
        .filter(|one| !found.contains_key(*one))
        .collect();
    assert!(gone.is_empty(), "{gone:?} have a line and no manifest");
}

#[test]
fn no_package_imports_what_imports_it() {
    let mut left = imports();
    let mut below = BTreeSet::new();
    while !left.is_empty() {
        let (ready, waiting): (BTreeMap<_, _>, BTreeMap<_, _>) = left
            .into_iter()
            .partition(|(_, imported)| imported.is_subset(&below));
        assert!(!ready.is_empty(), "a circle among {:?}", waiting.keys());
        below.extend(ready.into_keys());
        left = waiting;
    }
}

/// All crates that a package is built from, with the features that it asks for alone.
fn dependencies(package: &str) -> BTreeSet<String> {
    let tree = cargo(&[
        "tree", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}",
    ]);
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_engine_has_no_solana_type() {
    let all = dependencies("ballast-engine");
    assert!(all.contains("bytemuck"), "the tree is read: {all:?}");
    let solana: Vec<_> = all.iter().filter(|name| name.contains("solana")).collect();
    assert!(solana.is_empty(), "{solana:?}");
}

/// What a browser shares with the program is light.
#[test]
fn the_client_is_built_without_anchor_spl_or_pyth() {
    for package in [
        "ballast-engine",
        "ballast-state",
        "ballast-client",
        "ballast-wasm",
    ] {
        let all = dependencies(package);
        assert!(all.contains(package), "the tree is read: {all:?}");
        let heavy: Vec<_> = all.iter().filter(|name| is_heavy(name)).collect();
        assert!(heavy.is_empty(), "{package} is built from {heavy:?}");
    }
}

#[test]
fn the_command_line_is_built_without_the_laboratory() {
    let all = dependencies("ballast-cli");
    assert!(all.contains("ballast-rpc"), "the tree is read: {all:?}");
    for laboratory in ["litesvm", "ballast-sandbox"] {
        assert!(!all.contains(laboratory), "{laboratory}");
    }
}

fn is_heavy(name: &str) -> bool {
    HEAVY.contains(&name) || HEAVY_FAMILIES.iter().any(|family| name.starts_with(family))
}
