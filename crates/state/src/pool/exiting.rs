//! A pool as who leaves it finds it.

use ballast_engine::{
    health::{health, Health},
    pool::Worth,
};

use super::Pool;
use crate::{
    error::Result,
    market::{Market, Touched},
    trader::Trader,
};

/// A pool as who leaves it finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Pool {
    /// A pool without a position, whose trader account is `trader`: it depends on no price and no queue
    /// who leaves it. `None` where it has one.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn idle(&self, market: &Market, trader: &Trader) -> Result<Option<Exiting>> {
        let assets = self.assets(market, trader)?;
        if !assets.position.is_empty() {
            return Ok(None);
        }
        Ok(Some(Exiting {
            worth: assets.idle_worth()?,
            payable: assets.free,
            shortfall: 0,
            lots: 0,
            healthy: true,
        }))
    }

    /// A pool at the price `touched`, where the market is short of `shortfall` atoms.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `Overflow`.
    pub fn exiting(
        &self,
        market: &Market,
        trader: &Trader,
        touched: &Touched,
        shortfall: u64,
    ) -> Result<Exiting> {
        let assets = self.assets(market, trader)?;
        let worth = self.worth(&assets, market, touched, shortfall)?;
        let average = touched.price.average(market.oracle.atoms_per_lot_tick);
        let payable = assets.payable(&self.params, &touched.mark, average, &worth)?;
        let stands = health(&assets.position, touched.mark.price, market.params())?;
        Ok(Exiting {
            worth,
            payable,
            shortfall,
            lots: assets.position.lots.get(),
            healthy: stands == Health::Healthy,
        })
    }
}
