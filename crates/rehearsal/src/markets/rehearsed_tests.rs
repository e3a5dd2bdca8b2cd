//! A small crash of three markets on the built program.

use std::sync::LazyLock;

use ballast_sandbox::world::default_program_path;
use clap::Parser;
use serde_json::Value;

use super::*;
use crate::markets::recompute::recompute;

/// Falls so fast that keepers and insurance do not keep up.
const FALL: [i64; 12] = [0, 0, -25, -25, -30, -30, -30, -25, -20, -15, 10, 10];

fn args(more: &[&str]) -> RehearseArgs {
    let common = [
        "ballast-rehearsal",
        "--markets",
        "3",
        "--traders",
        "20",
        "--insurance",
        "500",
    ];
    RehearseArgs {
        program: default_program_path(),
        ..RehearseArgs::try_parse_from(common.iter().chain(more)).expect("options")
    }
}

/// The plan of a rehearsal along [`FALL`].
fn plan(args: &RehearseArgs) -> MarketsPlan {
    let choice = MarketsChoice::of(args).expect("options");
    let mut plan = MarketsPlan::of(args, choice.expect("markets")).expect("a plan");
    plan.paths.times.truncate(FALL.len());
    for market in &mut plan.paths.markets {
        let mut price = market.nano[0];
        market.nano = FALL
            .iter()
            .map(|moved| {
                price += price * moved / 1_000;
                price
            })
            .collect();
    }
    plan
}

fn rehearsed(more: &[&str]) -> MarketsReport {
    let args = args(more);
    let plan = plan(&args);
    let mut report = described(&args, &plan).expect("a scenario");
    let bar = ProgressBar::hidden();
    report.cross = played(&args, &plan, true, &bar).expect("a play");
    report.isolated = played(&args, &plan, false, &bar).expect("a play");
    report.checks = checks::run(&report).expect("checks");
    report
}

/// Without a book, which would take most of it.
static REPORT: LazyLock<MarketsReport> = LazyLock::new(|| rehearsed(&["--market-makers", "0"]));

#[test]
fn legs_are_deleveraged_in_several_markets_and_every_check_holds() {
    let report = &*REPORT;
    for check in &report.checks {
        assert!(check.passed, "{}: {}", check.name, check.figure);
    }
    assert_eq!(report.checks.len(), 12);
    for play in [&report.cross, &report.isolated] {
        let markets = play.markets.iter();
        assert!(markets.filter(|sums| sums.adl_rounds > 0).count() >= 2);
        assert_eq!(play.summary.conservation_error_atoms, 0);
        assert_eq!(play.summary.overshoot_atoms, 0);
        assert!(!play.liquidations.is_empty());
    }
    let cross = &report.cross;
    let legs = cross
        .adl
        .iter()
        .filter(|round| round.bankrupt_account.is_some());
    assert!(legs.count() > 0 && cross.summary.leg_cuts > 0);
    assert!(cross.liquidations.iter().any(|step| step.leg));
    assert!(report
        .isolated
        .adl
        .iter()
        .all(|round| round.bankrupt_account.is_none()));
    assert_eq!(report.isolated.summary.leg_cuts, 0);
}

#[test]
fn market_makers_take_what_they_can() {
    let report = rehearsed(&[]);
    for check in &report.checks {
        assert!(check.passed, "{}: {}", check.name, check.figure);
    }
    for (with, without) in [
        (&report.cross, &REPORT.cross),
        (&report.isolated, &REPORT.isolated),
    ] {
        let lots = |play: &Play| play.summary.all.liquidated_notional_atoms;
        assert!(lots(with) > lots(without));
        assert!(with.summary.adl_rounds < without.summary.adl_rounds);
    }
}

#[test]
fn both_plays_begin_with_the_same_accounts_and_the_same_collateral() {
    let report = &*REPORT;
    assert_eq!(report.cross.accounts.len(), report.isolated.accounts.len());
    for (cross, isolated) in report.cross.accounts.iter().zip(&report.isolated.accounts) {
        assert_eq!(cross.lots_start, isolated.lots_start);
        assert_eq!(cross.equity_start_atoms, isolated.equity_start_atoms);
        assert_eq!(cross.chosen, isolated.chosen);
    }
    assert_eq!(report.cross.summary.chosen.accounts, 10);
}

#[test]
fn a_forged_cut_of_the_report_is_noticed() {
    let honest = serde_json::to_value(&*REPORT).expect("JSON");
    let forged = |forge: &dyn Fn(&mut Value)| {
        let mut report = honest.clone();
        let rounds = report["cross"]["adl"].as_array_mut().expect("rounds");
        let has_leg = |round: &&mut Value| {
            let cuts = round["cut"].as_array().expect("cuts");
            cuts.iter().any(|cut| !cut["leg"].is_null())
        };
        forge(rounds.iter_mut().find(has_leg).expect("a leg was cut"));
        recompute(&report.to_string(), "cross").expect("readable")
    };
    let one = |value: &mut Value, by: i64| {
        let number = value.as_i64().expect("an integer");
        *value = Value::from(number + by);
    };
    assert_eq!(forged(&|_| ()).money_faults, Vec::<String>::new());
    for field in ["lots", "quote_atoms", "realized_atoms", "gave_up_atoms"] {
        let verdict = forged(&|round| one(&mut round["cut"][0][field], 1));
        assert!(!verdict.money_faults.is_empty(), "{field}");
    }
    let spared = forged(&|round| {
        let cuts = round["cut"].as_array_mut().expect("cuts");
        cuts.remove(0);
    });
    assert!(!spared.money_faults.is_empty());
    let richer = forged(&|round| {
        let queue = round["queue"].as_array_mut().expect("a queue");
        let leg = queue.iter_mut().find(|line| !line["account"].is_null());
        one(
            &mut leg.expect("a leg")["account"]["pool_atoms"],
            1_000_000_000,
        );
    });
    let faults = richer.money_faults.len() + richer.order_faults.len();
    assert!(faults > 0);
}

#[test]
fn the_page_shows_every_market_and_the_comparison() {
    let page = html::render(&REPORT).expect("drawable");
    assert_eq!(page.matches("<svg").count(), 3);
    for part in ["What cross margin saved", "accounts liquidated", "MARKET-2"] {
        assert!(page.contains(part), "{part}");
    }
    for outside in ["src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let text = terminal::render(&REPORT);
    assert!(text.contains("accounts bankrupt") && text.contains("paid by insurance"));
}
