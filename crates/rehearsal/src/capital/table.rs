//! The tables: medians and ranges over the seeds, as Markdown.

use ballast_client::amount::truncated_decimal;

use super::days::Day;
use super::runs::Run;
use super::CapitalArgs;

/// A figure of a crash; `None` where it has none.
type Figure = fn(&Run, &[Run]) -> Option<i128>;

/// Title, figure, and digits behind the point.
const TABLES: [(&str, Figure, u8); 6] = [
    ("Lots deleveraged, % of the open interest", deleveraged, 2),
    (
        "Fewer lots deleveraged than without a pool and with the same insurance, %",
        fewer,
        1,
    ),
    (
        "Deficit that winners bore, basis points of the open interest",
        deficit,
        2,
    ),
    (
        "Paid by insurance, basis points of the open interest",
        insured,
        2,
    ),
    ("Pool's result, % of its deposit", result, 2),
    ("Pool's deepest fall, % of its worth before", drawdown, 2),
];

/// All tables, day by day.
pub fn render(args: &CapitalArgs, days: &[Day], runs: &[Run]) -> String {
    let mut text = format!(
        "Median over {} seeds, least and most in brackets; {} traders.\n",
        args.seeds, args.traders
    );
    for day in days {
        let of_day: Vec<Run> = runs
            .iter()
            .filter(|run| run.day == day.name)
            .cloned()
            .collect();
        text.push_str(&format!("\n## {}\n", day.name));
        for (title, figure, digits) in TABLES {
            text.push_str(&format!(
                "\n{title}\n\n{}",
                one(args, &of_day, figure, digits)
            ));
        }
    }
    text
}

fn one(args: &CapitalArgs, runs: &[Run], figure: Figure, digits: u8) -> String {
    let mut text = String::from("| insurance \\ pool, bps |");
    for pool in &args.pools {
        text.push_str(&format!(" {pool} |"));
    }
    text.push_str(&format!("\n|---|{}\n", "---|".repeat(args.pools.len())));
    for insurance in &args.insurance {
        text.push_str(&format!("| {insurance} |"));
        for pool in &args.pools {
            let cell = runs
                .iter()
                .filter(|run| run.insurance_bps == *insurance && run.pool_bps == *pool);
            let figures = cell.filter_map(|run| figure(run, runs)).collect();
            text.push_str(&format!(" {} |", told(figures, digits)));
        }
        text.push('\n');
    }
    text
}

/// Median, least and most of figures in 10^-`digits`.
fn told(mut figures: Vec<i128>, digits: u8) -> String {
    figures.sort_unstable();
    let (Some(least), Some(most)) = (figures.first(), figures.last()) else {
        return "–".to_owned();
    };
    let (low, high) = ((figures.len() - 1) / 2, figures.len() / 2);
    let median = (figures[low] + figures[high]).div_euclid(2);
    let shown = |figure: i128| truncated_decimal(figure, digits, digits);
    format!("{} ({} to {})", shown(median), shown(*least), shown(*most))
}

/// `part` of `whole` times `scale`, cut off.
fn of(part: i128, whole: u64, scale: i128) -> Option<i128> {
    (part * scale).checked_div(i128::from(whole))
}

fn deleveraged(run: &Run, _: &[Run]) -> Option<i128> {
    of(
        i128::from(run.deleveraged_lots),
        run.open_interest_lots,
        10_000,
    )
}

fn fewer(run: &Run, others: &[Run]) -> Option<i128> {
    if run.pool_bps == 0 {
        return None;
    }
    let without = others.iter().find(|other| {
        other.pool_bps == 0 && other.seed == run.seed && other.insurance_bps == run.insurance_bps
    })?;
    let saved = i128::from(without.deleveraged_lots) - i128::from(run.deleveraged_lots);
    of(saved, without.deleveraged_lots, 1_000)
}

fn deficit(run: &Run, _: &[Run]) -> Option<i128> {
    of(run.deficit_atoms.into(), run.open_interest_atoms, 1_000_000)
}

fn insured(run: &Run, _: &[Run]) -> Option<i128> {
    of(
        run.insurance_paid_atoms.into(),
        run.open_interest_atoms,
        1_000_000,
    )
}

fn result(run: &Run, _: &[Run]) -> Option<i128> {
    of(run.pool_result_atoms.into(), run.pool_deposit_atoms, 10_000)
}

fn drawdown(run: &Run, _: &[Run]) -> Option<i128> {
    (run.pool_bps > 0).then(|| i128::from(run.pool_drawdown_ppm.div_ceil(100)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranges_are_told() {
        assert_eq!(told(vec![300, -5, 100], 2), "1.00 (-0.05 to 3.00)");
        assert_eq!(told(vec![10, 21], 1), "1.5 (1.0 to 2.1)");
        assert_eq!(told(Vec::new(), 2), "–");
    }

    #[test]
    fn a_crash_is_compared_with_the_one_without_a_pool() {
        let run = |seed, insurance_bps, pool_bps, deleveraged_lots| Run {
            seed,
            insurance_bps,
            pool_bps,
            deleveraged_lots,
            open_interest_lots: 1_000,
            ..Run::default()
        };
        let runs = [
            run(1, 50, 0, 400),
            run(2, 50, 0, 800),
            run(1, 10, 0, 1_000),
            run(1, 50, 500, 300),
            run(3, 50, 500, 300),
        ];
        assert_eq!(fewer(&runs[3], &runs), Some(250));
        assert_eq!(
            (fewer(&runs[0], &runs), fewer(&runs[4], &runs)),
            (None, None)
        );
        assert_eq!(deleveraged(&runs[3], &runs), Some(3_000));
        assert_eq!(
            (result(&runs[3], &runs), drawdown(&runs[0], &runs)),
            (None, None)
        );
    }
}
