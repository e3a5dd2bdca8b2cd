//! The two queue accounts of a market.
//!
//! A queue is a plain account, created at top level by whoever prepares the market and handed
//! over with every byte zero. It holds the discriminator, then the engine's queue.

use anchor_lang::prelude::*;
use ballast_engine::{
    queue::{self, Queue, QueueHeader, QueueRef, QUEUE_ENTRY_SIZE, QUEUE_HEADER_SIZE},
    units::Side,
};
use ballast_state::{
    error::BallastError,
    market::Market,
    position_slot::PositionSlot,
    queue_account::{MIN_QUEUE_NODES, NO_NODE, QUEUE_DISCRIMINATOR},
};

use crate::error::{error, require, require_keys_eq, OrBallast};

/// Bytes of such an account after the discriminator.
const MIN_QUEUE_BYTES: usize = QUEUE_HEADER_SIZE + MIN_QUEUE_NODES * QUEUE_ENTRY_SIZE;

/// Both queue accounts of a market, checked; none where an instruction that may go without them does.
pub struct MarketQueues<'a, 'info> {
    both: Option<[&'a AccountInfo<'info>; 2]>,
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
        let both = Some([long, short]);
        Ok(Self { both })
    }

    /// No queues: whatever would need one fails with `QueuesMissing`.
    pub const NONE: Self = Self { both: None };

    /// Whether there are any.
    pub const fn are_given(&self) -> bool {
        self.both.is_some()
    }

    /// Runs `body` on the queue of `side`.
    ///
    /// # Errors
    /// `QueueLayout`, `QueuesMissing`; those of `body`.
    pub fn write<R>(
        &self,
        side: Side,
        body: impl FnOnce(&mut Queue<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut data = self.account(side)?.try_borrow_mut_data()?;
        let bytes = body_of(&mut data)?;
        body(&mut Queue::new(bytes).or_ballast()?)
    }

    /// Runs `body` on the queue of `side`, read only.
    ///
    /// # Errors
    /// `QueueLayout`, `QueuesMissing`; those of `body`.
    pub fn read<R>(&self, side: Side, body: impl FnOnce(&QueueRef<'_>) -> Result<R>) -> Result<R> {
        read_queue(self.account(side)?, body)
    }

    /// Runs `body` on the queues of longs and of shorts, read only.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_both<R>(
        &self,
        body: impl FnOnce(&QueueRef<'_>, &QueueRef<'_>) -> Result<R>,
    ) -> Result<R> {
        self.read(Side::Long, |long| {
            self.read(Side::Short, |short| body(long, short))
        })
    }

    /// Whether the queue of `side` has room for one more position.
    ///
    /// # Errors
    /// `QueueLayout`, `QueuesMissing`.
    pub fn has_room(&self, side: Side) -> Result<bool> {
        self.read(side, |queue| Ok(queue.has_room()))
    }

    /// Brings the queues level with `slot` after a change of its position: inserts, updates,
    /// removes or moves to the other side, and writes the slot's node.
    ///
    /// `before` is the side of the position before the change.
    ///
    /// # Errors
    /// `QueueFull`, `QueueLayout`, `QueuesMissing`, `BankruptcyPriceOutOfRange`.
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

    fn account(&self, side: Side) -> Result<&'a AccountInfo<'info>> {
        match (&self.both, side) {
            (Some([long, _]), Side::Long) => Ok(*long),
            (Some([_, short]), Side::Short) => Ok(*short),
            (None, _) => Err(error!(BallastError::QueuesMissing)),
        }
    }
}

/// Runs `body` on a queue account whose key was compared with the market's, read only.
///
/// # Errors
/// `QueueLayout`; those of `body`.
pub fn read_queue<R>(
    account: &AccountInfo,
    body: impl FnOnce(&QueueRef<'_>) -> Result<R>,
) -> Result<R> {
    let data = account.try_borrow_data()?;
    let bytes = data
        .strip_prefix(&QUEUE_DISCRIMINATOR)
        .ok_or_else(|| error!(BallastError::QueueLayout))?;
    body(&QueueRef::new(bytes).or_ballast()?)
}

/// Brings a queue account of the version before to today's; the versions before and after.
///
/// # Errors
/// `QueueLayout`.
pub fn migrate(account: &AccountInfo) -> Result<(u32, u32)> {
    let mut data = account.try_borrow_mut_data()?;
    let bytes = body_of(&mut data)?;
    let before = version(bytes);
    queue::migrate(bytes).or_ballast()?;
    Ok((before, version(bytes)))
}

/// What follows the discriminator of a queue.
fn body_of(data: &mut [u8]) -> Result<&mut [u8]> {
    let (discriminator, bytes) = data
        .split_at_mut_checked(QUEUE_DISCRIMINATOR.len())
        .ok_or_else(|| error!(BallastError::QueueLayout))?;
    require!(
        *discriminator == QUEUE_DISCRIMINATOR,
        BallastError::QueueLayout
    );
    Ok(bytes)
}

fn version(bytes: &[u8]) -> u32 {
    let header = bytes.get(..QUEUE_HEADER_SIZE);
    let header = header.and_then(|header| bytemuck::try_from_bytes::<QueueHeader>(header).ok());
    header.map_or(0, |header| header.version)
}

/// Takes over a new queue account. The runtime hands an account to a program only with every byte
/// zero, so a zero discriminator and header mean that nothing has been written since.
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

#[cfg(test)]
pub(crate) mod test_queues {
    //! Native queue accounts over real bytes.

    use bytemuck::Zeroable;

    use super::*;

    pub const LONG: Pubkey = Pubkey::new_from_array([1; 32]);
    pub const SHORT: Pubkey = Pubkey::new_from_array([2; 32]);
    pub const TRADER: Pubkey = Pubkey::new_from_array([3; 32]);
    pub const WORDS: usize = (8 + MIN_QUEUE_BYTES) / 8;

    pub fn market() -> Market {
        Market {
            queue_long: LONG,
            queue_short: SHORT,
            ..Market::zeroed()
        }
    }

    pub fn bytes(words: &mut [u64]) -> &mut [u8] {
        bytemuck::cast_slice_mut(words)
    }

    /// Runs `body` on the two queue accounts of [`market`], freshly taken over.
    pub fn with_queues<R>(
        body: impl for<'a> FnOnce(&AccountInfo<'a>, &AccountInfo<'a>, &MarketQueues) -> R,
    ) -> R {
        let (mut long, mut short) = (vec![0_u64; WORDS], vec![0_u64; WORDS]);
        let (mut one, mut two) = (1, 1);
        initialize(bytes(&mut long), &TRADER, Side::Long).unwrap();
        initialize(bytes(&mut short), &TRADER, Side::Short).unwrap();
        let account = |key, lamports, data| {
            AccountInfo::new(key, false, true, lamports, data, &crate::ID, false)
        };
        let long = account(&LONG, &mut one, bytes(&mut long));
        let short = account(&SHORT, &mut two, bytes(&mut short));
        let queues = MarketQueues::load(&market(), &long, &short).unwrap();
        body(&long, &short, &queues)
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::{test_queues::*, *};

    fn lengths(queues: &MarketQueues) -> (u32, u32) {
        let length = |side| queues.read(side, |queue| Ok(queue.len())).unwrap();
        (length(Side::Long), length(Side::Short))
    }

    fn slot(lots: i64) -> PositionSlot {
        PositionSlot {
            lots,
            entry_quote: lots.saturating_mul(200),
            margin: 1_000,
            queue_node: NO_NODE,
            ..PositionSlot::zeroed()
        }
    }

    #[test]
    fn the_queues_follow_a_position_through_its_life() {
        with_queues(|_, _, queues| {
            let mut slot = slot(10);
            queues.sync(&TRADER, None, &mut slot).unwrap();
            assert_eq!(lengths(queues), (1, 0));
            let node = slot.queue_node;

            slot.lots = 4;
            slot.entry_quote = 800;
            queues.sync(&TRADER, Some(Side::Long), &mut slot).unwrap();
            assert_eq!((lengths(queues), slot.queue_node), ((1, 0), node));
            let entry = queues
                .read(Side::Long, |queue| Ok(*queue.entry(node).unwrap()))
                .unwrap();
            assert_eq!((entry.trader, entry.lots), (TRADER.to_bytes(), 4));

            slot.lots = -3;
            slot.entry_quote = -600;
            queues.sync(&TRADER, Some(Side::Long), &mut slot).unwrap();
            assert_eq!(lengths(queues), (0, 1));

            slot.lots = 0;
            slot.entry_quote = 0;
            queues.sync(&TRADER, Some(Side::Short), &mut slot).unwrap();
            assert_eq!((lengths(queues), slot.queue_node), ((0, 0), NO_NODE));
            queues.sync(&TRADER, None, &mut slot).unwrap();
            assert_eq!(lengths(queues), (0, 0));
        });
    }

    #[test]
    fn without_queues_no_position_changes() {
        let queues = MarketQueues::NONE;
        let missing = || Err(BallastError::QueuesMissing.into());
        assert_eq!(queues.sync(&TRADER, None, &mut slot(10)), missing());
        assert_eq!(
            queues.sync(&TRADER, Some(Side::Long), &mut slot(10)),
            missing()
        );
        assert_eq!(
            queues.sync(&TRADER, Some(Side::Short), &mut slot(0)),
            missing()
        );
        assert_eq!(
            queues.has_room(Side::Long),
            Err(BallastError::QueuesMissing.into())
        );
    }

    #[test]
    fn a_full_queue_says_so() {
        with_queues(|_, _, queues| {
            for _ in 0..MIN_QUEUE_NODES {
                queues.sync(&TRADER, None, &mut slot(1)).unwrap();
            }
            assert_eq!(
                queues.sync(&TRADER, None, &mut slot(1)),
                Err(BallastError::QueueFull.into())
            );
            queues.sync(&TRADER, None, &mut slot(-1)).unwrap();
        });
    }

    fn refused<'a>(long: &AccountInfo<'a>, short: &AccountInfo<'a>) -> Option<Error> {
        MarketQueues::load(&market(), long, short).err()
    }

    #[test]
    fn only_the_markets_own_writable_queues_are_loaded() {
        with_queues(|long, short, _| {
            let error = |error: BallastError| Some(Error::from(error));
            assert_eq!(refused(short, long), error(BallastError::WrongQueue));
            assert_eq!(refused(long, long), error(BallastError::WrongQueue));
            let mut read_only = long.clone();
            read_only.is_writable = false;
            assert_eq!(
                refused(&read_only, short),
                error(BallastError::QueueNotWritable)
            );
            let mut foreign = short.clone();
            foreign.owner = &LONG;
            assert_eq!(refused(long, &foreign), error(BallastError::QueueNotOwned));
        });
    }

    #[test]
    fn a_queue_without_its_discriminator_is_not_read() {
        with_queues(|long, _, queues| {
            long.try_borrow_mut_data().unwrap()[0] ^= 1;
            let read = queues.read(Side::Long, |_| Ok(()));
            assert_eq!(read, Err(BallastError::QueueLayout.into()));
            let write = queues.write(Side::Long, |_| Ok(()));
            assert_eq!(write, Err(BallastError::QueueLayout.into()));
            assert!(queues.read(Side::Short, |_| Ok(())).is_ok());
        });
    }

    #[test]
    fn a_queue_is_taken_over_once_and_zeroed_and_large_enough() {
        let mut data = vec![0_u64; WORDS];
        let data = bytes(&mut data);
        let small = data.len() - 1;
        for length in [0, 7, 8, 135, small] {
            assert_eq!(
                initialize(&mut data[..length], &TRADER, Side::Long),
                Err(BallastError::QueueTooSmall.into())
            );
        }
        for dirty in [0, 7, 8, 135] {
            data[dirty] = 1;
            assert_eq!(
                initialize(data, &TRADER, Side::Long),
                Err(BallastError::QueueNotZeroed.into())
            );
            data[dirty] = 0;
        }
        initialize(data, &TRADER, Side::Long).unwrap();
        assert_eq!(
            initialize(data, &TRADER, Side::Long),
            Err(BallastError::QueueNotZeroed.into())
        );
    }
}
