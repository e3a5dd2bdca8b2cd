//! `report.html` of a rehearsal of several markets.

use std::collections::BTreeSet;

use anyhow::Result;
use ballast_client::amount::grouped;
use ballast_report::figures::{price, usd_unsigned};
use ballast_report::markets::{MarketsReport, Play};
use maud::{html, Markup};
use plotters::prelude::*;

use super::compare;
use crate::report::html::{checks, figure, page, table};
use crate::report::pictures::{
    axis_dollars, chart_over, draw, drawing, drawn, minutes_since, span, AMBER, BLUE, RED,
};

/// Height of the picture of one market.
const HEIGHT: u32 = 220;

/// The page.
///
/// # Errors
/// What cannot be drawn.
pub fn render(report: &MarketsReport) -> Result<String> {
    let title = "Ballast crash rehearsal: several markets";
    Ok(page(title, &body(report)?))
}

fn body(report: &MarketsReport) -> Result<Markup> {
    let events = [("amber", "liquidation"), ("red", "auto-deleveraging round")];
    let mut pictures = Vec::new();
    for (number, market) in report.scenario.markets.iter().enumerate() {
        let title = format!(
            "{}: {}, low {}",
            market.name,
            price(market.first_price_ticks, market.tick_nano),
            price(market.low_price_ticks, market.tick_nano)
        );
        pictures.push(figure(&title, &market_picture(report, number)?, &events));
    }
    Ok(html! {
        (head(report))
        (comparison(report))
        @for picture in &pictures { (picture) }
        (markets("Each market, with cross accounts", report, &report.cross))
        (markets("Each market, everybody isolated", report, &report.isolated))
        (checks(&report.checks))
        section { h2 { "Assumptions" } ul { @for line in &report.scenario.assumptions { li { (line) } } } }
        footer { "Ballast is not audited. Exact amounts are in report.json." }
    })
}

fn head(report: &MarketsReport) -> Markup {
    let scenario = &report.scenario;
    html! {
        header {
            h1 {
                "Crash rehearsal " small { (scenario.markets.len()) " markets" }
                @if scenario.prices_generated { span.badge { "generated prices" } }
            }
            p {
                (scenario.traders) " trader accounts with up to " (scenario.most_legs) " legs, "
                (scenario.cross_share_percent) " % of them cross; seed " (scenario.seed)
                ". Played twice: with them cross, and with the same accounts isolated. Every figure comes from \
                 transactions on the built program. The pictures show the play with cross accounts."
            }
            ul { @for market in &scenario.markets { li { (market.name) ": " (market.prices) } } }
        }
    }
}

fn comparison(report: &MarketsReport) -> Markup {
    let headers = compare::HEADERS.map(|header| header.trim_start_matches('>'));
    let rows = compare::rows(report).into_iter().map(|row| {
        html! { @for cell in row { td { (cell) } } }
    });
    html! {
        section {
            h2 { "What cross margin saved" }
            p { "The same accounts, collateral and prices: with the chosen accounts cross, and everybody isolated." }
            (table(&headers, rows))
        }
    }
}

fn markets(title: &str, report: &MarketsReport, play: &Play) -> Markup {
    let headers = [
        "market",
        "liquidations",
        "rounds",
        "cuts",
        "of legs",
        "lots cut",
        "given up",
        "insurance",
        "left",
    ];
    let lines = report.scenario.markets.iter().zip(&play.markets);
    let rows = lines.map(|(market, sums)| {
        html! {
            td { (market.name) }
            td { (grouped(sums.liquidations)) }
            td { (grouped(sums.adl_rounds)) }
            td { (grouped(sums.adl_cuts)) }
            td { (grouped(sums.leg_cuts)) }
            td { (grouped(sums.cut_lots)) }
            td { (usd_unsigned(sums.gave_up_atoms)) }
            td { (usd_unsigned(sums.insurance_start_atoms)) }
            td { (usd_unsigned(sums.insurance_end_atoms)) }
        }
    });
    html! { section { h2 { (title) } (table(&headers, rows)) } }
}

/// The price of one market with liquidations and rounds of the play with cross accounts on it.
fn market_picture(report: &MarketsReport, number: usize) -> Result<Markup> {
    let times = report.path.iter().map(|step| step.timestamp);
    let first = times.clone().next().unwrap_or(0);
    let dollars = drawn(report.scenario.markets[number].tick_nano) / 1e9;
    let line: Vec<(i64, f64)> = report
        .path
        .iter()
        .map(|step| (step.timestamp, drawn(step.price_ticks[number]) * dollars))
        .collect();
    let at = |time: i64| {
        let point = line.iter().find(|(other, _)| *other == time);
        (
            minutes_since(first, time),
            point.map_or(0.0, |point| point.1),
        )
    };
    let steps = report.cross.liquidations.iter();
    let steps = steps.filter(|step| step.market == number);
    let steps: BTreeSet<i64> = steps.map(|step| step.timestamp).collect();
    let rounds = report
        .cross
        .adl
        .iter()
        .filter(|round| round.market == number);
    let rounds: BTreeSet<i64> = rounds.map(|round| round.timestamp).collect();
    draw(HEIGHT, |area| {
        let (low, high) = span(line.iter().map(|point| point.1));
        let room = (high - low).max(high * 0.001) * 0.08;
        let range = (low - room, high + room);
        let mut chart = chart_over(area, times.clone(), range, &|y| axis_dollars(*y))?;
        let points = line.iter().map(|(time, _)| at(*time));
        let series = LineSeries::new(points, BLUE.stroke_width(2));
        chart.draw_series(series).map_err(drawing)?;
        let circles = steps
            .iter()
            .map(|time| Circle::new(at(*time), 3, AMBER.filled()));
        chart.draw_series(circles).map_err(drawing)?;
        let triangles = rounds.iter();
        let triangles = triangles.map(|time| TriangleMarker::new(at(*time), 6, RED.filled()));
        chart.draw_series(triangles).map_err(drawing)?;
        Ok(())
    })
}
