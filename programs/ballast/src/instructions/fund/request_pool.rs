//! Asks for the worth of shares of a pool.

use anchor_lang::prelude::*;
use ballast_state::{
    error::BallastError, events::PoolRequested, exchange::Exchange, market::Market, pool::Pool,
    seeds::EXCHANGE_ADDRESS, share::Share, trader::Trader,
};

use super::exiting::Valuation;
use crate::loaders::current::Current;
use crate::{
    emit::emit,
    error::{error, OrBallast},
};

/// Accounts of `request_pool`.
#[event_cpi]
#[derive(Accounts)]
pub struct RequestPool<'info> {
    /// Owner of the shares.
    pub owner: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Its pool.
    #[account(mut)]
    pub pool: AccountLoader<'info, Pool>,
    /// The pool's trader account.
    pub pool_trader: AccountLoader<'info, Trader>,
    /// The owner's shares.
    #[account(mut)]
    pub share: AccountLoader<'info, Share>,
    /// CHECK: the market's long queue, checked by `MarketQueues::load` where the pool has a position.
    #[account(mut)]
    pub queue_long: UncheckedAccount<'info>,
    /// CHECK: the market's short queue, checked like it.
    #[account(mut)]
    pub queue_short: UncheckedAccount<'info>,
    /// CHECK: the market's price account, checked by the oracle adapter where the pool has a position.
    pub price: UncheckedAccount<'info>,
}

impl RequestPool<'_> {
    /// Asks for the worth of `shares`, in the place of what was asked for before. They stay at risk
    /// until they are paid, and are paid no more than they are worth now.
    ///
    /// # Errors
    /// `ZeroAmount`, `SharesMissing`; `WrongPool`, `NotOwner`; the `Price...` errors.
    pub fn handle(ctx: Context<Self>, shares: u64) -> Result<()> {
        let event = ctx.accounts.request(shares)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn request(&self, shares: u64) -> Result<PoolRequested> {
        let clock = Clock::get()?;
        let pauses = self.exchange.current()?.pauses(clock.slot);
        let mut market = self.market.current_mut()?;
        let mut pool = self.pool.current_mut()?;
        let trader = self.pool_trader.current()?;
        let mut share = self.share.current_mut()?;
        pool.require_of(self.market.as_ref().key, self.pool_trader.as_ref().key)?;
        share.require_of(self.pool.as_ref().key, self.owner.key)?;
        let valuation = Valuation {
            queue_long: &self.queue_long,
            queue_short: &self.queue_short,
            price: &self.price,
        };
        let found = valuation.value(&mut market, &pool, &trader, &clock, pauses)?;
        let (epoch, fund) = (pool.epoch, pool.fund(found.worth.low));
        let before = share.holding(epoch);
        let after = before.request(shares, &fund, clock.slot).or_ballast()?;
        share.store(epoch, &after);
        pool.request(&before, &after)?;
        pool.invariant()?;
        market.invariant()?;
        let terms = pool.params.exit_terms();
        let (due_slot, lapses_slot) = (terms.due_slot(clock.slot), terms.lapses_slot(clock.slot));
        let late = || error!(BallastError::Overflow);
        Ok(PoolRequested {
            pool: self.pool.key(),
            owner: self.owner.key(),
            shares,
            value_atoms: after.requested_value,
            due_slot: due_slot.ok_or_else(late)?,
            lapses_slot: lapses_slot.ok_or_else(late)?,
            worth_low: found.worth.low,
        })
    }
}
