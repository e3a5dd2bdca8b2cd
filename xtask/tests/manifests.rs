//! Facts that stand in more than one file of the repository are the same in each.

use std::path::Path;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
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
    assert!(read("xtask/src/main.rs").contains("name == \"deploy\""));
}

/// The program that writes prices must never be deployed anywhere.
#[test]
fn anchor_does_not_know_the_oracle_of_the_tests() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs");
    let names: Vec<_> = std::fs::read_dir(programs)
        .expect("the programs")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["ballast"], "what `anchor build` finds");
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
