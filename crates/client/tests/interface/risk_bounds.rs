//! docs/RISK_BOUNDS.md has the constants of the engine.

use ballast_engine::risk::{gap_bps, Bound, Measure, TABLE};

fn row(bound: &Bound) -> String {
    let Bound {
        field,
        least,
        most,
        measure,
        or_zero,
        error,
        reason,
    } = bound;
    let unit = match measure {
        Measure::Number => "",
        Measure::Units => " units",
    };
    let zero = if *or_zero { "0, " } else { "" };
    format!("| `{field}` | {zero}{least} to {most}{unit} | {error:?} | {reason} |")
}

#[test]
fn the_document_on_bounds_has_the_table_of_the_engine() {
    let path = crate::file("docs/RISK_BOUNDS.md");
    let document = std::fs::read_to_string(path).unwrap();
    let rows = |first: &str| -> Vec<String> {
        let rows = document.lines().skip_while(|line| *line != first).skip(2);
        rows.take_while(|line| line.starts_with('|'))
            .map(str::to_owned)
            .collect()
    };
    let wanted: Vec<String> = TABLE.iter().map(row).collect();
    assert_eq!(
        rows("| field | allowed | refusal | why |"),
        wanted,
        "{}",
        wanted.join("\n")
    );
    let gaps: Vec<String> = (5..=15)
        .map(|age| format!("| {age} | {} |", gap_bps(age)))
        .collect();
    assert_eq!(rows("| age, seconds | gap, basis points |"), gaps);
}
