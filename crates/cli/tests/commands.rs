//! The built command: answers that need no cluster, and how it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ballast_explain::fixture;
use serde_json::Value;

fn ballast(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
    command.args(arguments).output().expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A file of its own for each test.
fn file(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&directory).expect("a directory");
    directory.join("report.json")
}

fn explained(file: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["explain-adl", "--report"];
    arguments.push(file.to_str().expect("a path in Unicode"));
    arguments.extend(more);
    ballast(&arguments)
}

fn report() -> Value {
    serde_json::to_value(fixture::report()).expect("JSON")
}

#[test]
fn a_round_is_explained_and_the_report_verified() {
    let (file, report) = (file("explained"), report());
    fs::write(&file, report.to_string()).expect("a file");
    let output = explained(&file, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("all agree"), "{}", stdout(&output));
    let trader = report["adl"][0]["cut"][0]["trader"].as_str();
    let options = ["--round", "1", "--trader", trader.expect("a trader")];
    let words = stdout(&explained(&file, &options));
    assert!(words.contains("It was cut by"), "{words}");
    let json: Value = serde_json::from_str(&stdout(&explained(&file, &["--json"]))).expect("JSON");
    assert_eq!(json["verified"], true);
    assert_eq!(
        json["rounds"],
        report["adl"].as_array().expect("rounds").len()
    );
}

#[test]
fn a_tampered_report_exits_with_one() {
    let (file, mut report) = (file("tampered"), report());
    let margin = &mut report["adl"][0]["queue"][0]["margin_atoms"];
    *margin = (margin.as_i64().expect("a number") + 1).into();
    fs::write(&file, report.to_string()).expect("a file");
    let output = explained(&file, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("DISAGREE"), "{}", stdout(&output));
}

#[test]
fn what_cannot_be_read_is_named() {
    let missing = file("missing").with_file_name("nothing.json");
    let output = explained(&missing, &[]);
    assert_eq!(output.status.code(), Some(2));
    let error = stderr(&output);
    assert!(error.contains("cargo xtask rehearse"), "{error}");

    let (file, honest) = (file("unreadable"), report());
    let unreadable = |change: &dyn Fn(&mut Value), expected: &[&str]| {
        let mut report = honest.clone();
        change(&mut report);
        fs::write(&file, report.to_string()).expect("a file");
        let output = explained(&file, &[]);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        for part in expected.iter().chain(&[file.to_str().expect("Unicode")]) {
            assert!(error.contains(part), "{part}: {error}");
        }
    };
    unreadable(
        &|report| report["adl"][1]["queue"][2]["lots"] = "many".into(),
        &["adl[1].queue[2].lots", "expected i64"],
    );
    unreadable(
        &|report| report["adl"][0]["colour"] = 1.into(),
        &["adl[0].colour", "unknown field"],
    );
    unreadable(
        &|report| report["report_version"] = 1.into(),
        &["report_version is 1"],
    );
    fs::write(&file, "{").expect("a file");
    assert_eq!(explained(&file, &[]).status.code(), Some(2));

    fs::write(&file, honest.to_string()).expect("a file");
    for (options, part) in [
        (["--round", "100000"], "there is no round 100000"),
        (["--trader", "nobody"], "no round cut it"),
    ] {
        let output = explained(&file, &options);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}

#[test]
fn rent_is_stated() {
    let output = ballast(&["queue-rent"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("144.773456640 SOL"));
    let output = ballast(&["queue-rent", "--positions", "100824"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("100,822"));
}

#[test]
fn every_command_prints_json_on_request() {
    let (short, global) = (
        ballast(&["queue-rent", "--json"]),
        ballast(&["queue-rent", "--output", "json"]),
    );
    assert_eq!(global.status.code(), Some(0), "{}", stderr(&global));
    assert_eq!(stdout(&short), stdout(&global));
    let value: Value = serde_json::from_str(&stdout(&global)).expect("JSON");
    assert_eq!(value["positions"], 100_000);
}

#[test]
fn what_cannot_be_meant_exits_with_two_and_a_sentence() {
    let missing = "/nobody/config.yml";
    for (arguments, part) in [
        (vec!["markets", "--url", "nowhere"], "http://"),
        (vec!["markets", "--commitment", "soon"], "finalized"),
        (vec!["markets", "--config", missing], "cannot be read"),
        (
            vec![
                "order", "place", "--market", "0", "--side", "buy", "--size", "1",
            ],
            "--price",
        ),
        (vec!["explain-adl", "no-signature"], "invalid value"),
        (vec!["watch", "--light-at", "6"], "1..=5"),
    ] {
        let output = ballast(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(part), "{part}: {said}");
        assert!(stdout(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_node_that_does_not_answer_is_a_failure() {
    // Port 1 is nobody's.
    let output = ballast(&["markets", "--url", "http://127.0.0.1:1", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("did not answer"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
