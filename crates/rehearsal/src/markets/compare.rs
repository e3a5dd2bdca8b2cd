//! What cross margin saved: the same people with a part of them cross, and isolated.

use ballast_client::amount::grouped;
use ballast_report::figures::{usd_short, usd_unsigned};
use ballast_report::markets::{AccountLine, GroupSums, MarketsReport, Play, Style};

/// Columns of the comparison, the first one for what is compared.
pub const HEADERS: [&str; 5] = [
    "",
    ">all: with cross",
    ">all: isolated",
    ">the cross ones: cross",
    ">the cross ones: isolated",
];

/// Place of the rows about styles: behind that of accounts liquidated or bankrupt.
const BEHIND: usize = 4;

/// The rows of the comparison.
pub fn rows(report: &MarketsReport) -> Vec<[String; 5]> {
    let (cross, isolated) = (&report.cross.summary, &report.isolated.summary);
    let groups = [&cross.all, &isolated.all, &cross.chosen, &isolated.chosen];
    let row = |name: String, of: &dyn Fn(&GroupSums) -> String| {
        let [one, two, three, four] = groups.map(of);
        [name, one, two, three, four]
    };
    let mut rows = vec![
        row("accounts".to_owned(), &|sums| grouped(sums.accounts)),
        row("accounts liquidated".to_owned(), &|sums| {
            grouped(sums.liquidated)
        }),
        row("accounts bankrupt".to_owned(), &|sums| {
            grouped(sums.bankrupt)
        }),
        row("accounts liquidated or bankrupt".to_owned(), &|sums| {
            grouped(sums.liquidated_or_bankrupt)
        }),
        row("liquidated, at the marks".to_owned(), &|sums| {
            usd_unsigned(sums.liquidated_notional_atoms)
        }),
        row("accounts cut for others".to_owned(), &|sums| {
            grouped(sums.cut)
        }),
        row("cut, at the marks".to_owned(), &|sums| {
            usd_unsigned(sums.cut_notional_atoms)
        }),
        row("given up by them".to_owned(), &|sums| {
            usd_unsigned(sums.gave_up_atoms)
        }),
        row("lost by those who lost".to_owned(), &|sums| {
            usd_unsigned(sums.lost_atoms)
        }),
        row("equity at the end less at the start".to_owned(), &|sums| {
            usd_short(sums.equity_end_atoms - sums.equity_start_atoms)
        }),
    ];
    let styles = [Style::Hedged, Style::Directional, Style::Mixed];
    rows.splice(BEHIND..BEHIND, styles.map(|style| forced(report, style)));
    for (number, market) in report.scenario.markets.iter().enumerate() {
        let lots = |all: &[u64]| grouped(all.get(number).copied().unwrap_or(0));
        rows.push(row(
            format!("lots liquidated in {}", market.name),
            &|sums| lots(&sums.liquidated_lots),
        ));
        rows.push(row(format!("lots cut in {}", market.name), &|sums| {
            lots(&sums.cut_lots)
        }));
    }
    let paid = [cross, isolated].map(|summary| usd_unsigned(summary.insurance_paid_atoms));
    let [with, without] = paid;
    rows.push([
        "paid by insurance".to_owned(),
        with,
        without,
        String::new(),
        String::new(),
    ]);
    rows
}

/// How many accounts of a style were liquidated or bankrupt, of how many.
fn forced(report: &MarketsReport, style: Style) -> [String; 5] {
    let count = |play: &Play, chosen: bool| {
        let some = |line: &&AccountLine| line.style == style && (line.chosen || !chosen);
        let sums = GroupSums::of(play.accounts.iter().filter(some), 0);
        let (forced, all) = (sums.liquidated_or_bankrupt, sums.accounts);
        format!("{} of {}", grouped(forced), grouped(all))
    };
    let (cross, isolated) = (&report.cross, &report.isolated);
    [
        format!("of the {style} accounts"),
        count(cross, false),
        count(isolated, false),
        count(cross, true),
        count(isolated, true),
    ]
}
