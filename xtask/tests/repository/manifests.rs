//! Facts that stand in more than one file of the repository are the same in each.

use std::collections::{BTreeMap, BTreeSet};

use crate::root;

use toml::{Table, Value};

fn read(file: &str) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|problem| panic!("{file}: {problem}"))
}

/// The quoted text that follows the first occurrence of `before`.
fn quoted_after<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before}"));
    rest.split('"').nth(1).expect("a quoted value")
}

#[test]
fn anchor_toml_names_the_program_by_its_declared_id() {
    let manifest = read("Anchor.toml");
    let (_, programs) = manifest
        .split_once("[programs.localnet]")
        .expect("programs of the local network");
    let source = read("crates/state/src/lib.rs");
    assert_eq!(
        quoted_after(programs, "ballast ="),
        quoted_after(&source, "pub const ID:")
    );
}

#[test]
fn anchor_toml_names_the_anchor_that_cargo_uses() {
    let requirement = read("Cargo.toml");
    let version = quoted_after(&requirement, "anchor-lang =").trim_start_matches('=');
    assert_eq!(
        quoted_after(&read("Anchor.toml"), "anchor_version"),
        version
    );
}

/// `anchor run deploy` and `anchor migrate` end in the same command, on Anchor's cluster and with its
/// wallet.
#[test]
fn anchor_deploys_with_the_deploy_command() {
    let manifest = read("Anchor.toml");
    let script = manifest.lines().find(|line| line.starts_with("deploy ="));
    let script = script.expect("a script");
    let migration = read("migrations/deploy.js");
    for word in [
        "cargo",
        "xtask",
        "deploy",
        "--url",
        "--keypair",
        "ANCHOR_WALLET",
    ] {
        assert!(script.contains(word), "the script says {word}");
        assert!(migration.contains(word), "the migration says {word}");
    }
    assert!(read("xtask/src/main.rs").contains("Deploy(Forwarded)"));
}

/// The program that writes prices must never be deployed anywhere.
#[test]
fn anchor_does_not_know_the_oracle_of_the_tests() {
    let programs = root().join("programs");
    let mut names: Vec<_> = std::fs::read_dir(programs)
        .expect("the programs")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["ballast", "gate"], "what `anchor build` finds");
    let manifest = read("Anchor.toml");
    assert!(!manifest.contains("oracle") && !manifest.contains("[workspace]"));
}

#[test]
fn the_toolchain_is_the_rust_version_of_the_packages() {
    let workspace = read("Cargo.toml");
    let rust_version = quoted_after(&workspace, "rust-version");
    let toolchain = read("rust-toolchain.toml");
    let (minor, _patch) = quoted_after(&toolchain, "channel")
        .rsplit_once('.')
        .expect("a channel with a patch number");
    assert_eq!(minor, rust_version);
}

/// Later versions of it are on a `borsh` that `pyth-sdk-solana` cannot read a `Pubkey` with.
#[test]
fn solana_program_is_the_one_pyth_sdk_solana_compiles_with() {
    let lock = read("Cargo.lock");
    assert_eq!(
        quoted_after(&lock, "name = \"solana-program\"\nversion ="),
        "2.3.0"
    );
}

fn manifest(file: &str) -> Table {
    let text = read(file);
    text.parse()
        .unwrap_or_else(|problem| panic!("{file}: {problem}"))
}

/// The manifests of the workspace's members, by folder.
fn members() -> BTreeMap<String, Table> {
    let root = manifest("Cargo.toml");
    let folders = root["workspace"]["members"].as_array().expect("members");
    let folders = folders.iter().map(|folder| folder.as_str().expect("text"));
    folders
        .map(|folder| (folder.to_owned(), manifest(&format!("{folder}/Cargo.toml"))))
        .collect()
}

/// Every dependency of a manifest, those for tests and for some targets too.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let tables = |table: &Table| {
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        let found = kinds.map(|kind| table.get(kind).and_then(Value::as_table).cloned());
        found.into_iter().flatten().flatten().collect::<Vec<_>>()
    };
    let mut all = tables(manifest);
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        all.extend(
            targets
                .values()
                .filter_map(Value::as_table)
                .flat_map(tables),
        );
    }
    all
}

fn has_own_version(dependency: &Value) -> bool {
    dependency.is_str() || dependency.get("version").is_some()
}

#[test]
fn versions_of_shared_and_of_solana_crates_stand_in_the_workspace_table() {
    let root = manifest("Cargo.toml");
    let table = root["workspace"]["dependencies"]
        .as_table()
        .expect("a table");
    let members = members();
    let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (folder, member) in &members {
        for (name, _) in dependencies(member) {
            users.entry(name).or_default().insert(folder);
        }
    }
    for (folder, member) in &members {
        for (name, dependency) in dependencies(member) {
            let shared = users[&name].len() > 1 || name.starts_with("solana-");
            assert!(
                !(has_own_version(&dependency) && (shared || table.contains_key(&name))),
                "{folder} has a version of {name}: move it to [workspace.dependencies] and say \
                 {name}.workspace = true"
            );
        }
    }
    for name in table.keys() {
        assert!(users.contains_key(name), "no member depends on {name}");
    }
}

/// Members with lints of their own and the one that each has to have.
const OWN_LINTS: [(&str, &str, &str); 7] = [
    // A module exports names, which count as unsafe code.
    ("crates/wasm/backstop", "unsafe_code", "deny"),
    ("crates/wasm/report", "unsafe_code", "deny"),
    ("crates/wasm/trading", "unsafe_code", "deny"),
    // Anchor's macros generate items that take no documentation.
    ("programs/ballast", "unsafe_code", "deny"),
    ("programs/gate", "unsafe_code", "forbid"),
    // The virtual machine asks for unsafe code.
    ("scripts/sbf/builtins", "missing_docs", "deny"),
    ("scripts/sbf/probe", "missing_docs", "deny"),
];

#[test]
fn every_member_has_the_lints_of_the_workspace() {
    for (folder, member) in members() {
        let lints = &member["lints"];
        let own = OWN_LINTS.iter().find(|(own, ..)| *own == folder);
        let (lint, expected) = match own {
            Some((_, lint, level)) => (&lints["rust"][lint], Value::from(*level)),
            None => (&lints["workspace"], Value::from(true)),
        };
        assert_eq!(*lint, expected, "the [lints] of {folder}");
    }
}
