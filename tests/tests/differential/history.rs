//! Long random histories, compared call by call.

mod book;
mod ending;
mod funds;
mod legs;
mod rounds;

use std::fmt;
use std::time::Instant;

use ballast_state::error::BallastError;

use crate::compare;
use crate::generate::Generator;
use crate::model::{Effect, Model, Session, Verdict};
use crate::operation::{Operation, CALLS, KINDS};
use crate::program::World;
use crate::settings::Settings;

/// Calls of one history.
const LENGTH: u64 = 400;
/// Histories between two lines of progress.
const PROGRESS: u64 = 50;

/// Fewer calls than this need not show what happens once in 2,000.
const RARE: u64 = 40_000;

/// What became of sessions.
#[derive(Default)]
struct Sessions {
    cuts: u64,
    passes: u64,
    /// Executed although positions had changed.
    late: u64,
    /// Positions rose above a complete selection.
    reopened: u64,
    /// Completed before any position changed.
    undisturbed: u64,
}

/// What the histories consisted of.
#[derive(Default)]
pub struct Report {
    histories: u64,
    calls: u64,
    /// Of all, those of histories that are about legs.
    legged: u64,
    accepted: Vec<u64>,
    refused: Vec<u64>,
    errors: std::collections::BTreeMap<u32, u64>,
    cuts: u64,
    passes: u64,
    sessions: Sessions,
    books: book::Books,
    funds: funds::Funds,
    legs: legs::Legs,
    seed: u64,
    seconds: u64,
}

/// Plays histories until the program has been called often enough.
///
/// # Panics
/// At the first difference, with the seed and the step.
pub fn run(settings: &Settings) -> Report {
    let begun = Instant::now();
    let (world, model) = World::new();
    compare::states(&world, &model).expect("the model begins like the program");
    let mut report = Report {
        seed: settings.seed,
        accepted: vec![0; KINDS],
        refused: vec![0; KINDS],
        ..Report::default()
    };
    while report.calls < settings.ops {
        let seed = settings.seed.wrapping_add(report.histories);
        let calls = LENGTH.min(settings.ops - report.calls);
        play(&world, &model, seed, calls, &mut report);
        report.histories += 1;
        if report.histories.is_multiple_of(PROGRESS) {
            let seconds = begun.elapsed().as_secs();
            println!("{} calls agree after {seconds} s", report.calls);
        }
    }
    report.seconds = begun.elapsed().as_secs();
    report
}

fn play(world: &World, model: &Model, seed: u64, calls: u64, report: &mut Report) {
    let (mut world, mut model) = (world.fork(), model.clone());
    let mut generator = Generator::new(seed);
    for market in 0..model.markets.len() {
        let params = generator.risk(&model.markets[market].params);
        world.set_risk(&mut model, market, params);
    }
    generator.begin_funds(&model);
    let (mut step, mut done) = (0_u64, 0);
    while done < calls {
        let operation = generator.next(&model);
        if let Err(difference) = compared(&mut world, &mut model, &operation, report) {
            panic!("BALLAST_SEED={seed} step {step}: {operation:?}\n{difference}");
        }
        step += 1;
        done += u64::from(operation.is_call());
    }
    if generator.is_legged() {
        report.legged += done;
        if let Err(difference) = ending::play(&mut world, &mut model, &mut generator, report) {
            panic!("BALLAST_SEED={seed} at its end: {difference}");
        }
    }
    for cookie in &world.markets {
        for side in [
            ballast_engine::units::Side::Long,
            ballast_engine::units::Side::Short,
        ] {
            let snapshot = world.sandbox.queue(cookie, side);
            let sound = snapshot.queue().expect("a queue").invariant();
            assert_eq!(sound, Ok(()), "BALLAST_SEED={seed}: the tree of {side:?}");
        }
        let snapshot = world.sandbox.book(cookie);
        let sound = snapshot.book().expect("a book").invariant();
        assert_eq!(sound, Ok(()), "BALLAST_SEED={seed}: the book");
    }
}

fn compared(
    world: &mut World,
    model: &mut Model,
    operation: &Operation,
    report: &mut Report,
) -> compare::Agreement {
    let late = match operation {
        Operation::ExecuteSession { session, .. } => {
            model.session(session.market, session.side).disturbed
        }
        _ => false,
    };
    let stood = model.clone();
    let verdict = model.perform(operation);
    let Some(result) = world.perform(operation) else {
        report.accepted[operation.kind()] += 1;
        return Ok(());
    };
    report.calls += 1;
    report.count(operation, &verdict);
    report.sessions.late += u64::from(late && matches!(verdict, Ok(Effect::Round(_))));
    compare::verdicts(&result, &verdict)?;
    if let (Ok(outcome), Ok(Effect::Opened(opened))) = (&result, &verdict) {
        compare::opened(outcome, model, opened)?;
    }
    let before = model.clone();
    compare::sessions(world, model)?;
    report.sessions.count(&before, model);
    if let (Ok(outcome), Ok(Effect::Round(round))) = (&result, &verdict) {
        compare::cuts(world, outcome, round)?;
    }
    if let (Ok(outcome), Ok(Effect::Matched(matched)), Some(market)) =
        (&result, &verdict, book::market_of(operation))
    {
        compare::matched(world, outcome, model, market, matched)?;
        report.books.count(matched);
    }
    report.books.look(model);
    report.legs.count(operation, &verdict, model);
    if let Ok(effect) = &verdict {
        report.funds.count(operation, effect, &stood, model);
    }
    compare::states(world, model)
}

impl Report {
    fn count(&mut self, operation: &Operation, verdict: &Verdict<Effect>) {
        match verdict {
            Ok(effect) => {
                self.accepted[operation.kind()] += 1;
                if *effect == Effect::Passed {
                    self.sessions.passes += 1;
                }
                if let Effect::Round(round) = effect {
                    let cuts = u64::try_from(round.cuts.len()).expect("a short list");
                    if matches!(operation, Operation::ExecuteSession { .. }) {
                        self.sessions.cuts += cuts;
                        return;
                    }
                    self.cuts += cuts;
                    self.passes += u64::from(round.pass_opened);
                }
            }
            Err(refusal) => {
                self.refused[operation.kind()] += 1;
                *self.errors.entry(refusal.0).or_default() += 1;
            }
        }
    }

    /// Fails unless every kind of call was accepted and all that can fail at random was refused.
    pub fn require_variety(&self) {
        let named = Operation::kinds().into_iter().zip(&self.accepted);
        for (place, (name, accepted)) in named.enumerate() {
            let rare = ["reset_pool"].contains(&name);
            assert!(*accepted > 0 || rare, "no {name} was accepted");
            let always = [
                "sweep_insurance",
                "cancel_all_orders",
                "set_delegate",
                "set_reduce_only",
                "stop_pool",
            ];
            let refusable = place < CALLS && !always.contains(&name);
            let refused = self.refused[place] > 0;
            assert!(refused || !refusable, "no {name} was refused");
        }
        assert!(self.cuts > self.accepted[10], "no round cut several");
        assert!(self.passes > 0, "no pass was followed by another");
        self.sessions.require_variety(self.executed(), self.calls);
        if self.calls >= RARE {
            self.books.require_variety();
            self.legs.require_variety(self.calls);
            let others = self.calls - self.legged;
            self.funds.require_variety(others, &self.errors);
        }
        for error in [
            BallastError::AdlSessionExpired,
            BallastError::AdlSessionStale,
            BallastError::AdlSessionIncomplete,
            BallastError::AdlSessionUnderWay,
            BallastError::AdlSessionMismatch,
            BallastError::AdlSessionLive,
            BallastError::AdlNotSelected,
            BallastError::MarketReduceOnly,
            BallastError::NotOwner,
            BallastError::NotTraderAuthority,
            BallastError::DelegateMayNotBlockTrade,
            BallastError::ProtectiveSteps,
            BallastError::ProtectionEnded,
            BallastError::ProtectionNotReached,
        ] {
            let number = u32::from(error);
            assert!(self.errors.contains_key(&number), "never {error:?}");
        }
    }

    /// Sessions that ended with cuts.
    fn executed(&self) -> u64 {
        let kinds = Operation::kinds();
        let place = kinds.iter().position(|name| *name == "execute_adl_session");
        self.accepted[place.expect("a kind")] - self.sessions.passes
    }
}

impl Sessions {
    fn count(&mut self, before: &Model, after: &Model) {
        let all = |model: &Model| -> Vec<Option<Session>> {
            let markets = model.markets.iter();
            markets.flat_map(|market| market.sessions.clone()).collect()
        };
        for (before, after) in all(before).iter().zip(&all(after)) {
            if let (Some(before), Some(after)) = (before, after) {
                let (was, is) = (before.seen.complete, after.seen.complete);
                self.reopened += u64::from(was && !is);
                self.undisturbed += u64::from(!was && is && !after.disturbed);
            }
        }
    }

    fn require_variety(&self, executed: u64, calls: u64) {
        assert!(executed > 0, "no session was executed");
        assert!(self.cuts > executed, "no session cut several");
        assert!(self.late > 0, "no session was executed after changes");
        assert!(self.passes > 0, "no session without members opened a pass");
        let overtaken = self.reopened > 0 || calls < RARE;
        assert!(overtaken, "nobody rose above a complete selection");
        assert!(self.undisturbed > 0, "no session was complete at once");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} calls in {} histories from seed {} agree, in {} s; {} cuts, {} further passes",
            self.calls, self.histories, self.seed, self.seconds, self.cuts, self.passes
        )?;
        writeln!(
            f,
            "sessions: {} executed with {} cuts, {} of them after changes, {} opened a pass, {} completed undisturbed, \
             {} times somebody rose above a complete selection",
            self.executed(),
            self.sessions.cuts,
            self.sessions.late,
            self.sessions.passes,
            self.sessions.undisturbed,
            self.sessions.reopened
        )?;
        write!(f, "{}{}{}", self.books, self.funds, self.legs)?;
        writeln!(f, "{:<20} {:>9} {:>9}", "", "accepted", "refused")?;
        for (place, name) in Operation::kinds().iter().enumerate() {
            let (accepted, refused) = (self.accepted[place], self.refused[place]);
            writeln!(f, "{name:<20} {accepted:>9} {refused:>9}")?;
        }
        for (number, count) in &self.errors {
            let name = match number {
                0 => "(account exists)",
                1 => "(too few tokens)",
                3_007 => "(no such account)",
                number => BallastError::of_number(*number)
                    .map(BallastError::name)
                    .unwrap_or("?"),
            };
            writeln!(f, "{name:<28} {count:>9}")?;
        }
        Ok(())
    }
}
