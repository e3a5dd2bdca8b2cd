//! `ballast calibrate` from a file of prices to the files that `deploy` and the rehearsal take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ballast_risk::file::RiskFile;
use serde_json::Value;

const SERIES: &str = "../risk/tests/calibration/data/minutes.csv";

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("calibrate")
        .join(test);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn calibrate(prices: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
    command.arg("calibrate").arg("--prices").arg(prices);
    command.args(["--open-interest", "50000000", "--draws", "50"]);
    command.arg("--out").arg(out).args(more);
    command.output().expect("the command runs")
}

fn series() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(SERIES)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Minutes whose moves grow twentyfold after so many.
fn storm(file: &Path, calm: i64, all: i64) {
    let (mut text, mut state, mut price) = ("timestamp,price\n".to_owned(), 1_u64, 100_000_000_i64);
    for minute in 0..all {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let draw = i64::try_from(state >> 44).expect("20 bits") - (1 << 19);
        let parts = if minute < calm { 10_000 } else { 500 };
        price += price / 10_000 * draw / (1 << 19) * 100 / (parts / 50);
        text += &format!(
            "{},{}.{:06}\n",
            1_600_000_020 + 60 * minute,
            price / 1_000_000,
            price % 1_000_000
        );
    }
    fs::write(file, text).expect("a file of prices");
}

#[test]
fn what_is_written_is_what_deploy_reads_and_a_page_shows() {
    let out = folder("written");
    let output = calibrate(&series(), &out, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = fs::read_to_string(out.join("calibration.json")).expect("a file");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), printed);
    let risk = RiskFile::load(&out.join("risk.toml")).expect("the type that deploy reads");
    let params = risk.params(Some(1_000_000)).expect("the engine accepts it");
    let parameters = printed["parameters"].as_array().expect("parameters");
    for (name, value) in ballast_risk::file::numbers(&params) {
        let one = parameters.iter().find(|one| one["name"] == *name);
        let one = one.unwrap_or_else(|| panic!("{name} is explained"));
        assert_eq!(one["value"].as_i64().map(i128::from), Some(value), "{name}");
        assert!(one["rule"].as_str().is_some_and(|rule| rule.len() > 5));
    }
    let page = fs::read_to_string(out.join("calibration.html")).expect("a page");
    assert_eq!(page.matches("<svg").count(), 5);
    assert!(page.contains("The backtest passes") && !page.contains("<script"));
}

#[test]
fn the_backtest_decides_the_exit_code() {
    let out = folder("storm");
    let prices = out.join("prices.csv");
    storm(&prices, 2_500, 4_000);
    let output = calibrate(&prices, &out, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("THE BACKTEST FAILS"), "{said}");
    assert!(out.join("risk.toml").exists(), "written all the same");
    let output = calibrate(&prices, &out, &["--no-gate"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn what_says_too_little_exits_with_two_and_writes_nothing() {
    let out = folder("little").join("none");
    let prices = folder("little").join("prices.csv");
    storm(&prices, 100, 300);
    let output = calibrate(&prices, &out, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("at least 500 are wanted"),
        "{}",
        stderr(&output)
    );
    assert!(!out.exists());
    let output = calibrate(&series(), &out, &["--horizon", "soon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("neither `auto` nor a time"));
}
