//! Positions as benchmarks draw them; the gateway's draws the same.

use anyhow::Result;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Price around which positions were entered, ticks and atoms per lot: $200.
pub const START: u64 = 200_000;

/// A position entered within 2% of the start, of 1x to 20x.
pub fn position(dice: &mut ChaCha8Rng, side: Side) -> Result<Position> {
    let lots: u64 = dice.gen_range(10..20_000);
    let quote = lots * dice.gen_range(START * 98 / 100..START * 102 / 100);
    let margin = quote * 10 / dice.gen_range(10..200);
    let entry = Atoms::from_unsigned(quote)?;
    Ok(Position {
        lots: Lots::on_side(side, lots)?,
        entry_quote: match side {
            Side::Long => entry,
            Side::Short => Atoms::ZERO.try_sub(entry)?,
        },
        margin: Atoms::from_unsigned(margin)?,
        funding_index: FundingIndex::ZERO,
    })
}
