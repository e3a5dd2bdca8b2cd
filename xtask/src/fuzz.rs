//! `cargo xtask fuzz`: coverage-guided fuzzing of the engine with libFuzzer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo;

const CARGO_FUZZ: &str = "0.13.2";
const TARGETS: [&str; 3] = ["queue", "proof", "money"];

const USAGE: &str = "fuzz takes --seconds N, --target queue|proof|money and --keep.";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// Seconds of new inputs for each target; 0 runs only the inputs kept.
    seconds: u32,
    targets: Vec<&'static str>,
    /// Whether inputs that reach something new are added to those in the repository.
    keep: bool,
}

impl Options {
    fn parse(args: &[OsString]) -> Option<Self> {
        let mut options = Self {
            seconds: 20,
            targets: TARGETS.to_vec(),
            keep: false,
        };
        let mut words = args.iter().map(|arg| arg.to_string_lossy());
        while let Some(word) = words.next() {
            match word.as_ref() {
                "--seconds" => options.seconds = words.next()?.parse().ok()?,
                "--target" => {
                    let name = words.next()?;
                    options.targets = vec![TARGETS.into_iter().find(|target| *target == name)?];
                }
                "--keep" => options.keep = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Where everything is.
struct Fuzz {
    root: PathBuf,
    package: PathBuf,
    target_dir: PathBuf,
}

/// Installs what is missing, then runs every target: first the inputs in the repository, then new
/// ones.
pub fn fuzz(args: &[OsString]) -> Result<ExitCode, String> {
    let options = Options::parse(args).ok_or(USAGE)?;
    let root = cargo::root();
    let fuzz = Fuzz {
        package: root.join("fuzz"),
        target_dir: root.join("target/fuzz"),
        root,
    };
    fuzz.build()?;
    for target in options.targets {
        fuzz.run(target, options.seconds)?;
        if options.keep {
            fuzz.merge(target)?;
        }
        if fuzz.kept(target)? == 0 {
            return Err(format!(
                "there are no inputs of `{target}` in the repository."
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Fuzz {
    /// Builds the targets with coverage, which the stable compiler does when told to.
    fn build(&self) -> Result<(), String> {
        let links = "echo 'int main(){}' | c++ -x c++ - -o /dev/null";
        cargo::need(&self.root, "a C++ compiler", links, &["g++"])?;
        let mut build = Command::new(cargo_fuzz(&self.root)?);
        cargo::forget_package(&mut build);
        build.current_dir(&self.root).env("RUSTC_BOOTSTRAP", "1");
        build.args(["fuzz", "build", "--sanitizer", "none", "--fuzz-dir"]);
        build.arg(&self.package);
        build.arg("--target-dir").arg(&self.target_dir);
        match cargo::status(&mut build)?.success() {
            true => Ok(()),
            false => Err("the fuzz targets were not built; the lines above say why.".into()),
        }
    }

    /// The binary of a target, in the folder of the platform.
    fn binary(&self, target: &str) -> Result<PathBuf, String> {
        let folders = std::fs::read_dir(&self.target_dir).map_err(|problem| problem.to_string())?;
        folders
            .filter_map(Result::ok)
            .map(|folder| folder.path().join("release").join(target))
            .find(|binary| binary.is_file())
            .ok_or_else(|| format!("the fuzz target `{target}` is not to be found."))
    }

    fn corpus(&self, target: &str) -> PathBuf {
        self.package.join("corpus").join(target)
    }

    /// The number of inputs in the repository.
    fn kept(&self, target: &str) -> Result<usize, String> {
        let corpus = self.corpus(target);
        std::fs::create_dir_all(&corpus)
            .and_then(|()| std::fs::read_dir(&corpus))
            .map(Iterator::count)
            .map_err(|problem| problem.to_string())
    }

    fn found(&self, target: &str) -> Result<PathBuf, String> {
        let found = self.target_dir.join("corpus").join(target);
        std::fs::create_dir_all(&found).map_err(|problem| problem.to_string())?;
        Ok(found)
    }

    fn run(&self, target: &str, seconds: u32) -> Result<(), String> {
        let crashes = self.target_dir.join("crashes").join("");
        std::fs::create_dir_all(&crashes).map_err(|problem| problem.to_string())?;
        let inputs = self.kept(target)?;
        let mut run = Command::new(self.binary(target)?);
        // New inputs go to the first folder.
        run.arg(self.found(target)?).arg(self.corpus(target));
        run.arg(format!("-artifact_prefix={}", crashes.display()));
        run.args(["-max_len=600", "-timeout=10", "-rss_limit_mb=1024"]);
        run.args(["-print_final_stats=1", "-verbosity=1"]);
        match seconds {
            0 => run.arg("-runs=0"),
            limit => run.arg(format!("-max_total_time={limit}")),
        };
        let output = run.output().map_err(|problem| problem.to_string())?;
        let log = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            eprintln!("{log}");
            return Err(self.reproduction(target, &log));
        }
        let (executions, coverage) = (executions(&log), coverage(&log));
        println!("{target}: {inputs} inputs kept, {executions} executions, {coverage} edges");
        Ok(())
    }

    /// How to run the input that failed again.
    fn reproduction(&self, target: &str, log: &str) -> String {
        let input = log
            .lines()
            .find_map(|line| line.split_once("Test unit written to "))
            .map_or("INPUT", |(_, path)| path.trim());
        let binary = self.target_dir.join("*/release").join(target);
        format!(
            "the fuzz target `{target}` failed. To run the input again: {} {input}",
            binary.display()
        )
    }

    /// Adds the inputs that reach something new to those in the repository.
    fn merge(&self, target: &str) -> Result<(), String> {
        let mut merge = Command::new(self.binary(target)?);
        merge.args(["-merge=1", "-use_counters=0", "-verbosity=0"]);
        merge.arg(self.corpus(target)).arg(self.found(target)?);
        match cargo::status(&mut merge)?.success() {
            true => Ok(()),
            false => Err(format!("the inputs of `{target}` could not be merged.")),
        }
    }
}

/// The runs that libFuzzer reports at its end.
fn executions(log: &str) -> &str {
    let line = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    line.map_or("?", str::trim)
}

/// The edges that libFuzzer had reached last.
fn coverage(log: &str) -> &str {
    let last = log.lines().rev().find_map(|line| line.split_once("cov: "));
    last.and_then(|(_, rest)| rest.split_whitespace().next())
        .unwrap_or("?")
}

/// cargo-fuzz of one version, built once into the user's cache.
fn cargo_fuzz(root: &Path) -> Result<PathBuf, String> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache =
        cache.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    let tools = cache
        .unwrap_or_else(|| root.join("target"))
        .join("ballast-fuzz")
        .join(CARGO_FUZZ);
    let binary = tools.join("bin/cargo-fuzz");
    if binary.is_file() {
        return Ok(binary);
    }
    eprintln!("fuzz: building cargo-fuzz {CARGO_FUZZ} (a minute)");
    let mut install = cargo::cargo();
    install
        .args(["install", "--quiet", "--locked", "--root"])
        .arg(&tools);
    install
        .arg("--target-dir")
        .arg(root.join("target/cargo-fuzz"));
    install.arg(format!("cargo-fuzz@{CARGO_FUZZ}"));
    match cargo::status(&mut install)?.success() {
        true => Ok(binary),
        false => Err("cargo-fuzz could not be built; the lines above say why.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Option<Options> {
        Options::parse(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_choose_targets_and_time() {
        let chosen = parsed(&["--target", "proof", "--seconds", "3", "--keep"]);
        let expected = Options {
            seconds: 3,
            targets: vec!["proof"],
            keep: true,
        };
        assert_eq!(chosen, Some(expected));
        assert_eq!(
            parsed(&[]).map(|options| options.targets),
            Some(TARGETS.to_vec())
        );
        assert_eq!(parsed(&["--target", "other"]), None);
        assert_eq!(parsed(&["--seconds", "-1"]), None);
    }

    #[test]
    fn figures_are_read_from_the_log() {
        let log = "#2\tINITED cov: 8 ft: 9\n#9 DONE cov: 31 ft: 40\n\
                   stat::number_of_executed_units: 1234\n";
        assert_eq!((executions(log), coverage(log)), ("1234", "31"));
        assert_eq!((executions(""), coverage("")), ("?", "?"));
    }
}
