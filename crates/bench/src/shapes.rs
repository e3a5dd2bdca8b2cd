//! The dimensions of the `auto_deleverage` matrix and the names of its figures.

use ballast_client::adl::MAX_COUNTERPARTIES;
use ballast_engine::units::Side;

use crate::population::Population;

/// Positions in either queue.
pub const QUEUES: [u32; 4] = [10, 1_000, 10_000, 100_000];
/// Rank tolerances, basis points.
pub const TOLERANCES: [u32; 3] = [0, 100, 500];
/// Counterparties listed; the last is the most that one call takes.
pub const COUNTERPARTIES: [u32; 6] = [1, 2, 5, 10, 20, 32];

const _: () = assert!(MAX_COUNTERPARTIES == 32);

/// A cell of the matrix.
#[derive(Clone, Copy, Debug)]
pub struct AdlShape {
    /// Who stands in the counterparties' queue.
    pub population: Population,
    /// Their side.
    pub side: Side,
    /// Positions in either queue.
    pub positions: u32,
    /// Rank tolerance, basis points.
    pub tolerance_bps: u32,
    /// Counterparties listed and cut.
    pub counterparties: u32,
}

/// A side in figures.
pub const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Long => "longs",
        Side::Short => "shorts",
    }
}

/// The name of a cell's figure.
pub fn adl_name(shape: &AdlShape) -> String {
    format!(
        "auto_deleverage/{}-{}/queue-{:06}/tolerance-{:03}/counterparties-{:02}",
        shape.population.name(),
        side_name(shape.side),
        shape.positions,
        shape.tolerance_bps,
        shape.counterparties
    )
}

/// A cell in words.
pub fn adl_shape(shape: &AdlShape) -> String {
    format!(
        "{} of {} {} cut, {}",
        shape.counterparties,
        thousands(u64::from(shape.positions)),
        side_name(shape.side),
        tolerance_name(shape.tolerance_bps)
    )
}

/// A tolerance in words.
pub fn tolerance_name(bps: u32) -> String {
    match bps {
        0 => "exact".to_owned(),
        bps => format!("tolerance {}%", bps / 100),
    }
}

/// A number with commas between its thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let texts: Vec<String> = [0, 999, 1_000, 1_234_567].map(thousands).into();
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
