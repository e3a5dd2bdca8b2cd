//! `cargo xtask mutants`: whether the engine's tests notice when it is changed.
//!
//! All mutants are in one build, each behind a switch that an environment variable turns on when a
//! test binary starts; so a mutant costs a run of the tests that reach it, and no build.

mod instrument;
mod package;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use self::instrument::Mutant;
use self::package::Copy;
use crate::cargo::{self, Suite};
use crate::workspace;

/// Which mutants are tried.
#[derive(Debug, Args)]
pub struct Options {
    /// Mutants to draw; 0 tries every one
    #[arg(long, value_name = "N", default_value_t = 100)]
    sample: usize,
    /// Number that the draw follows from; another one each day unless given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Fails when less of them are killed, per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 85)]
    floor: usize,
    /// Draws only from the source whose path contains this, such as adl.rs
    #[arg(long, value_name = "PART", default_value = "")]
    file: String,
    /// Leaves suites out that take longer than this without a mutant
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    longest: u64,
    /// Tries one mutant, by the number that a report gave, and shows what its tests print
    #[arg(long, value_name = "ID")]
    only: Option<u32>,
}

/// How `timeout` says that it ended a command.
const TIMED_OUT: i32 = 124;

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Killed,
    TimedOut,
    Survived,
    /// No test comes by.
    Unreached,
}

/// Writes the copy, builds it, and tries mutants.
///
/// # Errors
/// A sentence.
pub fn mutants(options: &Options) -> Result<ExitCode, String> {
    let root = workspace::root()?;
    let copy = Copy::write(&root, root.join("target/mutants"))?;
    let suites = copy.build()?;
    let mut trials = Vec::new();
    for suite in suites {
        let name = suite.name.clone();
        match Trial::begin(suite, &copy, options.longest)? {
            Some(trial) => trials.push(trial),
            None => println!("{name} takes more than {} s: left out", options.longest),
        }
    }
    trials.sort_by_key(|trial| trial.takes);
    if let Some(id) = options.only {
        let mutant = copy.mutants.iter().find(|mutant| mutant.id == id);
        let mutant = mutant.ok_or_else(|| format!("there is no mutant {id}."))?;
        println!(
            "{}: {:?}",
            line(mutant),
            fate(mutant, &trials, &copy, true)?
        );
        return Ok(ExitCode::SUCCESS);
    }
    let seed = options.seed.unwrap_or_else(today);
    let drawn = draw(&copy.mutants, options, seed);
    println!(
        "seed {seed}: {} of {} mutants",
        drawn.len(),
        copy.mutants.len()
    );
    let mut fates = Vec::new();
    for mutant in drawn {
        let fate = fate(mutant, &trials, &copy, false)?;
        match fate {
            Fate::Survived => println!("survived: {}", line(mutant)),
            Fate::Unreached => println!("no test: {}", line(mutant)),
            Fate::Killed | Fate::TimedOut => {}
        }
        fates.push(fate);
    }
    Ok(report(&fates, options.floor))
}

/// The mutants to try, in order.
fn draw<'a>(mutants: &'a [Mutant], options: &Options, seed: u64) -> Vec<&'a Mutant> {
    let of_file = |mutant: &&Mutant| mutant.file.contains(&options.file);
    let mut drawn: Vec<_> = mutants.iter().filter(of_file).collect();
    if options.sample > 0 {
        fastrand::Rng::with_seed(seed).shuffle(&mut drawn);
        drawn.truncate(options.sample);
    }
    drawn.sort_by_key(|mutant| mutant.id);
    drawn
}

/// Days since 1970.
fn today() -> u64 {
    let time = std::time::SystemTime::UNIX_EPOCH.elapsed();
    time.unwrap_or_default().as_secs() / 86_400
}

fn line(mutant: &Mutant) -> String {
    let Mutant {
        id,
        file,
        line,
        function,
        change,
    } = mutant;
    format!("{file}:{line} {function}: {change} (mutant {id})")
}

/// Says how many were killed; whether that is enough.
fn report(fates: &[Fate], floor: usize) -> ExitCode {
    let count = |of: Fate| fates.iter().filter(|fate| **fate == of).count();
    let killed = count(Fate::Killed) + count(Fate::TimedOut);
    println!(
        "{killed} of {} killed ({} of them ran too long), {} survived, {} reached by no test",
        fates.len(),
        count(Fate::TimedOut),
        count(Fate::Survived),
        count(Fate::Unreached),
    );
    if killed * 100 >= fates.len() * floor {
        ExitCode::SUCCESS
    } else {
        eprintln!("xtask: less than {floor} per cent of the mutants were killed.");
        ExitCode::FAILURE
    }
}

/// A suite, and what its run without mutants showed.
struct Trial {
    suite: Suite,
    takes: Duration,
    reaches: BTreeSet<u32>,
}

impl Trial {
    /// Runs the suite without mutants: it must pass. `None` where it takes more than `longest` seconds.
    fn begin(suite: Suite, copy: &Copy, longest: u64) -> Result<Option<Self>, String> {
        let asked = copy.root.join(format!("{}.asked", suite.name));
        let _ = std::fs::remove_file(&asked);
        let begun = Instant::now();
        let mut run = timed(&suite, longest, copy);
        let output = run.env("MUTANTS_ASKED", &asked).output();
        let output = output.map_err(|problem| problem.to_string())?;
        if output.status.code() == Some(TIMED_OUT) {
            return Ok(None);
        }
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stdout));
            return Err(format!("the suite {} fails without a mutant.", suite.name));
        }
        Ok(Some(Self {
            takes: begun.elapsed(),
            reaches: asked_in(&asked),
            suite,
        }))
    }

    /// Runs it with a mutant.
    fn run(&self, mutant: &Mutant, copy: &Copy, shown: bool) -> Result<Fate, String> {
        let mut run = timed(&self.suite, 10 + 5 * self.takes.as_secs(), copy);
        run.env("MUTANT", mutant.id.to_string());
        // A failure is enough; no smaller one is looked for, and none is kept.
        run.env("PROPTEST_MAX_SHRINK_ITERS", "0");
        run.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
        if !shown {
            run.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let status = cargo::status(&mut run)?;
        Ok(match status.code() {
            Some(0) => Fate::Survived,
            Some(TIMED_OUT) => Fate::TimedOut,
            _ => Fate::Killed,
        })
    }
}

/// A run of a suite that is ended after `limit` seconds.
fn timed(suite: &Suite, limit: u64, copy: &Copy) -> Command {
    let mut run = Command::new("timeout");
    run.arg(limit.to_string()).arg(&suite.binary);
    run.current_dir(copy.package());
    run
}

/// The switches that a run has asked.
fn asked_in(path: &Path) -> BTreeSet<u32> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|id| id.parse().ok()).collect()
}

/// Runs the suites that reach the mutant, the quickest first, until one fails.
fn fate(mutant: &Mutant, trials: &[Trial], copy: &Copy, shown: bool) -> Result<Fate, String> {
    let mut fate = Fate::Unreached;
    for trial in trials.iter().filter(|it| it.reaches.contains(&mutant.id)) {
        fate = trial.run(mutant, copy, shown)?;
        if fate != Fate::Survived {
            break;
        }
    }
    Ok(fate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(sample: usize, file: &str) -> Options {
        Options {
            sample,
            seed: None,
            floor: 90,
            file: file.into(),
            longest: 30,
            only: None,
        }
    }

    fn some() -> Vec<Mutant> {
        let mutant = |id: u32| Mutant {
            id,
            file: if id.is_multiple_of(2) {
                "src/adl.rs"
            } else {
                "src/rank.rs"
            }
            .into(),
            line: 1,
            function: String::new(),
            change: String::new(),
        };
        (1..=100).map(mutant).collect()
    }

    #[test]
    fn a_seed_draws_the_same_mutants_again() {
        let all = some();
        let drawn = |seed| draw(&all, &options(10, ""), seed);
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(draw(&all, &options(0, "adl.rs"), 1).len(), 50);
    }

    #[test]
    fn too_few_killed_is_a_failure() {
        let mut fates = vec![Fate::Killed; 89];
        fates.extend([Fate::TimedOut, Fate::Survived]);
        fates.extend([Fate::Unreached; 9]);
        assert_eq!(report(&fates, 90), ExitCode::SUCCESS);
        assert_eq!(report(&fates, 91), ExitCode::FAILURE);
    }
}
