use super::*;
use serde_json::json;

/// In the first of two markets a leg of 100 lots at 200, marked 170, is short of 2,147 as its share of what its account
/// lacks; insurance pays 147. A leg and an isolated position are short.
fn report() -> Value {
    let leg = |market: usize, lots: i64, entry: i64| json!({"market": market, "lots": lots, "entry_quote_atoms": entry, "funding_index": 3});
    let account = |trader: &str, start: [i64; 2], end: [i64; 2], cut: u64| {
        json!({
            "trader": trader, "lots_start": start, "lots_end": end, "liquidated_lots": [0, 0], "cut_lots": [cut, 0],
        })
    };
    let bracket = json!([{"notional_limit_atoms": 0, "maintenance_bps": 500}]);
    json!({
        "scenario": {"markets": [
            {"atoms_per_lot_tick": 10, "maintenance": bracket}, {"atoms_per_lot_tick": 1, "maintenance": bracket},
        ]},
        "path": [{"timestamp": 60, "price_ticks": [17, 50]}],
        "cross": {
            "summary": {
                "adl_rounds": 1, "adl_cuts": 2, "leg_cuts": 1, "winners_gave_up_atoms": 2_000,
                "uncovered_deficit_atoms": 2_000, "overshoot_atoms": 0,
            },
            "accounts": [
                account("B", [100, 40], [0, 40], 0),
                account("L", [-80, 20], [-40, 20], 40),
                account("I", [-200, 0], [-140, 0], 60),
            ],
            "liquidations": [],
            "adl": [{
                "round": 1, "market": 0, "timestamp": 60,
                "marks": [{"mark_atoms": 170, "funding_index": 3}, {"mark_atoms": 50, "funding_index": 3}],
                "close_quote_atoms": 19_000, "close_lots": 100, "rank_tolerance_bps": 200, "min_profit_bps": 10,
                "max_close_bps": 5_000, "min_position_lots": 1, "by_record": false, "to_equity": false,
                "bankrupt": {"trader": "B", "lots": 100, "entry_quote_atoms": 20_000, "margin_atoms": 853},
                "bankrupt_account": {"pool_atoms": 1_000, "legs": [leg(0, 100, 20_000), leg(1, 40, 2_400)]},
                "cover_atoms": 147,
                "queue": [
                    {
                        "trader": "I", "lots": -200, "entry_quote_atoms": -40_000, "margin_atoms": 30_000,
                        "already_cut_in_pass": 0, "at_cap": false, "sequence": 1, "account": null,
                    },
                    {
                        "trader": "L", "lots": -80, "entry_quote_atoms": -16_800, "margin_atoms": 0,
                        "already_cut_in_pass": 0, "at_cap": false, "sequence": 2,
                        "account": {"pool_atoms": 2_000, "legs": [leg(0, -80, -16_800), leg(1, 20, 1_000)]},
                    },
                ],
                "listed": ["L", "I"],
                "cut": [
                    {
                        "trader": "L", "lots": 40, "quote_atoms": 7_600, "realized_atoms": 800, "gave_up_atoms": 800,
                        "leg": {
                            "equity_atoms": 5_200, "requirement_atoms": 730, "leg_requirement_atoms": 680,
                            "shortened": false, "pool_after_atoms": 2_800,
                        },
                    },
                    {
                        "trader": "I", "lots": 60, "quote_atoms": 11_400, "realized_atoms": 600,
                        "gave_up_atoms": 1_200, "leg": null,
                    },
                ],
                "deficit_atoms": 2_147, "insurance_paid_atoms": 147, "closed_lots": 100,
                "uncovered_deficit_atoms": 2_000, "winners_gave_up_atoms": 2_000,
            }],
        },
    })
}

fn verdict(change: impl FnOnce(&mut Value)) -> Verdict {
    let mut report = report();
    change(&mut report);
    recompute(&report.to_string(), "cross").expect("readable")
}

fn round(report: &mut Value) -> &mut Value {
    &mut report["cross"]["adl"][0]
}

#[test]
fn an_honest_round_has_no_faults() {
    let found = verdict(|_| ());
    let expected = Verdict {
        rounds: 1,
        cuts: 2,
        ranked: 2,
        accounts: 1,
        ..Verdict::default()
    };
    assert_eq!(found, expected);
}

#[test]
fn a_forged_cut_is_found() {
    let found = verdict(|report| {
        let cuts = &mut round(report)["cut"];
        cuts[0]["lots"] = json!(39);
        cuts[1]["lots"] = json!(61);
    });
    assert_eq!(
        found.money_faults[0],
        "round 1: L: lots is 39 in the report, 40 recomputed"
    );
    for (place, field) in [
        (0, "quote_atoms"),
        (0, "realized_atoms"),
        (1, "gave_up_atoms"),
        (1, "quote_atoms"),
    ] {
        let found = verdict(|report| round(report)["cut"][place][field] = json!(1));
        assert_eq!(found.money_faults.len(), 1, "{field}: {found:?}");
    }
}

#[test]
fn every_figure_of_an_account_is_recomputed() {
    for field in [
        "equity_atoms",
        "requirement_atoms",
        "leg_requirement_atoms",
        "pool_after_atoms",
    ] {
        let found = verdict(|report| round(report)["cut"][0]["leg"][field] = json!(1));
        assert_eq!(found.money_faults.len(), 1, "{field}: {found:?}");
    }
    let shortened = verdict(|report| round(report)["cut"][0]["leg"]["shortened"] = json!(true));
    assert_eq!(
        shortened.money_faults,
        ["round 1: L: shortened is 1 in the report, 0 recomputed"]
    );
    let isolated = verdict(|report| round(report)["cut"][0]["leg"] = Value::Null);
    assert!(!isolated.money_faults.is_empty());
    // Funding of 1 a lot that the short is owed.
    let funding = verdict(|report| {
        let account = &mut round(report)["queue"][1]["account"];
        account["legs"][0]["funding_index"] = json!(2);
    });
    assert_eq!(
        funding.money_faults,
        [
            "round 1: L: equity is 5200 in the report, 5280 recomputed",
            "round 1: L: the pool after is 2800 in the report, 2880 recomputed"
        ]
    );
}

#[test]
fn the_share_of_a_bankrupt_leg_is_recomputed() {
    let found = verdict(|report| round(report)["bankrupt_account"]["pool_atoms"] = json!(999));
    assert!(
        found
            .money_faults
            .iter()
            .any(|fault| fault
                == "round 1: margin of the bankrupt is 853 in the report, 852 recomputed"),
        "{found:?}"
    );
}

#[test]
fn an_account_is_cut_no_deeper_than_it_can_bear() {
    // 730 of maintenance, 332 above it: 330 / (1,600 - 680) of 80 lots are 28.
    let weak = |report: &mut Value| {
        let line = &mut round(report)["queue"][1];
        line["account"]["pool_atoms"] = json!(-2_138);
    };
    let found = verdict(weak);
    assert!(
        found
            .money_faults
            .contains(&"round 1: L: lots is 40 in the report, 28 recomputed".to_owned()),
        "{found:?}"
    );
}

#[test]
fn skipping_a_leg_is_found_unless_its_account_is_for_liquidation() {
    let alone = |report: &mut Value| {
        let round = round(report);
        round["listed"] = json!(["I"]);
        let cut = round["cut"][1].clone();
        round["cut"] = json!([cut]);
    };
    assert_eq!(verdict(alone).order_faults, ["round 1: L was skipped"]);
    for change in [
        // Below maintenance; and by records alone.
        |report: &mut Value| {
            round(report)["queue"][1]["account"]["pool_atoms"] = json!(-2_500);
        },
        |report: &mut Value| round(report)["by_record"] = json!(true),
    ] {
        let found = verdict(|report| {
            alone(report);
            change(report);
        });
        assert_eq!(found.order_faults, Vec::<String>::new());
    }
}

#[test]
fn swapping_two_is_found() {
    let found = verdict(|report| {
        let round = round(report);
        round["listed"] = json!(["I", "L"]);
        let cuts = round["cut"].as_array_mut().expect("cuts");
        cuts.swap(0, 1);
    });
    assert_eq!(
        found.order_faults,
        ["round 1: L was cut after somebody who ranks below it"]
    );
}

#[test]
fn marks_are_those_of_the_path_and_sums_those_of_the_rounds() {
    let found = verdict(|report| report["path"][0]["price_ticks"] = json!([17, 51]));
    assert_eq!(
        found.money_faults,
        ["round 1: its marks are not the prices of the path"]
    );
    let found = verdict(|report| report["cross"]["summary"]["leg_cuts"] = json!(2));
    assert_eq!(
        found.money_faults,
        ["summary.leg_cuts says 2, the rounds give 1"]
    );
}

#[test]
fn no_account_loses_lots_of_which_nothing_is_told() {
    let found = verdict(|report| report["cross"]["accounts"][1]["lots_end"] = json!([-40, 10]));
    assert_eq!(
        found.money_faults,
        ["L in market 1: 10 lots left in the report, 20 recomputed"]
    );
    let found = verdict(|report| {
        let step = json!({"market": 1, "trader": "L", "lots": 20, "after_rounds": 1});
        report["cross"]["liquidations"] = json!([step]);
    });
    assert_eq!(found.money_faults.len(), 2, "{found:?}");
}

#[test]
fn nobody_is_missing_in_a_queue() {
    let found = verdict(|report| {
        report["cross"]["accounts"]
            .as_array_mut()
            .expect("accounts")
            .push(json!({
                "trader": "M", "lots_start": [-7, 0], "lots_end": [-7, 0], "liquidated_lots": [0, 0],
                "cut_lots": [0, 0],
            }));
    });
    assert_eq!(
        found.order_faults,
        ["round 1: M stands in the queue with 0 lots, by the lines before with 7"]
    );
    // Seven lots that were liquidated before.
    let found = verdict(|report| {
        report["cross"]["accounts"][2]["lots_start"] = json!([-207, 0]);
        let step = json!({"market": 0, "trader": "I", "lots": 7, "after_rounds": 0});
        report["cross"]["liquidations"] = json!([step]);
        report["cross"]["accounts"][2]["liquidated_lots"] = json!([7, 0]);
    });
    assert_eq!((found.order_faults, found.money_faults), (vec![], vec![]));
}
