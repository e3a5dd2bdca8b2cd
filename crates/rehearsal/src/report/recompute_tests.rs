use super::*;
use serde_json::json;

/// A long of 100 lots bought at 200,000 with 10 % behind it, at a mark of 170,000: 1,000,000
/// atoms short of which insurance pays 100,000. Three shorts, one of them losing.
fn report() -> Value {
    let position = |trader: &str, lots: i64, entry: i64, margin: i64, sequence: u64| {
        json!({
            "trader": trader, "lots": lots, "entry_quote_atoms": -entry * -lots, "margin_atoms": margin,
            "already_cut_in_pass": 0, "at_cap": false, "sequence": sequence, "lights": 1,
        })
    };
    json!({
        "summary": {
            "winners_gave_up_atoms": 900_000, "uncovered_deficit_atoms": 900_000,
            "overshoot_atoms": 0, "adl_rounds": 1,
        },
        "adl": [{
            "round": 1, "mark_ticks": 170_000, "close_price": "17900000/100",
            "rank_tolerance_bps": 0, "min_profit_bps": 10, "max_close_bps": 5_000, "min_position_lots": 1,
            "atoms_per_lot_tick": 1, "max_lots": 100,
            "bankrupt": {"trader": "B", "lots": 100, "entry_quote_atoms": 20_000_000, "margin_atoms": 2_000_000},
            "queue": [
                position("first", -120, 200_000, 1_000_000, 2),
                position("second", -200, 200_000, 40_000_000, 1),
                position("loser", -500, 165_000, 50_000_000, 3),
            ],
            "listed": ["first", "second"],
            "cut": [
                {"trader": "first", "lots": 60, "realized_atoms": 1_260_000},
                {"trader": "second", "lots": 40, "realized_atoms": 840_000},
            ],
            "deficit_atoms": 1_000_000, "insurance_paid_atoms": 100_000,
            "insurance_before_atoms": 100_000, "held_paid_atoms": 0, "held_before_atoms": 0,
        }],
    })
}

fn verdict(change: impl FnOnce(&mut Value)) -> Verdict {
    let mut report = report();
    change(&mut report);
    recompute(&report.to_string()).expect("readable")
}

#[test]
fn an_honest_round_has_no_faults() {
    let verdict = verdict(|_| ());
    assert_eq!(verdict.order_faults, Vec::<String>::new());
    assert_eq!(verdict.money_faults, Vec::<String>::new());
    assert_eq!((verdict.rounds, verdict.cuts, verdict.ranked), (1, 2, 3));
}

#[test]
fn skipping_the_first_is_found() {
    let verdict = verdict(|report| {
        let round = &mut report["adl"][0];
        round["listed"] = json!(["second"]);
        round["cut"] = json!([{"trader": "second", "lots": 100, "realized_atoms": 2_100_000}]);
    });
    assert_eq!(verdict.order_faults, ["round 1: first was skipped"]);
    assert_eq!(verdict.money_faults, Vec::<String>::new());
}

#[test]
fn swapping_two_is_found() {
    let verdict = verdict(|report| {
        let round = &mut report["adl"][0];
        round["listed"] = json!(["second", "first"]);
        let (first, second) = (round["cut"][0].clone(), round["cut"][1].clone());
        round["cut"] = json!([second, first]);
    });
    assert_eq!(
        verdict.order_faults,
        ["round 1: first was cut after somebody who ranks below it"]
    );
    assert!(!verdict.money_faults.is_empty(), "the sizes no longer fit");
}

#[test]
fn cutting_a_loser_before_a_winner_is_found() {
    let verdict = verdict(|report| {
        let round = &mut report["adl"][0];
        round["listed"] = json!(["loser"]);
        round["cut"] = json!([{"trader": "loser", "lots": 100, "realized_atoms": -1_400_000}]);
    });
    assert_eq!(
        verdict.order_faults,
        ["round 1: first was skipped", "round 1: second was skipped"]
    );
}

#[test]
fn a_tolerance_forgives_only_what_it_says() {
    // Two shorts that differ by 4.1 % in score.
    let change = |tolerance: u32| {
        verdict(move |report| {
            let round = &mut report["adl"][0];
            round["rank_tolerance_bps"] = json!(tolerance);
            round["queue"][0]["margin_atoms"] = json!(23_900_000);
            round["queue"][0]["lots"] = json!(-120);
            round["listed"] = json!(["second"]);
            round["cut"] = json!([{"trader": "second", "lots": 100, "realized_atoms": 2_100_000}]);
        })
    };
    assert_eq!(change(0).order_faults.len(), 1);
    assert_eq!(change(10).order_faults.len(), 1);
    assert_eq!(change(500).order_faults, Vec::<String>::new());
}

#[test]
fn a_cap_used_up_takes_a_position_out_of_the_ranking() {
    let verdict = verdict(|report| {
        let round = &mut report["adl"][0];
        round["queue"][0]["already_cut_in_pass"] = json!(120);
        round["listed"] = json!(["second"]);
        round["cut"] = json!([{"trader": "second", "lots": 100, "realized_atoms": 2_100_000}]);
    });
    assert_eq!(verdict.order_faults, Vec::<String>::new());
}

#[test]
fn one_atom_too_many_is_found() {
    let verdict = verdict(|report| report["adl"][0]["cut"][1]["realized_atoms"] = json!(840_001));
    assert_eq!(
        verdict.money_faults,
        ["round 1: second: realized is 840001 in the report, 840000 recomputed"]
    );
    let verdict =
        self::verdict(|report| report["summary"]["winners_gave_up_atoms"] = json!(900_001));
    assert_eq!(
        verdict.money_faults,
        ["summary.winners_gave_up_atoms says 900001, the rounds give 900000"]
    );
    let verdict = self::verdict(|report| report["adl"][0]["close_price"] = json!("17900001/100"));
    assert_eq!(verdict.money_faults.len(), 1);
    let verdict = self::verdict(|report| report["adl"][0]["deficit_atoms"] = json!(1));
    assert_eq!(verdict.money_faults.len(), 1);
}

#[test]
fn a_short_bankruptcy_is_mirrored() {
    let report = json!({
        "summary": {
            "winners_gave_up_atoms": 1_000, "uncovered_deficit_atoms": 1_000,
            "overshoot_atoms": 0, "adl_rounds": 1,
        },
        "adl": [{
            "round": 1, "mark_ticks": 120, "close_price": "1100/10", "rank_tolerance_bps": 0,
            "min_profit_bps": 0, "max_close_bps": 10_000, "min_position_lots": 1, "atoms_per_lot_tick": 10, "max_lots": 10,
            "bankrupt": {"trader": "B", "lots": -10, "entry_quote_atoms": -10_000, "margin_atoms": 1_000},
            "queue": [{
                "trader": "long", "lots": 20, "entry_quote_atoms": 20_000, "margin_atoms": 5_000,
                "already_cut_in_pass": 0, "at_cap": false, "sequence": 9, "lights": 5,
            }],
            "listed": ["long"],
            "cut": [{"trader": "long", "lots": 10, "realized_atoms": 1_000}],
            "deficit_atoms": 1_000, "insurance_paid_atoms": 0,
            "insurance_before_atoms": 0, "held_paid_atoms": 0, "held_before_atoms": 0,
        }],
    });
    let verdict = recompute(&report.to_string()).expect("readable");
    assert_eq!(verdict.order_faults, Vec::<String>::new());
    assert_eq!(verdict.money_faults, Vec::<String>::new());
}
