//! `report.html`: one file, no outside resources, light or dark as the reader prefers.

use anyhow::Result;

use super::book_pictures;
use super::model::{Report, Round};
use super::money::{
    clock, decimal_of_ppm, grouped, grouped_count, percent_of_ppm, price, short, usd, usd_short,
    usd_unsigned,
};
use super::pictures;

const STYLE: &str = include_str!("report.css");
/// Rows of the ranking table.
const RANKING_ROWS: usize = 12;

/// The page.
pub fn render(report: &Report) -> Result<String> {
    let mut body = String::new();
    body.push_str(&head(report));
    body.push_str(&tiles(report));
    body.push_str(&figure(
        "Price and what happened on it",
        &pictures::price(report)?,
        &[("amber", "liquidation"), ("red", "auto-deleveraging round")],
    ));
    body.push_str(&stages(report)?);
    if report.scenario.market_makers > 0 {
        body.push_str(&market(report)?);
    }
    body.push_str(&figure(
        "Insurance balance",
        &pictures::insurance(report)?,
        &[],
    ));
    if let Some(round) = report.adl.first() {
        body.push_str(&figure(
            "Ranking before the first round",
            &pictures::ranking(report)?,
            &[
                ("red", "cut in the first round"),
                ("amber", "cut later"),
                ("blue", "never cut"),
                ("grey", "not a winner"),
            ],
        ));
        body.push_str(&first_round(report, round));
        body.push_str(&figure(
            "Who was cut, and what it cost them against the mark",
            &pictures::cuts(report)?,
            &[],
        ));
    }
    body.push_str(&policies(report)?);
    body.push_str(&dishonest(report));
    body.push_str(&checks(report));
    body.push_str(&compute_units(report));
    body.push_str(&assumptions(report));
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Ballast crash rehearsal</title><style>{STYLE}</style></head>\n<body><main>{body}</main></body></html>\n"
    ))
}

fn head(report: &Report) -> String {
    let scenario = &report.scenario;
    let badge = if scenario.prices_generated {
        "<span class=\"badge\">generated prices</span>"
    } else {
        ""
    };
    format!(
        "<header><h1>Crash rehearsal <small>{}</small>{badge}</h1><p>{}. {} prices from {}, low {}. {} trader \
         accounts, seed {}. Every figure comes from transactions on the built program.</p></header>",
        escape(&scenario.market),
        escape(&scenario.prices),
        grouped(u64::try_from(scenario.price_points).unwrap_or(0)),
        price(scenario.first_price_ticks, scenario.tick_nano),
        price(scenario.low_price_ticks, scenario.tick_nano),
        scenario.traders,
        scenario.seed,
    )
}

fn tiles(report: &Report) -> String {
    let summary = &report.summary;
    let passed = report.checks.iter().filter(|check| check.passed).count();
    let tiles = [
        (
            "Liquidated",
            usd_unsigned(summary.liquidated_notional_atoms),
            format!("{} steps by keepers", grouped(summary.liquidations)),
        ),
        (
            "Paid by insurance",
            usd_unsigned(
                summary.insurance_paid_in_liquidations_atoms + summary.insurance_paid_in_adl_atoms,
            ),
            format!(
                "{} → {}",
                usd_unsigned(summary.insurance_start_atoms),
                usd_unsigned(summary.insurance_end_atoms)
            ),
        ),
        (
            "Uncovered deficit",
            usd_short(summary.uncovered_deficit_atoms),
            format!("{} bankrupt positions", summary.bankruptcies),
        ),
        (
            "Given up in ADL",
            usd_short(summary.winners_gave_up_atoms),
            format!("{} rounds, {} cuts", summary.adl_rounds, summary.adl_cuts),
        ),
        (
            "Overshoot",
            format!("{} atoms", summary.overshoot_atoms),
            "given up beyond the deficit".to_owned(),
        ),
        (
            "Conservation error",
            format!("{} atoms", summary.conservation_error_atoms),
            format!("{passed} of {} checks hold", report.checks.len()),
        ),
    ];
    let tiles: String = tiles
        .iter()
        .map(|(name, value, note)| {
            format!("<div class=\"tile\"><span>{name}</span><b>{value}</b><i>{note}</i></div>")
        })
        .collect();
    format!("<section class=\"tiles\">{tiles}</section>")
}

fn figure(title: &str, svg: &str, legend: &[(&str, &str)]) -> String {
    let legend: String = legend
        .iter()
        .map(|(colour, name)| format!("<span class=\"key {colour}\">{name}</span>"))
        .collect();
    format!("<figure><figcaption><h2>{title}</h2><div>{legend}</div></figcaption>{svg}</figure>")
}

fn stages(report: &Report) -> Result<String> {
    let rows: String = report
        .waterfall
        .iter()
        .map(|line| {
            row(&[
                line.stage.name().to_owned(),
                grouped(line.events),
                grouped(line.lots),
                percent_of_ppm(line.share_ppm),
                usd_unsigned(line.notional_atoms),
                usd(line.gained_atoms),
            ])
        })
        .collect();
    let headers = [
        "stage",
        "events",
        "lots",
        "share",
        "at the mark",
        "gained against it",
    ];
    let legend: Vec<(&str, &str)> = report
        .waterfall
        .iter()
        .map(|line| (book_pictures::stage_colour(line.stage).1, line.stage.name()))
        .collect();
    Ok(format!(
        "<section><h2>The waterfall: who took the lots</h2><p>Every lot that was liquidated or deleveraged belongs to one \
         stage. What insurance paid is the deficit of positions that a liquidator took over at the mark, and of those \
         deleveraged.</p>{}{}</section>{}",
        book_pictures::stages(report)?,
        table(&headers, &rows),
        figure(
            "Absorbed so far, at the mark",
            &book_pictures::absorbed(report)?,
            &legend,
        )
    ))
}

fn market(report: &Report) -> Result<String> {
    let rows: String = report
        .market_makers
        .iter()
        .map(|line| {
            row(&[
                format!(
                    "<span title=\"{}\">{}</span>",
                    line.trader,
                    short(&line.trader)
                ),
                usd_unsigned(line.collateral_atoms),
                grouped(line.filled_lots),
                usd(line.fees_atoms),
                grouped(line.orders_removed),
                line.lots_end.to_string(),
                usd(line.result_atoms),
            ])
        })
        .collect();
    let headers = [
        "market maker",
        "collateral",
        "lots filled",
        "fees",
        "orders removed",
        "lots at the end",
        "result",
    ];
    let summary = &report.summary.book;
    Ok(format!(
        "{}<section><h2>The order book</h2><p>{} market orders and {} stop-losses traded, {} fills of {} in all; longs paid {} \
         of funding.</p>{}</section>",
        figure(
            "Depth of the book",
            &book_pictures::depth(report)?,
            &[("blue", "bids"), ("red", "asks")],
        ),
        grouped(summary.market_orders),
        grouped(summary.stop_losses),
        grouped(summary.fills),
        usd_unsigned(summary.filled_notional_atoms),
        usd(summary.funding_paid_by_longs_atoms),
        table(&headers, &rows),
    ))
}

fn first_round(report: &Report, round: &Round) -> String {
    let rows: String = round
        .queue
        .iter()
        .take(RANKING_ROWS)
        .enumerate()
        .map(|(rank, line)| {
            let trader = report
                .traders
                .iter()
                .find(|trader| trader.trader == line.trader);
            let kind = trader.map_or(String::new(), |trader| trader.kind.to_string());
            let cut = round.cut.iter().find(|cut| cut.trader == line.trader);
            let entry = line.entry_quote_atoms.unsigned_abs()
                / line.lots.unsigned_abs().max(1)
                / round.atoms_per_lot_tick.max(1);
            row(&[
                (rank + 1).to_string(),
                format!(
                    "<span title=\"{}\">{}</span>",
                    line.trader,
                    short(&line.trader)
                ),
                kind,
                line.lots.to_string(),
                price(entry, report.scenario.tick_nano),
                usd(line.margin_atoms),
                lights(line.lights),
                cut.map_or("–".to_owned(), |cut| grouped(cut.lots)),
                cut.map_or("–".to_owned(), |cut| usd(cut.gave_up_atoms)),
            ])
        })
        .collect();
    format!(
        "<section><h2>The first round, at {} UTC</h2><p>{} lots of <span title=\"{}\">{}</span> were bankrupt at the mark of {} \
         with a deficit of {}; insurance paid {}. The close price is {} ticks.</p>{}</section>",
        clock(round.timestamp),
        round.bankrupt.lots,
        round.bankrupt.trader,
        short(&round.bankrupt.trader),
        price(round.mark_ticks, report.scenario.tick_nano),
        usd(round.deficit_atoms),
        usd(i64::try_from(round.insurance_paid_atoms).unwrap_or(i64::MAX)),
        round.close_price,
        table(&["rank", "trader", "kind", "lots", "entry", "margin", "lights", "cut", "gave up"], &rows),
    )
}

fn lights(on: u8) -> String {
    let dots: String = (1..=5)
        .map(|dot| {
            if dot <= on {
                "<i class=\"on\"></i>"
            } else {
                "<i></i>"
            }
        })
        .collect();
    format!("<span class=\"lights\" title=\"{on} of 5\">{dots}</span>")
}

fn policies(report: &Report) -> Result<String> {
    if report.policies.is_empty() {
        return Ok(String::new());
    }
    let rows: String = report
        .policies
        .iter()
        .map(|line| {
            row(&[
                format!("<code>{}</code>", line.policy.name()),
                usd_unsigned(line.deficit_atoms),
                usd_unsigned(line.taken_atoms),
                format!("{} atoms", line.overshoot_atoms),
                grouped_count(line.accounts_touched),
                grouped_count(line.positions_closed),
                percent_of_ppm(line.largest_haircut_ppm),
                decimal_of_ppm(line.gini_ppm),
                percent_of_ppm(line.top_ten_ppm),
                grouped(line.unplaced_lots),
            ])
        })
        .collect();
    let headers = [
        "rule",
        "deficit",
        "taken",
        "overshoot",
        "accounts touched",
        "closed entirely",
        "largest haircut",
        "Gini",
        "top ten bear",
        "lots unplaced",
    ];
    let winners = report.policies.first().map_or(0, |line| line.winners);
    let legend: Vec<(&str, &str)> = report
        .policies
        .iter()
        .map(|line| (pictures::policy_colour(line.policy).1, line.policy.name()))
        .collect();
    Ok(format!(
        "<section><h2>Rules compared</h2><p>A simulation: the rounds of this crash, each played again by another rule \
         against the positions that this rule's own cuts had left. The program's rule is <code>capped</code>; its replay \
         gives every recorded cut. A haircut is what a winner gives up, as a part of the largest profit its position would \
         have shown uncut; Gini over all {winners} winners, those untouched included.</p>{}</section>{}",
        table(&headers, &rows),
        figure(
            "Who bears it: winners from the smallest haircut to the largest, and their part of all haircuts",
            &pictures::haircuts(report)?,
            &legend,
        )
    ))
}

fn dishonest(report: &Report) -> String {
    let rows: String = report
        .dishonest_keepers
        .cases
        .iter()
        .map(|case| {
            let error = if case.error.is_empty() {
                "accepted"
            } else {
                &case.error
            };
            row(&[
                escape(&case.attempt),
                format!("<code>{}</code>", escape(error)),
                format!("{} of {}", case.accounts_changed, case.accounts_compared),
                verdict(case.passed(), "refused"),
            ])
        })
        .collect();
    format!(
        "<section><h2>Dishonest keepers</h2><p>{}</p>{}</section>",
        escape(&report.dishonest_keepers.setting),
        table(&["attempt", "error", "accounts changed", "outcome"], &rows)
    )
}

fn checks(report: &Report) -> String {
    let rows: String = report
        .checks
        .iter()
        .map(|check| {
            row(&[
                verdict(check.passed, "holds"),
                escape(&check.name),
                escape(&check.figure),
            ])
        })
        .collect();
    format!(
        "<section><h2>Checks</h2>{}</section>",
        table(&["", "check", "figure"], &rows)
    )
}

fn compute_units(report: &Report) -> String {
    let rows: String = report
        .summary
        .compute_units
        .iter()
        .map(|(name, units)| {
            row(&[
                format!("<code>{name}</code>"),
                grouped(units.count),
                grouped(units.total / units.count.max(1)),
                grouped(units.max),
            ])
        })
        .collect();
    format!(
        "<section><h2>Compute units per transaction</h2>{}</section>",
        table(&["instruction", "transactions", "mean", "max"], &rows)
    )
}

fn assumptions(report: &Report) -> String {
    let items: String = report
        .scenario
        .assumptions
        .iter()
        .map(|line| format!("<li>{}</li>", escape(line)))
        .collect();
    format!("<section><h2>What the model assumes</h2><ul>{items}</ul></section><footer>Ballast is not audited. Exact amounts are in report.json.</footer>")
}

fn verdict(passed: bool, word: &str) -> String {
    if passed {
        format!("<span class=\"pass\">{word}</span>")
    } else {
        "<span class=\"fail\">FAILED</span>".to_owned()
    }
}

fn table(headers: &[&str], rows: &str) -> String {
    let headers: String = headers
        .iter()
        .map(|header| format!("<th>{header}</th>"))
        .collect();
    format!("<div class=\"scroll\"><table><thead><tr>{headers}</tr></thead><tbody>{rows}</tbody></table></div>")
}

fn row(cells: &[String]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| format!("<td>{cell}</td>"))
        .collect();
    format!("<tr>{cells}</tr>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_is_self_contained_and_escapes_what_it_is_given() {
        let page = render(&sample::report()).expect("drawable");
        assert_eq!(page.matches("<svg").count(), 8);
        assert!(page.contains("&lt;odd &amp; name&gt;.csv"));
        for outside in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("refused") && page.contains("FAILED"));
    }

    #[test]
    fn a_crash_without_a_round_or_a_book_has_four_pictures() {
        let mut report = sample::report();
        report.adl.clear();
        report.policies.clear();
        report.scenario.market_makers = 0;
        assert_eq!(
            render(&report).expect("drawable").matches("<svg").count(),
            4
        );
    }

    #[test]
    fn every_colour_of_the_pictures_follows_the_theme() {
        let page = render(&sample::report()).expect("drawable");
        let (style, body) = page.split_once("</style>").expect("a style sheet");
        for part in body.split("fill=\"#").skip(1) {
            let colour = &part[..6];
            assert!(
                style.contains(&format!("[fill=\"#{colour}\"]")),
                "fill {colour}"
            );
        }
    }
}
