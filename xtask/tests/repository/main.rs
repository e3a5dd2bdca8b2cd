//! The repository agrees with itself: manifests, imports, documents.

mod architecture;
mod documents;
mod manifests;

use std::path::PathBuf;

/// The root of the workspace, of which cargo tells a test its package at run time.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    PathBuf::from(package).join("..")
}
