//! `report.html`: one file, no outside resources, light or dark as the reader prefers.
//!
//! Text is escaped by `maud`; only the style sheet and the pictures are taken as they are.

use anyhow::Result;
use ballast_client::amount::grouped;
use ballast_report::figures::{
    clock, decimal_of_ppm, grouped_count, percent_of_ppm, price, short, usd, usd_short,
    usd_unsigned,
};
use ballast_report::model::{Check, Report, Round};
use maud::{html, Markup, PreEscaped, Render, DOCTYPE};

use super::book_pictures;
use super::pictures;
use super::sections;
use super::terminal;

/// The style sheet of every page.
const STYLE: &str = include_str!("report.css");
/// Rows of the ranking table.
const RANKING_ROWS: usize = 12;

/// The page.
pub fn render(report: &Report) -> Result<String> {
    Ok(page("Ballast crash rehearsal", &body(report)?))
}

/// A page with this title.
pub fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

fn body(report: &Report) -> Result<Markup> {
    let events = [("amber", "liquidation"), ("red", "auto-deleveraging round")];
    Ok(html! {
        (head(report))
        (tiles(report))
        (figure("Price and what happened on it", &pictures::price(report)?, &events))
        (stages(report)?)
        @if report.scenario.market_makers > 0 { (market(report)?) }
        (figure("Insurance balance", &pictures::insurance(report)?, &[]))
        @if !report.scenario.pool_account.is_empty() { (sections::pool(report)?) }
        (sections::protection(report))
        @if let Some(round) = report.adl.first() { (deleveraging(report, round)?) }
        @if !report.policies.is_empty() { (policies(report)?) }
        (dishonest(report))
        (checks(&report.checks))
        (compute_units(report))
        (assumptions(report))
        footer { "Ballast is not audited. Exact amounts are in report.json." }
    })
}

fn head(report: &Report) -> Markup {
    let scenario = &report.scenario;
    html! {
        header {
            h1 {
                "Crash rehearsal " small { (scenario.market) }
                @if scenario.prices_generated { span.badge { "generated prices" } }
            }
            p {
                (scenario.prices) ". " (grouped_count(scenario.price_points)) " prices from "
                (price(scenario.first_price_ticks, scenario.tick_nano)) ", low "
                (price(scenario.low_price_ticks, scenario.tick_nano)) ". " (scenario.traders)
                " trader accounts, seed " (scenario.seed)
                ". Every figure comes from transactions on the built program."
            }
            @if let Some(sentence) = terminal::broken_off(report) { p { strong { (sentence) } } }
        }
    }
}

fn tiles(report: &Report) -> Markup {
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
    html! {
        section.tiles {
            @for (name, value, note) in &tiles {
                div.tile { span { (name) } b { (value) } i { (note) } }
            }
        }
    }
}

fn stages(report: &Report) -> Result<Markup> {
    let headers = [
        "stage",
        "events",
        "lots",
        "share",
        "at the mark",
        "gained against it",
    ];
    let rows = report.waterfall.iter().map(|line| {
        html! {
            td { (line.stage.name()) }
            td { (grouped(line.events)) }
            td { (grouped(line.lots)) }
            td { (percent_of_ppm(line.share_ppm)) }
            td { (usd_unsigned(line.notional_atoms)) }
            td { (usd(line.gained_atoms)) }
        }
    });
    let legend: Vec<(&str, &str)> = report
        .waterfall
        .iter()
        .map(|line| (book_pictures::stage_colour(line.stage).1, line.stage.name()))
        .collect();
    let absorbed = book_pictures::absorbed(report)?;
    Ok(html! {
        section {
            h2 { "The waterfall: who took the lots" }
            p {
                "Every lot that was liquidated or deleveraged belongs to one stage. What insurance paid is \
                 the deficit of positions that a liquidator or the pool took over at the mark, and of those deleveraged."
            }
            (book_pictures::stages(report)?)
            (table(&headers, rows))
        }
        (figure("Absorbed so far, at the mark", &absorbed, &legend))
    })
}

fn market(report: &Report) -> Result<Markup> {
    let headers = [
        "market maker",
        "collateral",
        "lots filled",
        "fees",
        "orders removed",
        "lots at the end",
        "result",
    ];
    let rows = report.market_makers.iter().map(|line| {
        html! {
            td { (Account(&line.trader)) }
            td { (usd_unsigned(line.collateral_atoms)) }
            td { (grouped(line.filled_lots)) }
            td { (usd(line.fees_atoms)) }
            td { (grouped(line.orders_removed)) }
            td { (line.lots_end) }
            td { (usd(line.result_atoms)) }
        }
    });
    let sides = [("blue", "bids"), ("red", "asks")];
    let book = &report.summary.book;
    Ok(html! {
        (figure("Depth of the book", &book_pictures::depth(report)?, &sides))
        section {
            h2 { "The order book" }
            p {
                (grouped(book.market_orders)) " market orders and " (grouped(book.stop_losses))
                " stop-losses traded, " (grouped(book.fills)) " fills of "
                (usd_unsigned(book.filled_notional_atoms)) " in all; longs paid "
                (usd(book.funding_paid_by_longs_atoms)) " of funding."
            }
            (table(&headers, rows))
        }
    })
}

/// The queue before the first round, that round, and what all rounds cost whom.
fn deleveraging(report: &Report, first: &Round) -> Result<Markup> {
    let fates = [
        ("red", "cut in the first round"),
        ("amber", "cut later"),
        ("blue", "never cut"),
        ("grey", "not a winner"),
    ];
    let ranking = pictures::ranking(report)?;
    let cuts = pictures::cuts(report)?;
    Ok(html! {
        (figure("Ranking before the first round", &ranking, &fates))
        (first_round(report, first))
        (figure("Who was cut, and what it cost them against the mark", &cuts, &[]))
    })
}

fn first_round(report: &Report, round: &Round) -> Markup {
    let headers = [
        "rank", "trader", "kind", "lots", "entry", "margin", "lights", "cut", "gave up",
    ];
    let shown = round.queue.iter().take(RANKING_ROWS);
    let rows = (1..).zip(shown).map(|(rank, line)| {
        let mut traders = report.traders.iter();
        let trader = traders.find(|trader| trader.trader == line.trader);
        let kind = trader.map(|trader| trader.kind.to_string());
        let cut = round.cut.iter().find(|cut| cut.trader == line.trader);
        let entry = line.entry_quote_atoms.unsigned_abs()
            / line.lots.unsigned_abs().max(1)
            / round.atoms_per_lot_tick.max(1);
        html! {
            td { (rank) }
            td { (Account(&line.trader)) }
            td { (kind.unwrap_or_default()) }
            td { (line.lots) }
            td { (price(entry, report.scenario.tick_nano)) }
            td { (usd(line.margin_atoms)) }
            td { (lights(line.lights)) }
            td { (cut.map_or("–".to_owned(), |cut| grouped(cut.lots))) }
            td { (cut.map_or("–".to_owned(), |cut| usd(cut.gave_up_atoms))) }
        }
    });
    html! {
        section {
            h2 { "The first round, at " (clock(round.timestamp)) " UTC" }
            p {
                (round.bankrupt.lots) " lots of " (Account(&round.bankrupt.trader))
                " were bankrupt at the mark of " (price(round.mark_ticks, report.scenario.tick_nano))
                " with a deficit of " (usd(round.deficit_atoms)) "; insurance paid "
                (usd(i64::try_from(round.insurance_paid_atoms).unwrap_or(i64::MAX)))
                ". The close price is " (round.close_price) " ticks."
            }
            (table(&headers, rows))
        }
    }
}

fn lights(on: u8) -> Markup {
    html! {
        span.lights title={ (on) " of 5" } {
            @for dot in 1..=5 { i.on[dot <= on] {} }
        }
    }
}

fn policies(report: &Report) -> Result<Markup> {
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
    let rows = report.policies.iter().map(|line| {
        html! {
            td { code { (line.policy.name()) } }
            td { (usd_unsigned(line.deficit_atoms)) }
            td { (usd_unsigned(line.taken_atoms)) }
            td { (line.overshoot_atoms) " atoms" }
            td { (grouped_count(line.accounts_touched)) }
            td { (grouped_count(line.positions_closed)) }
            td { (percent_of_ppm(line.largest_haircut_ppm)) }
            td { (decimal_of_ppm(line.gini_ppm)) }
            td { (percent_of_ppm(line.top_ten_ppm)) }
            td { (grouped(line.unplaced_lots)) }
        }
    });
    let winners = report.policies.first().map_or(0, |line| line.winners);
    let legend: Vec<(&str, &str)> = report
        .policies
        .iter()
        .map(|line| (pictures::policy_colour(line.policy).1, line.policy.name()))
        .collect();
    let title =
        "Who bears it: winners from the smallest haircut to the largest, and their part of all haircuts";
    Ok(html! {
        section {
            h2 { "Rules compared" }
            p {
                "A simulation: the rounds of this crash, each played again by another rule against the \
                 positions that this rule's own cuts had left. The program's rule is " code { "capped" }
                "; its replay gives every recorded cut. A haircut is what a winner gives up, as a part of the \
                 largest profit its position would have shown uncut; Gini over all " (winners)
                " winners, those untouched included."
            }
            (table(&headers, rows))
        }
        (figure(title, &pictures::haircuts(report)?, &legend))
    })
}

fn dishonest(report: &Report) -> Markup {
    let rows = report.dishonest_keepers.cases.iter().map(|case| {
        let error = if case.error.is_empty() {
            "accepted"
        } else {
            &case.error
        };
        html! {
            td { (case.attempt) }
            td { code { (error) } }
            td { (case.accounts_changed) " of " (case.accounts_compared) }
            td { (verdict(case.passed(), "refused")) }
        }
    });
    let headers = ["attempt", "error", "accounts changed", "outcome"];
    html! {
        section {
            h2 { "Dishonest keepers" }
            p { (report.dishonest_keepers.setting) }
            @for left_out in &report.dishonest_keepers.left_out { p { "not tried: " (left_out) } }
            (table(&headers, rows))
        }
    }
}

/// The checks and their figures.
pub fn checks(checks: &[Check]) -> Markup {
    let rows = checks.iter().map(|check| {
        html! {
            td { (verdict(check.passed, "holds")) }
            td { (check.name) }
            td { (check.figure) }
        }
    });
    html! {
        section { h2 { "Checks" } (table(&["", "check", "figure"], rows)) }
    }
}

fn compute_units(report: &Report) -> Markup {
    let rows = report.summary.compute_units.iter().map(|(name, units)| {
        html! {
            td { code { (name) } }
            td { (grouped(units.count)) }
            td { (grouped(units.total / units.count.max(1))) }
            td { (grouped(units.max)) }
        }
    });
    let headers = ["instruction", "transactions", "mean", "max"];
    html! {
        section { h2 { "Compute units per transaction" } (table(&headers, rows)) }
    }
}

fn assumptions(report: &Report) -> Markup {
    html! {
        section {
            h2 { "What the model assumes" }
            ul { @for line in &report.scenario.assumptions { li { (line) } } }
        }
    }
}

/// An address in short, whole when it is pointed at.
pub struct Account<'a>(pub &'a str);

impl Render for Account<'_> {
    fn render(&self) -> Markup {
        html! { span title=(self.0) { (short(self.0)) } }
    }
}

/// A picture with its title and what its colours mean.
pub fn figure(title: &str, picture: &Markup, legend: &[(&str, &str)]) -> Markup {
    html! {
        figure {
            figcaption {
                h2 { (title) }
                div { @for (colour, name) in legend { span.key.(colour) { (name) } } }
            }
            (picture)
        }
    }
}

/// Whether a check holds, in a word.
pub fn verdict(passed: bool, word: &str) -> Markup {
    html! {
        @if passed { span.pass { (word) } } @else { span.fail { "FAILED" } }
    }
}

/// A table of rows of `td`.
pub fn table(headers: &[&str], rows: impl Iterator<Item = Markup>) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for header in headers { th { (header) } } } }
                tbody { @for row in rows { tr { (row) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_report::sample;

    use super::*;

    #[test]
    fn the_page_is_self_contained() {
        let page = render(&sample::report()).expect("drawable");
        assert_eq!(page.matches("<svg").count(), 9);
        for outside in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("refused") && page.contains("FAILED"));
    }

    #[test]
    fn whatever_the_report_is_given_stays_text() {
        const HOSTILE: &str = "\"><script>alert('&')</script>";
        let mut report = sample::report();
        let text = || HOSTILE.to_owned();
        report.scenario.market = text();
        report.scenario.prices = text();
        report.scenario.assumptions = vec![text()];
        report.checks = vec![Check {
            name: text(),
            passed: true,
            figure: text(),
        }];
        let units = report.summary.compute_units.values().next().copied();
        let units = units.unwrap_or_default();
        report.summary.compute_units.insert(text(), units);
        report.dishonest_keepers.setting = text();
        report.dishonest_keepers.cases[0].attempt = text();
        report.dishonest_keepers.cases[0].error = text();
        report.market_makers[0].trader = text();
        let round = &mut report.adl[0];
        round.close_price = text();
        round.bankrupt.trader = text();
        let cut = round.cut[0].trader.clone();
        for trader in &mut report.traders {
            if trader.trader == cut {
                trader.trader = text();
            }
        }
        for line in &mut round.queue {
            if line.trader == cut {
                line.trader = text();
            }
        }
        round.cut[0].trader = text();
        let page = render(&report).expect("drawable");
        assert!(!page.contains("<script"), "an element got in");
        assert!(!page.contains(HOSTILE), "it stands as it was given");
        let escaped = "&quot;&gt;&lt;script&gt;alert('&amp;')&lt;/script&gt;";
        assert_eq!(page.matches(escaped).count(), 13);
    }

    #[test]
    fn a_crash_without_a_round_a_book_or_a_pool_has_four_pictures() {
        let mut report = sample::report();
        report.scenario.pool_account.clear();
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
