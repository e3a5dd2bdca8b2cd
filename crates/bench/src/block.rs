//! What a transaction takes up of a block, and how many fit: the scheduler's cost model.

use crate::books::DEEPEST;
use crate::case::book_name;
use crate::figure::{Figures, Footprint};

use crate::shapes::thousands;
use crate::table::{row, rule};

/// Units of a signature.
const SIGNATURE: u64 = 720;
/// Units of an account that is locked for writing.
const WRITE_LOCK: u64 = 300;
/// Bytes of instruction data for a unit.
const DATA_BYTES: u64 = 4;
/// Bytes of a page of loaded accounts.
const PAGE_BYTES: u64 = 32 * 1_024;
/// Units of such a page.
const PAGE: u64 = 8;
/// Bytes of accounts that a transaction which states no limit is taken to load.
const UNSTATED_BYTES: u64 = 64 * 1_024 * 1_024;
/// Units of a block that may be spent on one account that is written.
const ONE_ACCOUNT: u64 = 24_000_000;

/// Transactions in the table: figure, words, and fills.
const ROWS: [(&str, &str, u64); 7] = [
    ("place_order/wait-post-only", "a post-only order waits", 0),
    ("place_order/wait-best", "a limit order waits", 0),
    ("cancel_order/only-by-id", "an order is cancelled", 0),
    ("place_order/fill-open-01", "an order meets 1 maker", 1),
    ("place_order/fill-open-05", "an order meets 5 makers", 5),
    ("place_order/fill-open-10", "an order meets 10 makers", 10),
    ("liquidate/into-book-01", "a liquidation meets 1 maker", 1),
];

const PREFACE: &str = "
## Room in the block

What the scheduler of a leader counts for a transaction, by the cost model of Agave 4.2: its compute
units, 720 for a signature, 300 for an account that is locked for writing, one for four bytes of
instruction data, and 8 for 32 KiB of accounts loaded, the program's among them. Of the last a transaction
that states no limit is taken to load 64 MiB, which is 16,384 units; this repository's clients state what the
simulation loaded. A market is written by all of its orders, and a block has 24,000,000 units for one
account. Book of 10,000 orders a side, queues of 100,000 positions.

";

/// Whether the section shows the figure of this name.
pub fn shows(name: &str) -> bool {
    name.strip_suffix(&format!("/{}", book_name(DEEPEST)))
        .is_some_and(|case| ROWS.iter().any(|(shown, _, _)| *shown == case))
}

/// What a transaction costs the block.
fn cost(units: u64, print: &Footprint, loaded_bytes: u64) -> u64 {
    units
        + SIGNATURE * print.signatures
        + WRITE_LOCK * print.write_locks
        + print.data_bytes / DATA_BYTES
        + PAGE * loaded_bytes.div_ceil(PAGE_BYTES)
}

/// The document's section.
pub fn section(figures: &Figures) -> String {
    let mut text = PREFACE.to_owned();
    let heads = [
        "transaction",
        "compute units",
        "signatures",
        "write locks",
        "bytes loaded",
        "block cost",
        "without a limit",
        "a block and market",
    ];
    text += &row(&heads);
    text += &rule(heads.len());
    for (name, words, fills) in ROWS {
        let figure = figures.get(&format!("{name}/{}", book_name(DEEPEST)));
        let Some((units, print)) = figure.and_then(|one| one.compute_units.zip(one.footprint))
        else {
            continue;
        };
        let stated = cost(units, &print, print.loaded_bytes);
        let room = ONE_ACCOUNT / stated;
        let room = match fills {
            0 => thousands(room),
            fills => format!("{} fills", thousands(room * fills)),
        };
        text += &row(&[
            words,
            &thousands(units),
            &print.signatures.to_string(),
            &print.write_locks.to_string(),
            &thousands(print.loaded_bytes),
            &thousands(stated),
            &thousands(cost(units, &print, UNSTATED_BYTES)),
            &room,
        ]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;

    const PRINT: Footprint = Footprint {
        signatures: 2,
        write_locks: 4,
        data_bytes: 9,
        loaded_bytes: 20_000_000,
    };

    #[test]
    fn a_transaction_costs_what_the_cost_model_says() {
        assert_eq!(cost(10_000, &PRINT, PRINT.loaded_bytes), 17_530);
        assert_eq!(cost(10_000, &PRINT, UNSTATED_BYTES), 29_026);
        assert_eq!(cost(0, &Footprint::default(), 1), 8);
    }

    #[test]
    fn the_table_counts_fills_where_there_are_any() {
        let mut figures = Figures::default();
        for (name, _, _) in ROWS {
            let figure = Figure {
                shape: String::new(),
                compute_units: Some(10_000),
                nodes_visited: None,
                footprint: Some(PRINT),
            };
            let name = format!("{name}/{}", book_name(DEEPEST));
            figures.add(&name, figure).unwrap();
        }
        let text = section(&figures);
        let line = |words: &str| text.lines().find(|line| line.contains(words)).unwrap();
        assert_eq!(
            line("5 makers"),
            "| an order meets 5 makers | 10,000 | 2 | 4 | 20,000,000 | 17,530 | 29,026 | 6,845 fills |"
        );
        assert!(line("a limit order waits").ends_with("| 1,369 |"));
    }
}
