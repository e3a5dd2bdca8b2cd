//! Freezes the board's mark of a market whose price has died.

use anchor_lang::prelude::*;
use ballast_state::{error::BallastError, events::MarkFrozen, market::Market};

use crate::emit::emit;
use crate::loaders::{board_account::BoardAccount, current::Current};

/// Accounts of `freeze_mark`.
#[event_cpi]
#[derive(Accounts)]
pub struct FreezeMark<'info> {
    /// CHECK: the board, checked by `BoardAccount::load`.
    #[account(mut)]
    pub board: UncheckedAccount<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
}

impl FreezeMark<'_> {
    /// Freezes the mark where it is older than its limit: legs are valued at it, and it holds nobody up, but
    /// nobody opens or takes out by it. `record_marks` thaws it. Anyone may call it.
    ///
    /// # Errors
    /// `CrossMarkStale` while it is not that old, or frozen already; `CrossDisabled`, `WrongBoard`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let event = {
            let market = ctx.accounts.market.current()?;
            let mut board = BoardAccount::load(&ctx.accounts.board)?.write()?;
            let place = board.place(&market)?;
            let frozen = board.board.freeze(place, Clock::get()?.slot);
            frozen.map_err(BallastError::from)?;
            let entry = board.board.entry(place).map_err(BallastError::from)?;
            MarkFrozen {
                market: ctx.accounts.market.key(),
                recorded_slot: entry.slot,
            }
        };
        emit(&ctx.accounts.event_authority, &event)
    }
}
