//! The statements that a rehearsal of several markets must prove, each with its figure.

use anyhow::Result;
use ballast_report::figures::grouped_count;
use ballast_report::markets::{MarketsReport, Play, PlaySummary};
use ballast_report::model::Check;

use super::recompute::{recompute, Verdict};

/// Tests a report; its text without the checks is recomputed as an outsider would.
///
/// # Errors
/// A report that cannot be read again.
pub fn run(report: &MarketsReport) -> Result<Vec<Check>> {
    let text = serde_json::to_string(report)?;
    let mut checks = Vec::new();
    for (name, play) in [("cross", &report.cross), ("isolated", &report.isolated)] {
        let verdict = recompute(&text, name)?;
        checks.extend(of(name, play, &verdict));
    }
    Ok(checks)
}

fn of(name: &str, play: &Play, verdict: &Verdict) -> [Check; 6] {
    let summary = &play.summary;
    let check = |statement: &str, passed, figure| Check {
        name: format!("{name}: {statement}"),
        passed,
        figure,
    };
    let over = |round: &ballast_report::market_rounds::MarketRound| {
        round.winners_gave_up_atoms != round.uncovered_deficit_atoms
    };
    let rounds = play.adl.iter().filter(|round| over(round)).count();
    [
        check(
            "every claim has its tokens after every price: free collateral, pools, margins, insurance",
            summary.conservation_error_atoms == 0 && summary.conservation_checks > 0,
            format!(
                "conservation_error_atoms {} over {} looks",
                summary.conservation_error_atoms, summary.conservation_checks
            ),
        ),
        check(
            "in every round winners gave up the uncovered deficit and no more",
            summary.overshoot_atoms == 0 && rounds == 0,
            format!(
                "overshoot_atoms {} over {} rounds",
                summary.overshoot_atoms, summary.adl_rounds
            ),
        ),
        check(
            "every cut in order, nobody skipped: recomputed from report.json in exact fractions",
            verdict.order_faults.is_empty(),
            format!(
                "{} rounds, {} cuts, {} ranked of which {} with an account of legs{}",
                grouped_count(verdict.rounds),
                grouped_count(verdict.cuts),
                grouped_count(verdict.ranked),
                grouped_count(verdict.accounts),
                faults(&verdict.order_faults)
            ),
        ),
        check(
            "every cut's lots and money, every account's equity and lots: recomputed likewise",
            verdict.money_faults.is_empty(),
            format!(
                "{} cuts of which {} of legs, {} shortened{}",
                grouped_count(verdict.cuts),
                summary.leg_cuts,
                summary.shortened_cuts,
                faults(&verdict.money_faults)
            ),
        ),
        check(
            "no bankruptcy is left that a keeper could have closed",
            summary.bankruptcies_left == 0,
            format!("{} left", summary.bankruptcies_left),
        ),
        check(
            "every call of a keeper is accepted, or refused with an error that keepers repair",
            summary.refusals.is_empty(),
            format!("{}{}", refused(summary), faults(&summary.refusals)),
        ),
    ]
}

/// The refusals, by task and error.
fn refused(summary: &PlaySummary) -> String {
    let counts = summary.refused.iter();
    let counts: Vec<String> = counts
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    match counts.is_empty() {
        true => "none refused".to_owned(),
        false => format!("refused: {}", counts.join(", ")),
    }
}

fn faults(all: &[String]) -> String {
    match all.first() {
        Some(first) => format!("; {} faults, first: {first}", all.len()),
        None => String::new(),
    }
}
