//! The picture of the reliability: what was said, and how often it happened.

use anyhow::{anyhow, Result};
use plotters::prelude::*;

use super::judge::BinLine;

const SIZE: (u32, u32) = (560, 520);
const FONT: (&str, i32) = ("sans-serif", 14);

/// The bins of a forecast as SVG.
///
/// # Errors
/// Never in fact.
pub fn reliability(bins: &[BinLine]) -> Result<String> {
    let mut text = String::new();
    draw(&mut text, bins).map_err(|error| anyhow!("the picture cannot be drawn: {error}"))?;
    Ok(text)
}

fn draw(text: &mut String, bins: &[BinLine]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .label_style(FONT)
        .x_desc("probability of a cut, as forecast")
        .y_desc("part that was cut")
        .draw()?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLACK.mix(0.3)))?;
    let points = bins.iter().map(|bin| (bin.forecast, bin.happened));
    chart.draw_series(LineSeries::new(points.clone(), BLUE.stroke_width(2)))?;
    chart.draw_series(points.map(|point| Circle::new(point, 4, BLUE.filled())))?;
    let counts = bins.iter().map(|bin| {
        let at = (bin.forecast + 0.015, bin.happened);
        Text::new(bin.count.to_string(), at, FONT)
    });
    chart.draw_series(counts)?;
    area.present()?;
    Ok(())
}
