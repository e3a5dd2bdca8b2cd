//! Plays the rehearsals, and before the crash of each looks three times ahead.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use anyhow::{anyhow, Context, Result};
use ballast_risk::adl::forecast::Source;
use ballast_risk::adl::snapshot::Snapshot;
use ballast_risk::path::PathModel;
use ballast_state::Pubkey;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use super::forecasters::{foresee, Forecaster, Said};
use super::history::History;
use super::ScoreArgs;
use crate::args::RehearseArgs;
use crate::crash::snapshot::snapshot;
use crate::crash::stage::Stage;
use crate::plan::Plan;
use crate::rehearse::play_watched;

/// Looks ahead of each rehearsal, after this part of its prices: none, a fifth, two fifths.
const LOOKS: [u32; 3] = [0, 1, 2];
const OF: u32 = 5;
/// Insurance, basis points of the open interest.
const INSURANCE_BPS: u64 = 5;
/// Largest part of a position that a pass cuts, basis points: small, so that who forgets the cap is far off.
const CAP_BPS: u32 = 1_000;

/// One position at one look.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rehearsal.
    pub seed: u64,
    /// Its light, 0 to 5.
    pub light: u8,
    /// Whether it is a long.
    pub long: bool,
    /// Volatility of the next minute.
    pub volatility: f64,
    /// What each forecaster said, in the order of [`Forecaster`].
    pub said: Vec<Said>,
    /// Whether it was cut.
    pub cut: bool,
    /// Profit that it gave up, part of its notional.
    pub loss: f64,
}

/// A look ahead, before anything has come of it.
struct Look {
    slot: u64,
    snapshot: Snapshot,
    model: PathModel,
    seconds: u32,
}

/// Plays all of them.
pub fn all(args: &ScoreArgs) -> Result<Vec<Case>> {
    let bar = ProgressBar::new(args.rehearsals);
    bar.set_style(ProgressStyle::with_template(
        "{pos}/{len} rehearsals {bar:40} {elapsed}, {eta} left",
    )?);
    let (next, done) = (AtomicU64::new(args.first_seed), Mutex::new(BTreeMap::new()));
    let end = args.first_seed + args.rehearsals;
    let worker = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return Ok(());
            }
            let cases = one(args, seed).with_context(|| format!("rehearsal {seed}"))?;
            let mut done = done.lock().map_err(|_| anyhow!("a rehearsal went wrong"))?;
            done.insert(seed, cases);
            bar.inc(1);
        }
    };
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..args.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            let ended = worker.join();
            ended.map_err(|_| anyhow!("a rehearsal went wrong"))??;
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let done = done.into_inner();
    let done = done.map_err(|_| anyhow!("a rehearsal went wrong"))?;
    Ok(done.into_values().flatten().collect())
}

/// Plays one, and says what came of each position that was looked at.
fn one(args: &ScoreArgs, seed: u64) -> Result<Vec<Case>> {
    let rehearsal = RehearseArgs {
        traders: args.traders,
        seed,
        insurance_bps: Some(INSURANCE_BPS),
        adl_step_bps: CAP_BPS,
        program: args.program.clone(),
        ..RehearseArgs::try_parse_from(["ballast-rehearsal"])?
    };
    let history = History::draw(seed, args.prices)?;
    let plan = Plan::along(&rehearsal, history.path.clone())?;
    let mut looks = Vec::new();
    let watch = |stage: &Stage, played: usize| -> Result<()> {
        let played = u32::try_from(played)?;
        if LOOKS.iter().any(|look| look * args.prices / OF == played) {
            looks.push(look(args, stage, &plan, &history, played)?);
        }
        Ok(())
    };
    let (stage, diary) = play_watched(&rehearsal, &plan, watch)?;
    let people: Vec<Pubkey> = stage.traders.iter().map(|trader| trader.address).collect();
    let mut cases = Vec::new();
    for look in &looks {
        let mut came: BTreeMap<Pubkey, i64> = BTreeMap::new();
        for round in diary.rounds.iter().filter(|round| round.slot > look.slot) {
            for cut in &round.cut {
                *came.entry(cut.trader.parse()?).or_default() += cut.gave_up_atoms;
            }
        }
        cases.extend(judged(args, seed, look, &people, &came)?);
    }
    Ok(cases)
}

fn look(
    args: &ScoreArgs,
    stage: &Stage,
    plan: &Plan,
    history: &History,
    played: u32,
) -> Result<Look> {
    let seconds = (args.prices - played) * 20;
    Ok(Look {
        slot: stage.sandbox.slot(),
        snapshot: snapshot(stage, &plan.market)?,
        model: PathModel::fit(&history.known(usize::try_from(played)?)?)?,
        seconds,
    })
}

fn judged(
    args: &ScoreArgs,
    seed: u64,
    look: &Look,
    people: &[Pubkey],
    came: &BTreeMap<Pubkey, i64>,
) -> Result<Vec<Case>> {
    let source = Source::Drawn(&look.model, seed, look.seconds);
    let foreseen = foresee(&look.snapshot, &source, args.paths, people)?;
    let cases = foreseen.into_iter().map(|(position, said)| {
        let gave_up = came.get(&position.trader);
        Case {
            seed,
            light: position.light,
            long: position.long,
            volatility: look.model.volatility(),
            said,
            cut: gave_up.is_some(),
            loss: gave_up.copied().unwrap_or(0) as f64 / position.notional,
        }
    });
    Ok(cases.collect())
}

/// Every forecaster has said something of every case.
const _: () = assert!(Forecaster::ALL.len() == 4);
