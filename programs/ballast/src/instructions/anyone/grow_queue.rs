//! Makes room for more positions in a queue.

use anchor_lang::{
    prelude::*, solana_program::entrypoint::MAX_PERMITTED_DATA_INCREASE, system_program,
};
use ballast_engine::{queue::QUEUE_ENTRY_SIZE, units::Side};
use ballast_state::{
    error::BallastError,
    events::QueueGrown,
    instructions::MAX_GROWTH,
    market::Market,
    queue_account::{capacity, MAX_QUEUE_BYTES},
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, require},
};

const _: () = {
    let most = 98 * QUEUE_ENTRY_SIZE;
    assert!(most <= MAX_PERMITTED_DATA_INCREASE);
    assert!(most + QUEUE_ENTRY_SIZE > MAX_PERMITTED_DATA_INCREASE);
};

/// Accounts of `grow_queue`.
#[event_cpi]
#[derive(Accounts)]
pub struct GrowQueue<'info> {
    /// Pays the rent of the new room.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// CHECK: either of the market's queues, checked against its stored keys.
    #[account(mut, owner = crate::ID @ BallastError::QueueNotOwned)]
    pub queue: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl GrowQueue<'_> {
    /// Makes room for `positions` more in one of a market's queues. Anyone may pay for it.
    ///
    /// # Errors
    /// `WrongQueue`; `QueueGrowth` unless `positions` is within `1..=MAX_GROWTH`; `QueueTooLarge`
    /// beyond 10 MiB.
    pub fn handle(ctx: Context<Self>, positions: u32) -> Result<()> {
        let accounts = &ctx.accounts;
        let side = accounts.side()?;
        let before = accounts.queue.data_len();
        let after = grown(before, positions)?;
        accounts.pay_rent(after)?;
        accounts.queue.resize(after)?;
        emit(
            &ctx.accounts.event_authority,
            &QueueGrown {
                market: accounts.market.key(),
                queue: accounts.queue.key(),
                long: side == Side::Long,
                capacity_before: capacity(before)?,
                capacity_after: capacity(after)?,
            },
        )?;
        Ok(())
    }

    fn side(&self) -> Result<Side> {
        let market = self.market.current()?;
        [Side::Long, Side::Short]
            .into_iter()
            .find(|side| market.queue(*side) == self.queue.key())
            .ok_or_else(|| error!(BallastError::WrongQueue))
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

/// Bytes of an account of `bytes` with room for so many more positions.
fn grown(bytes: usize, positions: u32) -> Result<usize> {
    require!(
        (1..=MAX_GROWTH).contains(&positions),
        BallastError::QueueGrowth
    );
    let more = usize::try_from(positions).ok();
    let more = more.and_then(|more| more.checked_mul(QUEUE_ENTRY_SIZE));
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
        assert_eq!(grown(1_000, 1), Ok(1_104));
        assert_eq!(grown(1_000, MAX_GROWTH), Ok(1_000 + 98 * 104));
        for positions in [0, MAX_GROWTH + 1, u32::MAX] {
            assert_eq!(
                grown(1_000, positions),
                Err(BallastError::QueueGrowth.into())
            );
        }
        assert_eq!(grown(MAX_QUEUE_BYTES - 104, 1), Ok(MAX_QUEUE_BYTES));
        assert_eq!(
            grown(MAX_QUEUE_BYTES - 103, 1),
            Err(BallastError::QueueTooLarge.into())
        );
    }
}
