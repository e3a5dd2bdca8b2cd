//! `cargo xtask wasm`: the engine as WebAssembly modules: what a trader asks while trading, app/wasm/ballast.wasm,
//! what absorbs losses and why, app/wasm/backstop.wasm, and what decides a rehearsal's report again,
//! app/wasm/report.wasm; and what they are: app/wasm.lock.json, app/backstop.lock.json, app/report.lock.json.
//!
//! The standard library is compiled along, so that neither the checkout's nor the toolchain's folder is in the
//! module: every machine with the toolchain of rust-toolchain.toml makes the same bytes.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use super::{compile_std_of_program, first_line, TARGET};
use crate::{cargo, workspace, Drift};

/// A module.
struct Module {
    /// The package that it is made of.
    package: &'static str,
    /// Where it is put.
    file: &'static str,
    /// What is committed about it.
    lock: &'static str,
    /// Most bytes when a web server has compressed it.
    most_brotli: u64,
}

const MODULES: [Module; 3] = [
    Module {
        package: "ballast-wasm-trading",
        file: "app/wasm/ballast.wasm",
        lock: "app/wasm.lock.json",
        most_brotli: 80_000,
    },
    Module {
        package: "ballast-wasm-backstop",
        file: "app/wasm/backstop.wasm",
        lock: "app/backstop.lock.json",
        most_brotli: 110_000,
    },
    Module {
        package: "ballast-wasm-report",
        file: "app/wasm/report.wasm",
        lock: "app/report.lock.json",
        most_brotli: 140_000,
    },
];
/// Where they are built: their crates have other names than elsewhere.
const TARGET_DIR: &str = "target/wasm-module";
/// Sizes of a file as web servers send it, in JSON.
const SIZES: &str = "const zlib = require('node:zlib'); \
    const bytes = require('node:fs').readFileSync(process.argv[1]); \
    console.log(JSON.stringify({ gzip: zlib.gzipSync(bytes, { level: 9 }).length, \
    brotli: zlib.brotliCompressSync(bytes).length }));";
/// What the compiler takes from the environment, which must not change the module.
const SETTINGS: [&str; 5] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
];

/// Builds the modules and writes what they are, or compares them with what is committed.
pub fn modules(drift: Drift) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    build(&root)?;
    for module in &MODULES {
        module.settle(&root, drift)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the modules.
///
/// # Errors
/// A sentence about what is missing.
pub fn build(root: &Path) -> Result<(), String> {
    compile(root)?;
    MODULES.iter().try_for_each(|module| module.put(root))
}

impl Module {
    /// Puts what was built where everybody looks for it.
    fn put(&self, root: &Path) -> Result<(), String> {
        let library = self.package.replace('-', "_");
        let built = root.join(format!("{TARGET_DIR}/{TARGET}/wasm/{library}.wasm"));
        let bytes = read(&built)?;
        if imports(&bytes) != Some(false) {
            return Err(format!(
                "{} asks its host for functions; expected a module without imports.",
                built.display()
            ));
        }
        let module = root.join(self.file);
        let folder = module.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(|problem| unwritten(folder, &problem))?;
        fs::write(&module, bytes).map_err(|problem| unwritten(&module, &problem))
    }

    /// Writes what the module is, or compares it with what is committed.
    fn settle(&self, root: &Path, drift: Drift) -> Result<(), String> {
        let (file, lock) = (root.join(self.file), root.join(self.lock));
        let bytes = read(&file)?;
        let found = json!({ "bytes": bytes.len(), "sha256": hash(&bytes) });
        if drift.check {
            self.compare(&committed(&lock)?, &found)?;
            println!(
                "{}: {} bytes, as {} says",
                self.file,
                bytes.len(),
                self.lock
            );
            return Ok(());
        }
        let mut stated = sizes(&file)?;
        let (brotli, most) = (stated["brotli"].as_u64(), self.most_brotli);
        if brotli.is_none_or(|brotli| brotli > most) {
            return Err(format!(
                "{} has {brotli:?} bytes compressed; the most is {most}: leave something out.",
                self.file
            ));
        }
        for (name, value) in found.as_object().into_iter().flatten() {
            stated[name] = value.clone();
        }
        let text = format!("{stated:#}\n");
        fs::write(&lock, &text).map_err(|problem| unwritten(&lock, &problem))?;
        print!("{}\n{text}", self.file);
        Ok(())
    }

    fn compare(&self, committed: &Value, found: &Value) -> Result<(), String> {
        for name in ["bytes", "sha256"] {
            if committed[name] != found[name] {
                return Err(format!(
                    "{} is not what {} says: {name} is {}, not {}; run: cargo xtask wasm",
                    self.file, self.lock, found[name], committed[name]
                ));
            }
        }
        Ok(())
    }
}

fn compile(root: &Path) -> Result<(), String> {
    let mut build = cargo::cargo();
    build.current_dir(root);
    build.args(["build", "--locked", "--quiet", "--profile", "wasm"]);
    build.args(MODULES.iter().flat_map(|module| ["-p", module.package]));
    build.args(["--target", TARGET, "--target-dir", TARGET_DIR]);
    // Nobody could read what a panic says: none is compiled in.
    build.args(["-Z", "panic-immediate-abort"]);
    build.args(["--config", "profile.wasm.panic='immediate-abort'"]);
    build.args(["-Z", "trim-paths"]);
    build.args(["--config", "profile.wasm.trim-paths='all'"]);
    for setting in SETTINGS {
        build.env_remove(setting);
    }
    // Nor where it happened, nor what `{:?}` prints, which no sentence of the module has.
    build.env("RUSTFLAGS", "-Zlocation-detail=none -Zfmt-debug=none");
    build.env("RUSTC_WRAPPER", root.join("scripts/wasm/rustc.sh"));
    compile_std_of_program(&mut build, root)?;
    build.args(["-Z", "build-std-features=optimize_for_size"]);
    if !cargo::status(&mut build)?.success() {
        return Err("the WebAssembly modules were not built; the lines above say why.".into());
    }
    Ok(())
}

fn committed(lock: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(lock)
        .map_err(|problem| format!("{} cannot be read ({problem}).", lock.display()))?;
    serde_json::from_str(&text)
        .map_err(|problem| format!("{} is no JSON ({problem}).", lock.display()))
}

fn sizes(file: &Path) -> Result<Value, String> {
    let mut node = Command::new("node");
    let line = first_line(node.args(["-e", SIZES]).arg(file))?;
    let sizes = line.and_then(|line| serde_json::from_str(&line).ok());
    sizes.ok_or_else(|| "node does not say how well the module can be compressed.".into())
}

/// Whether a module has imports; nothing where the bytes are no module.
fn imports(module: &[u8]) -> Option<bool> {
    const IMPORTS: u8 = 2;
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0")?;
    while let Some((section, after)) = rest.split_first() {
        if *section == IMPORTS {
            return Some(true);
        }
        let (length, after) = leb128(after)?;
        rest = after.get(length..)?;
    }
    Some(false)
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let (digits, rest) = bytes.split_at_checked(last + 1)?;
    let value = digits.iter().rev().try_fold(0_usize, |value, digit| {
        value.checked_mul(0x80)?.checked_add((digit & 0x7f).into())
    })?;
    Some((value, rest))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|problem| format!("{} cannot be read ({problem}).", file.display()))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unwritten(file: &Path, problem: &std::io::Error) -> String {
    format!("{} cannot be written ({problem}).", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_noticed() {
        let header = b"\0asm\x01\0\0\0".as_slice();
        assert_eq!(imports(header), Some(false));
        // A section of types with 130 bytes, one of code.
        let types = [&[1, 0x82, 0x01][..], &[2; 130], &[10, 1, 0]].concat();
        assert_eq!(imports(&[header, &types].concat()), Some(false));
        let asking = [&types[..], &[2, 1, 0]].concat();
        assert_eq!(imports(&[header, &asking].concat()), Some(true));
        assert_eq!(imports(&[header, &[1, 9]].concat()), None);
        assert_eq!(imports(b"\0asm"), None);
    }

    #[test]
    fn another_module_than_the_committed_is_refused() {
        let one = json!({ "bytes": 7, "sha256": "ab", "brotli": 5 });
        assert_eq!(
            MODULES[0].compare(&one, &json!({ "bytes": 7, "sha256": "ab" })),
            Ok(())
        );
        for other in [
            json!({ "bytes": 7, "sha256": "ac" }),
            json!({ "bytes": 8, "sha256": "ab" }),
        ] {
            let refusal = MODULES[0].compare(&one, &other).unwrap_err();
            assert!(refusal.contains("cargo xtask wasm"), "{refusal}");
        }
    }
}
