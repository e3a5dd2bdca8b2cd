//! Telling whether a built file still belongs to its inputs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Digests of the inputs a file was built from and of the file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    inputs: u64,
    output: u64,
}

impl Stamp {
    /// The stamp of `output`, just built from inputs with this digest.
    pub fn of(inputs: u64, output: &Path) -> io::Result<Self> {
        let output = Fnv::new().mix(&fs::read(output)?).0;
        Ok(Self { inputs, output })
    }

    /// The recorded stamp; none where the file is missing or holds something else.
    pub fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let (inputs, output) = text.trim().split_once(' ')?;
        let parse = |digits| u64::from_str_radix(digits, 16).ok();
        Some(Self {
            inputs: parse(inputs)?,
            output: parse(output)?,
        })
    }

    /// Records the stamp.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        fs::write(file, format!("{:016x} {:016x}\n", self.inputs, self.output))
    }

    /// Whether the inputs are the same and the output is the file that was built from them.
    pub fn is_current(&self, inputs: u64, output: &Path) -> bool {
        Self::of(inputs, output).is_ok_and(|now| now == *self)
    }
}

/// Digest of the names and contents of files and, recursively, folders below `root`. Hidden files
/// and folders called `target` do not count.
pub fn digest(root: &Path, paths: &[&str]) -> io::Result<u64> {
    let mut files = Vec::new();
    for path in paths {
        collect(&root.join(path), &mut files)?;
    }
    files.sort();
    let mut digest = Fnv::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file);
        digest = digest.mix(name.as_os_str().as_encoded_bytes());
        digest = digest.mix(&fs::read(&file)?);
    }
    Ok(digest.0)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != "target" && !name.as_encoded_bytes().starts_with(b".") {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// FNV-1a with 64 bits.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Mixes in the length and then the bytes, so that the seam between two pieces counts.
    fn mix(self, bytes: &[u8]) -> Self {
        let length = bytes.len().to_le_bytes();
        let mixed = length.iter().chain(bytes).fold(self.0, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, removed when it ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let name = format!("ballast-xtask-{test}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).expect("a folder for the test");
            Self(path)
        }

        fn put(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(&path, text).expect("a file");
            path
        }

        fn digest(&self) -> u64 {
            digest(&self.0, &["src", "lock"]).expect("readable inputs")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).expect("the folder to go");
        }
    }

    fn sources(test: &str) -> Folder {
        let folder = Folder::new(test);
        folder.put("lock", "1");
        folder.put("src/lib.rs", "ab");
        folder.put("src/deep/mod.rs", "c");
        folder
    }

    #[test]
    fn digest_is_of_names_and_contents() {
        let folder = sources("contents");
        let before = folder.digest();

        folder.put("src/lib.rs", "ab");
        assert_eq!(folder.digest(), before, "rewritten with the same text");
        folder.put("src/lib.rs", "abc");
        assert_ne!(folder.digest(), before, "changed");
        folder.put("src/lib.rs", "ab");
        let added = folder.put("src/new.rs", "");
        assert_ne!(folder.digest(), before, "an empty file added");
        fs::rename(added, folder.0.join("src/newer.rs")).expect("renamed");
        fs::remove_file(folder.0.join("src/newer.rs")).expect("removed");
        assert_eq!(folder.digest(), before, "back to what it was");
        fs::rename(folder.0.join("src/lib.rs"), folder.0.join("src/lic.rs")).expect("renamed");
        assert_ne!(folder.digest(), before, "renamed");
    }

    #[test]
    fn digest_counts_the_seam_between_files() {
        let folder = sources("seam");
        let before = folder.digest();
        folder.put("src/lib.rs", "a");
        folder.put("src/deep/mod.rs", "bc");
        assert_ne!(folder.digest(), before);
    }

    #[test]
    fn digest_leaves_out_hidden_and_built_files() {
        let folder = sources("hidden");
        let before = folder.digest();
        folder.put("src/.lib.rs.swp", "x");
        folder.put("src/target/debug/x", "x");
        folder.put("other", "x");
        assert_eq!(folder.digest(), before);
    }

    #[test]
    fn a_missing_input_is_an_error() {
        let folder = Folder::new("missing");
        assert!(digest(&folder.0, &["lock"]).is_err());
    }

    #[test]
    fn stamp_holds_until_inputs_or_output_change() {
        let folder = sources("stamp");
        let output = folder.put("built.so", "code");
        let file = folder.0.join("built.stamp");
        let inputs = folder.digest();
        assert_eq!(Stamp::read(&file), None, "nothing recorded");

        let stamp = Stamp::of(inputs, &output).expect("a stamp");
        stamp.write(&file).expect("recorded");
        let read = Stamp::read(&file).expect("a recorded stamp");
        assert_eq!(read, stamp);
        assert!(read.is_current(inputs, &output));
        assert!(!read.is_current(inputs ^ 1, &output), "other inputs");
        folder.put("built.so", "other code");
        assert!(!read.is_current(inputs, &output), "replaced");
        fs::remove_file(&output).expect("removed");
        assert!(!read.is_current(inputs, &output), "missing");
        folder.put("built.stamp", "not a stamp");
        assert_eq!(Stamp::read(&file), None, "unreadable");
    }
}
