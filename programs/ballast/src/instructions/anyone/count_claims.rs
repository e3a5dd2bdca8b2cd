//! Counts what the positions of a market in which deficits were written off are worth together.

use anchor_lang::prelude::*;
use ballast_engine::{wind_down::MarketAction, write_off};
use ballast_state::{error::BallastError, events::ClaimsCounted, market::Market};

use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{require, OrBallast},
    loaders::queue_account::MarketQueues,
};

/// Accounts of `count_claims`.
#[event_cpi]
#[derive(Accounts)]
pub struct CountClaims<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the market's queue of longs, checked against its stored key.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's queue of shorts, checked against its stored key.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
}

impl CountClaims<'_> {
    /// Looks at up to `max_nodes` nodes, at least one, where the call before ended. From the first
    /// write-off on nothing changes what a position is worth, and while somebody is bankrupt nobody is
    /// counted, so every call counts what the first would have. With the last node insurance makes
    /// good what it can: what it was given since. Anyone may call it.
    ///
    /// # Errors
    /// `MarketTrades`, `MarketEnded`; `NothingToCount`; `MarketInsolvent`.
    pub fn handle(ctx: Context<Self>, max_nodes: u32) -> Result<()> {
        let event = ctx.accounts.count(max_nodes)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn count(&self, max_nodes: u32) -> Result<ClaimsCounted> {
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::WriteOff)?;
        market.require_no_legs()?;
        require!(!market.claims_are_known(), BallastError::NothingToCount);
        let queues = MarketQueues::load(&market, &self.queue_long, &self.queue_short)?;
        let price = market.final_price()?;
        super::settle_position::require_solvent(&market, &queues, price)?;
        let (index, from) = (market.funding.index, market.claims_node);
        let count = queues.read_both(|long, short| {
            let nodes = max_nodes.max(1);
            write_off::count_claims(long, short, price, index, from, nodes).or_ballast()
        })?;
        let slot = Clock::get()?.slot;
        let made_good_atoms = market.book_claims(&count, slot).or_ballast()?;
        market.invariant()?;
        Ok(ClaimsCounted {
            market: self.market.key(),
            next_node: count.next,
            complete: count.complete,
            claims_atoms: market.claims_atoms,
            made_good_atoms,
            written_off_atoms: market.written_off_atoms,
        })
    }
}
