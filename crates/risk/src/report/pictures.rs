//! The pictures of a calibration, as SVG. The page's style sheet recolours each colour for light and dark.

use anyhow::{anyhow, Result};
use maud::{Markup, PreEscaped};
use plotters::coord::types::RangedCoordf64;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::words;
use crate::backtest::Outcome;
use crate::calibrate::{Levels, Reliability};

const INK: RGBColor = RGBColor(0x22, 0x26, 0x2B);
const GRID: RGBColor = RGBColor(0xE4, 0xE6, 0xEA);
const BLUE: RGBColor = RGBColor(0x2C, 0x6B, 0xD6);
const GREEN: RGBColor = RGBColor(0x1D, 0x8A, 0x6E);
const AMBER: RGBColor = RGBColor(0xD8, 0x8A, 0x1E);
const RED: RGBColor = RGBColor(0xCC, 0x33, 0x44);
const GREY: RGBColor = RGBColor(0x9A, 0xA3, 0xAE);

const WIDTH: u32 = 980;
const HEIGHT: u32 = 300;
const TEXT: i32 = 14;
/// Points of a line at most: of more, the largest of each part is drawn.
const MOST_POINTS: usize = 490;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn failed<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> anyhow::Error {
    anyhow!("drawing failed: {error}")
}

fn draw(paint: impl FnOnce(&Area) -> Result<()>) -> Result<Markup> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        paint(&area)?;
        area.present().map_err(failed)?;
    }
    Ok(PreEscaped(svg))
}

/// Axes over ranges, with what they are called.
fn chart<'a, 'b>(
    area: &'a Area<'b>,
    (x, y): ((f64, f64), (f64, f64)),
    label: &dyn Fn(&f64) -> String,
    named: &str,
) -> Result<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(20)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(x.0..x.1, y.0..y.1)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(("sans-serif", TEXT, &INK))
        .axis_desc_style(("sans-serif", TEXT, &INK))
        .x_labels(6)
        .x_desc(named)
        .x_label_formatter(label)
        .y_label_formatter(&|part| format!("{:.2}%", 100. * part))
        .draw()
        .map_err(failed)?;
    Ok(chart)
}

fn line(chart: &mut Chart<'_, '_>, points: Vec<(f64, f64)>, style: ShapeStyle) -> Result<()> {
    let drawn = chart.draw_series(LineSeries::new(points, style));
    drawn.map(drop).map_err(failed)
}

fn dots(chart: &mut Chart<'_, '_>, points: Vec<(f64, f64)>, colour: RGBColor) -> Result<()> {
    let dot = |at: (f64, f64)| Circle::new(at, 4, colour.filled());
    let drawn = chart.draw_series(points.into_iter().map(dot));
    drawn.map(drop).map_err(failed)
}

/// The largest of each part of a series that is too long to be drawn.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let part = points.len().div_ceil(MOST_POINTS).max(1);
    let largest = |part: &[(f64, f64)]| {
        let largest = part.iter().copied();
        largest.max_by(|a, b| a.1.total_cmp(&b.1))
    };
    points.chunks(part).filter_map(largest).collect()
}

/// Margins over time with the moves they met.
pub(super) fn margins(outcomes: &[Outcome]) -> Result<Markup> {
    let of = |value: fn(&Outcome) -> f64| {
        let point = |one: &Outcome| (one.time as f64, value(one));
        outcomes.iter().map(point).collect::<Vec<_>>()
    };
    let (margin, moved) = (of(|one| one.margin), of(|one| one.moved));
    let beyond = outcomes.iter().filter(|one| one.exceeds());
    let beyond = beyond.map(|one| (one.time as f64, one.moved)).collect();
    let highest = margin.iter().chain(&moved).map(|point| point.1);
    let highest = highest.fold(0., f64::max);
    let first = margin.first().map_or(0., |point| point.0);
    let last = margin.last().map_or(1., |point| point.0);
    draw(|area| {
        let ranges = ((first, last.max(first + 1.)), (0., 1.05 * highest));
        let mut chart = chart(area, ranges, &|time| words::date(*time as i64), "")?;
        line(&mut chart, thinned(&moved), GREY.stroke_width(1))?;
        line(&mut chart, thinned(&margin), BLUE.stroke_width(2))?;
        dots(&mut chart, beyond, RED)
    })
}

/// How rare something of that probability is: its decimal logarithm, without the sign.
fn rareness(probability: f64) -> f64 {
    -probability.log10()
}

fn one_in(rareness: &f64) -> String {
    format!("1 in {:.0}", 10_f64.powf(*rareness))
}

/// Exceedances over what the levels promise, both as parts of the horizons.
pub(super) fn reliability(levels: &[Reliability]) -> Result<Markup> {
    let promised = |one: &Reliability| 1. - one.level.0;
    let diagonal = levels
        .iter()
        .map(|one| (rareness(promised(one)), promised(one)));
    let diagonal: Vec<(f64, f64)> = diagonal.collect();
    let seen = |side: usize| {
        let point = |one: &Reliability| (rareness(promised(one)), one.exceeded[side].0);
        levels.iter().map(point).collect::<Vec<_>>()
    };
    let (long, short) = (seen(0), seen(1));
    let highest = diagonal.iter().chain(&long).chain(&short);
    let highest = highest.map(|point| point.1).fold(0., f64::max);
    draw(|area| {
        let ranges = ((0.8, 3.2), (0., 1.1 * highest));
        let mut chart = chart(area, ranges, &one_in, "promised")?;
        line(&mut chart, diagonal, GREY.stroke_width(2))?;
        dots(&mut chart, long, BLUE)?;
        dots(&mut chart, short, AMBER)
    })
}

/// Moves over how rare they are, with the interval.
pub(super) fn return_levels(levels: &Levels) -> Result<Markup> {
    let of = |value: fn(&crate::calibrate::ReturnLevel) -> f64| {
        let all = levels.levels.iter();
        all.map(|one| (rareness(1. - one.level.0), value(one)))
            .collect::<Vec<_>>()
    };
    let (low, high) = (of(|one| one.interval[0].0), of(|one| one.interval[1].0));
    let highest = high.iter().map(|point| point.1).fold(0., f64::max);
    draw(|area| {
        let ranges = ((1.9, 4.1), (0., 1.1 * highest));
        let mut chart = chart(area, ranges, &one_in, "horizons")?;
        line(&mut chart, low, GREEN.stroke_width(1))?;
        line(&mut chart, high, GREEN.stroke_width(1))?;
        let estimate = of(|one| one.loss.0);
        line(&mut chart, estimate.clone(), BLUE.stroke_width(2))?;
        dots(&mut chart, estimate, BLUE)
    })
}
