//! The document, from the figures alone.

use std::fmt::Write;

use ballast_engine::units::Side;

use crate::block;
use crate::figure::{Figure, Figures};
use crate::order_tables;
use crate::peers;
use crate::population::Population;
use crate::shapes::{
    adl_name, proof_name, stage_prefix, stages, thousands, tolerance_name, StageShape,
    COUNTERPARTIES, HOSTILE as HOSTILE_QUEUES, PROVEN, QUEUES, TOLERANCES,
};
use crate::table::{cell, row, rule, EXCEEDS};
use crate::targets::{Rule, Target, Verdict};

/// Instructions by who may send them.
const ROLES: [(&str, &[&str]); 4] = [
    (
        "Admin",
        &[
            "initialize_exchange",
            "raise_delays",
            "stage_change",
            "cancel_staged",
            "apply_exchange_change",
            "apply_market_change",
            "apply_oracle_change",
            "accept_authority",
            "set_pause",
            "set_reduce_only",
            "create_market",
            "create_board",
            "enable_cross",
            "create_pool",
            "stop_pool",
            "apply_pool_change",
        ],
    ),
    (
        "Traders",
        &[
            "create_trader",
            "close_trader",
            "set_delegate",
            "deposit",
            "withdraw",
            "add_margin",
            "remove_margin",
            "block_trade",
            "place_order",
            "replace_order",
            "cancel_order",
            "cancel_all_orders",
            "place_trigger",
            "cancel_trigger",
            "create_protection",
            "set_protection",
            "close_protection",
            "move_cross",
            "convert_margin",
            "trade_leg",
            "block_trade_cross",
        ],
    ),
    (
        "Owners of shares of a fund",
        &[
            "create_share",
            "close_share",
            "deposit_pool",
            "stake",
            "request_unstake",
            "cancel_unstake",
            "unstake",
            "request_pool",
            "cancel_pool_request",
            "withdraw_pool",
        ],
    ),
    (
        "Anyone",
        &[
            "open_stakes",
            "accrue_funding",
            "witness_oracle",
            "donate_insurance",
            "sweep_insurance",
            "withdraw_fees",
            "withdraw_insurance",
            "release_profit",
            "reset_pool",
            "declare_dead",
            "begin_settlement",
            "settle_position",
            "write_off_bankrupt",
            "count_claims",
            "close_market",
            "flag_bankruptcy",
            "grow_queue",
            "liquidate",
            "liquidate_into_pool",
            "unwind_pool",
            "sync_pool",
            "execute_trigger",
            "execute_protection",
            "auto_deleverage",
            "open_adl_session",
            "advance_adl_session",
            "execute_adl_session",
            "close_adl_session",
            "record_marks",
            "freeze_mark",
            "refresh_ranks",
            "witness_ranks",
            "flag_leg",
            "liquidate_leg",
            "auto_deleverage_cross",
            "part_leg",
            "migrate_exchange",
            "migrate_market",
            "migrate_queue",
            "migrate_book",
            "migrate_trader",
        ],
    ),
];

const PREFACE: &str = "\
# Compute units

`cargo xtask bench` measures the built program in LiteSVM and writes this document and
`compute_units.json`; `cargo xtask bench --check` fails when a figure is more than 2% above the one
committed.

A figure is what a whole transaction uses, as the virtual machine meters it: the instruction, the
programs it calls, its event, and 150 units for the compute budget instruction that asks for the
limit of 1,400,000. The same sources and toolchain give the same figures on every machine.

Queues hold positions drawn from fixed seeds and inserted by the engine: entry prices log-uniform
within 30% of the mark, margin uniform from 2% to 100% of the entry, none that would be liquidated.
Their traders have no accounts but for those that a transaction names.
";

const COSTS: &str = "
A post-only order names no queues and still writes an impact price, from which funding takes its
premium: about 1,300 units, without which it would be below its limit in the deepest book as well.
Checking the trader and that the instruction nets to zero takes 600, the event 1,600. All three stay: the first makes a
premium of what stood in the book, the second finds what no other check does, and the third is the
record.
";

const MATRIX: &str = "
## auto_deleverage

One bankrupt position, opened by real transactions, in a market whose two queues have the same
length. Every listed counterparty is cut to the cap of 50%; nobody is listed in vain. Cells hold
compute units and, in brackets, the nodes that the completeness proof visits. A call takes at most
32 counterparties; lists go through an address lookup table.
";

const CROWDED: &str = "
### Shorts crowded at the highest leverage, 100,000

Leverage log-uniform from 1x to 20x instead. With every position at 20x close to the top, the scores
near it differ by little and an exact proof looks at more nodes.

";

const SESSIONS: &str = "
### The same over several transactions

`open_adl_session`, `advance_adl_session` with the ten highest ranked as hints until the walk is at
its end, `execute_adl_session`: always exact.

";

const HOSTILE: &str = "
### Hostile queues

100,000 shorts of one score at the mark but for the rounding of their margin to whole atoms. *One lot
each*: the cheapest such queue, 0.1% to 30% in profit at whole ticks, against a bankrupt barely below
zero; rounding alone spreads the scores by up to 0.4%. *Whole cents* and *all distinct*: positions of 100,000 lots, which rounding hardly
spreads, 2.5% to 30% in profit, those listed a hair above the line; entry prices at about 5,000
different multiples of $0.01 with the mark at $184, or no two the same.

A node knows two numbers of its subtree, the best entry and the best bankruptcy price. Where two
positions of one score have different entry prices, the two together promise more than either has, so
an exact proof must look at both: on a line without any spread at all 100,000 of them, some 70 units
each, or five times what one transaction has. No order of the same two numbers avoids it; a tolerance
does, and a session works through it over several transactions, see below. Where a round exceeds one
transaction, the nodes are those that the engine visits outside of one.
";

const PROOF: &str = "
## The proof alone

A program that runs the completeness proof of a round with 10 counterparties over a queue account
and does nothing else.
";

/// All figures, one a line.
pub fn list(figures: &Figures) -> String {
    let line = |(name, figure): (&str, &Figure)| {
        let units = figure.compute_units.map_or("exceeds".to_owned(), thousands);
        let nodes = figure.nodes_visited.map(u64::from).map(thousands);
        format!("{units:>9} {:>7}  {name}\n", nodes.unwrap_or_default())
    };
    figures.iter().map(line).collect()
}

/// The whole document.
pub fn document(figures: &Figures, targets: &[Target]) -> String {
    let mut text = PREFACE.to_owned();
    text += &target_table(figures, targets);
    text += COSTS;
    text += MATRIX;
    text += &random_tables(figures);
    text += HOSTILE;
    text += &hostile_tables(figures);
    text += &session_table(figures);
    text += PROOF;
    text += &proof_table(figures);
    text += &order_tables::section(figures);
    text += &block::section(figures);
    text += "\n## Every instruction\n";
    for (role, instructions) in ROLES {
        text += &role_table(figures, role, instructions);
    }
    text += peers::SECTION;
    text
}

fn target_table(figures: &Figures, targets: &[Target]) -> String {
    let mut text = "\n## Targets\n\n".to_owned();
    text += &row(&["", "at most", "measured", ""]);
    text += &rule(4);
    for target in targets {
        let value = |value| target_value(&target.rule, value);
        let (measured, verdict) = match target.verdict(figures) {
            Verdict::Met(found) => (value(found), "met"),
            Verdict::Missed(found) => (value(found), "**not met**"),
            Verdict::Exceeds => (EXCEEDS.to_owned(), "**not met**"),
            Verdict::NotMeasured => (String::new(), "not measured"),
        };
        text += &row(&[&target.what, &value(target.limit), &measured, verdict]);
    }
    text
}

fn target_value(rule: &Rule, value: u64) -> String {
    match rule {
        Rule::Ratio(..) => format!("{}.{:03}x", value / 1_000, value % 1_000),
        Rule::Units(_) | Rule::Each(..) => thousands(value),
    }
}

fn random_tables(figures: &Figures) -> String {
    let mut text = String::new();
    for tolerance in TOLERANCES {
        let _ = write!(
            text,
            "\n### Random shorts, {}\n\n",
            tolerance_name(tolerance)
        );
        let heads: Vec<String> = QUEUES.map(|length| thousands(u64::from(length))).into();
        text += &matrix(figures, "counterparties, of", &heads, |column, listed| {
            QUEUES
                .get(column)
                .map(|length| adl_name(&StageShape::random(*length).cell(tolerance, listed)))
        });
    }
    let longs = StageShape::longest(Population::Random, Side::Long);
    text += "\n### Random longs, 100,000\n\n";
    text += &by_tolerance(figures, &longs);
    text += CROWDED;
    text + &by_tolerance(
        figures,
        &StageShape::longest(Population::Crowded, Side::Short),
    )
}

fn hostile_tables(figures: &Figures) -> String {
    let mut text = String::new();
    for population in HOSTILE_QUEUES {
        let _ = write!(text, "\n{}:\n\n", capital(population.words()));
        text += &by_tolerance(figures, &StageShape::longest(population, Side::Short));
    }
    text
}

fn session_table(figures: &Figures) -> String {
    let mut text = SESSIONS.to_owned();
    text += &row(&["round", "compute units in all (nodes)"]);
    text += &rule(2);
    for (_, figure) in figures.starting_with("session_total/").iter() {
        text += &row(&[&figure.shape, &cell(Some(figure))]);
    }
    text
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn by_tolerance(figures: &Figures, stage: &StageShape) -> String {
    let heads: Vec<String> = TOLERANCES.map(tolerance_name).into();
    matrix(figures, "counterparties", &heads, |column, listed| {
        let tolerance = TOLERANCES.get(column)?;
        Some(adl_name(&stage.cell(*tolerance, listed)))
    })
}

/// Rows of counterparties.
fn matrix(
    figures: &Figures,
    corner: &str,
    heads: &[String],
    name: impl Fn(usize, u32) -> Option<String>,
) -> String {
    let mut all = vec![corner];
    all.extend(heads.iter().map(String::as_str));
    let mut text = row(&all) + &rule(all.len());
    for listed in COUNTERPARTIES {
        let mut cells = vec![listed.to_string()];
        for column in 0..heads.len() {
            cells.push(cell(
                name(column, listed).and_then(|name| figures.get(&name)),
            ));
        }
        text += &row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    text
}

fn proof_table(figures: &Figures) -> String {
    let mut heads = vec!["queue".to_owned()];
    heads.extend(TOLERANCES.map(tolerance_name));
    let mut text = "\n".to_owned();
    text += &row(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    text += &rule(heads.len());
    for stage in stages() {
        let mut cells = vec![stage_words(&stage)];
        for tolerance in TOLERANCES {
            cells.push(cell(
                figures.get(&proof_name(&stage.cell(tolerance, PROVEN))),
            ));
        }
        text += &row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if let Some(units) = figures.units("proof_alone/nothing") {
        let _ = write!(
            text,
            "\nA call of that program without a proof uses {} units, which the figures include.\n",
            thousands(units)
        );
    }
    text
}

fn stage_words(stage: &StageShape) -> String {
    let positions = thousands(u64::from(stage.positions));
    let side = crate::shapes::side_name(stage.side);
    match stage.population {
        Population::Random => format!("{positions} random {side}"),
        Population::Crowded => format!("{positions} {side}, crowded at 20x"),
        hostile => format!("{positions} hostile {side}, {}", hostile.words()),
    }
}

fn role_table(figures: &Figures, role: &str, instructions: &[&str]) -> String {
    let mut text = format!("\n### {role}\n\n");
    text += &row(&["instruction", "shape", "compute units"]);
    text += &rule(3);
    let matrix: Vec<String> = stages()
        .iter()
        .map(|stage| stage_prefix("auto_deleverage", stage))
        .collect();
    for instruction in instructions {
        let prefix = format!("{instruction}/");
        let mut title = format!("`{instruction}`");
        for (name, figure) in figures.starting_with(&prefix).iter() {
            let elsewhere = matrix.iter().any(|stage| name.starts_with(stage));
            if elsewhere || order_tables::holds(name) {
                continue;
            }
            text += &row(&[&title, &figure.shape, &cell(Some(figure))]);
            title.clear();
        }
        if !title.is_empty() {
            text += &row(&[&title, "see [Orders](#orders)", ""]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::table::tests::figure;
    use crate::targets;

    fn repository(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(file)
    }

    #[test]
    fn every_instruction_of_the_program_has_a_figure() {
        let source = std::fs::read_to_string(repository("programs/ballast/src/lib.rs")).unwrap();
        let names: BTreeSet<&str> = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub fn "))
            .filter_map(|rest| rest.split(['(', '<']).next())
            .collect();
        let listed: BTreeSet<&str> = ROLES
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        assert_eq!(names, listed);
        let committed = Figures::load(&repository("docs/compute_units.json")).unwrap();
        for name in listed {
            assert!(
                committed.starting_with(&format!("{name}/")).len() > 0,
                "{name}"
            );
        }
    }

    #[test]
    fn the_committed_document_is_what_the_committed_figures_render_to() {
        let committed = Figures::load(&repository("docs/compute_units.json")).unwrap();
        let text = std::fs::read_to_string(repository("docs/COMPUTE_UNITS.md")).unwrap();
        assert!(text == document(&committed, &targets::all()));
    }

    #[test]
    fn figures_stand_in_the_tables_they_belong_to() {
        let mut figures = Figures::default();
        let cell = StageShape::random(1_000).cell(500, 10);
        figures
            .add(&adl_name(&cell), figure(Some(11_111), Some(1)))
            .unwrap();
        figures
            .add("deposit/classic", figure(Some(22_222), None))
            .unwrap();
        let text = document(&figures, &[]);
        assert!(text.contains("| 10 | - | 11,111 (1) | - | - |"), "{text}");
        assert!(text.contains("| `deposit` | a shape | 22,222 |"), "{text}");
        assert_eq!(text.matches("11,111").count(), 1);
    }

    #[test]
    fn targets_say_whether_they_are_met() {
        let mut figures = Figures::default();
        figures.add("a/b", figure(Some(100), None)).unwrap();
        figures.add("a/c", figure(Some(130), None)).unwrap();
        figures.add("a/d", figure(None, None)).unwrap();
        let target = |limit, rule| Target {
            what: "it".to_owned(),
            limit,
            rule,
        };
        let ratio = |limit| target(limit, Rule::Ratio("a/b".to_owned(), "a/c".to_owned()));
        let each = |limit| target(limit, Rule::Each("a/b".to_owned(), "a/c".to_owned(), 4));
        let only = |name: &str| target(100, Rule::Units(name.to_owned()));
        let table = |target| {
            target_table(&figures, &[target])
                .lines()
                .last()
                .unwrap()
                .to_owned()
        };
        assert_eq!(table(ratio(1_300)), "| it | 1.300x | 1.300x | met |");
        assert_eq!(
            table(ratio(1_299)),
            "| it | 1.299x | 1.300x | **not met** |"
        );
        assert_eq!(table(each(8)), "| it | 8 | 8 | met |");
        assert_eq!(table(each(7)), "| it | 7 | 8 | **not met** |");
        assert_eq!(table(only("a/b")), "| it | 100 | 100 | met |");
        assert_eq!(
            table(only("a/d")),
            "| it | 100 | exceeds one transaction | **not met** |"
        );
        assert_eq!(table(only("a/e")), "| it | 100 |  | not measured |");
    }
}
