//! Lists of hostile keepers: the program accepts exactly those that the model accepts.

mod keeper;
mod members;
mod stage;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use ballast_state::error::BallastError;

use crate::compare;
use crate::model::{Effect, Verdict};
use crate::operation::Operation;
use crate::pick::Pick;
use crate::program::World;
use crate::settings::Settings;

use keeper::{Keeper, Kind, KINDS};
use stage::Stage;

/// Lists sent to one stage.
const LISTS: u64 = 260;
/// Stages between two lines of progress.
const PROGRESS: u64 = 20;
/// One list of so many is executed and every balance compared; the others are simulated.
const EXECUTED: u64 = 16;

/// What was sent and what became of it.
#[derive(Default)]
pub struct Report {
    lists: u64,
    stages: u64,
    seed: u64,
    seconds: u64,
    accepted: [u64; KINDS.len()],
    refused: [u64; KINDS.len()],
    errors: BTreeMap<u32, u64>,
    cuts: u64,
}

/// Sends lists until there have been enough.
///
/// # Panics
/// At the first difference, with the seed and the number of the list.
pub fn run(settings: &Settings) -> Report {
    let begun = Instant::now();
    let (mut world, mut model) = World::new();
    stage::fund(&mut world, &mut model);
    let mut report = Report {
        seed: settings.seed,
        ..Report::default()
    };
    while report.lists < settings.lists {
        let seed = settings.seed.wrapping_add(report.stages);
        let mut pick = Pick::new(seed);
        let stage = Stage::new(&world, &model, &mut pick);
        for list in 0..LISTS.min(settings.lists - report.lists) {
            let place = usize::try_from(list).expect("few lists") % KINDS.len();
            if let Err(difference) = send(&stage, &mut pick, place, &mut report) {
                let kind = KINDS[place];
                panic!("BALLAST_SEED={seed} list {list} ({kind:?}): {difference}");
            }
        }
        report.stages += 1;
        if report.stages.is_multiple_of(PROGRESS) {
            let seconds = begun.elapsed().as_secs();
            println!("{} lists agree after {seconds} s", report.lists);
        }
    }
    report.seconds = begun.elapsed().as_secs();
    report
}

fn send(stage: &Stage, pick: &mut Pick, place: usize, report: &mut Report) -> compare::Agreement {
    let kind = KINDS[place];
    let (call, since) = Keeper::new(stage, pick).call(kind);
    let operation = Operation::Deleverage(call);
    report.lists += 1;
    let executed = report.lists.is_multiple_of(EXECUTED);
    let changed = (since.is_some() || executed).then(|| stage.fork());
    let Some(mut stage) = changed else {
        let verdict = stage.model.clone().perform(&operation);
        report.count(place, &verdict);
        let result = stage.world.simulate(&operation);
        return agreed(stage, &operation, &result, &verdict);
    };
    if let Some(since) = since {
        stage.perform(&since);
    }
    let verdict = stage.model.perform(&operation);
    report.count(place, &verdict);
    let result = stage.world.perform(&operation).expect("a call");
    agreed(&stage, &operation, &result, &verdict)?;
    compare::states(&stage.world, &stage.model)
}

fn agreed(
    stage: &Stage,
    operation: &Operation,
    result: &ballast_sandbox::TxResult,
    verdict: &Verdict<Effect>,
) -> compare::Agreement {
    let with_call = |difference| format!("{operation:?}\n{difference}");
    compare::verdicts(result, verdict).map_err(with_call)?;
    if let (Ok(outcome), Ok(Effect::Round(round))) = (result, verdict) {
        compare::cuts(&stage.world, outcome, round).map_err(with_call)?;
    }
    Ok(())
}

impl Report {
    fn count(&mut self, place: usize, verdict: &Verdict<Effect>) {
        match verdict {
            Ok(effect) => {
                self.accepted[place] += 1;
                if let Effect::Round(round) = effect {
                    self.cuts += u64::try_from(round.cuts.len()).expect("a short list");
                }
            }
            Err(refusal) => {
                self.refused[place] += 1;
                *self.errors.entry(refusal.0).or_default() += 1;
            }
        }
    }

    /// Fails unless every kind and every reason occurred.
    pub fn require_variety(&self) {
        let of = |kind: Kind| KINDS.iter().position(|one| *one == kind).expect("a kind");
        for (place, kind) in KINDS.iter().enumerate() {
            let sent = self.accepted[place] + self.refused[place];
            assert!(sent > 0, "no list of kind {kind:?}");
        }
        for kind in [
            Kind::Honest,
            Kind::Spares,
            Kind::SkipNearTie,
            Kind::ShrunkSince,
            Kind::LeftSince,
            Kind::OtherMarket,
            Kind::Unavailable,
        ] {
            assert!(self.accepted[of(kind)] > 0, "no {kind:?} list was accepted");
        }
        for error in [
            BallastError::AdlSkippedCounterparty,
            BallastError::AdlListOutOfOrder,
            BallastError::AdlDuplicateCounterparty,
            BallastError::AdlBankruptInList,
            BallastError::AdlForeignAccount,
            BallastError::AdlListTooLong,
            BallastError::AdlNothingCut,
        ] {
            let number = u32::from(error);
            let name = BallastError::of_number(number).map(BallastError::name);
            assert!(self.errors.contains_key(&number), "no list met {name:?}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} lists on {} stages from seed {} agree, in {} s; {} cuts",
            self.lists, self.stages, self.seed, self.seconds, self.cuts
        )?;
        writeln!(f, "{:<18} {:>9} {:>9}", "", "accepted", "refused")?;
        for (place, kind) in KINDS.iter().enumerate() {
            let (accepted, refused) = (self.accepted[place], self.refused[place]);
            let name = format!("{kind:?}");
            writeln!(f, "{name:<18} {accepted:>9} {refused:>9}")?;
        }
        for (number, count) in &self.errors {
            let name = BallastError::of_number(*number)
                .map(BallastError::name)
                .unwrap_or("?");
            writeln!(f, "{name:<28} {count:>9}")?;
        }
        Ok(())
    }
}
