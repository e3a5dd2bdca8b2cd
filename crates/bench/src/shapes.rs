//! The dimensions of the `auto_deleverage` matrix and the names of its figures.

use ballast_client::ranking::MAX_COUNTERPARTIES;
use ballast_engine::units::Side;

use crate::population::Population;

/// Positions in either queue.
pub const QUEUES: [u32; 4] = [10, 1_000, 10_000, 100_000];
/// Rank tolerances, basis points.
pub const TOLERANCES: [u32; 3] = [0, 100, 500];
/// Counterparties listed; the last is the most that one call takes.
pub const COUNTERPARTIES: [u32; 6] = [1, 2, 5, 10, 20, 32];

const _: () = assert!(MAX_COUNTERPARTIES == 32);

/// Counterparties of a round whose proof is measured alone.
pub const PROVEN: u32 = 10;

/// Hostile queues.
pub const HOSTILE: [Population; 3] = [
    Population::IsoScoreSmall,
    Population::IsoScoreTicks,
    Population::IsoScoreDistinct,
];

/// Two full queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageShape {
    /// Who stands in the counterparties' queue; the other one is random.
    pub population: Population,
    /// The counterparties' side.
    pub side: Side,
    /// Positions in either queue.
    pub positions: u32,
}

/// A cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdlShape {
    /// How many stand in the queues, and how.
    pub stage: StageShape,
    /// Rank tolerance, basis points.
    pub tolerance_bps: u32,
    /// Counterparties listed and cut.
    pub counterparties: u32,
}

impl StageShape {
    /// Queues of this many random positions, shorts to be cut.
    pub const fn random(positions: u32) -> Self {
        Self {
            population: Population::Random,
            side: Side::Short,
            positions,
        }
    }

    /// Queues of the greatest length.
    pub const fn longest(population: Population, side: Side) -> Self {
        Self {
            population,
            side,
            positions: QUEUES[QUEUES.len() - 1],
        }
    }

    /// A cell over these queues.
    pub const fn cell(self, tolerance_bps: u32, counterparties: u32) -> AdlShape {
        AdlShape {
            stage: self,
            tolerance_bps,
            counterparties,
        }
    }
}

/// All queues of the matrix: random ones of every length, the longest also with longs to be cut,
/// and hostile ones.
pub fn stages() -> Vec<StageShape> {
    let mut stages: Vec<_> = QUEUES.map(StageShape::random).into();
    stages.push(StageShape::longest(Population::Random, Side::Long));
    stages.push(StageShape::longest(Population::Crowded, Side::Short));
    stages.extend(HOSTILE.map(|population| StageShape::longest(population, Side::Short)));
    stages
}

/// A side in figures.
pub const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Long => "longs",
        Side::Short => "shorts",
    }
}

/// What the names of all figures of `what` over these queues begin with.
pub fn stage_prefix(what: &str, stage: &StageShape) -> String {
    format!(
        "{what}/{}-{}/queue-{:06}/",
        stage.population.name(),
        side_name(stage.side),
        stage.positions
    )
}

/// The name of a cell's figure.
pub fn adl_name(cell: &AdlShape) -> String {
    cell_name("auto_deleverage", cell)
}

/// The name of the figure of a cell's proof alone.
pub fn proof_name(cell: &AdlShape) -> String {
    cell_name("proof_alone", cell)
}

fn cell_name(what: &str, cell: &AdlShape) -> String {
    format!(
        "{}tolerance-{:03}/counterparties-{:02}",
        stage_prefix(what, &cell.stage),
        cell.tolerance_bps,
        cell.counterparties
    )
}

/// A cell in words.
pub fn adl_shape(cell: &AdlShape) -> String {
    format!(
        "{} of {} {} cut, {}",
        cell.counterparties,
        thousands(u64::from(cell.stage.positions)),
        side_name(cell.stage.side),
        tolerance_name(cell.tolerance_bps)
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
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
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
