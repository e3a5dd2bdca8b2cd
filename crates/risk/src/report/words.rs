//! A calibration in words, and as a file for `deploy`.

use std::fmt::Write as _;

use anyhow::Result;

use crate::backtest::Score;
use crate::calibrate::Calibration;
use crate::decimal::Decimal;
use crate::file::RiskFile;
use crate::moves::Side;

const NANO: f64 = 1e9;

/// Headings of a score, the first for whose it is.
pub(super) const SCORE_COLUMNS: [&str; 11] = [
    "margins",
    "horizons",
    "beyond",
    "expected",
    "Kupiec p",
    "independence p",
    "mean margin",
    "max / min",
    "worst 24 h rise",
    "clustered",
    "worst shortfall",
];

pub(super) fn score_cells(score: &Score) -> [String; 10] {
    let percent = |part: f64| format!("{:.2}%", 100. * part);
    [
        score.tested.to_string(),
        score.exceedances.to_string(),
        format!("{:.1}", score.expected),
        format!("{:.3}", score.kupiec_p),
        format!("{:.3}", score.independence_p),
        percent(score.mean_margin),
        format!("{:.1}x", score.margin_range),
        format!("{:.1}x", score.worst_rise),
        score.clustered.to_string(),
        percent(score.worst_shortfall),
    ]
}

/// A number with as many digits as say something.
pub(super) fn rounded(number: Decimal) -> String {
    let value = number.0;
    if value.abs() >= 1_000. {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// Whether the backtest lets the parameters pass, in a sentence.
pub(super) fn verdict(calibration: &Calibration) -> String {
    let backtest = &calibration.backtest;
    let told = |side: Side, score: &Score| {
        format!(
            "{} {} of {} horizons beyond the margin, {:.1} expected (Kupiec p {:.3}, independence p {:.3})",
            side.name(),
            score.exceedances,
            score.tested,
            score.expected,
            score.kupiec_p,
            score.independence_p
        )
    };
    let [long, short] = &backtest.estimator;
    let verdict = if backtest.passes() {
        "The backtest passes"
    } else {
        "THE BACKTEST FAILS"
    };
    format!(
        "{verdict}: {}; {}.",
        told(Side::Long, long),
        told(Side::Short, short)
    )
}

/// A moment, as seconds since 1970 and the day in UTC.
pub(super) fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    // Days since 0000-03-01 in eras of 400 years (Hinnant, `civil_from_days`).
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let minutes = seconds.rem_euclid(86_400) / 60;
    format!(
        "{year}-{month:02}-{day:02} {:02}:{:02} UTC",
        minutes / 60,
        minutes % 60
    )
}

/// The parameters as a table for a terminal: name, value, estimate, interval, rule.
#[must_use]
pub fn table(calibration: &Calibration) -> String {
    let data = &calibration.data;
    let mut text = format!(
        "{} steps of {} s from {} to {}, {} gaps; horizon {} s\n\n",
        data.bars,
        data.step_seconds,
        date(data.first),
        date(data.last),
        data.gaps.len(),
        rounded(calibration.horizon_seconds)
    );
    for one in &calibration.parameters {
        let Some(estimate) = one.estimate else {
            continue;
        };
        let interval = one.interval.map_or(String::new(), |[low, high]| {
            format!(" [{}, {}]", rounded(low), rounded(high))
        });
        let _ = writeln!(
            text,
            "  {:<32} {:>14} {:<7} {}{interval}\n{:>37}{}",
            one.name,
            one.value,
            one.unit,
            rounded(estimate),
            "",
            one.rule
        );
    }
    text.push('\n');
    text.push_str(&verdict(calibration));
    text
}

/// The file of risk parameters, with how they are counted.
///
/// # Errors
/// When it cannot be written as TOML.
pub fn risk_toml(calibration: &Calibration) -> Result<String> {
    let file = toml::to_string(&RiskFile::of(&calibration.params))?;
    let nano = |count: u64| count as f64 / NANO;
    Ok(format!(
        "# Risk parameters of a market with a tick of {} and a lot of {}, of a quote currency with 6 decimals.\n\
         # calibration.json says how each came about. `deploy` reads this file where a market says\n\
         # risk = \"risk.toml\".\n\n{file}",
        nano(calibration.units.tick_nano),
        nano(calibration.units.lot_nano)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(1_760_119_259), "2025-10-10 18:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
    }
}
