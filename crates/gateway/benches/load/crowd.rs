//! Queues with many positions in them.

use anyhow::{Context, Result};
use ballast_engine::queue::{queue_size, Queue};
use ballast_engine::units::Side;
use ballast_state::queue_account::QUEUE_DISCRIMINATOR;
use ballast_state::Pubkey;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::position::position;

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
