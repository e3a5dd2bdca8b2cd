//! `ballast explain-adl`: why a round of auto-deleveraging cut whom it cut.
//!
//! Every figure is the engine's own; what the report says is only held against it.

mod audit;
mod decision;
mod from_report;
mod ledger;
mod situation;
mod source;
mod words;

use anyhow::{bail, Context, Result};

use crate::args::ExplainArgs;
use crate::report::model::{Report, Round};
use crate::report::money::{clock, grouped};
use audit::Audit;
use decision::{decide, Decision};
use situation::{Situation, Units};

/// What a report cannot show about its rounds.
const NOT_VERIFIABLE: [&str; 3] = [
    "that the report's accounts are those of a real run: it is held against itself and the rule",
    "when the bankruptcy was flagged, so not whether the grace period was over where insurance paid everything",
    "the compute units of a single round; their sum and maximum are checked",
];

/// A round with what the engine makes of it.
struct Explained<'a> {
    round: &'a Round,
    situation: Situation,
    decision: Decision,
}

/// Runs `ballast explain-adl`. `false` when a figure disagrees.
pub fn run(args: &ExplainArgs) -> Result<bool> {
    let report = source::read(&args.report)?;
    let round = select(&report, args.round)?;
    let (audit, mut decided) = examine(&report);
    let index = report.adl.iter().position(|one| one.round == round.round);
    let explained = index
        .and_then(|index| decided.get_mut(index))
        .and_then(Option::take);
    print(args, &report, round, explained.as_ref(), &audit)?;
    Ok(audit.faults.is_empty())
}

/// Decides every round again and compares everything recorded.
fn examine(report: &Report) -> (Audit, Vec<Option<Explained<'_>>>) {
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
    (audit, explained)
}

fn examine_round<'a>(round: &'a Round, audit: &mut Audit) -> Option<Explained<'a>> {
    let whole = format!("round {}", round.round);
    let situation = match from_report::situation(round) {
        Ok(situation) => situation,
        Err((field, error)) => {
            audit.fail(
                format!("{whole}: {field}"),
                "out of range",
                format!("{error:?}"),
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
            audit.fail(whole, "accepted by the program", refusal);
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

fn print(
    args: &ExplainArgs,
    report: &Report,
    round: &Round,
    explained: Option<&Explained>,
    audit: &Audit,
) -> Result<()> {
    let units = Units {
        market: report.scenario.market.clone(),
        tick_nano: report.scenario.tick_nano,
        atoms_per_lot_tick: report.scenario.atoms_per_lot_tick,
    };
    println!(
        "Auto-deleveraging round {} of {} in {}, {} UTC, slot {}\n",
        round.round,
        report.adl.len(),
        units.market,
        clock(round.timestamp),
        grouped(round.slot)
    );
    match (explained, &args.trader) {
        (Some(one), None) => println!(
            "{}\n",
            words::explain(&one.situation, &one.decision, &units)
        ),
        (Some(one), Some(trader)) => println!("{}\n", about(one, trader, &units)?),
        (None, _) => println!("The engine does not accept this round as recorded.\n"),
    }
    print!("{}", verdict(report, audit));
    Ok(())
}

fn about(one: &Explained, trader: &str, units: &Units) -> Result<String> {
    let places = one.decision.ranking.iter();
    let found: Vec<_> = places
        .filter(|place| place.trader.starts_with(trader))
        .collect();
    match found.as_slice() {
        [place] => Ok(words::explain_trader(&one.situation, &one.decision, units, place)),
        [] => bail!(
            "no counterparty of round {} is called {trader}; the queue names them in full in the report",
            one.round.round
        ),
        several => bail!("{} counterparties begin with {trader}; name more of it", several.len()),
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
        for fault in &audit.faults {
            text.push_str(&format!(
                "    {}: recorded {}, recomputed {}\n",
                fault.field, fault.recorded, fault.recomputed
            ));
        }
    }
    text.push_str("  Not verifiable from this file:\n");
    for what in NOT_VERIFIABLE {
        text.push_str(&format!("    - {what}\n"));
    }
    text
}
