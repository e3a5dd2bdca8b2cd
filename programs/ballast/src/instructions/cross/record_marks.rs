//! Records the marks of cross markets on the board.

use anchor_lang::prelude::*;
use ballast_engine::oracle::Action;
use ballast_state::{
    cross::report,
    error::BallastError,
    events::{MarkRecorded, MarksRecorded},
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::{board_account::BoardAccount, current::Current};
use crate::{
    emit::emit,
    error::{error, require},
    oracle::touch,
};

/// Accounts of `record_marks`. The remaining accounts are pairs of a market, writable, and its price.
#[event_cpi]
#[derive(Accounts)]
pub struct RecordMarks<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    #[account(mut)]
    pub board: UncheckedAccount<'info>,
}

impl<'info> RecordMarks<'info> {
    /// Records every market's price, which must be fit to liquidate by and no older than the mark recorded, and
    /// opens a checkpoint where the way since the newest is long. Anyone may call it.
    ///
    /// # Errors
    /// `ZeroAmount` without a pair, `CrossDisabled`, `WrongBoard`, the `Price...` errors.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let event = ctx.accounts.record(ctx.remaining_accounts)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn record(&self, pairs: &'info [AccountInfo<'info>]) -> Result<MarksRecorded> {
        let clock = Clock::get()?;
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let mut board = BoardAccount::load(&self.board)?.write()?;
        require!(!pairs.is_empty(), BallastError::ZeroAmount);
        let mut marks = Vec::with_capacity(pairs.len());
        for pair in pairs.chunks(2) {
            let [market, price] = pair else {
                return Err(error!(BallastError::ZeroAmount));
            };
            let loader = AccountLoader::<'info, Market>::try_from(market)?;
            let mut market = loader.current_mut()?;
            let touched = touch(&mut market, price, Action::FORCE, &clock, pauses)?;
            let place = board.place(&market)?;
            let report = report(&market, &touched, clock.slot);
            let recorded = board.board.record(place, &report);
            recorded.map_err(BallastError::from)?;
            market.invariant()?;
            marks.push(MarkRecorded {
                market: loader.key(),
                mark_ticks: touched.price.price.get(),
                funding_index: touched.funding_index.get(),
            });
        }
        let opened = board.board.conclude().map_err(BallastError::from)?;
        Ok(MarksRecorded {
            checkpoint_opened: opened,
            marks,
        })
    }
}
