//! A pool as who leaves it finds it.

use anchor_lang::prelude::*;
use ballast_engine::{
    health::{health, Health},
    oracle::Action,
    pool::{cautious_prices, Worth},
};
use ballast_state::{
    error::BallastError,
    market::{Market, Touched},
    pool::Pool,
    trader::Trader,
};

use crate::{
    error::{error, OrBallast},
    instructions::profit::market_shortfall,
    loaders::queue_account::MarketQueues,
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

/// A pool as who leaves it finds it.
pub struct Exiting {
    /// What it is worth.
    pub worth: Worth,
    /// What of its free collateral may leave, atoms.
    pub payable: u64,
    /// What the market is short of, atoms; 0 without a position.
    pub shortfall: u64,
    /// Lots of its position, signed.
    pub lots: i64,
    /// Whether the position is not below maintenance.
    pub healthy: bool,
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
        let assets = pool.assets(market, trader)?;
        if assets.position.is_empty() {
            let high = assets.free.checked_add(assets.held);
            return Ok(Exiting {
                worth: Worth {
                    low: assets.free,
                    high: high.ok_or_else(|| error!(BallastError::Overflow))?,
                },
                payable: assets.free,
                shortfall: 0,
                lots: 0,
                healthy: true,
            });
        }
        let action = Action::RemoveMargin;
        let touched = touch(market, self.price, action, clock, pauses)?;
        let shortfall = self.shortfall(market, &touched, clock.slot)?;
        let assets = pool.assets(market, trader)?;
        let worth = pool.worth(&assets, market, &touched, shortfall)?;
        let stands = health(&assets.position, touched.mark.price, market.params());
        Ok(Exiting {
            worth,
            payable: pool.payable(&assets, market, &touched, &worth)?,
            shortfall,
            lots: assets.position.lots.get(),
            healthy: stands.or_ballast()? == Health::Healthy,
        })
    }

    /// What the market is short of at the prices that count for who leaves.
    #[inline(never)]
    fn shortfall(&self, market: &Market, touched: &Touched, slot: u64) -> Result<u64> {
        let queues = MarketQueues::load(market, self.queue_long, self.queue_short)?;
        let average = touched.price.average(market.oracle.atoms_per_lot_tick);
        let prices = cautious_prices(&touched.mark, average).or_ballast()?;
        market_shortfall(market, &queues, prices, slot)
    }
}
