//! The pictures of `report.html` about the order book: what each stage of the waterfall absorbed,
//! and how deep the book was. Floating point is for drawing only.

use anyhow::Result;
use ballast_report::figures::usd_short;
use ballast_report::model::{PathLine, Report};
use ballast_report::trading::Stage;
use ballast_report::waterfall;
use maud::Markup;
use plotters::prelude::*;
use strum::VariantArray;

use super::pictures::{
    chart, draw, drawing, drawn, minute, span, text, AMBER, BLUE, GREEN, RED, VIOLET,
};
use ballast_risk::units::ATOMS_PER_USD;

/// A stage's colour, and its name in the style sheet.
pub const fn stage_colour(stage: Stage) -> (RGBColor, &'static str) {
    match stage {
        Stage::Book => (BLUE, "blue"),
        Stage::Liquidator => (AMBER, "amber"),
        Stage::Pool => (VIOLET, "violet"),
        Stage::Insurance => (GREEN, "green"),
        Stage::Deleveraging => (RED, "red"),
    }
}

/// The stages side by side: one bar, as long as all lots together.
pub fn stages(report: &Report) -> Result<Markup> {
    let all: u64 = report.waterfall.iter().map(|line| line.lots).sum();
    draw(86, |area| {
        let (mut from, whole) = (4, 960_u64);
        for line in &report.waterfall {
            let share = u128::from(whole) * u128::from(line.lots) / u128::from(all.max(1));
            let to = from + i32::try_from(share)?;
            let colour = stage_colour(line.stage).0;
            if to > from {
                area.draw(&Rectangle::new([(from, 8), (to, 44)], colour.filled()))
                    .map_err(drawing)?;
            }
            if to - from > 120 {
                let worth = i64::try_from(line.notional_atoms)?;
                let figure = format!(
                    "{} %  {}",
                    (line.share_ppm + 5_000) / 10_000,
                    usd_short(worth)
                );
                text(area, &figure, (from + 2, 62))?;
            }
            from = to;
        }
        Ok(())
    })
}

/// What the stages absorbed in all, price by price, stacked in their order.
pub fn absorbed(report: &Report) -> Result<Markup> {
    let worth = waterfall::absorbed(report);
    let sums: Vec<(f64, [f64; Stage::VARIANTS.len()])> = report
        .path
        .iter()
        .zip(&worth)
        .map(|(step, worth)| {
            let mut sum = 0.0;
            let stacked = worth.map(|atoms| {
                sum += drawn(atoms) / drawn(ATOMS_PER_USD);
                sum
            });
            (minute(report, step.timestamp), stacked)
        })
        .collect();
    draw(260, |area| {
        let high = span(sums.iter().flat_map(|(_, stacked)| *stacked))
            .1
            .max(1.0);
        let mut chart = chart(area, report, (0.0, high * 1.08), &|y| millions(*y))?;
        // The largest sum first, so that each covers the part that is not its own.
        for (index, stage) in Stage::VARIANTS.iter().enumerate().rev() {
            let line = sums.iter().map(|(x, stacked)| (*x, stacked[index]));
            let colour = stage_colour(*stage).0;
            chart
                .draw_series(AreaSeries::new(line, 0.0, colour.filled()))
                .map_err(drawing)?;
        }
        Ok(())
    })
}

/// Worth of all bids and of all asks after the keepers have acted on each price.
pub fn depth(report: &Report) -> Result<Markup> {
    let per_tick = report.scenario.atoms_per_lot_tick;
    let side = |lots: &dyn Fn(&PathLine) -> u64| -> Vec<(f64, f64)> {
        let steps = report.path.iter();
        steps
            .map(|step| {
                let worth = drawn(lots(step)) * drawn(step.price_ticks * per_tick);
                (minute(report, step.timestamp), worth / drawn(ATOMS_PER_USD))
            })
            .collect()
    };
    let (bids, asks) = (
        side(&|step| step.book.bid_lots),
        side(&|step| step.book.ask_lots),
    );
    draw(220, |area| {
        let values = bids.iter().chain(&asks).map(|point| point.1);
        let high = span(values).1.max(1.0);
        let mut chart = chart(area, report, (0.0, high * 1.08), &|y| millions(*y))?;
        for (line, colour) in [(asks, RED), (bids, BLUE)] {
            chart
                .draw_series(LineSeries::new(line, colour.stroke_width(2)))
                .map_err(drawing)?;
        }
        Ok(())
    })
}

fn millions(dollars: f64) -> String {
    if dollars < 1_000_000.0 {
        format!("${:.0}k", dollars / 1_000.0)
    } else {
        format!("${:.1}m", dollars / 1_000_000.0)
    }
}
