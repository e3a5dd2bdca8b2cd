//! The pictures of `report.html`, as SVG.
//!
//! Each colour below is recoloured by the page's style sheet, so that the pictures follow the
//! reader's light or dark theme. Floating point is for drawing only.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, Result};
use ballast_client::amount::grouped;
use ballast_report::figures::{short, usd_short};
use ballast_report::model::{PathLine, QueueLine, Report, Round};
use ballast_report::policy::Policy;
use maud::{Markup, PreEscaped};
use plotters::coord::types::RangedCoordf64;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::terminal::most_cut;
use ballast_risk::units::ATOMS_PER_USD;

/// Text and axes.
const INK: RGBColor = RGBColor(0x22, 0x26, 0x2B);
/// Grid lines.
const GRID: RGBColor = RGBColor(0xE4, 0xE6, 0xEA);
/// The price, and positions that were not cut.
pub const BLUE: RGBColor = RGBColor(0x2C, 0x6B, 0xD6);
/// The balance of insurance.
pub const GREEN: RGBColor = RGBColor(0x1D, 0x8A, 0x6E);
/// Liquidations, and positions cut later.
pub const AMBER: RGBColor = RGBColor(0xD8, 0x8A, 0x1E);
/// Auto-deleveraging.
pub const RED: RGBColor = RGBColor(0xCC, 0x33, 0x44);
/// The backstop pool.
pub const VIOLET: RGBColor = RGBColor(0x7A, 0x4F, 0xC4);
/// Positions that are not winners.
const GREY: RGBColor = RGBColor(0x9A, 0xA3, 0xAE);

const WIDTH: u32 = 980;
const FONT: &str = "sans-serif";
const TEXT: i32 = 14;
/// Bars in the picture of who was cut.
const MOST_CUT: usize = 15;

/// What is drawn on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A chart of numbers.
pub type Chart<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Price with liquidations and rounds on it.
pub fn price(report: &Report) -> Result<Markup> {
    draw(300, |area| {
        let line = path(report, |step| step.price_ticks);
        let dollars = drawn(report.scenario.tick_nano) / 1e9;
        let line: Vec<(f64, f64)> = line
            .into_iter()
            .map(|(x, ticks)| (x, ticks * dollars))
            .collect();
        let (low, high) = span(line.iter().map(|point| point.1));
        let room = (high - low).max(high * 0.001) * 0.08;
        let mut chart = chart(area, report, (low - room, high + room), &|y| {
            axis_dollars(*y)
        })?;
        chart
            .draw_series(LineSeries::new(line, BLUE.stroke_width(2)))
            .map_err(drawing)?;
        let marks = |events: BTreeSet<(i64, u64)>| -> Vec<(f64, f64)> {
            events
                .into_iter()
                .map(|(time, ticks)| (minute(report, time), drawn(ticks) * dollars))
                .collect()
        };
        let liquidations = marks(
            report
                .liquidations
                .iter()
                .map(|line| (line.timestamp, line.mark_ticks))
                .collect(),
        );
        let rounds = marks(
            report
                .adl
                .iter()
                .map(|round| (round.timestamp, round.mark_ticks))
                .collect(),
        );
        chart
            .draw_series(
                liquidations
                    .into_iter()
                    .map(|point| Circle::new(point, 3, AMBER.filled())),
            )
            .map_err(drawing)?;
        chart
            .draw_series(
                rounds
                    .into_iter()
                    .map(|point| TriangleMarker::new(point, 6, RED.filled())),
            )
            .map_err(drawing)?;
        Ok(())
    })
}

/// Balance of the insurance.
pub fn insurance(report: &Report) -> Result<Markup> {
    draw(220, |area| {
        let start = (
            0.0,
            drawn(report.summary.insurance_start_atoms) / drawn(ATOMS_PER_USD),
        );
        let mut line = vec![start];
        line.extend(
            path(report, |step| step.insurance_atoms)
                .into_iter()
                .map(|(x, atoms)| (x, atoms / drawn(ATOMS_PER_USD))),
        );
        let high = span(line.iter().map(|point| point.1)).1.max(1.0);
        let mut chart = chart(area, report, (0.0, high * 1.08), &|y| axis_dollars(*y))?;
        let fill = AreaSeries::new(line, 0.0, GREEN.mix(0.15)).border_style(GREEN.stroke_width(2));
        chart.draw_series(fill).map_err(drawing)?;
        Ok(())
    })
}

/// What the backstop pool was worth, and the notional that it held.
pub fn pool(report: &Report) -> Result<Markup> {
    draw(220, |area| {
        let per_tick = report.scenario.atoms_per_lot_tick;
        let dollars = |atoms: u64| drawn(atoms) / drawn(ATOMS_PER_USD);
        let steps = report.path.iter();
        let line = |value: &dyn Fn(&PathLine) -> u64| -> Vec<(f64, f64)> {
            let point = |step: &PathLine| (minute(report, step.timestamp), dollars(value(step)));
            steps.clone().map(point).collect()
        };
        let worth = line(&|step| step.pool_atoms.max(0).unsigned_abs());
        let held = line(&|step| step.pool_lots.unsigned_abs() * step.price_ticks * per_tick);
        let high = span(worth.iter().chain(&held).map(|point| point.1))
            .1
            .max(1.0);
        let mut chart = chart(area, report, (0.0, high * 1.08), &|y| axis_dollars(*y))?;
        let fill = AreaSeries::new(held, 0.0, VIOLET.mix(0.3)).border_style(VIOLET.stroke_width(1));
        chart.draw_series(fill).map_err(drawing)?;
        let line = LineSeries::new(worth, GREEN.stroke_width(2));
        chart.draw_series(line).map_err(drawing)?;
        Ok(())
    })
}

/// Who was cut and what it cost them.
pub fn cuts(report: &Report) -> Result<Markup> {
    let lines = most_cut(report, MOST_CUT);
    let rows = i32::try_from(lines.len())?;
    let height = u32::try_from(rows * 24 + 8)?;
    let most = lines
        .first()
        .map_or(1, |line| line.adl_gave_up_atoms.max(1));
    draw(height, |area| {
        for (row, line) in (0..rows).zip(&lines) {
            let middle = row * 24 + 14;
            let label = format!(
                "{}   {} {}x",
                short(&line.trader),
                line.kind,
                tenths(line.leverage_tenths)
            );
            text(area, &label, (4, middle))?;
            let share =
                i64::from(line.adl_gave_up_atoms.max(0) > 0) * line.adl_gave_up_atoms.max(0) * 440
                    / most;
            let end = 260 + i32::try_from(share)?.max(1);
            area.draw(&Rectangle::new(
                [(260, middle - 8), (end, middle + 8)],
                RED.filled(),
            ))
            .map_err(drawing)?;
            let held = line.lots_start.unsigned_abs().max(1);
            let figure = format!(
                "{}   {} % of its lots",
                usd_short(line.adl_gave_up_atoms),
                line.adl_lots * 100 / held
            );
            text(area, &figure, (end + 8, middle))?;
        }
        Ok(())
    })
}

/// Scores before the first round, by rank; logarithmic.
pub fn ranking(report: &Report) -> Result<Markup> {
    let Some(round) = report.adl.first() else {
        return Ok(Markup::default());
    };
    let later: BTreeSet<&str> = report
        .adl
        .iter()
        .flat_map(|round| &round.cut)
        .map(|cut| cut.trader.as_str())
        .collect();
    let first: BTreeMap<&str, u64> = round
        .cut
        .iter()
        .map(|cut| (cut.trader.as_str(), cut.lots))
        .collect();
    let scores: Vec<f64> = round.queue.iter().map(|line| score(round, line)).collect();
    let positive = scores
        .iter()
        .copied()
        .filter(|score| *score > 0.0 && score.is_finite());
    let (low, high) = span(positive.map(f64::log10));
    let (floor, ceiling) = (low.floor() - 0.3, high.max(low + 0.5) + 0.1);
    draw(260, |area| {
        let count = f64::from(u32::try_from(scores.len())?);
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .x_label_area_size(46)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..count + 1.0, floor..ceiling)
            .map_err(drawing)?;
        mesh(
            &mut chart,
            &|x| format!("{x:.0}"),
            &|y| score_label(10_f64.powf(*y)),
            "rank",
        )?;
        let mut at = 0.0;
        for (line, score) in round.queue.iter().zip(&scores) {
            at += 1.0;
            let colour = match line.trader.as_str() {
                trader if first.contains_key(trader) => RED,
                _ if *score <= 0.0 || line.lights == 0 => GREY,
                trader if later.contains(trader) => AMBER,
                _ => BLUE,
            };
            let top = if *score > 0.0 {
                score.log10().clamp(floor + 0.02, ceiling)
            } else {
                floor + 0.06
            };
            let bar = Rectangle::new([(at - 0.4, floor), (at + 0.4, top)], colour.filled());
            chart.draw_series(std::iter::once(bar)).map_err(drawing)?;
        }
        Ok(())
    })
}

/// A rule's colour, and its name in the style sheet.
pub const fn policy_colour(policy: Policy) -> (RGBColor, &'static str) {
    match policy {
        Policy::Queue => (RED, "red"),
        Policy::Capped => (BLUE, "blue"),
        Policy::ProRata => (GREEN, "green"),
    }
}

/// Lorenz curves of the haircuts under each rule; the diagonal is equality.
pub fn haircuts(report: &Report) -> Result<Markup> {
    draw(300, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(46)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..100.0, 0.0..100.0)
            .map_err(drawing)?;
        let percent = |value: &f64| format!("{value:.0} %");
        mesh(&mut chart, &percent, &percent, "winners")?;
        let equal = LineSeries::new([(0.0, 0.0), (100.0, 100.0)], GREY.stroke_width(1));
        chart.draw_series(equal).map_err(drawing)?;
        for line in &report.policies {
            let colour = policy_colour(line.policy).0;
            let curve = LineSeries::new(lorenz(&line.haircuts_ppm), colour.stroke_width(2));
            chart.draw_series(curve).map_err(drawing)?;
        }
        Ok(())
    })
}

/// Part of all haircuts that the least affected part of the winners bears, both in per cent.
fn lorenz(ascending: &[u64]) -> Vec<(f64, f64)> {
    let count = drawn(u64::try_from(ascending.len()).unwrap_or(u64::MAX)).max(1.0);
    let sum = drawn(ascending.iter().sum()).max(1.0);
    let (mut people, mut borne) = (0.0, 0.0);
    let steps = ascending.iter().map(|haircut| {
        people += 1.0;
        borne += drawn(*haircut);
        (people / count * 100.0, borne / sum * 100.0)
    });
    std::iter::once((0.0, 0.0)).chain(steps).collect()
}

/// Score of a position at a round's mark, for drawing.
fn score(round: &Round, line: &QueueLine) -> f64 {
    let mark = drawn(round.mark_ticks) * drawn(round.atoms_per_lot_tick);
    let lots = drawn(line.lots.unsigned_abs());
    let sign = if line.lots < 0 { -1.0 } else { 1.0 };
    let entry = drawn(line.entry_quote_atoms.unsigned_abs()) / lots;
    let margin =
        drawn(line.margin_atoms.unsigned_abs()) * if line.margin_atoms < 0 { -1.0 } else { 1.0 };
    let cushion = sign * (mark - entry) + margin / lots;
    let profit = sign * (mark - entry) / entry;
    if profit > 0.0 {
        profit * mark / cushion
    } else {
        profit * cushion / mark
    }
}

/// A picture of this height.
pub fn draw(height: u32, paint: impl FnOnce(&Area) -> Result<()>) -> Result<Markup> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area)?;
        area.present().map_err(drawing)?;
    }
    Ok(PreEscaped(svg))
}

pub(super) fn chart<'a, 'b>(
    area: &'a Area<'b>,
    report: &Report,
    range: (f64, f64),
    y_label: &dyn Fn(&f64) -> String,
) -> Result<Chart<'a, 'b>> {
    let times = report.path.iter().map(|step| step.timestamp);
    chart_over(area, times, range, y_label)
}

/// A chart over the minutes between the first and the last of these times.
pub fn chart_over<'a, 'b>(
    area: &'a Area<'b>,
    times: impl DoubleEndedIterator<Item = i64> + Clone,
    range: (f64, f64),
    y_label: &dyn Fn(&f64) -> String,
) -> Result<Chart<'a, 'b>> {
    let first = times.clone().next().unwrap_or(0);
    let last = times.clone().next_back();
    let last = last.map_or(1.0, |time| minutes_since(first, time));
    let start = drawn(first.rem_euclid(86_400).unsigned_abs()) / 60.0;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(20)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..last.max(1.0), range.0..range.1)
        .map_err(drawing)?;
    mesh(&mut chart, &|x| of_day(start + x), y_label, "UTC")?;
    Ok(chart)
}

fn mesh(
    chart: &mut Chart,
    x_label: &dyn Fn(&f64) -> String,
    y_label: &dyn Fn(&f64) -> String,
    x_name: &str,
) -> Result<()> {
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style((FONT, TEXT, &INK))
        .x_labels(10)
        .y_labels(6)
        .x_label_formatter(&x_label)
        .y_label_formatter(&y_label)
        .x_desc(x_name)
        .draw()
        .map_err(drawing)
}

pub(super) fn text(area: &Area, text: &str, at: (i32, i32)) -> Result<()> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    let style = (FONT, TEXT, &INK)
        .into_text_style(area)
        .pos(Pos::new(HPos::Left, VPos::Center));
    area.draw_text(text, &style, at).map_err(drawing)
}

fn path(report: &Report, value: impl Fn(&PathLine) -> u64) -> Vec<(f64, f64)> {
    report
        .path
        .iter()
        .map(|step| (minute(report, step.timestamp), drawn(value(step))))
        .collect()
}

/// Minutes since the first price.
pub(super) fn minute(report: &Report, timestamp: i64) -> f64 {
    let first = report.path.first().map_or(timestamp, |step| step.timestamp);
    minutes_since(first, timestamp)
}

/// Minutes from one time to another.
pub fn minutes_since(first: i64, timestamp: i64) -> f64 {
    drawn(timestamp.saturating_sub(first).unsigned_abs()) / 60.0
}

fn of_day(minutes: f64) -> String {
    let whole = minutes.rem_euclid(1_440.0).floor();
    format!("{:02.0}:{:02.0}", (whole / 60.0).floor(), whole % 60.0)
}

/// Least and greatest.
pub fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low.is_finite() {
        (low, high)
    } else {
        (0.0, 1.0)
    }
}

/// Dollars at an axis.
pub fn axis_dollars(value: f64) -> String {
    if value.abs() < 1.0 {
        format!("${value}")
    } else if value.abs() < 1_000.0 {
        format!("${value:.0}")
    } else {
        format!("${}", grouped(value.abs().round() as u64))
    }
}

/// Two digits of a score.
fn score_label(score: f64) -> String {
    let decimals = (1.0 - score.log10().floor()).clamp(0.0, 6.0);
    format!("{score:.0$}", decimals as usize)
}

fn tenths(leverage: u64) -> String {
    format!("{}.{}", leverage / 10, leverage % 10)
}

/// The nearest drawable number.
pub fn drawn(number: u64) -> f64 {
    number as f64
}

/// An error of the drawing library as an ordinary one.
pub fn drawing<E: std::error::Error + Send + Sync>(
    error: DrawingAreaErrorKind<E>,
) -> anyhow::Error {
    anyhow!("drawing failed: {error}")
}
