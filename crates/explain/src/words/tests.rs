use super::*;
use crate::decision::{decide, Refusal};
use crate::fixture;
use crate::from_report::situation;
use ballast_engine::EngineError;
use ballast_report::model::Round;

/// The explanation of a round of the fixture, changed.
fn told(round: usize, change: impl FnOnce(&mut Round), trader: Option<&str>) -> String {
    let mut round = fixture::report().adl.remove(round - 1);
    change(&mut round);
    let situation = situation(&round).expect("in range");
    let decision = decide(&situation).expect("decidable");
    let voice = Voice {
        situation: &situation,
        decision: &decision,
        units: &Units {
            tick_nano: 1_000_000,
            atoms_per_lot_tick: 1,
            lot_nano: 1_000_000,
        },
    };
    let place = trader.and_then(|trader| voice.place(trader));
    place.map_or_else(|| voice.explain(), |place| voice.explain_trader(place))
}

fn holds(text: &str, parts: &[&str]) {
    // Columns are as wide as they need to be.
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_worked_example_in_words() {
    holds(
        &told(1, |_| (), None),
        &[
            "Bea was long 10.000, entered at $200.000, with $100.00 of margin.",
            "At the mark of $188.000 its equity was -$20.00: that is the deficit. Insurance held $5.00 and paid $5.00 of it.",
            "The close price: $189.500 The bankruptcy price $190.000 moved towards the mark by what insurance paid, $0.500",
            "Their part of the deficit after insurance is $15.00; the counterparties gave up $15.00 against the mark: overshoot $0.00.",
            "The threshold: score 0.155081 That is the score of the last one cut, Ben, rank 3 of 4.",
            "1 Ann 0.512727 6 % 8.54x $200.000 $210.000 6.000 3.000 cap of 50 %",
            "3 Ben 0.155081 10.47 % 1.48x $210.000 $315.000 8.000 3.000 all that was left to close",
            "Ann 3.000 $4.50 $31.50 $30.00 $61.50",
            "4 short positions stood in the queue. Cut: 3.",
            "1 would be insolvent at the close price: never cut: rank 4 Ida",
            "finds nobody who was skipped",
        ],
    );
}

#[test]
fn a_position_at_its_cap_stands_outside() {
    let text = told(3, |_| (), None);
    holds(
        &text,
        &["1 stand at the cap of 50 %: this pass has cut them before: rank 1 Ann score 0.600000"],
    );
    holds(
        &told(3, |_| (), Some("Ann")),
        &["It was not cut: this pass had cut 1.500 of it before, its cap."],
    );
}

#[test]
fn another_pass_is_announced() {
    holds(&told(5, |_| (), None), &["so this round opened pass 4"]);
    assert!(!told(4, |_| (), None).contains("opened pass"));
}

#[test]
fn a_skipped_trader_is_named() {
    let without_ann = |round: &mut Round| round.listed = vec!["Cho".to_owned()];
    let text = told(1, without_ann, None);
    holds(
        &text,
        &[
            "1 WERE SKIPPED: rank 1 Ann",
            "finds SOMEBODY WHO WAS SKIPPED",
        ],
    );
    let without_ann = |round: &mut Round| round.listed = vec!["Cho".to_owned()];
    holds(
        &told(1, without_ann, Some("Ann")),
        &["It WAS SKIPPED: it ranks above the last one cut, rank 2 with score 0.402909."],
    );
}

/// Ann scores 27.6 % more than Cho.
#[test]
fn the_tolerance_decides_who_may_be_spared() {
    let change = |tolerance| {
        move |round: &mut Round| {
            round.rank_tolerance_bps = tolerance;
            round.listed = vec!["Cho".to_owned()];
        }
    };
    let text = told(1, change(2_800), None);
    holds(
        &text,
        &[
            "The tolerance is 28 %",
            "1 score more than the last one cut, but within the tolerance: rank 1 Ann",
            "finds nobody",
        ],
    );
    assert!(!text.contains("SKIPPED"));
    holds(
        &told(1, change(2_700), None),
        &["1 WERE SKIPPED", "finds SOMEBODY"],
    );
}

#[test]
fn insurance_that_pays_everything_had_to_wait() {
    let text = told(1, |round| round.insurance_before_atoms = 60_000_000, None);
    holds(
        &text,
        &["Insurance held $60.00 and paid all of it, so this call had to wait until the grace period was over."],
    );
}

#[test]
fn below_the_threshold_is_explained() {
    holds(
        &told(2, |_| (), Some("Ben")),
        &["short 5.000 entered at $210.000", "It was not cut: the lots were closed against higher ranks, down to rank 1 with score 0.600000."],
    );
}

#[test]
fn what_the_program_would_refuse_is_refused() {
    let refusal = |change: &dyn Fn(&mut Round)| {
        let mut round = fixture::report().adl.remove(0);
        change(&mut round);
        decide(&situation(&round).expect("in range")).expect_err("refused")
    };
    let list = |names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
    let twice = refusal(&|round| round.listed = list(&["Ann", "Ann"]));
    assert_eq!(twice, Refusal::Twice("Ann".to_owned()));
    let unknown = refusal(&|round| round.listed = list(&["Bea"]));
    assert_eq!(unknown, Refusal::Unknown("Bea".to_owned()));
    let swapped = refusal(&|round| round.listed = list(&["Cho", "Ann"]));
    assert_eq!(
        swapped,
        Refusal::Engine {
            step: "cutting Ann".to_owned(),
            error: EngineError::AdlOutOfOrder
        }
    );
    let solvent = refusal(&|round| round.mark_ticks = 195_000);
    assert!(matches!(
        solvent,
        Refusal::Engine {
            error: EngineError::NotBankrupt,
            ..
        }
    ));
}

#[test]
fn scores_are_shown_to_the_nearest_millionth() {
    let one = 1_i128 << 32;
    assert_eq!(score(one), "1.000000");
    // 0.6 is stored rounded down.
    assert_eq!(score(one * 6 / 10), "0.600000");
    assert_eq!(score(one - one / 1_000_000), "0.999999");
    assert_eq!(score(-one * 3 / 2), "-1.500000");
    assert_eq!(score(INFINITE_SCORE), "infinite");
}
