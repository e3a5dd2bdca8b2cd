//! The tables at the end of a rehearsal.

use ballast_client::amount::grouped;
use ballast_report::figures::{
    decimal_of_ppm, grouped_count, percent_of_ppm, price, short, usd, usd_short, usd_unsigned,
};
use ballast_report::model::{Check, Report, Round};
use ballast_report::table::Table;
use ballast_report::traders::TraderLine;

/// Rows of the queue table.
const QUEUE_ROWS: usize = 12;

/// Everything that is printed when a rehearsal ends.
pub fn render(report: &Report) -> String {
    let sections = [
        ("Waterfall: who took the lots", stages(report)),
        ("Waterfall: the money", waterfall(report)),
        ("Backstop pool", pool(report)),
        ("Order book", book(report)),
        ("Protective steps", protection(report)),
        (
            "Queue before the first round and at the end (●●●●● is cut next)",
            queue(report),
        ),
        (
            "Rules compared: a simulation over the rounds of this crash; the program's is `capped`",
            policies(report),
        ),
        ("Compute units per transaction", compute_units(report)),
        ("Dishonest keepers", dishonest(report)),
        ("Checks", checks(&report.checks)),
    ];
    let mut text = String::new();
    if let Some(sentence) = broken_off(report) {
        text.push_str(&format!("\n{sentence}\n"));
    }
    for (title, body) in sections {
        text.push_str(&format!("\n{title}\n{body}\n"));
    }
    text
}

/// That the path was not played to its end, and why.
pub fn broken_off(report: &Report) -> Option<String> {
    let unplayed = report.unplayed.as_ref()?;
    Some(format!(
        "THE REHEARSAL ENDED BEFORE ITS PATH: {}. {} of {} prices were left out.",
        unplayed.reason,
        grouped_count(unplayed.left_out),
        grouped_count(report.scenario.price_points)
    ))
}

/// What the run is about, before it starts.
pub fn heading(report: &Report) -> String {
    let scenario = &report.scenario;
    let mut text = format!(
        "Ballast crash rehearsal: {}, {} traders, seed {}\n",
        scenario.market, scenario.traders, scenario.seed
    );
    text.push_str(&format!("Prices: {}\n", scenario.prices));
    text.push_str(&format!(
        "{} prices, first {}, low {}\n",
        scenario.price_points,
        price(scenario.first_price_ticks, scenario.tick_nano),
        price(scenario.low_price_ticks, scenario.tick_nano)
    ));
    for assumption in &scenario.assumptions {
        text.push_str(&format!("  - {assumption}\n"));
    }
    text
}

fn stages(report: &Report) -> String {
    let mut table = Table::new(&[
        "stage",
        ">events",
        ">lots",
        ">share",
        ">at the mark",
        ">gained against it",
    ]);
    for line in &report.waterfall {
        table.row([
            line.stage.name().to_owned(),
            grouped(line.events),
            grouped(line.lots),
            percent_of_ppm(line.share_ppm),
            usd_unsigned(line.notional_atoms),
            usd_short(line.gained_atoms),
        ]);
    }
    table.render()
}

fn pool(report: &Report) -> String {
    let lines = pool_lines(report);
    if lines.is_empty() {
        return "  no pool".to_owned();
    }
    format!("  {}", lines.join("\n  "))
}

/// What the pool did, line by line; none without a pool.
pub fn pool_lines(report: &Report) -> Vec<String> {
    let (scenario, pool) = (&report.scenario, &report.summary.pool);
    if scenario.pool_account.is_empty() {
        return Vec::new();
    }
    vec![
        format!(
            "took {} lots worth {} in {} calls: discount {}, premium {}",
            grouped(pool.taken_lots),
            usd_unsigned(pool.taken_notional_atoms),
            grouped(pool.takes),
            usd(pool.discount_atoms),
            usd_unsigned(pool.premium_atoms),
        ),
        format!(
            "closed {} lots in {} calls for {} against the mark, fees {}, keepers {}",
            grouped(pool.unwound_lots),
            grouped(pool.unwinds),
            usd(pool.unwound_gain_atoms),
            usd_unsigned(pool.fees_atoms),
            usd_unsigned(pool.keeper_atoms),
        ),
        format!(
            "deposited {}, worth {} at the end with {} lots: {}; deepest fall {}, {}",
            usd_unsigned(scenario.pool_deposit_atoms),
            usd_short(pool.end_atoms),
            pool.lots_end,
            usd_short(pool.result_atoms),
            usd_short(pool.worst_drawdown_atoms),
            percent_of_ppm(pool.worst_drawdown_ppm),
        ),
    ]
}

fn book(report: &Report) -> String {
    let summary = &report.summary.book;
    if report.scenario.market_makers == 0 {
        return "  no market makers".to_owned();
    }
    let makers: i64 = report
        .market_makers
        .iter()
        .map(|line| line.result_atoms)
        .sum();
    format!(
        "  {} orders placed by {} market makers; {} market orders and {} stop-losses traded\n  \
         {} fills of {}; taker fees {}, maker fees {}; the makers' result {}\n  \
         {} orders that could not trade removed for {}; longs paid {} of funding",
        grouped(summary.orders_placed),
        report.scenario.market_makers,
        grouped(summary.market_orders),
        grouped(summary.stop_losses),
        grouped(summary.fills),
        usd_unsigned(summary.filled_notional_atoms),
        usd_unsigned(summary.taker_fees_atoms),
        usd(summary.maker_fees_atoms),
        usd_short(makers),
        grouped(summary.orders_removed),
        usd_unsigned(summary.removal_fees_atoms),
        usd(summary.funding_paid_by_longs_atoms),
    )
}

/// What protective steps saved.
pub fn protection(report: &Report) -> String {
    match &report.protection {
        None => "  nobody set any".to_owned(),
        Some(saved) => saved
            .sentences()
            .iter()
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn waterfall(report: &Report) -> String {
    let summary = &report.summary;
    let traders: std::collections::BTreeSet<&str> = report
        .adl
        .iter()
        .flat_map(|round| &round.cut)
        .map(|cut| cut.trader.as_str())
        .collect();
    let mut table = Table::new(&["step", ">count", ">USD", ""]);
    let mut row = |step: &str, count: Option<u64>, amount: String, note: String| {
        table.row([
            step.to_owned(),
            count.map(grouped).unwrap_or_default(),
            amount,
            note,
        ]);
    };
    row(
        "liquidated",
        Some(summary.liquidations),
        usd_unsigned(summary.liquidated_notional_atoms),
        "notional at the mark".to_owned(),
    );
    row(
        "bankrupt positions",
        Some(summary.bankruptcies),
        String::new(),
        String::new(),
    );
    row(
        "paid by insurance",
        None,
        usd_unsigned(
            summary.insurance_paid_in_liquidations_atoms + summary.insurance_paid_in_adl_atoms,
        ),
        format!(
            "{} in liquidations, {} in ADL",
            usd_unsigned(summary.insurance_paid_in_liquidations_atoms),
            usd_unsigned(summary.insurance_paid_in_adl_atoms)
        ),
    );
    row(
        "uncovered deficit",
        None,
        usd_short(summary.uncovered_deficit_atoms),
        "left after insurance".to_owned(),
    );
    row(
        "given up in ADL",
        Some(summary.adl_cuts),
        usd_short(summary.winners_gave_up_atoms),
        format!("{} rounds, {} traders", summary.adl_rounds, traders.len()),
    );
    let mut text = table.render();
    text.push_str(&format!(
        "\n  insurance: {} at the start, {} received in fees, {} at the end",
        usd_unsigned(summary.insurance_start_atoms),
        usd_unsigned(summary.insurance_received_atoms),
        usd_unsigned(summary.insurance_end_atoms)
    ));
    text.push_str(&format!(
        "\n  overshoot_atoms {}   conservation_error_atoms {}",
        summary.overshoot_atoms, summary.conservation_error_atoms
    ));
    text
}

fn lights(count: u8) -> String {
    match usize::from(count) {
        0 => "-".to_owned(),
        on => "●".repeat(on.min(5)) + &"○".repeat(5_usize.saturating_sub(on)),
    }
}

fn queue(report: &Report) -> String {
    let Some(first) = report.adl.first() else {
        return "  no round was needed: keepers and insurance absorbed the crash".to_owned();
    };
    let mut table = Table::new(&[
        "trader",
        "kind",
        ">lots before",
        "before",
        ">lots after",
        "after",
        ">cut lots",
        ">gave up",
    ]);
    for line in first.queue.iter().take(QUEUE_ROWS) {
        let Some(trader) = report
            .traders
            .iter()
            .find(|trader| trader.trader == line.trader)
        else {
            continue;
        };
        table.row([
            short(&line.trader),
            trader.kind.to_string(),
            line.lots.to_string(),
            lights(trader.lights_before),
            trader.lots_end.to_string(),
            lights(trader.lights_after),
            grouped(trader.adl_lots),
            usd(trader.adl_gave_up_atoms),
        ]);
    }
    let more = first.queue.len().saturating_sub(QUEUE_ROWS);
    format!("{}\n  and {more} more in report.json", table.render())
}

fn policies(report: &Report) -> String {
    if report.policies.is_empty() {
        return "  no round to compare rules by".to_owned();
    }
    let mut table = Table::new(&[
        "rule",
        ">deficit",
        ">taken",
        ">overshoot atoms",
        ">accounts touched",
        ">closed entirely",
        ">largest haircut",
        ">Gini",
        ">top ten bear",
    ]);
    for line in &report.policies {
        table.row([
            line.policy.name().to_owned(),
            usd_unsigned(line.deficit_atoms),
            usd_unsigned(line.taken_atoms),
            line.overshoot_atoms.to_string(),
            grouped_count(line.accounts_touched),
            grouped_count(line.positions_closed),
            percent_of_ppm(line.largest_haircut_ppm),
            decimal_of_ppm(line.gini_ppm),
            percent_of_ppm(line.top_ten_ppm),
        ]);
    }
    let winners = report.policies.first().map_or(0, |line| line.winners);
    let mut text = format!(
        "{}\n  a haircut is what a winner gives up of its largest profit; Gini over all {winners} winners",
        table.render()
    );
    for line in &report.policies {
        if line.unplaced_lots > 0 {
            text.push_str(&format!(
                "\n  {}: no counterparty for {} lots",
                line.policy.name(),
                grouped(line.unplaced_lots)
            ));
        }
        if line.cut_without_profit > 0 {
            text.push_str(&format!(
                "\n  {}: {} more were cut without having been winners",
                line.policy.name(),
                line.cut_without_profit
            ));
        }
    }
    text
}

fn compute_units(report: &Report) -> String {
    let mut table = Table::new(&["instruction", ">transactions", ">mean", ">max"]);
    for (name, units) in &report.summary.compute_units {
        table.row([
            name.clone(),
            grouped(units.count),
            grouped(units.total / units.count.max(1)),
            grouped(units.max),
        ]);
    }
    let mut text = table.render();
    if let Some(round) = report.adl.iter().max_by_key(|round| round.compute_units) {
        text.push_str(&format!("\n  {}", costliest(round)));
    }
    text
}

fn costliest(round: &Round) -> String {
    format!(
        "the costliest round lists {} counterparties in a queue of {}",
        round.listed.len(),
        round.queue.len()
    )
}

fn dishonest(report: &Report) -> String {
    let mut table = Table::new(&["attempt", "error", "accounts changed", "outcome"]);
    for case in &report.dishonest_keepers.cases {
        table.row([
            case.attempt.clone(),
            if case.error.is_empty() {
                "none: accepted".to_owned()
            } else {
                case.error.clone()
            },
            format!("{} of {}", case.accounts_changed, case.accounts_compared),
            if case.passed() {
                "refused".to_owned()
            } else {
                format!("WRONG, expected {}", case.expected_error)
            },
        ]);
    }
    let mut text = format!("  {}\n{}", report.dishonest_keepers.setting, table.render());
    for left_out in &report.dishonest_keepers.left_out {
        text.push_str(&format!("\n  not tried: {left_out}"));
    }
    text
}

/// The checks, one a line.
pub fn checks(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = if check.passed { "ok  " } else { "FAIL" };
        text.push_str(&format!("  {mark} {}: {}\n", check.name, check.figure));
    }
    text.trim_end().to_owned()
}

/// The traders that gave up most, most first.
pub fn most_cut(report: &Report, count: usize) -> Vec<&TraderLine> {
    let mut cut: Vec<&TraderLine> = report
        .traders
        .iter()
        .filter(|trader| trader.adl_lots > 0)
        .collect();
    cut.sort_by_key(|trader| std::cmp::Reverse(trader.adl_gave_up_atoms));
    cut.truncate(count);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_report::sample;

    #[test]
    fn the_tables_show_lights_errors_and_verdicts() {
        let text = render(&sample::report());
        assert!(text.contains("●●●●●") && text.contains("●○○○○"));
        assert!(text.contains("AdlListOutOfOrder"));
        assert!(text.contains("refused"));
        assert!(text.contains("WRONG, expected AdlListOutOfOrder"));
        assert!(text.contains("overshoot_atoms 0   conservation_error_atoms 0"));
    }

    #[test]
    fn a_crash_without_a_round_says_so() {
        let mut report = sample::report();
        report.adl.clear();
        assert!(render(&report).contains("no round was needed"));
    }
}
