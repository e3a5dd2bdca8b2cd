//! The statements a rehearsal must prove, each with its figure.

use std::collections::BTreeSet;

use anyhow::Result;
use ballast_client::amount::grouped;
use ballast_explain::policies;
use ballast_report::figures::{grouped_count, percent_of_ppm};
use ballast_report::model::{Check, LiquidationLine, Report};
use ballast_report::pool;
use ballast_report::waterfall;

use super::recompute::{recompute, Verdict};

/// Compute units `liquidate` may take.
pub const LIQUIDATE_LIMIT: u64 = 60_000;
/// Compute units that a call which meets one order of the book may take.
pub const FIRST_MAKER_LIMIT: u64 = 60_000;
/// Compute units for each further order.
pub const MAKER_LIMIT: u64 = 25_000;
/// Compute units a round of at most [`ROUND_SIZE`] counterparties may take.
pub const ROUND_LIMIT: u64 = 150_000;
/// Counterparties of a round that is held to [`ROUND_LIMIT`].
pub const ROUND_SIZE: usize = 5;

/// Ways of cheating that are tried in any case.
const LEAST_CASES: usize = 8;

/// Tests a report; its text without the checks is recomputed as an outsider would.
pub fn run(report: &Report) -> Result<Vec<Check>> {
    let verdict = recompute(&serde_json::to_string(report)?)?;
    let mut checks = vec![
        overshoot(report),
        conservation(report),
        order(&verdict),
        sizes(&verdict),
        replay(report)?,
    ];
    checks.extend(dishonest(report));
    checks.push(bankruptcies(report));
    checks.extend(broken_off(report));
    checks.extend(pool(report)?);
    if report.scenario.market_makers > 0 {
        checks.extend(book(report));
    }
    checks.extend(compute_units(report));
    Ok(checks)
}

/// The checks of money and of what is left open, which need no other play.
///
/// # Errors
/// Sums that do not fit.
pub fn money(report: &Report) -> Result<Vec<Check>> {
    let mut checks = vec![
        overshoot(report),
        conservation(report),
        bankruptcies(report),
    ];
    checks.extend(broken_off(report));
    checks.extend(pool(report)?);
    Ok(checks)
}

fn check(name: &str, passed: bool, figure: String) -> Check {
    Check {
        name: name.to_owned(),
        passed,
        figure,
    }
}

fn overshoot(report: &Report) -> Check {
    let within = |round: &ballast_report::model::Round| {
        let over = round.winners_gave_up_atoms - round.uncovered_deficit_atoms;
        over.unsigned_abs() <= u64::try_from(round.cut.len()).unwrap_or(0)
    };
    check(
        "winners gave up the uncovered deficit and no more, at most one atom a cut",
        report.adl.iter().all(within),
        format!(
            "overshoot_atoms {} over {} cuts",
            report.summary.overshoot_atoms, report.summary.adl_cuts
        ),
    )
}

fn conservation(report: &Report) -> Check {
    let error = report.summary.conservation_error_atoms;
    check(
        "ledgers equal the tokens in the vaults after every price",
        error == 0,
        format!(
            "conservation_error_atoms {error} over {} prices",
            report.path.len()
        ),
    )
}

fn faults(all: &[String]) -> String {
    match all.first() {
        Some(first) => format!("; {} faults, first: {first}", all.len()),
        None => String::new(),
    }
}

fn order(verdict: &Verdict) -> Check {
    check(
        "every cut in order, nobody skipped: recomputed from report.json in exact fractions",
        verdict.order_faults.is_empty(),
        format!(
            "{} rounds, {} cuts, {} positions ranked{}",
            verdict.rounds,
            verdict.cuts,
            verdict.ranked,
            faults(&verdict.order_faults)
        ),
    )
}

fn sizes(verdict: &Verdict) -> Check {
    check(
        "sizes, close prices and profits to the atom: recomputed from report.json",
        verdict.money_faults.is_empty(),
        format!("{} rounds{}", verdict.rounds, faults(&verdict.money_faults)),
    )
}

fn replay(report: &Report) -> Result<Check> {
    let departures = policies::departures(&report.adl)?;
    Ok(check(
        "the simulation of the program's own rule gives every recorded cut",
        departures.is_empty(),
        format!("{} rounds{}", report.adl.len(), faults(&departures)),
    ))
}

fn dishonest(report: &Report) -> Vec<Check> {
    let cases = &report.dishonest_keepers.cases;
    let refused = cases.iter().filter(|case| case.passed()).count();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.error.as_str()).collect();
    vec![
        check(
            "all dishonest calls refused, each by an error of its own, changing nothing",
            refused == cases.len()
                && names.len() == cases.len()
                && cases.len() + report.dishonest_keepers.left_out.len() >= LEAST_CASES,
            format!(
                "{refused} of {} refused as expected, {} different errors",
                cases.len(),
                names.len()
            ),
        ),
        check(
            "the honest list passes in the same state",
            report.dishonest_keepers.honest_call_accepted,
            if report.dishonest_keepers.honest_call_accepted {
                "accepted"
            } else {
                "refused"
            }
            .to_owned(),
        ),
    ]
}

/// That the path was played to its end, or as far as prices can be played.
fn broken_off(report: &Report) -> Option<Check> {
    let unplayed = report.unplayed.as_ref()?;
    Some(check(
        "every price that a market can have was played",
        unplayed.by_design,
        unplayed.reason.clone(),
    ))
}

fn bankruptcies(report: &Report) -> Check {
    let summary = &report.summary;
    check(
        "no bankrupt position beyond insurance is left open",
        summary.bankruptcies_left == 0,
        format!(
            "{} left of {}; {} more wait for a keeper or a usable price",
            summary.bankruptcies_left, summary.bankruptcies, summary.bankruptcies_waiting
        ),
    )
}

/// What the pool is worth at every price, and that it never held more than it may.
fn pool(report: &Report) -> Result<Vec<Check>> {
    let scenario = &report.scenario;
    if scenario.pool_account.is_empty() {
        return Ok(Vec::new());
    }
    let departures = pool::departures(report)?;
    let own = &scenario.pool_account;
    let lines = report.liquidations.iter();
    let deficit = lines.filter(|line| line.trader == *own && line.equity_atoms < 0);
    let rounds = report
        .adl
        .iter()
        .filter(|round| round.bankrupt.trader == *own);
    Ok(vec![
        check(
            "the pool is worth what its deposit and its lines come to, at every price",
            departures.is_empty(),
            format!("{} prices{}", report.path.len(), faults(&departures)),
        ),
        check(
            "the pool itself was never bankrupt",
            deficit.count() + rounds.count() == 0,
            format!(
                "most lots held {}, deepest fall {}",
                grouped(report.summary.pool.most_lots),
                percent_of_ppm(report.summary.pool.worst_drawdown_ppm)
            ),
        ),
    ])
}

/// The book in every state that was looked at, and what liquidations did with it.
fn book(report: &Report) -> Vec<Check> {
    let summary = &report.summary.book;
    let passed_over = waterfall::passed_over(report).len();
    let met = |line: &&LiquidationLine| !line.fills.is_empty();
    let liquidations = report.liquidations.iter().filter(met).count();
    vec![
        check(
            "deleveraging comes last: no order waits that would close lots at the bankruptcy price",
            summary.rounds_before_book == 0,
            format!(
                "{} of {} rounds",
                grouped(summary.rounds_before_book),
                grouped_count(report.adl.len())
            ),
        ),
        check(
            "the book is never crossed, in order, with every chain and sum whole",
            summary.broken_states == 0 && summary.states_checked > 0,
            format!(
                "{} of {} states broken",
                grouped(summary.broken_states),
                grouped(summary.states_checked)
            ),
        ),
        check(
            "what traders have reserved is what their orders reserve",
            summary.margin_error_atoms == 0,
            format!("margin_error_atoms {}", summary.margin_error_atoms),
        ),
        check(
            "no liquidation passed over a better order",
            passed_over == 0,
            format!(
                "{passed_over} of {} liquidations, {} of which met the book",
                grouped_count(report.liquidations.len()),
                grouped_count(liquidations)
            ),
        ),
    ]
}

fn compute_units(report: &Report) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(units) = report.summary.compute_units.get("liquidate") {
        checks.push(check(
            "compute units of liquidate",
            units.max <= LIQUIDATE_LIMIT,
            format!(
                "at most {} of {}",
                grouped(units.max),
                grouped(LIQUIDATE_LIMIT)
            ),
        ));
    }
    let matches = report
        .liquidations
        .iter()
        .map(|line| (line.compute_units, line.fills.len() + line.removed.len()))
        .chain(
            report
                .trades
                .iter()
                .map(|line| (line.compute_units, line.fills.len() + line.removed.len())),
        );
    let above = |(units, makers): (u64, usize)| {
        let more = u64::try_from(makers).ok()?.checked_sub(1)?;
        Some(units.saturating_sub(MAKER_LIMIT * more))
    };
    if let Some(most) = matches.filter_map(above).max() {
        checks.push(check(
            "compute units of calls that meet the book, less 25,000 for each order after the first",
            most <= FIRST_MAKER_LIMIT,
            format!(
                "at most {} of {}",
                grouped(most),
                grouped(FIRST_MAKER_LIMIT)
            ),
        ));
    }
    let small = report
        .adl
        .iter()
        .filter(|round| round.listed.len() <= ROUND_SIZE)
        .map(|round| round.compute_units)
        .max();
    if let Some(most) = small {
        checks.push(check(
            "compute units of auto_deleverage with at most 5 counterparties",
            most <= ROUND_LIMIT,
            format!("at most {} of {}", grouped(most), grouped(ROUND_LIMIT)),
        ));
    }
    checks
}
