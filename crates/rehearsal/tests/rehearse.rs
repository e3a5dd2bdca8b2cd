//! The built command on the built program: rehearse a small crash, explain it, tamper with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ballast_explain::report::{answer, Answer, Question};
use ballast_risk::calibrate::{calibrate, Liquidity, Request};
use ballast_risk::prices::Prices;
use ballast_risk::report::risk_toml;
use ballast_sandbox::world::default_program_path;
use serde_json::Value;

fn rehearse(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast-rehearsal"));
    command.args(arguments).output().expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in Unicode")
}

/// Prices of a minute's distance, moved by so many per mille each.
fn prices(file: &Path, moves: &[i64]) {
    let (mut lines, mut price) = (String::from("timestamp,price\n"), 100_000_000_i64);
    for (minute, moved) in (0_i64..).zip(moves) {
        let timestamp = 1_760_129_400 + minute * 60;
        lines.push_str(&format!(
            "{timestamp},{}.{:06}\n",
            price / 1_000_000,
            price % 1_000_000
        ));
        price += price * moved / 1_000;
    }
    fs::write(file, lines).expect("a file of prices");
}

/// Rehearses 60 traders without insurance; the report and its file.
fn rehearsed(name: &str, moves: &[i64], more: &[&str]) -> (Value, PathBuf) {
    let mut all = vec!["--insurance", "0"];
    all.extend(more);
    rehearsed_with(name, moves, &all)
}

/// Rehearses 60 traders; the report and its file.
fn rehearsed_with(name: &str, moves: &[i64], more: &[&str]) -> (Value, PathBuf) {
    let directory = directory(name);
    let (csv, program) = (directory.join("prices.csv"), default_program_path());
    prices(&csv, moves);
    let mut arguments = vec!["--traders", "60"];
    arguments.extend(["--prices", text(&csv), "--out", text(&directory)]);
    arguments.extend(["--program", text(&program)]);
    arguments.extend(more);
    let output = rehearse(&arguments);
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    let file = directory.join("report.json");
    let report = fs::read_to_string(&file).expect("a report");
    (serde_json::from_str(&report).expect("JSON"), file)
}

/// The last round of a report, in words.
fn explained(file: &Path) -> Answer {
    told(file, None, None)
}

fn told(file: &Path, round: Option<u64>, trader: Option<&str>) -> Answer {
    let question = Question {
        report: file,
        round,
        trader,
        json: false,
    };
    answer(&question).expect("a round of the report")
}

/// Falls for a while and comes back, so that what was taken can be closed again.
fn slowly_falling() -> Vec<i64> {
    let mut moves = vec![0; 5];
    moves.extend([-12; 25]);
    moves.extend([2; 15]);
    moves
}

fn falling() -> Vec<i64> {
    let mut moves = vec![0; 5];
    moves.extend([-25; 15]);
    moves
}

#[test]
fn a_rehearsed_crash_is_explained_and_verified() {
    let (report, file) = rehearsed("explained", &falling(), &[]);
    let rounds = report["adl"].as_array().expect("rounds");
    assert!(rounds.len() > 1);
    let answer = explained(&file);
    let words = &answer.text;
    assert!(answer.verified, "{words}");
    let last = format!("round {0} of {0}", rounds.len());
    for part in [
        last.as_str(),
        "Why nobody was skipped",
        "all agree",
        "Not verifiable",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let trader = rounds[0]["cut"][0]["trader"].as_str();
    let words = told(&file, Some(1), trader).text;
    assert!(words.contains("It was cut by"), "{words}");
}

#[test]
fn a_rise_is_explained_as_well_and_only_chosen_rules_are_compared() {
    let mut moves = vec![0; 5];
    moves.extend([30; 15]);
    let chosen = [
        "--policy",
        "pro-rata",
        "--policy",
        "queue",
        "--rank-tolerance-bps",
        "500",
    ];
    let (report, file) = rehearsed("rise", &moves, &chosen);
    assert_eq!(report["adl"][0]["counterparty_side"], "long");
    let rules = report["policies"].as_array().expect("rules").iter();
    let rules: Vec<&Value> = rules.map(|line| &line["policy"]).collect();
    assert_eq!(rules, ["queue", "pro-rata"]);
    let answer = explained(&file);
    assert!(answer.verified, "{}", answer.text);
    assert!(answer.text.contains("The tolerance is 5 %"));
}

/// Lots of all lines of a list.
fn lots(lines: &Value, field: &str) -> u64 {
    let lines = lines.as_array().expect("a list").iter();
    lines.map(|line| line[field].as_u64().expect("lots")).sum()
}

#[test]
fn the_book_absorbs_first_and_every_lot_belongs_to_a_stage() {
    let (report, file) = rehearsed("book", &falling(), &["--seed", "3"]);
    let stages = report["waterfall"].as_array().expect("stages");
    let names: Vec<&Value> = stages.iter().map(|line| &line["stage"]).collect();
    assert_eq!(
        names,
        ["book", "liquidator", "pool", "insurance", "deleveraging"]
    );
    for line in [0, 1, 4] {
        assert!(stages[line]["lots"].as_u64() > Some(0), "{stages:?}");
    }
    let rounds = report["adl"].as_array().expect("rounds").iter();
    let cut: u64 = rounds.map(|round| lots(&round["cut"], "lots")).sum();
    let liquidated = lots(&report["liquidations"], "lots");
    assert_eq!(lots(&report["waterfall"], "lots"), liquidated + cut);
    let book = &report["summary"]["book"];
    for figure in [
        "market_orders",
        "stop_losses",
        "fills",
        "orders_placed",
        "states_checked",
    ] {
        assert!(book[figure].as_u64() > Some(0), "{figure}: {book}");
    }
    for fault in ["broken_states", "margin_error_atoms", "rounds_before_book"] {
        assert_eq!(book[fault], 0, "{fault}");
    }
    let makers = report["market_makers"].as_array().expect("makers");
    assert_eq!(makers.len(), 6);
    assert!(explained(&file).verified);

    let mut tampered = report.clone();
    let trades = tampered["trades"].as_array_mut().expect("trades");
    let lots = &mut trades[0]["fills"][0]["lots"];
    *lots = (lots.as_u64().expect("lots") + 1).into();
    fs::write(&file, tampered.to_string()).expect("a file");
    assert!(!explained(&file).verified);
}

#[test]
fn a_pool_takes_what_keepers_leave_and_fewer_are_cut() {
    let insured = ["--insurance-bps", "50"];
    let run = |name, pool| {
        let mut more = insured.to_vec();
        more.extend(["--pool", pool]);
        rehearsed_with(name, &slowly_falling(), &more)
    };
    let (without, _) = run("no-pool", "0");
    let (with, file) = run("pool", "1000");
    let cut = |report: &Value| report["waterfall"][4]["lots"].as_u64().expect("lots");
    let pool = &with["summary"]["pool"];
    assert!(cut(&with) < cut(&without), "{pool}");
    for figure in ["takes", "taken_lots", "unwinds", "unwound_lots"] {
        assert!(pool[figure].as_u64() > Some(0), "{figure}: {pool}");
    }
    assert_eq!(pool["taken_lots"], with["waterfall"][2]["lots"]);
    assert!(explained(&file).verified);

    // An atom more in the worth at one price, and everything else as it was.
    let mut tampered = with.clone();
    let path = tampered["path"].as_array_mut().expect("prices");
    let worth = &mut path[7]["pool_atoms"];
    *worth = (worth.as_i64().expect("atoms") + 1).into();
    fs::write(&file, tampered.to_string()).expect("a file");
    assert!(!explained(&file).verified);
}

#[test]
fn protective_steps_save_those_who_set_them_and_the_crash_without_is_the_same() {
    let (plain, _) = rehearsed_with("no-steps", &slowly_falling(), &[]);
    assert_eq!(plain.get("protection"), None);
    let set = ["--protected-percent", "30"];
    let (report, file) = rehearsed_with("steps", &slowly_falling(), &set);
    let saved = &report["protection"];
    for figure in ["accounts", "steps_executed", "lots_closed", "better"] {
        assert!(saved[figure].as_u64() > Some(0), "{figure}: {saved}");
    }
    let lots = |name: &str| saved[name]["liquidated_lots"].as_u64().expect("lots");
    assert!(lots("with") < lots("without"), "{saved}");
    // What is compared with is the crash that is played without the option: no more of those accounts is
    // liquidated there than of all.
    let all: u64 = plain["liquidations"]
        .as_array()
        .expect("liquidations")
        .iter()
        .map(|line| line["lots"].as_u64().expect("lots"))
        .sum();
    assert!(lots("without") <= all && lots("without") > 0, "{saved}");
    assert!(explained(&file).verified);
}

#[test]
fn the_seed_decides_everything_at_the_book() {
    let run = |name, seed| rehearsed(name, &falling(), &["--seed", seed]).0["trades"].take();
    let first = run("seed-a", "5");
    assert_eq!(first, run("seed-b", "5"));
    assert_ne!(first, run("seed-c", "6"));
}

#[test]
fn without_market_makers_there_is_no_book() {
    let (report, file) = rehearsed("no-book", &falling(), &["--market-makers", "0"]);
    assert_eq!(report["trades"], Value::Array(Vec::new()));
    assert_eq!(report["waterfall"][0]["lots"], 0);
    assert!(explained(&file).verified);
    let refused = |options: &[&str], part: &str| {
        let program = default_program_path();
        let mut arguments = vec!["--program", text(&program)];
        arguments.extend(options);
        let output = rehearse(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    };
    refused(
        &["--market-makers", "0", "--takers", "3"],
        "--takers needs a book",
    );
    refused(
        &["--traders", "10", "--maker-depth-bps", "1"],
        "raise --maker-depth-bps",
    );
}

#[test]
fn a_tampered_report_is_found_out() {
    let (mut report, file) = rehearsed("tampered", &falling(), &[]);
    let margin = &mut report["adl"][0]["queue"][20]["margin_atoms"];
    *margin = (margin.as_i64().expect("a number") + 1).into();
    fs::write(&file, report.to_string()).expect("a file");
    let Answer {
        text: words,
        verified,
    } = explained(&file);
    assert!(!verified);
    assert!(words.contains("DISAGREE"), "{words}");
    assert!(
        words.contains("round 1: queue[20].node.bankruptcy_q32"),
        "{words}"
    );
    // Of another round the explanation stands, but the verdict covers the whole file.
    assert!(!told(&file, Some(2), None).verified);
}

/// Rehearses 60 traders on prices in dollars, a minute apart; how it ended, and the report.
fn played(name: &str, dollars: &[&str]) -> (Output, Value) {
    let directory = directory(name);
    let (csv, program) = (directory.join("prices.csv"), default_program_path());
    let rows = (0_i64..).zip(dollars).map(|(minute, price)| {
        let timestamp = 1_760_129_400 + minute * 60;
        format!("{timestamp},{price}\n")
    });
    let text_of = String::from("timestamp,price\n") + &rows.collect::<String>();
    fs::write(&csv, text_of).expect("a file of prices");
    let mut arguments = vec!["--traders", "60", "--insurance", "0"];
    arguments.extend(["--prices", text(&csv), "--out", text(&directory)]);
    arguments.extend(["--program", text(&program)]);
    let output = rehearse(&arguments);
    let file = directory.join("report.json");
    let written = fs::read(&file).unwrap_or_else(|_| panic!("no report: {}", stderr(&output)));
    let html = fs::read_to_string(directory.join("report.html")).expect("a report to look at");
    let report: Value = serde_json::from_slice(&written).expect("a report");
    if let Some(reason) = report["unplayed"]["reason"].as_str() {
        let shown = reason.split(':').next().unwrap_or_default();
        assert!(
            html.contains(shown) && stdout(&output).contains(shown),
            "{reason}"
        );
    }
    (output, report)
}

#[test]
fn a_report_is_written_of_any_path() {
    let (output, report) = played("wild", &["200", "20000", "1"]);
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(report["path"]
        .as_array()
        .is_some_and(|path| !path.is_empty()));
    let (output, report) = played("below", &["200", "150", "0.0005", "180"]);
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
    let unplayed = &report["unplayed"];
    let reason = unplayed["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("below one tick of the market, which is $0.001"),
        "{reason}"
    );
    assert_eq!(
        (&unplayed["left_out"], &unplayed["by_design"]),
        (&2.into(), &true.into())
    );
    assert_eq!(report["path"].as_array().map(Vec::len), Some(2));
}

/// Synthetic minutes.
const SERIES: &str = "../risk/tests/calibration/data/minutes.csv";

#[test]
fn a_crash_is_rehearsed_with_what_a_calibration_wrote() {
    let series = Path::new(env!("CARGO_MANIFEST_DIR")).join(SERIES);
    let request = Request {
        level: 0.999,
        initial_level: 0.99,
        horizon_seconds: None,
        open_interest_usd: 50e6,
        liquidity: Liquidity::assumed(50e6),
        insurance_usd: None,
        spot_depth_usd: None,
        at_risk_part: 0.25,
        draws: 50,
        seed: 1,
    };
    let prices = Prices::load(&series).expect("prices");
    let calibration = calibrate(&prices, &request).expect("calibrated");
    let file = directory("calibrated").join("risk.toml");
    fs::write(&file, risk_toml(&calibration).expect("TOML")).expect("a file");
    let (report, _) = rehearsed("calibrated", &falling(), &["--risk", text(&file)]);
    let initial = u64::from(calibration.params.tiers[0].initial_margin_bps);
    assert_eq!(report["scenario"]["max_leverage"], 10_000 / initial);
    let step = calibration.params.adl.max_close_bps;
    assert_eq!(report["scenario"]["adl_step_bps"], step);
    assert!(!report["adl"].as_array().expect("rounds").is_empty());
}
