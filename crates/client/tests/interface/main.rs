//! What other languages learn of the program agrees with it: the IDL, and the fixtures of the
//! TypeScript client.

#[macro_use]
mod fields;
mod fixtures;
mod idl;
mod instructions;
mod json;
mod layouts;
mod risk_bounds;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path)
}
