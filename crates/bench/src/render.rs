//! The document.

use crate::figure::{Figure, Figures};
use crate::shapes::thousands;
use crate::targets::Target;

/// All figures, one a line.
pub fn list(figures: &Figures) -> String {
    figures
        .iter()
        .map(|(name, figure)| format!("{:>9} {:>7}  {name}\n", units(figure), nodes(figure)))
        .collect()
}

fn units(figure: &Figure) -> String {
    figure
        .compute_units
        .map_or_else(|| "exceeds".to_owned(), thousands)
}

fn nodes(figure: &Figure) -> String {
    figure
        .nodes_visited
        .map_or_else(String::new, |nodes| thousands(u64::from(nodes)))
}

/// The whole document.
pub fn document(figures: &Figures, _targets: &[Target]) -> String {
    list(figures)
}
