//! A rehearsal's `report.json` decided again: a WebAssembly module of its own, loaded by who looks at a report,
//! with the exports and the answers of `ballast-wasm`.
//!
//! The one call is `rehearsal`; its request is the text of the file.

#[path = "../../../view/src/digits.rs"]
mod digits;
#[path = "../../memory.rs"]
pub mod memory;

use anyhow::{bail, Context, Result};
use ballast_explain::report::{examine_text, Verdict};
use ballast_report::model::{Check, PathLine, Round, Scenario};
use ballast_report::trading::StageLine;
use ballast_report::waterfall::{absorbed, stages};
use serde::Serialize;

/// The name of the call.
const CALL: &str = "rehearsal";

/// What is shown of a report.
#[derive(Serialize)]
struct Shown<'a> {
    scenario: &'a Scenario,
    checks: &'a [Check],
    /// What each stage absorbed, from the report's own lines.
    waterfall: Vec<StageLine>,
    /// What the stages had absorbed at each price of the path, worth at the mark in atoms, in the order of
    /// `waterfall`.
    absorbed: Vec<Vec<u64>>,
    path: &'a [PathLine],
    rounds: Vec<RoundLine<'a>>,
    verdict: Verdict,
}

/// A round of deleveraging in a line.
#[derive(Serialize)]
struct RoundLine<'a> {
    round: u64,
    timestamp: i64,
    mark_ticks: u64,
    bankrupt: &'a str,
    closed_lots: u64,
    cuts: usize,
    gave_up_atoms: i64,
}

impl<'a> RoundLine<'a> {
    fn new(round: &'a Round) -> Self {
        Self {
            round: round.round,
            timestamp: round.timestamp,
            mark_ticks: round.mark_ticks,
            bankrupt: &round.bankrupt.trader,
            closed_lots: round.closed_lots,
            cuts: round.cut.len(),
            gave_up_atoms: round.winners_gave_up_atoms,
        }
    }
}

/// The answer to a call: a line of JSON.
#[must_use]
pub fn answer(name: &str, bytes: &[u8]) -> String {
    match shown(name, bytes) {
        Ok(value) => format!("{{\"value\":{value}}}"),
        Err(error) => {
            let texts = [format!("{error:#}"), name.to_owned()];
            let [sentence, name] = texts.map(|text| digits::json(&text).unwrap_or_default());
            format!("{{\"error\":{sentence},\"call\":{name}}}")
        }
    }
}

fn shown(name: &str, bytes: &[u8]) -> Result<String> {
    if name != CALL {
        bail!("there is no call `{name}`; the module has {CALL}: is it of the same release as its caller?");
    }
    let text = std::str::from_utf8(bytes).context("the file is no text")?;
    let (report, verdict) = examine_text(text)?;
    digits::json(&Shown {
        scenario: &report.scenario,
        checks: &report.checks,
        waterfall: stages(&report)?,
        absorbed: absorbed(&report).iter().map(|sums| sums.to_vec()).collect(),
        path: &report.path,
        rounds: report.adl.iter().map(RoundLine::new).collect(),
        verdict,
    })
}
