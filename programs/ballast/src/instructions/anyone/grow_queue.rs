//! Makes room for more positions in a queue.

use anchor_lang::{
    prelude::*, solana_program::entrypoint::MAX_PERMITTED_DATA_INCREASE, system_program,
};
use ballast_engine::{cross::queue::CROSS_ENTRY_SIZE, queue::QUEUE_ENTRY_SIZE, units::Side};
use ballast_state::{
    error::BallastError,
    events::QueueGrown,
    instructions::{MAX_CROSS_GROWTH, MAX_GROWTH},
    market::Market,
    queue_account::{capacity, cross_capacity, MAX_QUEUE_BYTES},
};

use crate::loaders::{cross_queues, current::Current};
use crate::{
    emit::emit,
    error::{error, require},
};

const _: () = {
    let (most, cross) = (98 * QUEUE_ENTRY_SIZE, 80 * CROSS_ENTRY_SIZE);
    assert!(most <= MAX_PERMITTED_DATA_INCREASE && cross <= MAX_PERMITTED_DATA_INCREASE);
    assert!(most + QUEUE_ENTRY_SIZE > MAX_PERMITTED_DATA_INCREASE);
    assert!(cross + CROSS_ENTRY_SIZE > MAX_PERMITTED_DATA_INCREASE);
};

/// What a queue holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Isolated positions.
    Positions,
    /// Legs of cross accounts.
    Legs,
}

/// Accounts of `grow_queue`.
#[event_cpi]
#[derive(Accounts)]
pub struct GrowQueue<'info> {
    /// Pays the rent of the new room.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// CHECK: one of the market's queues, checked against its stored keys, or a cross queue, which names its market.
    #[account(mut, owner = crate::ID @ BallastError::QueueNotOwned)]
    pub queue: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl GrowQueue<'_> {
    /// Makes room for `positions` more in one of a market's queues, or for as many legs in one of its cross queues.
    /// Anyone may pay for it.
    ///
    /// # Errors
    /// `WrongQueue`; `QueueGrowth` unless `positions` is within `1..=MAX_GROWTH`, for legs
    /// `1..=MAX_CROSS_GROWTH`; `QueueTooLarge` beyond 10 MiB.
    pub fn handle(ctx: Context<Self>, positions: u32) -> Result<()> {
        let accounts = &ctx.accounts;
        let (side, holds) = accounts.which()?;
        let before = accounts.queue.data_len();
        let after = grown(before, positions, holds)?;
        accounts.pay_rent(after)?;
        accounts.queue.resize(after)?;
        emit(
            &ctx.accounts.event_authority,
            &QueueGrown {
                market: accounts.market.key(),
                queue: accounts.queue.key(),
                long: side == Side::Long,
                capacity_before: holds.room(before)?,
                capacity_after: holds.room(after)?,
            },
        )?;
        Ok(())
    }

    fn which(&self) -> Result<(Side, Holds)> {
        let market = self.market.current()?;
        let mut sides = [Side::Long, Side::Short].into_iter();
        if let Some(side) = sides.find(|side| market.queue(*side) == self.queue.key()) {
            return Ok((side, Holds::Positions));
        }
        let side = cross_queues::side_of(&self.queue, &self.market.key())?;
        let side = side.ok_or_else(|| error!(BallastError::WrongQueue))?;
        Ok((side, Holds::Legs))
    }

    fn pay_rent(&self, bytes: usize) -> Result<()> {
        let rent = Rent::get()?.minimum_balance(bytes);
        let Some(missing) = rent
            .checked_sub(self.queue.lamports())
            .filter(|rest| *rest > 0)
        else {
            return Ok(());
        };
        let transfer = system_program::Transfer {
            from: self.payer.to_account_info(),
            to: self.queue.to_account_info(),
        };
        system_program::transfer(
            CpiContext::new(self.system_program.key(), transfer),
            missing,
        )
    }
}

impl Holds {
    /// Bytes of a node, and most of them that a call makes room for.
    const fn node(self) -> (usize, u32) {
        match self {
            Self::Positions => (QUEUE_ENTRY_SIZE, MAX_GROWTH),
            Self::Legs => (CROSS_ENTRY_SIZE, MAX_CROSS_GROWTH),
        }
    }

    /// Nodes for which an account of so many bytes has room.
    fn room(self, bytes: usize) -> Result<u32> {
        Ok(match self {
            Self::Positions => capacity(bytes)?,
            Self::Legs => cross_capacity(bytes)?,
        })
    }
}

/// Bytes of an account of `bytes` with room for so many more.
fn grown(bytes: usize, positions: u32, holds: Holds) -> Result<usize> {
    let (node, most) = holds.node();
    require!((1..=most).contains(&positions), BallastError::QueueGrowth);
    let more = usize::try_from(positions).ok();
    let more = more.and_then(|more| more.checked_mul(node));
    let after = more.and_then(|more| bytes.checked_add(more));
    let after = after.ok_or_else(|| error!(BallastError::Overflow))?;
    require!(after <= MAX_QUEUE_BYTES, BallastError::QueueTooLarge);
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_bounded_by_the_call_and_by_the_account() {
        for (holds, node, most) in [(Holds::Positions, 104, 98), (Holds::Legs, 128, 80)] {
            let grown = |bytes, more| grown(bytes, more, holds);
            assert_eq!(grown(1_000, 1), Ok(1_000 + node));
            let all = usize::try_from(most).unwrap();
            assert_eq!(grown(1_000, most), Ok(1_000 + all * node));
            for positions in [0, most + 1, u32::MAX] {
                let refused = Err(BallastError::QueueGrowth.into());
                assert_eq!(grown(1_000, positions), refused);
            }
            assert_eq!(grown(MAX_QUEUE_BYTES - node, 1), Ok(MAX_QUEUE_BYTES));
            let refused = Err(BallastError::QueueTooLarge.into());
            assert_eq!(grown(MAX_QUEUE_BYTES - node + 1, 1), refused);
        }
    }
}
