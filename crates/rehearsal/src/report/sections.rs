//! Sections of the page on what some rehearsals have and others have not.

use anyhow::Result;
use ballast_report::model::Report;
use maud::{html, Markup};

use super::html::{figure, Account};
use super::{pictures, terminal};

/// What protective steps saved, where somebody set some.
pub fn protection(report: &Report) -> Markup {
    html! {
        @if let Some(saved) = &report.protection {
            section {
                h2 { "Protective steps" }
                ul { @for line in saved.sentences() { li { (line) } } }
            }
        }
    }
}

/// The backstop pool.
pub fn pool(report: &Report) -> Result<Markup> {
    let key = [("green", "worth"), ("violet", "notional held")];
    Ok(html! {
        (figure("Backstop pool", &pictures::pool(report)?, &key))
        section {
            h2 { "The backstop pool" }
            p { (Account(&report.scenario.pool_account)) }
            ul { @for line in terminal::pool_lines(report) { li { (line) } } }
        }
    })
}
