//! The tables at the end of a rehearsal of several markets.

use ballast_client::amount::grouped;
use ballast_report::figures::{grouped_count, price, usd_unsigned};
use ballast_report::markets::{MarketsReport, Play};
use ballast_report::table::Table;

use super::compare;
use crate::report::terminal::checks;

/// What the run is about, before it starts.
pub fn heading(report: &MarketsReport) -> String {
    let scenario = &report.scenario;
    let mut text = format!(
        "Ballast crash rehearsal: {} markets, {} traders of which {} % cross, at most {} legs, seed {}, {} prices\n",
        scenario.markets.len(),
        scenario.traders,
        scenario.cross_share_percent,
        scenario.most_legs,
        scenario.seed,
        grouped_count(report.path.len())
    );
    for market in &scenario.markets {
        text.push_str(&format!(
            "{}: first {}, low {}; {}\n",
            market.name,
            price(market.first_price_ticks, market.tick_nano),
            price(market.low_price_ticks, market.tick_nano),
            market.prices
        ));
    }
    for assumption in &scenario.assumptions {
        text.push_str(&format!("  - {assumption}\n"));
    }
    text
}

/// Everything that is printed when it ends.
pub fn render(report: &MarketsReport) -> String {
    let sections = [
        (
            "Each market, with cross accounts",
            markets(report, &report.cross),
        ),
        (
            "Each market, everybody isolated",
            markets(report, &report.isolated),
        ),
        ("What cross margin saved", comparison(report)),
        ("Checks", checks(&report.checks)),
    ];
    let section = |(title, body): &(&str, String)| format!("\n{title}\n{body}\n");
    sections.iter().map(section).collect()
}

fn markets(report: &MarketsReport, play: &Play) -> String {
    let mut table = Table::new(&[
        "market",
        ">liquidations",
        ">lots",
        ">rounds",
        ">cuts",
        ">of legs",
        ">lots cut",
        ">given up",
        ">insurance",
        ">left",
    ]);
    for (market, sums) in report.scenario.markets.iter().zip(&play.markets) {
        table.row([
            market.name.clone(),
            grouped(sums.liquidations),
            grouped(sums.liquidated_lots),
            grouped(sums.adl_rounds),
            grouped(sums.adl_cuts),
            grouped(sums.leg_cuts),
            grouped(sums.cut_lots),
            usd_unsigned(sums.gave_up_atoms),
            usd_unsigned(sums.insurance_start_atoms),
            usd_unsigned(sums.insurance_end_atoms),
        ]);
    }
    table.render()
}

fn comparison(report: &MarketsReport) -> String {
    let mut table = Table::new(&compare::HEADERS);
    for row in compare::rows(report) {
        table.row(row);
    }
    table.render()
}
