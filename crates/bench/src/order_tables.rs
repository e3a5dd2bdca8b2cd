//! The document's section on the book, from the figures alone.

use crate::books::{BOOKS, DEEPEST};
use crate::case::{book_name, crowded_name};
use crate::figure::Figures;

use crate::shapes::thousands;
use crate::table::{cell, row, rule};

/// Instructions whose figures depend on the book.
const INSTRUCTIONS: [&str; 7] = [
    "place_order",
    "replace_order",
    "cancel_order",
    "cancel_all_orders",
    "execute_trigger",
    "execute_protection",
    "liquidate",
];

const PREFACE: &str = "
## Orders

Queues of 100,000 positions a side, and a book that holds so many orders on either side, inserted by
the engine from a fixed seed: prices log-uniform from 6% to 30% off the mark, 100 to 100,000 lots, each
of another trader. Orders that are met were placed by real transactions, each of another trader and at
a price of its own. Funding has a minute to accrue, and takes the average price of $50,000 from
the book; makers pay a fee. *Crowded* is the deepest book, with accounts whose sixteen positions are all
in use. *Open* and *close* are of taker and makers alike.

";

/// The document's section on orders.
pub fn section(figures: &Figures) -> String {
    let mut heads = vec!["instruction".to_owned(), "shape".to_owned()];
    heads.extend(BOOKS.map(|orders| thousands(u64::from(orders))));
    heads.push("crowded".to_owned());
    let mut text = PREFACE.to_owned();
    text += &row(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    text += &rule(heads.len());
    for instruction in INSTRUCTIONS {
        text += &rows(figures, instruction);
    }
    text
}

/// Whether a figure stands in this section.
pub fn holds(name: &str) -> bool {
    INSTRUCTIONS
        .iter()
        .any(|instruction| name.starts_with(&format!("{instruction}/")))
        && columns().iter().any(|column| name.ends_with(column))
}

fn rows(figures: &Figures, instruction: &str) -> String {
    let mut text = String::new();
    let mut title = format!("`{instruction}`");
    let deepest = format!("/{}", book_name(DEEPEST));
    for (name, figure) in figures.starting_with(&format!("{instruction}/")).iter() {
        let Some(shape) = name.strip_suffix(&deepest) else {
            continue;
        };
        let words = figure.shape.split(';').next().unwrap_or_default();
        let mut cells = vec![title.clone(), words.to_owned()];
        cells.extend(columns().map(|column| cell(figures.get(&format!("{shape}{column}")))));
        text += &row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        title.clear();
    }
    text
}

/// The last parts of the names in a row.
fn columns() -> [String; 4] {
    let [short, medium, deepest] = BOOKS.map(book_name);
    [short, medium, deepest, crowded_name()].map(|name| format!("/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;

    #[test]
    fn a_shape_is_a_row_and_a_book_a_column() {
        let mut figures = Figures::default();
        for (column, units) in columns().iter().zip([11_111, 22_222, 33_333, 44_444]) {
            let figure = Figure {
                shape: "waits; some orders a side".to_owned(),
                compute_units: Some(units),
                nodes_visited: None,
                footprint: None,
            };
            let name = format!("place_order/wait{column}");
            assert!(holds(&name), "{name}");
            figures.add(&name, figure).unwrap();
        }
        let text = section(&figures);
        let row = "| `place_order` | waits | 11,111 | 22,222 | 33,333 | 44,444 |";
        assert!(text.contains(row), "{text}");
        assert!(!holds("liquidate/full/queue-100000"));
        assert!(!holds("block_trade/open-open/book-000010"));
    }
}
