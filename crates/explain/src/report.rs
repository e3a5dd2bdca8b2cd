//! A round as `report.json` records it, decided again by the engine, and the whole report with it.

use std::path::Path;

use anyhow::{bail, Context, Result};
use ballast_client::amount::grouped;
use ballast_report::figures::clock;
use ballast_report::model::{Report, Round};
use ballast_report::policy::Policy;
use serde::Serialize;
use serde_json::Value;

pub use crate::audit::Fault;

use crate::audit::Audit;
use crate::decision::{decide, Decision};
use crate::json::{Decided, Output};
use crate::situation::{Situation, Units};
use crate::words::Voice;
use crate::{from_report, ledger, policies, source};

/// What a report cannot show about its rounds.
const NOT_VERIFIABLE: [&str; 3] = [
    "that the report's accounts are those of a real run: it is held against itself and the rule",
    "when the bankruptcy was flagged, so not whether the grace period was over where insurance paid everything",
    "the compute units of a single round; their sum and maximum are checked",
];

/// Disagreements that are printed as words.
const FAULTS_SHOWN: usize = 40;

/// A round with what the engine makes of it.
struct Explained<'a> {
    round: &'a Round,
    situation: Situation,
    decision: Decision,
}

/// What is asked about a report.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The file.
    pub report: &'a Path,
    /// Number of the round, from 1; the last one by default.
    pub round: Option<u64>,
    /// Only what concerns the counterparty whose account begins so; in words only.
    pub trader: Option<&'a str>,
    /// Whether the answer is JSON instead of words.
    pub json: bool,
}

/// What a report is found to say.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The explanation, to be printed.
    pub text: String,
    /// Whether every figure of the report is what the engine makes of it.
    pub verified: bool,
}

/// Explains a round of a report, and holds the whole report against the engine.
///
/// # Errors
/// A file that cannot be read or used, or has no such round; a trader who is no counterparty of it.
pub fn answer(question: &Question) -> Result<Answer> {
    let report = source::read(question.report)?;
    let round = select(&report, question.round)?;
    let (mut audit, mut decided) = examine(&report)?;
    audit.first(&format!("round {}:", round.round));
    let index = report.adl.iter().position(|one| one.round == round.round);
    let explained = index
        .and_then(|index| decided.get_mut(index))
        .and_then(Option::take);
    Ok(Answer {
        text: text(question, &report, round, explained.as_ref(), &audit)?,
        verified: audit.faults.is_empty(),
    })
}

/// What a whole report is found to say.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Whether every figure of the report is what the engine makes of it.
    pub verified: bool,
    /// Figures compared.
    pub figures: usize,
    /// Those that disagree.
    pub disagreements: Vec<Fault>,
    /// What the file cannot show.
    pub not_verifiable: [&'static str; 3],
}

/// Reads the text of a report and holds all of it against the engine.
///
/// # Errors
/// A text that is no report of this release, with field and remedy.
pub fn examine_text(text: &str) -> Result<(Report, Verdict)> {
    let report = source::parse(text)?;
    let (audit, _) = examine(&report)?;
    let verdict = Verdict {
        verified: audit.faults.is_empty(),
        figures: audit.figures,
        disagreements: audit.faults,
        not_verifiable: NOT_VERIFIABLE,
    };
    Ok((report, verdict))
}

/// Decides every round again and compares everything recorded.
fn examine(report: &Report) -> Result<(Audit, Vec<Option<Explained<'_>>>)> {
    let mut audit = Audit::default();
    let mut explained = Vec::with_capacity(report.adl.len());
    for round in &report.adl {
        explained.push(examine_round(round, &mut audit));
    }
    let decisions: Vec<Option<&Decision>> = explained
        .iter()
        .map(|one| one.as_ref().map(|one| &one.decision))
        .collect();
    ledger::follow(report, &decisions, &mut audit);
    simulated(report, &mut audit)?;
    Ok((audit, explained))
}

/// The comparison of rules follows from the rounds.
fn simulated(report: &Report, audit: &mut Audit) -> Result<()> {
    let chosen: Vec<Policy> = report.policies.iter().map(|line| line.policy).collect();
    let lines = match policies::compare(&report.adl, &chosen) {
        Ok(lines) => lines,
        Err(error) => {
            audit.fail("policies", "simulated", error);
            return Ok(());
        }
    };
    audit.equal("policies, how many", report.policies.len(), lines.len());
    for (recorded, found) in report.policies.iter().zip(&lines) {
        let name = recorded.policy.name();
        let (recorded, found) = (
            serde_json::to_value(recorded)?,
            serde_json::to_value(found)?,
        );
        for (field, recorded) in recorded.as_object().into_iter().flatten() {
            let found = &found[field];
            audit.holds(recorded == found, || Fault {
                field: format!("policies, {name}: {field}"),
                recorded: shortened(recorded),
                recomputed: shortened(found),
            });
        }
    }
    Ok(())
}

/// A value as one reads it; of a list only the length.
fn shortened(value: &Value) -> String {
    match value.as_array() {
        Some(list) => format!("a list of {}", list.len()),
        None => value.to_string(),
    }
}

fn examine_round<'a>(round: &'a Round, audit: &mut Audit) -> Option<Explained<'a>> {
    let whole = format!("round {}", round.round);
    let situation = match from_report::situation(round) {
        Ok(situation) => situation,
        Err((field, error)) => {
            audit.fail(
                format!("{whole}: {field}"),
                "out of range",
                error.to_string(),
            );
            return None;
        }
    };
    match decide(&situation) {
        Ok(decision) => {
            from_report::compare(round, &decision, audit);
            Some(Explained {
                round,
                situation,
                decision,
            })
        }
        Err(refusal) => {
            audit.fail(format!("{whole}: as a whole"), "accepted", refusal);
            None
        }
    }
}

fn select(report: &Report, number: Option<u64>) -> Result<&Round> {
    let rounds = report.adl.len();
    let last = report.adl.last().context(
        "the report has no auto-deleveraging round: keepers and insurance absorbed the crash",
    )?;
    let Some(number) = number else {
        return Ok(last);
    };
    let found = report.adl.iter().find(|round| round.round == number);
    found
        .with_context(|| format!("there is no round {number}; the report has rounds 1 to {rounds}"))
}

fn text(
    question: &Question,
    report: &Report,
    round: &Round,
    explained: Option<&Explained>,
    audit: &Audit,
) -> Result<String> {
    if question.json {
        let decided = explained.map(|one| Decided::new(&one.situation, &one.decision));
        let (number, rounds) = (round.round, report.adl.len());
        let output = Output::new(number, rounds, decided, audit, &NOT_VERIFIABLE);
        return Ok(serde_json::to_string(&output)?);
    }
    let body = match (explained, question.trader) {
        (None, _) => "The engine does not accept this round as it is recorded.".to_owned(),
        (Some(one), None) => one.voice(&units(report)).explain(),
        (Some(one), Some(trader)) => one.about(report, trader)?,
    };
    Ok(format!(
        "Auto-deleveraging round {} of {}, {}, {} UTC, slot {}\n\n{body}\n\n{}",
        round.round,
        report.adl.len(),
        report.scenario.market,
        clock(round.timestamp),
        grouped(round.slot),
        verdict(report, audit)
    ))
}

fn units(report: &Report) -> Units {
    Units {
        tick_nano: report.scenario.tick_nano,
        atoms_per_lot_tick: report.scenario.atoms_per_lot_tick,
        lot_nano: report.scenario.lot_nano,
    }
}

impl Explained<'_> {
    fn voice<'a>(&'a self, units: &'a Units) -> Voice<'a> {
        Voice {
            situation: &self.situation,
            decision: &self.decision,
            units,
        }
    }

    /// What the round did to the counterparty whose account begins with `trader`.
    fn about(&self, report: &Report, trader: &str) -> Result<String> {
        let places = self.decision.ranking.iter();
        let found: Vec<_> = places
            .filter(|place| place.trader.starts_with(trader))
            .collect();
        match found.as_slice() {
            [place] => Ok(self.voice(&units(report)).explain_trader(place)),
            [] => bail!(
                "no counterparty of round {} begins with {trader}; {}",
                self.round.round,
                elsewhere(report, trader)
            ),
            several => bail!(
                "{} counterparties of round {} begin with {trader}; name more of it",
                several.len(),
                self.round.round
            ),
        }
    }
}

/// In which rounds a trader was cut.
fn elsewhere(report: &Report, trader: &str) -> String {
    let cut_in = report.adl.iter().filter(|round| {
        let mut cuts = round.cut.iter();
        cuts.any(|cut| cut.trader.starts_with(trader))
    });
    let rounds: Vec<String> = cut_in.map(|round| round.round.to_string()).collect();
    if rounds.is_empty() {
        "no round cut it".to_owned()
    } else {
        format!("it was cut in rounds {}", rounds.join(", "))
    }
}

fn verdict(report: &Report, audit: &Audit) -> String {
    let mut text = String::from("Verdict\n");
    if audit.faults.is_empty() {
        text.push_str(&format!(
            "  All {} rounds of the report were decided again by the engine: {} figures compared, all agree.\n",
            report.adl.len(),
            grouped(u64::try_from(audit.figures).unwrap_or(u64::MAX))
        ));
    } else {
        text.push_str(&format!(
            "  {} of {} figures DISAGREE:\n",
            audit.faults.len(),
            audit.figures
        ));
        for fault in audit.faults.iter().take(FAULTS_SHOWN) {
            text.push_str(&format!(
                "    {}: recorded {}, recomputed {}\n",
                fault.field, fault.recorded, fault.recomputed
            ));
        }
        let more = audit.faults.len().saturating_sub(FAULTS_SHOWN);
        if more > 0 {
            text.push_str(&format!("    and {more} more, which --json lists\n"));
        }
    }
    text.push_str("  Not verifiable from this file:");
    for what in NOT_VERIFIABLE {
        text.push_str(&format!("\n    - {what}"));
    }
    text
}

#[cfg(test)]
mod tests;
