//! `cargo xtask faults`: whether the histories of the coalition notice a program that is wrong.
//!
//! The program is built once, from a copy of its sources with every fault in it, each behind one
//! switch: a byte of the built file. The sources and the program of this checkout stay as they are.

mod copy;
mod list;

use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Instant;

use clap::Args;

use self::copy::Copy;
use self::list::{Fault, FAULTS, LEGS, POSITIONS};
use crate::cargo::{self, Suite};
use crate::workspace;

/// The suite whose histories are played.
const SUITE: &str = "coalition";
/// What a line begins with by which the suite says that a history broke the property.
const NOTICED: &str = "noticed: ";

/// Which faults are tried, and how hard.
#[derive(Debug, Args)]
pub struct Options {
    /// Faults of these names; all unless given
    names: Vec<String>,
    /// Histories in which each has to be noticed
    #[arg(long, value_name = "N", default_value_t = 200)]
    histories: u64,
    /// The first history
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Runs at a time; as many as there are cores unless given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// What came of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// The property broke; where, and how.
    Noticed(String),
    /// All histories passed.
    Unnoticed,
    /// The run failed in another way.
    Failed(String),
}

/// Builds, plays the histories without a fault and with each, and says what was noticed.
///
/// # Errors
/// A sentence.
pub fn faults(options: &Options) -> Result<ExitCode, String> {
    let chosen = chosen(&options.names)?;
    let root = workspace::root()?;
    let copy = Copy::build(&root, root.join("target/faults"))?;
    let suite = suite(&root)?;
    let run = Run {
        suite: &suite,
        root: &root,
        options,
    };
    let sound = copy.program(0, "none")?;
    for test in [POSITIONS, LEGS] {
        if let (fate @ (Fate::Noticed(_) | Fate::Failed(_)), _) =
            run.play(&sound, test, chosen.len() as u64)?
        {
            return Err(format!("the program without a fault: {fate}."));
        }
    }
    let waiting = Mutex::new(chosen.iter());
    let fates = Mutex::new(Vec::new());
    let jobs = options.jobs.unwrap_or_else(cores);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| scope.spawn(|| run.work(&copy, &waiting, &fates)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a run ended badly.")?)
    })?;
    let fates = fates.into_inner().unwrap_or_default();
    let noticed = fates
        .iter()
        .filter(|fate| matches!(fate, Fate::Noticed(_)))
        .count();
    println!(
        "{noticed} of {} faults noticed within {} histories",
        fates.len(),
        options.histories
    );
    Ok(match noticed == fates.len() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The faults of these names with their numbers; all where none is named.
fn chosen(names: &[String]) -> Result<Vec<(u8, &'static Fault)>, String> {
    let all = (1..).zip(FAULTS);
    if names.is_empty() {
        return Ok(all.collect());
    }
    names
        .iter()
        .map(|name| {
            let found = all.clone().find(|(_, fault)| fault.name == name);
            found.ok_or_else(|| format!("there is no fault {name}."))
        })
        .collect()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Builds the suite together with everything else, so that nothing is built twice.
fn suite(root: &Path) -> Result<Suite, String> {
    let mut build = cargo::cargo();
    build.current_dir(root);
    build.args([
        "test",
        "--locked",
        "--workspace",
        "--test",
        SUITE,
        "--no-run",
    ]);
    build.args(["--message-format", "json-render-diagnostics"]);
    build.stderr(std::process::Stdio::inherit());
    let output = build.output().map_err(|problem| problem.to_string())?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let mut suites = lines.lines().filter_map(Suite::of_message);
    suites
        .find(|suite| suite.name == SUITE)
        .ok_or_else(|| format!("the suite {SUITE} was not built; the lines above say why."))
}

/// How histories are played.
struct Run<'a> {
    suite: &'a Suite,
    root: &'a Path,
    options: &'a Options,
}

impl Run<'_> {
    /// Tries one fault after the other until none is waiting.
    fn work(
        &self,
        copy: &Copy,
        waiting: &Mutex<std::slice::Iter<'_, (u8, &'static Fault)>>,
        fates: &Mutex<Vec<Fate>>,
    ) -> Result<(), String> {
        loop {
            let next = waiting.lock().map_err(|_| "a run ended badly.")?.next();
            let Some((number, fault)) = next else {
                return Ok(());
            };
            let program = copy.program(*number, fault.name)?;
            let (fate, seconds) = self.play(&program, fault.test, self.options.histories)?;
            let mut fates = fates.lock().map_err(|_| "a run ended badly.")?;
            println!(
                "{:<30} {}\n{:<30} {fate} ({seconds} s)",
                fault.name, fault.what, ""
            );
            fates.push(fate);
        }
    }

    /// Plays histories of a test on a program; what came of it and how long it took, seconds.
    fn play(&self, program: &Path, test: &str, histories: u64) -> Result<(Fate, u64), String> {
        let begun = Instant::now();
        let mut run = Command::new(&self.suite.binary);
        cargo::forget_package(&mut run);
        run.current_dir(self.root).args([test, "--nocapture"]);
        run.env("BALLAST_SO", program);
        run.env("BALLAST_COALITION_HISTORIES", histories.to_string());
        run.env("BALLAST_SEED", self.options.seed.to_string());
        let output = run.output().map_err(|problem| problem.to_string())?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        Ok((
            fate(output.status.success(), &text),
            begun.elapsed().as_secs(),
        ))
    }
}

/// What came of a run, by what it printed.
fn fate(passed: bool, text: &str) -> Fate {
    let said = text.lines().find_map(|line| line.strip_prefix(NOTICED));
    match said {
        _ if passed => Fate::Unnoticed,
        Some(said) => Fate::Noticed(said.to_owned()),
        None => {
            let lines: Vec<_> = text.lines().collect();
            let last = lines.len().saturating_sub(12);
            Fate::Failed(lines[last..].join("\n"))
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noticed(said) => write!(out, "noticed in {said}"),
            Self::Unnoticed => write!(out, "NOT NOTICED"),
            Self::Failed(text) => write!(out, "FAILED in another way:\n{text}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_prints_says_what_came_of_it() {
        let noticed = "x\nnoticed: history 3: lost\ny";
        assert_eq!(
            fate(false, noticed),
            Fate::Noticed("history 3: lost".into())
        );
        assert_eq!(fate(true, ""), Fate::Unnoticed);
        assert_eq!(fate(false, "index"), Fate::Failed("index".into()));
    }

    #[test]
    fn faults_are_chosen_by_name() {
        let two = chosen(&["half-initial-margin".into(), "older-prices".into()]).unwrap();
        let two: Vec<_> = two
            .iter()
            .map(|(number, fault)| (*number, fault.name))
            .collect();
        assert_eq!(two, [(3, "half-initial-margin"), (7, "older-prices")]);
        assert_eq!(chosen(&[]).unwrap().len(), FAULTS.len());
        assert!(chosen(&["nothing".into()]).is_err());
    }
}
