//! A pool as who leaves it finds it.

use anchor_lang::prelude::*;
use ballast_engine::oracle::Action;
use ballast_state::{
    market::{Market, Touched},
    pool::{Exiting, Pool},
    trader::Trader,
};

use crate::{
    error::OrBallast, instructions::profit::market_shortfall, loaders::queue_account::MarketQueues,
    oracle::touch,
};

/// The accounts of a market that a pool with a position is valued by.
pub struct Valuation<'a, 'info> {
    /// The queue of longs.
    pub queue_long: &'a AccountInfo<'info>,
    /// The queue of shorts.
    pub queue_short: &'a AccountInfo<'info>,
    /// The price account.
    pub price: &'a AccountInfo<'info>,
}

impl Valuation<'_, '_> {
    /// Values a pool, whose trader account `trader` is. Without a position neither price nor queues are
    /// looked at, so that it does not depend on them who leaves.
    ///
    /// # Errors
    /// The `Price...` errors; `MarketEnded`, `WrongQueue`, `Overflow`.
    #[inline(never)]
    pub fn value(
        &self,
        market: &mut Market,
        pool: &Pool,
        trader: &Trader,
        clock: &Clock,
        pauses: u32,
    ) -> Result<Exiting> {
        if let Some(idle) = pool.idle(market, trader)? {
            return Ok(idle);
        }
        let action = Action::RemoveMargin;
        let touched = touch(market, self.price, action, clock, pauses)?;
        let shortfall = self.shortfall(market, &touched, clock.slot)?;
        Ok(pool.exiting(market, trader, &touched, shortfall)?)
    }

    /// What the market is short of at the prices that count for who leaves.
    #[inline(never)]
    fn shortfall(&self, market: &Market, touched: &Touched, slot: u64) -> Result<u64> {
        let queues = MarketQueues::load(market, self.queue_long, self.queue_short)?;
        let prices = market.cautious_prices(touched).or_ballast()?;
        market_shortfall(market, &queues, prices, slot)
    }
}
