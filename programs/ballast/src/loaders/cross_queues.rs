//! Cross queues that a caller passes, first among the remaining accounts.
//!
//! A cross queue is a plain account, created at top level and handed over with every byte zero. The program
//! writes the discriminator once, when it takes the two of a market over, so that owner, discriminator, market
//! and side identify it.

use anchor_lang::prelude::*;
use ballast_engine::{
    cross::{
        queue::{CrossQueue, CrossQueueRef, CROSS_ENTRY_SIZE, CROSS_HEADER_SIZE},
        CrossDraws,
    },
    units::Side,
};
use ballast_state::{
    cross::CROSS_QUEUE_DISCRIMINATOR, error::BallastError, market::Market,
    queue_account::MIN_QUEUE_NODES,
};

use crate::error::{error, require};

/// Bytes of such an account at the least.
const MIN_BYTES: usize =
    CROSS_QUEUE_DISCRIMINATOR.len() + CROSS_HEADER_SIZE + MIN_QUEUE_NODES * CROSS_ENTRY_SIZE;

/// The cross queues among the accounts of a call, all of them writable.
#[derive(Clone, Copy)]
pub struct CrossQueues<'info> {
    accounts: &'info [AccountInfo<'info>],
}

impl<'info> CrossQueues<'info> {
    /// Those that the remaining accounts begin with, and the rest.
    ///
    /// # Errors
    /// `CrossQueueMissing` for one that is not writable.
    pub fn split(
        remaining: &'info [AccountInfo<'info>],
    ) -> Result<(Self, &'info [AccountInfo<'info>])> {
        let mut count = 0_usize;
        for account in remaining {
            if !is_cross_queue(account)? {
                break;
            }
            require!(account.is_writable, BallastError::CrossQueueMissing);
            count = count.wrapping_add(1);
        }
        let (accounts, rest) = remaining.split_at(count);
        Ok((Self { accounts }, rest))
    }

    /// Whether that of `side` of `market` is among them.
    ///
    /// # Errors
    /// `QueueLayout`.
    pub fn has(&self, market: &Pubkey, side: Side) -> Result<bool> {
        Ok(self.find(market, side)?.is_some())
    }

    /// Runs `body` on the queue of `side` of `market`.
    ///
    /// # Errors
    /// `CrossQueueMissing`, which logs market and side; those of `body`.
    pub fn write<R>(
        &self,
        market: &Pubkey,
        side: Side,
        body: impl FnOnce(&mut CrossQueue<'_>) -> core::result::Result<R, BallastError>,
    ) -> Result<R> {
        let account = self.require(market, side)?;
        let mut data = account.try_borrow_mut_data()?;
        let bytes = data.get_mut(CROSS_QUEUE_DISCRIMINATOR.len()..);
        let bytes = bytes.ok_or_else(|| error!(BallastError::QueueLayout))?;
        let mut queue = CrossQueue::new(bytes).map_err(BallastError::from)?;
        Ok(body(&mut queue)?)
    }

    /// Runs `body` on the queue of `side` of `market`, read only.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub fn read<R>(
        &self,
        market: &Pubkey,
        side: Side,
        body: impl FnOnce(&CrossQueueRef<'_>) -> Result<R>,
    ) -> Result<R> {
        let account = self.require(market, side)?;
        let data = account.try_borrow_data()?;
        body(&view(&data)?)
    }

    /// What was paid for legs of the market lately: it stands in the queue of its longs.
    ///
    /// # Errors
    /// `CrossQueueMissing`.
    pub fn draws(&self, market: &Pubkey) -> Result<CrossDraws> {
        self.read(market, Side::Long, |queue| Ok(queue.header().draws))
    }

    /// Notes what insurance and held profit have paid for legs in `slot`, atoms.
    ///
    /// # Errors
    /// `CrossQueueMissing`, `Overflow`.
    pub fn paid(&self, key: &Pubkey, market: &Market, atoms: u64, slot: u64) -> Result<()> {
        if atoms == 0 {
            return Ok(());
        }
        self.write(key, Side::Long, |queue| {
            let draws = queue.as_ref().header().draws;
            queue.set_draws(draws.with(market.params(), slot, atoms)?);
            Ok(())
        })
    }

    fn require(&self, market: &Pubkey, side: Side) -> Result<&'info AccountInfo<'info>> {
        match self.find(market, side)? {
            Some(account) => Ok(account),
            None => Err(missing(BallastError::CrossQueueMissing, market, side)),
        }
    }

    fn find(&self, market: &Pubkey, side: Side) -> Result<Option<&'info AccountInfo<'info>>> {
        for account in self.accounts {
            let data = account.try_borrow_data()?;
            let queue = view(&data)?;
            if queue.header().market == market.to_bytes() && queue.side() == side {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }
}

/// `error` about the cross queue of `side` of `market`, which is logged.
#[cold]
pub fn missing(error: BallastError, market: &Pubkey, side: Side) -> Error {
    let side = match side {
        Side::Long => "long",
        Side::Short => "short",
    };
    msg!("Cross queue: {} {}", market, side);
    error!(error)
}

fn view<'a>(data: &'a [u8]) -> Result<CrossQueueRef<'a>> {
    let bytes = data.strip_prefix(&CROSS_QUEUE_DISCRIMINATOR);
    let bytes = bytes.ok_or_else(|| error!(BallastError::QueueLayout))?;
    CrossQueueRef::new(bytes).map_err(|error| BallastError::from(error).into())
}

/// The side of a cross queue of `market`; `None` where the account is no such queue.
///
/// # Errors
/// `QueueLayout`.
pub fn side_of(account: &AccountInfo, market: &Pubkey) -> Result<Option<Side>> {
    if !is_cross_queue(account)? {
        return Ok(None);
    }
    let data = account.try_borrow_data()?;
    let queue = view(&data)?;
    let own = queue.header().market == market.to_bytes();
    Ok(own.then_some(queue.side()))
}

/// Runs `body` on `account`, read only, which must be the cross queue of `side` of `market`.
///
/// # Errors
/// `CrossQueueMissing`, which logs market and side; those of `body`.
pub fn read_cross_queue<R>(
    account: &AccountInfo,
    market: &Pubkey,
    side: Side,
    body: impl FnOnce(&CrossQueueRef<'_>) -> Result<R>,
) -> Result<R> {
    if side_of(account, market)? != Some(side) {
        return Err(missing(BallastError::CrossQueueMissing, market, side));
    }
    let data = account.try_borrow_data()?;
    body(&view(&data)?)
}

fn is_cross_queue(account: &AccountInfo) -> Result<bool> {
    let data = account.try_borrow_data()?;
    Ok(*account.owner == crate::ID && data.starts_with(&CROSS_QUEUE_DISCRIMINATOR))
}

/// Takes over a new account as the cross queue of `side` of `market`. The runtime hands an account to a
/// program only with every byte zero.
///
/// # Errors
/// `WrongCrossQueue`.
pub fn create(account: &AccountInfo, market: &Pubkey, side: Side) -> Result<()> {
    let length = account.data_len();
    let sound = *account.owner == crate::ID
        && account.is_writable
        && length >= MIN_BYTES
        && Rent::get()?.is_exempt(account.lamports(), length);
    require!(sound, BallastError::WrongCrossQueue);
    let mut data = account.try_borrow_mut_data()?;
    let (discriminator, bytes) = data
        .split_at_mut_checked(CROSS_QUEUE_DISCRIMINATOR.len())
        .ok_or_else(|| error!(BallastError::WrongCrossQueue))?;
    let header = bytes.iter().take(CROSS_HEADER_SIZE);
    let zeroed = discriminator.iter().chain(header).all(|byte| *byte == 0);
    require!(zeroed, BallastError::WrongCrossQueue);
    discriminator.copy_from_slice(&CROSS_QUEUE_DISCRIMINATOR);
    CrossQueue::create(bytes, market.to_bytes(), side)
        .map_err(|error| BallastError::from(error).into())
}
