//! Queues with many positions in them.

use anyhow::{Context, Result};
use ballast_engine::position::Position;
use ballast_engine::queue::{queue_size, Queue};
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side};
use ballast_state::queue_account::QUEUE_DISCRIMINATOR;
use ballast_state::Pubkey;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The price around which everybody entered, ticks.
const START: u64 = 200_000;

/// A queue account with so many positions.
pub fn queue(positions: usize, market: &Pubkey, side: Side) -> Result<Vec<u8>> {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let bytes = queue_size(positions).context("too many positions")?;
    let mut words = vec![0_u64; bytes / 8];
    Queue::create(
        bytemuck::cast_slice_mut(&mut words),
        market.to_bytes(),
        side,
    )?;
    let mut queue = Queue::new(bytemuck::cast_slice_mut(&mut words))?;
    for _ in 0..positions {
        queue.insert(dice.gen(), &position(&mut dice, side)?)?;
    }
    let mut data = QUEUE_DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::cast_slice(&words));
    Ok(data)
}

/// A position entered within 2% of the start, of 1x to 20x.
fn position(dice: &mut ChaCha8Rng, side: Side) -> Result<Position> {
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
