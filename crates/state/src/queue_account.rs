//! The queue accounts of a market: the discriminator, then the engine's queue.

use ballast_engine::{
    cross::queue::{CROSS_ENTRY_SIZE, CROSS_HEADER_SIZE},
    queue::{QUEUE_ENTRY_SIZE, QUEUE_HEADER_SIZE},
};

use crate::error::{BallastError, Result};

/// First bytes of an initialised queue account.
pub const QUEUE_DISCRIMINATOR: [u8; 8] = [204, 167, 6, 247, 20, 33, 2, 188];
/// Nodes a queue account must have room for, at the least.
pub const MIN_QUEUE_NODES: usize = 16;
/// Most bytes of a queue account: what the runtime lets an account hold.
pub const MAX_QUEUE_BYTES: usize = 10 * 1_024 * 1_024;
/// Marks a position that is in no queue.
pub const NO_NODE: u32 = u32::MAX;

/// Positions for which an account of so many bytes has room.
///
/// # Errors
/// `QueueTooSmall` for less than a header; `Overflow`.
pub fn capacity(bytes: usize) -> Result<u32> {
    room(bytes, QUEUE_HEADER_SIZE, QUEUE_ENTRY_SIZE)
}

/// The same of a cross queue.
///
/// # Errors
/// `QueueTooSmall` for less than a header; `Overflow`.
pub fn cross_capacity(bytes: usize) -> Result<u32> {
    room(bytes, CROSS_HEADER_SIZE, CROSS_ENTRY_SIZE)
}

fn room(bytes: usize, header: usize, entry: usize) -> Result<u32> {
    let nodes = bytes
        .checked_sub(QUEUE_DISCRIMINATOR.len())
        .and_then(|left| left.checked_sub(header))
        .and_then(|left| left.checked_div(entry));
    let nodes = nodes.ok_or(BallastError::QueueTooSmall)?;
    u32::try_from(nodes).map_err(|_| BallastError::Overflow)
}
