use ballast_report::trading::{FillLine, MakerLine, TradeKind, TradeLine};
use ballast_report::waterfall;
use serde_json::{json, Value};

use super::*;
use crate::fixture;
use strum::VariantArray;

fn faults(report: &Report) -> Vec<String> {
    let (audit, _) = examine(report).expect("JSON");
    let faults = audit.faults.into_iter();
    faults
        .map(|fault| format!("{}: {} / {}", fault.field, fault.recorded, fault.recomputed))
        .collect()
}

#[test]
fn five_rounds_worked_out_by_hand_agree_with_the_engine() {
    let report = fixture::report();
    assert_eq!(faults(&report), Vec::<String>::new());
    let (audit, explained) = examine(&report).expect("JSON");
    assert!(audit.figures > 300, "{}", audit.figures);
    assert!(explained.iter().all(Option::is_some));
}

#[test]
fn a_report_survives_its_text() {
    let text = serde_json::to_string(&fixture::report()).expect("a report");
    let read = source::parse(&text).expect("readable");
    assert_eq!(serde_json::to_string(&read).expect("a report"), text);
}

/// Whether a changed report is refused or found out.
fn detected(report: &Value) -> bool {
    source::parse(&report.to_string()).map_or(true, |report| !faults(&report).is_empty())
}

/// A report in which nothing is wrong.
fn honest() -> Value {
    let report = serde_json::to_value(fixture::report()).expect("a report");
    assert!(!detected(&report));
    report
}

/// Every way of changing the value at `path` by the least there is.
fn mutations(value: &Value) -> Vec<(String, Value)> {
    let named = |name: String, value| (name, value);
    match value {
        Value::Null => Vec::new(),
        Value::Bool(flag) => vec![named("flipped".into(), json!(!flag))],
        Value::Number(number) => {
            let number = number.as_i64().expect("the fixture has no larger numbers");
            vec![
                named("one more".into(), json!(number + 1)),
                named("one less".into(), json!(number - 1)),
                named("turned".into(), json!(-1 - number)),
                named("the most".into(), json!(i64::MAX)),
            ]
        }
        Value::String(text) => {
            let other = match text.as_str() {
                "short" => "long",
                "Ann" => "Ben",
                _ => "Ann",
            };
            vec![
                named("longer".into(), json!(format!("{text}1"))),
                named("another".into(), json!(other)),
                named("empty".into(), json!("")),
            ]
        }
        Value::Array(items) => of_list(items),
        Value::Object(fields) => fields
            .keys()
            .map(|dropped| {
                let mut fields = fields.clone();
                fields.remove(dropped);
                named(format!("without {dropped}"), Value::Object(fields))
            })
            .chain([{
                let mut fields = fields.clone();
                fields.insert("unknown".to_owned(), json!(1));
                named("with another field".into(), Value::Object(fields))
            }])
            .collect(),
    }
}

fn of_list(items: &[Value]) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut dropped = items.to_vec();
        let item = dropped.remove(index);
        all.push((format!("without [{index}]"), json!(dropped)));
        let mut doubled = items.to_vec();
        doubled.insert(index, item);
        all.push((format!("[{index}] twice"), json!(doubled)));
        for other in index + 1..items.len() {
            let mut swapped = items.to_vec();
            swapped.swap(index, other);
            if swapped != items {
                all.push((format!("[{index}] and [{other}] swapped"), json!(swapped)));
            }
        }
    }
    all
}

/// Pointers to a value and everything in it.
fn pointers(value: &Value, pointer: &str, into: &mut Vec<String>) {
    into.push(pointer.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{pointer}/{index}"), into);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, &format!("{pointer}/{name}"), into);
            }
        }
        _ => {}
    }
}

#[test]
fn every_tampered_figure_of_every_round_is_detected() {
    let report = honest();
    let mut all = Vec::new();
    pointers(&report["adl"], "/adl", &mut all);
    let (mut tried, mut missed) = (0, Vec::new());
    for pointer in all {
        let honest = report
            .pointer(&pointer)
            .expect("it was found there")
            .clone();
        for (what, changed) in mutations(&honest) {
            let mut tampered = report.clone();
            *tampered.pointer_mut(&pointer).expect("as before") = changed;
            tried += 1;
            if !detected(&tampered) {
                missed.push(format!("{pointer} {what}"));
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn the_totals_of_the_report_are_tied_to_its_rounds() {
    let report = honest();
    let figures = [
        "/summary/adl_rounds",
        "/summary/adl_cuts",
        "/summary/insurance_start_atoms",
        "/summary/insurance_end_atoms",
        "/summary/insurance_paid_in_adl_atoms",
        "/summary/uncovered_deficit_atoms",
        "/summary/winners_gave_up_atoms",
        "/summary/overshoot_atoms",
        "/summary/compute_units/auto_deleverage/count",
        "/summary/compute_units/auto_deleverage/max",
        "/summary/compute_units/auto_deleverage/total",
        "/scenario/atoms_per_lot_tick",
        "/scenario/adl_step_bps",
        "/scenario/min_position_lots",
        "/scenario/rank_tolerance_bps",
        "/scenario/min_profit_bps",
        "/traders/0/adl_lots",
        "/traders/0/adl_gave_up_atoms",
        "/traders/0/lots_start",
        "/traders/0/lots_end",
        "/traders/0/lights_before",
        "/traders/0/sequence",
        "/liquidations/0/lots",
        "/liquidations/0/insurance_fee_atoms",
        "/path/0/price_ticks",
        "/path/1/slot",
    ];
    for pointer in figures {
        for (what, changed) in mutations(&report.pointer(pointer).expect("a figure").clone()) {
            let mut tampered = report.clone();
            *tampered.pointer_mut(pointer).expect("a figure") = changed;
            assert!(detected(&tampered), "{pointer} {what}");
        }
    }
}

/// A taker sells 700 lots to two makers after the first liquidation; a maker is closed again.
fn with_trades(report: &mut Report) {
    let maker = |trader: &str, lots_end| MakerLine {
        trader: trader.to_owned(),
        collateral_atoms: 0,
        filled_lots: 0,
        fees_atoms: 0,
        orders_removed: 0,
        lots_end,
        result_atoms: 0,
    };
    report.market_makers = vec![maker("Mia", 400), maker("Max", 0)];
    report.scenario.taker_accounts = vec!["Tom".to_owned()];
    let fill = |maker: &str, lots| FillLine {
        maker: maker.to_owned(),
        order_id: 1,
        price_ticks: 188_000,
        lots,
        maker_fee_atoms: -18,
    };
    let sale = |lots, fills: Vec<FillLine>| TradeLine {
        slot: 100,
        timestamp: 1_760_130_000,
        after_liquidations: 1,
        after_rounds: 5,
        kind: TradeKind::Market,
        trader: "Tom".to_owned(),
        lots,
        mark_ticks: 188_000,
        fee_atoms: 66_000,
        keeper_atoms: 0,
        fills,
        removed: Vec::new(),
        compute_units: 40_000,
    };
    report.trades = vec![
        sale(-700, vec![fill("Mia", 400), fill("Max", 300)]),
        sale(300, vec![fill("Max", 300)]),
    ];
    report.summary.book = waterfall::book(report).expect("small numbers");
}

#[test]
fn trades_are_followed_to_the_end() {
    let mut report = fixture::report();
    with_trades(&mut report);
    assert_eq!(faults(&report), Vec::<String>::new());
    let mut changed = report.clone();
    changed.trades[0].fills[0].lots += 1;
    let found = faults(&changed);
    assert!(
        found.contains(&"market_makers[0].lots_end, against the trades: 400 / 401".to_owned()),
        "{found:?}"
    );
    report.trades[0].after_rounds = 0;
    let found = faults(&report);
    // Tom would have been short before the first round.
    assert!(
        found.contains(&"round 1: queue: without Tom / with it".to_owned()),
        "{found:?}"
    );
}

#[test]
fn what_the_stages_absorbed_is_added_up_again() {
    let mut report = fixture::report();
    report.waterfall[0].lots += 1;
    assert_eq!(faults(&report).len(), 1);
    let mut report = fixture::report();
    with_trades(&mut report);
    report.summary.book.taker_fees_atoms += 1;
    let found = faults(&report);
    assert!(found[0].starts_with("summary.book"), "{found:?}");
}

/// Equal positions rank by age, also when the queue has given out ages that are gone.
#[test]
fn gaps_in_the_ages_do_not_matter() {
    let mut report = fixture::report();
    for line in report.adl.iter_mut().flat_map(|round| &mut round.queue) {
        line.sequence = line.sequence * 10 + 40;
    }
    for line in &mut report.traders {
        line.sequence = line.sequence * 10 + 40;
    }
    assert_eq!(faults(&report), Vec::<String>::new());
    let round = &mut report.adl[0];
    let mut twin = round.queue[0].clone();
    twin.trader = "Twin".to_owned();
    twin.sequence += 1;
    let situation = |round: &Round| from_report::situation(round).expect("in range");
    round.queue.push(twin);
    let mut now = situation(round);
    now.listed.truncate(1);
    let decision = decide(&now).expect("decidable");
    assert!(!decision.proof.found, "{:?}", decision.proof);
}

#[test]
fn one_fault_is_not_told_again_by_every_round_after_it() {
    let mut report = fixture::report();
    report.adl[1].listed.push("Ann".to_owned());
    assert_eq!(
        faults(&report),
        ["round 2: as a whole: accepted / Ann stands twice"]
    );
    let mut report = fixture::report();
    report.liquidations[0].insurance_fee_atoms += 1;
    assert_eq!(
        faults(&report),
        ["round 1: insurance_before_atoms, against all payments before: 5000000 / 5000001"]
    );
}

#[test]
fn the_comparison_of_rules_follows_from_the_rounds() {
    let mut report = fixture::report();
    report.policies = policies::compare(&report.adl, Policy::VARIANTS).expect("playable");
    assert_eq!(faults(&report), Vec::<String>::new());
    report.policies[1].gini_ppm += 1;
    report.policies[2].haircuts_ppm.pop();
    let found = faults(&report);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("policies, capped: gini_ppm"),
        "{found:?}"
    );
    assert_eq!(
        found[1],
        "policies, pro-rata: haircuts_ppm: a list of 2 / a list of 3"
    );
}

#[test]
fn programs_get_the_same_decision() {
    let report = fixture::report();
    let (audit, explained) = examine(&report).expect("JSON");
    let one = explained[2].as_ref().expect("decidable");
    let decided = Decided::new(&one.situation, &one.decision);
    let output = Output::new(3, 5, Some(decided), &audit, &NOT_VERIFIABLE);
    let json = serde_json::to_value(&output).expect("JSON");
    assert_eq!(json["verified"], true);
    assert_eq!(json["not_verifiable"].as_array().map(Vec::len), Some(3));
    let decision = &json["decision"];
    assert_eq!(decision["close_quote_atoms"], 95_000_000);
    assert_eq!(decision["pass"], 2);
    let fates = ["at its cap", "cut", "below the threshold", "never cut"];
    for (place, fate) in fates.iter().enumerate() {
        assert_eq!(decision["queue"][place]["fate"], *fate);
    }
    assert_eq!(
        decision["queue"][1]["cut"]["to_free_collateral_atoms"],
        7_375_000
    );
}
