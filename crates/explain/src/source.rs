//! Reading `report.json`, strictly.

use std::fs;
use std::path::Path;

use anyhow::{bail, ensure, Context, Result};
use ballast_report::model::{Report, REPORT_VERSION};
use serde::Deserialize;

/// Only the part of a report that every layout has.
#[derive(Deserialize)]
struct Versioned {
    report_version: u32,
}

/// Reads a report; an error names the file, the field and what was expected there.
pub fn read(file: &Path) -> Result<Report> {
    let name = file.display();
    if !file.exists() {
        bail!(
            "there is no report at {name}; `cargo xtask rehearse` writes one to target/rehearsal/report.json, or name another with --report"
        );
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    parse(&text).with_context(|| format!("{name} cannot be used"))
}

/// A report from its text.
pub fn parse(text: &str) -> Result<Report> {
    let versioned: Versioned =
        serde_json::from_str(text).context("it is not a rehearsal's report.json")?;
    ensure!(
        versioned.report_version == REPORT_VERSION,
        "report_version is {}, this command reads {REPORT_VERSION}; rehearse again",
        versioned.report_version
    );
    let mut json = serde_json::Deserializer::from_str(text);
    let report: Report = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        anyhow::anyhow!("at `{field}`: {}", error.into_inner())
    })?;
    json.end().context("something follows the report")?;
    Ok(report)
}
