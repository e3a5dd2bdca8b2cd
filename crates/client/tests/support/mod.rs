//! What the tests of the IDL and of the fixtures have in common.

pub mod fields;
pub mod instructions;

use std::path::{Path, PathBuf};

/// A file of the repository.
pub fn file(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path)
}
