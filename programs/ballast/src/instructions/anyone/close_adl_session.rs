//! Closes a deleveraging session that came to nothing.

use anchor_lang::prelude::*;

use ballast_state::{
    adl_session::AdlSession, error::BallastError, events::AdlSessionClosed, market::Market,
    trader::Trader, version::Versioned,
};

use super::deleveraging::resume;
use crate::loaders::current::{any_version, Current};
use crate::{
    emit::emit,
    error::{require, OrBallast},
    loaders::queue_account::MarketQueues,
};

/// Accounts of `close_adl_session`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseAdlSession<'info> {
    /// CHECK: gets the session's rent back; the key stored in the session.
    #[account(mut, address = any_version(&session)?.payer @ BallastError::AdlSessionMismatch)]
    pub payer: UncheckedAccount<'info>,
    /// The market of the session.
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the trader of the session, checked against its stored key; it may have been closed.
    pub bankrupt: UncheckedAccount<'info>,
    /// The session.
    #[account(mut, close = payer)]
    pub session: AccountLoader<'info, AdlSession>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
}

impl CloseAdlSession<'_> {
    /// Closes a session that has expired, whose bankrupt position or pass has changed, for which
    /// insurance no longer pays, which has nobody left to cut, or which an earlier release opened. Anyone may call it.
    ///
    /// # Errors
    /// `AdlSessionMismatch`; `AdlSessionLive`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.close()?;
        emit(
            &ctx.accounts.event_authority,
            &AdlSessionClosed {
                session: accounts.session.key(),
                market: accounts.market.key(),
                bankrupt: accounts.bankrupt.key(),
                executed: false,
                pass_opened: false,
            },
        )?;
        Ok(())
    }

    fn close(&self) -> Result<()> {
        let market = self.market.current()?;
        let session = any_version(&self.session)?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        session.require_of(&self.market.key(), &self.bankrupt.key())?;
        let expired = session.require_live(Clock::get()?.slot).is_err();
        require!(
            expired
                || session.is_outdated()
                || !self.can_be_executed(&market, &queues, &session)?,
            BallastError::AdlSessionLive
        );
        queues.write(session.side(), |queue| {
            let key = self.session.key().to_bytes();
            session.selection.end(queue, key).or_ballast()
        })
    }

    /// Whether the bankrupt position is still what the session was opened for, insurance pays for a
    /// lot of it at the frozen price, and somebody may be cut or may still be found.
    fn can_be_executed(
        &self,
        market: &Market,
        queues: &MarketQueues,
        session: &AdlSession,
    ) -> Result<bool> {
        let header = queues.read(session.side(), |queue| Ok(*queue.header()))?;
        let watch = header.watch;
        if watch.session != self.session.key().to_bytes() {
            return Ok(false);
        }
        let round = watch.round(session.side()).or_ballast()?;
        // The trader's address is derived by this program, which keeps nothing else there.
        let data = self.bankrupt.try_borrow_data()?;
        let bytes = data.get(Trader::DISCRIMINATOR.len()..Trader::SPACE);
        let Some(Ok(trader)) = bytes.map(bytemuck::try_from_bytes::<Trader>) else {
            return Ok(false);
        };
        let key = self.market.key();
        let Some(slot) = trader.positions.iter().find(|slot| slot.market == key) else {
            return Ok(false);
        };
        let position = slot.position()?.settle(round.funding_index).or_ballast()?;
        if !session.is_of_position(slot, &position) || round.epoch != header.adl_epoch {
            return Ok(false);
        }
        let exhausted = queues.read(session.side(), |queue| {
            session.selection.is_exhausted(queue).or_ballast()
        })?;
        let now = Clock::get()?.slot;
        Ok(!exhausted && resume(market, session, &round, &position, now).is_ok())
    }
}
