//! Plays the crashes of the table, several at a time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use anyhow::{anyhow, Context, Result};
use ballast_report::trading::Stage;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::days::Day;
use super::CapitalArgs;
use crate::args::RehearseArgs;
use crate::crash::assemble;
use crate::plan::Plan;
use crate::rehearse::play_all;
use crate::report::checks;

/// One crash: what it was played with and what came of it. Amounts are atoms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The day.
    pub day: String,
    /// Seed of the population.
    pub seed: u64,
    /// Insurance, basis points of the open interest.
    pub insurance_bps: u64,
    /// Pool, basis points of the open interest.
    pub pool_bps: u64,
    /// Open interest when the path begins, lots.
    pub open_interest_lots: u64,
    /// Its worth at the first price.
    pub open_interest_atoms: u64,
    /// Lots that were deleveraged.
    pub deleveraged_lots: u64,
    /// Lots that were liquidated or deleveraged.
    pub closed_lots: u64,
    /// Lots that the pool took.
    pub pool_lots: u64,
    /// Lots that it closed again.
    pub unwound_lots: u64,
    /// What winners gave up: the deficits that nobody covered.
    pub deficit_atoms: i64,
    /// What insurance paid, premiums included.
    pub insurance_paid_atoms: i64,
    /// What was deposited into the pool.
    pub pool_deposit_atoms: u64,
    /// What it gained; a loss when negative.
    pub pool_result_atoms: i64,
    /// Largest fall of its worth, millionths.
    pub pool_drawdown_ppm: u64,
    /// Checks that failed.
    pub faults: Vec<String>,
}

impl Run {
    /// What tells it from others.
    pub fn key(&self) -> String {
        let Self {
            day,
            seed,
            insurance_bps,
            pool_bps,
            ..
        } = self;
        format!("{day} seed {seed} insurance {insurance_bps} pool {pool_bps}")
    }
}

/// All crashes of the table, in its order.
pub fn play(args: &CapitalArgs, days: &[Day]) -> Result<Vec<Run>> {
    let mut wanted = Vec::new();
    for seed in 1..=args.seeds {
        for day in days {
            for insurance_bps in &args.insurance {
                for pool_bps in &args.pools {
                    let run = Run {
                        day: day.name.clone(),
                        seed,
                        insurance_bps: *insurance_bps,
                        pool_bps: *pool_bps,
                        ..Run::default()
                    };
                    wanted.push((day, run));
                }
            }
        }
    }
    let known: BTreeMap<String, Run> = read(&args.out)?
        .into_iter()
        .map(|run| (run.key(), run))
        .collect();
    let bar = ProgressBar::new(u64::try_from(wanted.len())?);
    bar.set_style(ProgressStyle::with_template(
        "{pos}/{len} crashes {bar:40} {elapsed}, {eta} left: {msg}",
    )?);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(known));
    let worker = || -> Result<()> {
        while let Some((day, run)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let key = run.key();
            let is_known = lock(&done)?.contains_key(&key);
            if !is_known {
                bar.set_message(key.clone());
                let played = one(args, day, run).with_context(|| key.clone())?;
                let mut done = lock(&done)?;
                done.insert(key, played);
                write(&args.out, done.values())?;
            }
            bar.inc(1);
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..args.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a crash went wrong"))??;
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let mut done = done
        .into_inner()
        .map_err(|_| anyhow!("a crash went wrong"))?;
    let runs = wanted.iter().filter_map(|(_, run)| done.remove(&run.key()));
    Ok(runs.collect())
}

fn lock<T>(mutex: &Mutex<T>) -> Result<std::sync::MutexGuard<'_, T>> {
    mutex.lock().map_err(|_| anyhow!("a crash went wrong"))
}

/// Plays one crash.
fn one(args: &CapitalArgs, day: &Day, run: &Run) -> Result<Run> {
    let defaults = RehearseArgs::try_parse_from(["ballast-rehearsal"])?;
    let rehearsal = RehearseArgs {
        traders: args.traders,
        seed: run.seed,
        insurance_bps: Some(run.insurance_bps),
        pool: run.pool_bps,
        pool_cap_bps: args.pool_cap_bps.unwrap_or(defaults.pool_cap_bps),
        discount_full_ratio_bps: args
            .discount_full_ratio_bps
            .unwrap_or(defaults.discount_full_ratio_bps),
        program: args.program.clone(),
        ..defaults
    };
    let plan = Plan::along(&rehearsal, day.path(run.seed))?;
    let mut report = assemble::scenario(&rehearsal, &plan)?;
    let (_, diary) = play_all(&rehearsal, &plan, &mut report, &ProgressBar::hidden())?;
    let stage = |stage| {
        report
            .waterfall
            .iter()
            .find(move |line| line.stage == stage)
    };
    let lots = |name| stage(name).map_or(0, |line| line.lots);
    let mut faults: Vec<String> = checks::money(&report)?
        .into_iter()
        .filter(|check| !check.passed)
        .map(|check| format!("{}: {}", check.name, check.figure))
        .collect();
    faults.extend(diary.refusals);
    let scenario = &report.scenario;
    let worth = scenario.first_price_ticks * scenario.atoms_per_lot_tick;
    Ok(Run {
        open_interest_lots: scenario.open_interest_lots,
        open_interest_atoms: scenario.open_interest_lots * worth,
        deleveraged_lots: lots(Stage::Deleveraging),
        closed_lots: report.waterfall.iter().map(|line| line.lots).sum(),
        pool_lots: lots(Stage::Pool),
        unwound_lots: report.summary.pool.unwound_lots,
        deficit_atoms: report.summary.winners_gave_up_atoms,
        insurance_paid_atoms: stage(Stage::Insurance).map_or(0, |line| -line.gained_atoms),
        pool_deposit_atoms: scenario.pool_deposit_atoms,
        pool_result_atoms: report.summary.pool.result_atoms,
        pool_drawdown_ppm: report.summary.pool.worst_drawdown_ppm,
        faults,
        ..run.clone()
    })
}

fn read(file: &PathBuf) -> Result<Vec<Run>> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} has other figures; remove it or name another with --out",
            file.display()
        )
    })
}

fn write<'a>(file: &Path, runs: impl Iterator<Item = &'a Run>) -> Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let text = serde_json::to_string_pretty(&runs.collect::<Vec<_>>())?;
    fs::write(file, text).with_context(|| file.display().to_string())
}
