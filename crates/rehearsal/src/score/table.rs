//! The scores as tables.

use ballast_report::table::Table;

use super::judge::{SkillLine, Verdict, Worth, MOST_ERROR};
use super::ScoreArgs;

/// What was played, and the scores.
pub fn render(args: &ScoreArgs, verdict: &Verdict) -> String {
    format!(
        "{} rehearsals from seed {} on, of {} traders and {} prices, {} paths a forecast; the second half is scored: {} positions, of which {} were cut.\n\n{}",
        args.rehearsals,
        args.first_seed,
        args.traders,
        args.prices,
        args.paths,
        verdict.cases,
        percent(verdict.cut),
        lines(verdict),
    )
}

/// The scores in words.
pub fn lines(verdict: &Verdict) -> String {
    let mut table = Table::new(&[
        "forecast",
        ">Brier",
        ">log",
        ">loss, bps",
        ">calibration",
        ">skill over lights and volatility [90 %]",
        ">of the log score",
        ">of the loss",
        "passes",
    ]);
    for worth in verdict.fitted.iter().chain(&verdict.forecasters) {
        table.row(row(worth));
    }
    let mut bins = Table::new(&[">forecasts", ">said", ">happened"]);
    for bin in &verdict.forecast().bins {
        bins.row([
            bin.count.to_string(),
            percent(bin.forecast),
            percent(bin.happened),
        ]);
    }
    format!(
        "{}\n\nThe simulation:\n{}\n\nA forecast passes whose skill is above 0 at 90 %, whose calibration error is at most {MOST_ERROR}, and whose skill of the loss is above 0; those that are wrong on purpose must not.",
        table.render(),
        bins.render(),
    )
}

fn row(worth: &Worth) -> [String; 9] {
    [
        worth.name.to_owned(),
        format!("{:.4}", worth.brier),
        format!("{:.4}", worth.log),
        format!("{:.2}", worth.crps_bps),
        format!("{:.4}", worth.calibration_error),
        interval(&worth.brier_skill),
        interval(&worth.log_skill),
        interval(&worth.crps_skill),
        if worth.passes { "yes" } else { "no" }.to_owned(),
    ]
}

fn interval(skill: &SkillLine) -> String {
    format!("{:.3} [{:.3}, {:.3}]", skill.skill, skill.low, skill.high)
}

fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}
