//! Copies of sources, changed on the way.

use std::fs;
use std::path::{Path, PathBuf};

/// All files in a folder and in those below it, in order.
///
/// # Errors
/// A sentence.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder)
        .map_err(|problem| format!("{} cannot be read ({problem}).", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.append(&mut files(&entry.path())?),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file.
///
/// # Errors
/// A sentence.
pub fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path)
        .map_err(|problem| format!("{} cannot be read ({problem}).", path.display()))
}

/// Writes a file below `root`. One whose text has not changed is left alone, so that cargo need not
/// build again.
///
/// # Errors
/// A sentence.
pub fn put(root: &Path, name: &Path, text: &str) -> Result<(), String> {
    let path = root.join(name);
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, text))
        .map_err(|problem| format!("{} cannot be written ({problem}).", path.display()))
}
