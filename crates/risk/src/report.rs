//! A calibration as a page: one file without outside resources, and its `risk.toml`.

mod pictures;
mod words;

use anyhow::Result;
use maud::{html, Markup, PreEscaped, DOCTYPE};

use crate::backtest::{Score, REFUSED_BELOW};
use crate::calibrate::{Calibration, Parameter, Source};
use crate::decimal::Decimal;
use crate::moves::Side;

pub use words::{risk_toml, table};

const STYLE: &str = include_str!("../../rehearsal/src/report/report.css");

/// The page.
///
/// # Errors
/// When a picture cannot be drawn.
pub fn page(calibration: &Calibration, title: &str) -> Result<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Ballast calibration" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body(calibration, title)?) } }
        }
    };
    Ok(page.into_string())
}

fn body(calibration: &Calibration, title: &str) -> Result<Markup> {
    let backtest = &calibration.backtest;
    Ok(html! {
        (head(calibration, title))
        (parameters(calibration))
        (scores(calibration))
        @for (side, outcomes) in Side::BOTH.into_iter().zip(&backtest.outcomes) {
            (figure(
                &format!("Margin and moves against a {}", side.name()),
                &pictures::margins(outcomes)?,
                &[("blue", "margin"), ("grey", "move within the horizon"), ("red", "beyond the margin")],
            ))
        }
        (figure(
            "Reliability: how often a level was exceeded",
            &pictures::reliability(&backtest.reliability)?,
            &[("blue", "long"), ("amber", "short"), ("grey", "as promised")],
        ))
        @for (side, levels) in Side::BOTH.into_iter().zip(&calibration.return_levels) {
            (figure(
                &format!("Return levels: moves against a {}, with what holds them in 90 of 100 draws", side.name()),
                &pictures::return_levels(levels)?,
                &[("blue", "estimate"), ("green", "interval")],
            ))
        }
        (limits(calibration))
        footer { "Ballast is not audited. Exact values are in risk.toml and calibration.json." }
    })
}

fn head(calibration: &Calibration, title: &str) -> Markup {
    let data = &calibration.data;
    html! {
        header {
            h1 { "Calibration " small { (title) } }
            p {
                (data.bars) " steps of " (data.step_seconds) " seconds from "
                (words::date(data.first)) " to " (words::date(data.last)) ", "
                (data.gaps.len()) " gaps, none of them bridged. The horizon is "
                (words::rounded(calibration.horizon_seconds)) " seconds."
            }
            p { (words::verdict(calibration)) }
        }
    }
}

fn parameters(calibration: &Calibration) -> Markup {
    html! {
        section {
            h2 { "Parameters" }
            div.scroll { table {
                tr { th { "parameter" } th { "value" } th { "estimate" } th { "interval" } th { "rule" } }
                @for one in &calibration.parameters { (parameter(one)) }
            } }
        }
    }
}

fn parameter(one: &Parameter) -> Markup {
    let interval =
        |[low, high]: [Decimal; 2]| format!("{} to {}", words::rounded(low), words::rounded(high));
    html! {
        tr {
            td { code { (one.name) } }
            td { (one.value) " " (one.unit) }
            td { @if let Some(estimate) = one.estimate { (words::rounded(estimate)) } }
            td { @if let Some(ends) = one.interval { (interval(ends)) } }
            td { (one.rule) }
        }
    }
}

fn scores(calibration: &Calibration) -> Markup {
    let backtest = &calibration.backtest;
    let rows = [
        ("estimator", &backtest.estimator),
        ("held between fits", &backtest.held),
    ];
    html! {
        section {
            h2 { "Walk-forward backtest" }
            p {
                "Only what was known before is used at each horizon; horizons do not overlap. The estimator "
                "decides: p below " (REFUSED_BELOW) " fails. A file of parameters is held from fit to fit, "
                "so its exceedances cluster more."
            }
            div.scroll { table {
                tr { @for name in words::SCORE_COLUMNS { th { (name) } } }
                @for (name, sides) in rows {
                    @for (side, score) in Side::BOTH.into_iter().zip(sides) {
                        (score_row(&format!("{name}, {}", side.name()), score, name == "estimator"))
                    }
                }
            } }
        }
    }
}

fn score_row(name: &str, score: &Score, judges: bool) -> Markup {
    let class = match (judges, score.passes()) {
        (true, true) => "pass",
        (true, false) => "fail",
        (false, _) => "",
    };
    html! {
        tr {
            td { span class=(class) { (name) } }
            @for cell in words::score_cells(score) { td { (cell) } }
        }
    }
}

fn figure(title: &str, picture: &Markup, keys: &[(&str, &str)]) -> Markup {
    html! {
        figure {
            figcaption {
                h2 { (title) }
                span { @for (colour, meaning) in keys { span class={ "key " (colour) } { (meaning) } } }
            }
            (picture)
        }
    }
}

fn limits(calibration: &Calibration) -> Markup {
    let liquidity = &calibration.liquidity;
    let sources = [
        ("depth", liquidity.depth_source),
        ("daily volume", liquidity.volume_source),
        ("spread", liquidity.spread_source),
    ];
    let assumed: Vec<&str> = sources
        .into_iter()
        .filter(|(_, source)| *source == Source::Assumed)
        .map(|(name, _)| name)
        .collect();
    html! {
        section {
            h2 { "What this does not know" }
            ul {
                li { "Moves that no part of the history resembles: an interval holds what resampling the history shows." }
                li { "Whether others sell when liquidations do: moves are those of the price file." }
                @if !assumed.is_empty() {
                    li { "Assumed as a part of the open interest, because nothing was given: " (assumed.join(", ")) "." }
                }
            }
        }
    }
}
