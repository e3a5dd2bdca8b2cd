//! A copy of the program with all its faults, built once, and switched in the built file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::list::{Fault, FAULTS, SWITCH};
use crate::copies::{files, put, read};
use crate::program::BALLAST;

/// The packages that are copied; everything else is linked to.
const COPIED: [&str; 3] = ["crates/engine", "crates/state", "programs/ballast"];
/// The one in which the switch is.
const ENGINE: &str = "crates/engine";
/// The bytes before the switch in the built program.
const MARK: &[u8] = b"the fault that is on: ";

/// The built program without a fault, from which those with one are made.
pub struct Copy {
    root: PathBuf,
    built: Vec<u8>,
    switch: usize,
}

impl Copy {
    /// Writes the copy of the checkout at `original` to `root` and builds it.
    ///
    /// # Errors
    /// A sentence, also where a fault does not fit the source.
    pub fn build(original: &Path, root: PathBuf) -> Result<Self, String> {
        for package in COPIED {
            copy_package(original, &root, package)?;
        }
        for folder in ["", "crates", "programs"] {
            link_rest(original, &root, folder)?;
        }
        let module = Path::new(ENGINE).join("src/faults.rs");
        put(&root, &module, &switch())?;
        let built = BALLAST.ensure_built(&root)?;
        let built = fs::read(&built)
            .map_err(|problem| format!("{} cannot be read ({problem}).", built.display()))?;
        let switch = switch_in(&built)?;
        Ok(Self {
            root,
            built,
            switch,
        })
    }

    /// The program with the fault of this number; 0 is the one without.
    ///
    /// # Errors
    /// A sentence.
    pub fn program(&self, number: u8, name: &str) -> Result<PathBuf, String> {
        let mut program = self.built.clone();
        program[self.switch] = number;
        let path = self.root.join("target").join(name).with_extension("so");
        fs::write(&path, program)
            .map_err(|problem| format!("{} cannot be written ({problem}).", path.display()))?;
        Ok(path)
    }
}

fn copy_package(original: &Path, root: &Path, package: &str) -> Result<(), String> {
    for path in files(&original.join(package))? {
        let name = path
            .strip_prefix(original)
            .map_err(|problem| problem.to_string())?;
        let mut text = read(&path)?;
        for (number, fault) in FAULTS.iter().enumerate() {
            if Path::new(fault.file) == name {
                text = with_fault(&text, fault, number + 1)?;
            }
        }
        if name == Path::new(ENGINE).join("src/lib.rs") {
            text.push_str("\npub mod faults;\n");
        }
        put(root, name, &text)?;
    }
    Ok(())
}

/// A source with a fault in it.
fn with_fault(text: &str, fault: &Fault, number: usize) -> Result<String, String> {
    let (name, file) = (fault.name, fault.file);
    if text.matches(fault.right).count() != 1 {
        return Err(format!(
            "the fault {name} does not fit {file}: what it replaces must be there once; \
             xtask/src/faults/list.rs has it."
        ));
    }
    let engine = if file.starts_with(ENGINE) {
        "crate"
    } else {
        "ballast_engine"
    };
    let on = format!("{engine}::faults::on({number})");
    Ok(text.replace(fault.right, &fault.wrong.replace(SWITCH, &on)))
}

/// The module that every fault asks.
fn switch() -> String {
    let mark = String::from_utf8_lossy(MARK);
    format!(
        "//! Which fault is on.\n\n\
         static ON: [u8; {}] = *b\"{mark}\\0\";\n\n\
         /// Whether the fault of this number is.\n\
         #[inline(never)]\n\
         pub fn on(number: u8) -> bool {{\n    \
             core::hint::black_box(&ON).last() == Some(&number)\n\
         }}\n",
        MARK.len() + 1,
    )
}

/// Where the switch is.
fn switch_in(built: &[u8]) -> Result<usize, String> {
    let mut places = built
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == MARK);
    match (places.next(), places.next()) {
        (Some((at, _)), None) => Ok(at + MARK.len()),
        _ => Err("the built program has no switch, or more than one.".into()),
    }
}

/// Links what of a folder is not copied, so that the copy is a workspace too.
fn link_rest(original: &Path, root: &Path, folder: &str) -> Result<(), String> {
    let entries = fs::read_dir(original.join(folder)).map_err(|problem| problem.to_string())?;
    for entry in entries.filter_map(Result::ok) {
        let name = Path::new(folder).join(entry.file_name());
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let within = |copied: &&str| Path::new(copied).starts_with(&name);
        if hidden || name == Path::new("target") || COPIED.iter().any(within) {
            continue;
        }
        let link = root.join(&name);
        if link.symlink_metadata().is_err() {
            symlink(entry.path(), &link)
                .map_err(|problem| format!("{} cannot be linked ({problem}).", link.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULT: Fault = Fault {
        name: "wrong",
        what: "",
        file: "crates/engine/src/a.rs",
        right: "a < b",
        wrong: "FAULT || a < b",
        test: "",
    };

    #[test]
    fn a_fault_stands_where_the_right_was_behind_its_switch() {
        let text = with_fault("if a < b {}", &FAULT, 3).unwrap();
        assert_eq!(text, "if crate::faults::on(3) || a < b {}");
        for text in ["", "a < b; a < b"] {
            assert!(with_fault(text, &FAULT, 3).is_err(), "{text}");
        }
    }

    #[test]
    fn the_switch_is_found_where_there_is_one() {
        let one = [b"..", MARK, &[0, 7]].concat();
        assert_eq!(switch_in(&one), Ok(MARK.len() + 2));
        assert!(switch_in(b"nothing").is_err());
        assert!(switch_in(&[one.clone(), one].concat()).is_err());
    }
}
