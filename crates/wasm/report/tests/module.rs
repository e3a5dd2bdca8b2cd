//! An honest report is verified, an altered one is not, and no text makes the module panic.

use ballast_explain::fixture;
use ballast_wasm_report::answer;
use serde_json::Value;

fn told(text: &str) -> Value {
    serde_json::from_str(&answer("rehearsal", text.as_bytes())).expect("JSON")
}

fn honest() -> Value {
    serde_json::to_value(fixture::report()).expect("JSON")
}

/// What the page's tests drop is the report of these.
#[test]
fn the_fixture_is_the_honest_report() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../app/test/fixtures");
    let file = folder.join("report.json");
    let text = serde_json::to_string_pretty(&honest()).expect("JSON") + "\n";
    if std::env::var_os("BALLAST_WRITE_FIXTURES").is_some() {
        std::fs::write(&file, &text).expect("a file");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "report.json differs; run: BALLAST_WRITE_FIXTURES=1 cargo xtask test --test module"
    );
}

#[test]
fn an_honest_report_is_verified_and_an_altered_one_names_the_figure() {
    let mut report = honest();
    let shown = &told(&report.to_string())["value"];
    assert_eq!(shown["verdict"]["verified"], true, "{shown}");
    assert_eq!(shown["rounds"][0]["round"], "1");
    let steps = shown["path"].as_array().expect("a path").len();
    assert_eq!(shown["absorbed"].as_array().map(Vec::len), Some(steps));
    let recorded = report["adl"][0]["winners_gave_up_atoms"].as_i64();
    report["adl"][0]["winners_gave_up_atoms"] = (recorded.expect("a figure") + 1).into();
    let shown = &told(&report.to_string())["value"];
    assert_eq!(shown["verdict"]["verified"], false);
    let first = &shown["verdict"]["disagreements"][0]["field"];
    assert!(
        first.as_str().is_some_and(|it| it.contains("gave_up")),
        "{first}"
    );
}

#[test]
fn what_is_no_report_is_said_in_a_sentence() {
    let mut old = honest();
    old["report_version"] = 1.into();
    for (text, part) in [
        ("", "not a rehearsal's report.json"),
        ("{}", "report_version"),
        (&old.to_string(), "rehearse again"),
    ] {
        let said = told(text)["error"].to_string();
        assert!(said.contains(part), "{part}: {said}");
    }
    let other: Value = serde_json::from_str(&answer("queue", b"")).expect("JSON");
    assert_eq!(other["call"], "queue");
}
