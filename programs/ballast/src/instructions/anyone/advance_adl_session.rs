//! Walks on through the queue on behalf of a deleveraging session.

use anchor_lang::prelude::*;

use ballast_state::{
    adl_session::AdlSession,
    error::BallastError,
    events::AdlSessionAdvanced,
    exchange::{Exchange, PAUSE_DELEVERAGE},
    market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    loaders::queue_account::MarketQueues,
};

/// Accounts of `advance_adl_session`.
#[event_cpi]
#[derive(Accounts)]
pub struct AdvanceAdlSession<'info> {
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market of the session.
    pub market: AccountLoader<'info, Market>,
    /// The session.
    #[account(mut)]
    pub session: AccountLoader<'info, AdlSession>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
}

impl AdvanceAdlSession<'_> {
    /// Considers the queue nodes in `hints` and walks on, looking at up to `max_nodes` nodes.
    /// Good hints (the highest ranked) make the walk short; bad ones change nothing. Anyone may
    /// call it.
    ///
    /// # Errors
    /// `AdlSessionMismatch`; `AdlSessionExpired`; `AdlSessionGone`; `Paused`.
    pub fn handle(ctx: Context<Self>, max_nodes: u32, hints: Vec<u32>) -> Result<()> {
        let event = ctx.accounts.advance(max_nodes, &hints)?;
        emit(&ctx.accounts.event_authority, &event)?;
        Ok(())
    }

    #[inline(never)]
    fn advance(&self, max_nodes: u32, hints: &[u32]) -> Result<AdlSessionAdvanced> {
        let exchange = self.exchange.current()?;
        let slot = Clock::get()?.slot;
        exchange.require_not_paused(PAUSE_DELEVERAGE, slot)?;
        let market = self.market.current()?;
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let mut session = self.session.current_mut()?;
        let session = &mut *session;
        session.require_of(&self.market.key(), &session.bankrupt)?;
        session.require_live(slot)?;
        let key = self.session.key().to_bytes();
        let complete = queues.write(session.side(), |queue| {
            let watched = queue.as_ref().header().watch.session == key;
            require!(watched, BallastError::AdlSessionGone);
            for hint in hints {
                session.selection.offer(queue, *hint).or_ballast()?;
            }
            session.selection.advance(queue, max_nodes).or_ballast()
        })?;
        Ok(AdlSessionAdvanced {
            session: self.session.key(),
            nodes_visited: session.selection.visited,
            selected: session.selection.len,
            found_lots: session.selection.found,
            complete,
        })
    }
}
