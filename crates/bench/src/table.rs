//! Tables of the document.

use crate::figure::Figure;
use crate::shapes::thousands;

/// What stands for a transaction that needs more than there is.
pub const EXCEEDS: &str = "exceeds one transaction";

/// A figure in a table.
pub fn cell(figure: Option<&Figure>) -> String {
    let Some(figure) = figure else {
        return "-".to_owned();
    };
    let units = figure.compute_units.map_or(EXCEEDS.to_owned(), thousands);
    match figure.nodes_visited {
        Some(nodes) => format!("{units} ({})", thousands(u64::from(nodes))),
        None => units,
    }
}

/// A row of a table.
pub fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// What stands below a table's first row.
pub fn rule(columns: usize) -> String {
    format!("|{}\n", "---|".repeat(columns))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A figure of no shape in particular.
    pub fn figure(compute_units: Option<u64>, nodes_visited: Option<u32>) -> Figure {
        Figure {
            shape: "a shape".to_owned(),
            compute_units,
            nodes_visited,
            footprint: None,
        }
    }

    #[test]
    fn cells_tell_what_fits_from_what_does_not() {
        assert_eq!(cell(Some(&figure(Some(12_345), Some(67)))), "12,345 (67)");
        assert_eq!(cell(Some(&figure(Some(999), None))), "999");
        let exceeds = figure(None, Some(100_000));
        assert_eq!(cell(Some(&exceeds)), "exceeds one transaction (100,000)");
        assert_eq!(cell(None), "-");
    }
}
