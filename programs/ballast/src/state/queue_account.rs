//! The two queue accounts of a market.
//!
//! A queue is a plain account, created at top level by whoever prepares the market and handed
//! over with every byte zero. It holds the discriminator, then the engine's queue.

use anchor_lang::prelude::*;
use ballast_engine::{
    queue::{Queue, QueueRef, QUEUE_ENTRY_SIZE, QUEUE_HEADER_SIZE},
    units::Side,
};

use super::{market::Market, trader::PositionSlot};
use crate::error::{BallastError, OrBallast};

/// First bytes of an initialised queue account.
pub const QUEUE_DISCRIMINATOR: [u8; 8] = [204, 167, 6, 247, 20, 33, 2, 188];
/// Nodes a queue account must have room for, at the least.
pub const MIN_QUEUE_NODES: usize = 16;
/// Bytes of such an account after the discriminator.
const MIN_QUEUE_BYTES: usize = QUEUE_HEADER_SIZE + MIN_QUEUE_NODES * QUEUE_ENTRY_SIZE;
/// Marks a position that is in no queue.
pub const NO_NODE: u32 = u32::MAX;

/// Both queue accounts of a market, checked.
pub struct MarketQueues<'a, 'info> {
    long: &'a AccountInfo<'info>,
    short: &'a AccountInfo<'info>,
}

impl<'a, 'info> MarketQueues<'a, 'info> {
    /// Checks both accounts: key, owner, writable.
    ///
    /// # Errors
    /// `WrongQueue`, `QueueNotOwned`, `QueueNotWritable`.
    pub fn load(
        market: &Market,
        long: &'a AccountInfo<'info>,
        short: &'a AccountInfo<'info>,
    ) -> Result<Self> {
        for (side, account) in [(Side::Long, long), (Side::Short, short)] {
            require_keys_eq!(*account.key, market.queue(side), BallastError::WrongQueue);
            require_keys_eq!(*account.owner, crate::ID, BallastError::QueueNotOwned);
            require!(account.is_writable, BallastError::QueueNotWritable);
        }
        Ok(Self { long, short })
    }

    /// Runs `body` on the queue of `side`.
    ///
    /// # Errors
    /// `QueueLayout`; those of `body`.
    pub fn write<R>(
        &self,
        side: Side,
        body: impl FnOnce(&mut Queue<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut data = self.account(side).try_borrow_mut_data()?;
        let (discriminator, bytes) = data
            .split_at_mut_checked(QUEUE_DISCRIMINATOR.len())
            .ok_or_else(|| error!(BallastError::QueueLayout))?;
        require!(
            *discriminator == QUEUE_DISCRIMINATOR,
            BallastError::QueueLayout
        );
        body(&mut Queue::new(bytes).or_ballast()?)
    }

    /// Runs `body` on the queue of `side`, read only.
    ///
    /// # Errors
    /// `QueueLayout`; those of `body`.
    pub fn read<R>(&self, side: Side, body: impl FnOnce(&QueueRef<'_>) -> Result<R>) -> Result<R> {
        let data = self.account(side).try_borrow_data()?;
        let bytes = data
            .strip_prefix(&QUEUE_DISCRIMINATOR)
            .ok_or_else(|| error!(BallastError::QueueLayout))?;
        body(&QueueRef::new(bytes).or_ballast()?)
    }

    /// Brings the queues level with `slot` after a change of its position: inserts, updates,
    /// removes or moves to the other side, and writes the slot's node.
    ///
    /// `before` is the side of the position before the change.
    ///
    /// # Errors
    /// `QueueFull`, `QueueLayout`, `BankruptcyPriceOutOfRange`.
    pub fn sync(
        &self,
        trader: &Pubkey,
        before: Option<Side>,
        slot: &mut PositionSlot,
    ) -> Result<()> {
        let position = slot.position()?;
        let after = position.side();
        if let (Some(side), true) = (before, before == after) {
            let node = slot.queue_node;
            return self.write(side, |queue| queue.update(node, &position).or_ballast());
        }
        if let Some(side) = before {
            let node = slot.queue_node;
            self.write(side, |queue| queue.remove(node).or_ballast())?;
            slot.queue_node = NO_NODE;
        }
        if let Some(side) = after {
            slot.queue_node = self.write(side, |queue| {
                queue.insert(trader.to_bytes(), &position).or_ballast()
            })?;
        }
        Ok(())
    }

    fn account(&self, side: Side) -> &'a AccountInfo<'info> {
        match side {
            Side::Long => self.long,
            Side::Short => self.short,
        }
    }
}

/// Takes over a new queue account.
///
/// # Errors
/// `QueueNotOwned`, `QueueNotWritable`, `QueueTooSmall`, `QueueNotRentExempt`, `QueueNotZeroed`.
pub fn create(account: &AccountInfo, market: &Pubkey, side: Side) -> Result<()> {
    require_keys_eq!(*account.owner, crate::ID, BallastError::QueueNotOwned);
    require!(account.is_writable, BallastError::QueueNotWritable);
    let length = account.data_len();
    require!(
        Rent::get()?.is_exempt(account.lamports(), length),
        BallastError::QueueNotRentExempt
    );
    initialize(&mut account.try_borrow_mut_data()?, market, side)
}

fn initialize(data: &mut [u8], market: &Pubkey, side: Side) -> Result<()> {
    let (discriminator, bytes) = data
        .split_at_mut_checked(QUEUE_DISCRIMINATOR.len())
        .ok_or_else(|| error!(BallastError::QueueTooSmall))?;
    require!(bytes.len() >= MIN_QUEUE_BYTES, BallastError::QueueTooSmall);
    let (header, _) = bytes
        .split_at_checked(QUEUE_HEADER_SIZE)
        .ok_or_else(|| error!(BallastError::QueueTooSmall))?;
    require!(
        discriminator.iter().chain(header).all(|byte| *byte == 0),
        BallastError::QueueNotZeroed
    );
    discriminator.copy_from_slice(&QUEUE_DISCRIMINATOR);
    Queue::create(bytes, market.to_bytes(), side).or_ballast()
}
