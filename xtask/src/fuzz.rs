//! `cargo xtask fuzz`: coverage-guided fuzzing of the engine with libFuzzer.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Args, ValueEnum};

use crate::cargo;
use crate::tool::CARGO_FUZZ;
use crate::workspace;

/// What is fuzzed, and how long.
#[derive(Debug, Args)]
pub struct Options {
    /// Seconds of new inputs for each target; 0 runs only the inputs kept
    #[arg(long, value_name = "N", default_value_t = 20)]
    seconds: u32,
    /// One target instead of all
    #[arg(long)]
    target: Option<Target>,
    /// Adds inputs that reach something new to those in the repository
    #[arg(long)]
    keep: bool,
}

/// A program of the package `fuzz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Queue,
    Proof,
    Money,
}

impl Target {
    /// Its name, which is that of its folder of inputs.
    fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Proof => "proof",
            Self::Money => "money",
        }
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
pub fn fuzz(options: &Options) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let fuzz = Fuzz {
        package: root.join("fuzz"),
        target_dir: root.join("target/fuzz"),
        root,
    };
    fuzz.build()?;
    let all = Target::value_variants();
    for target in options.target.as_ref().map_or(all, std::slice::from_ref) {
        let target = target.name();
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
        let mut build = Command::new(CARGO_FUZZ.binary(&self.root)?);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_log() {
        let log = "#2\tINITED cov: 8 ft: 9\n#9 DONE cov: 31 ft: 40\n\
                   stat::number_of_executed_units: 1234\n";
        assert_eq!((executions(log), coverage(log)), ("1234", "31"));
        assert_eq!((executions(""), coverage("")), ("?", "?"));
    }
}
