//! What a market's pool is worth, what it holds, and what somebody owns of it.

use anyhow::{anyhow, Context, Result};
use ballast_client::pooling::{pool_shares, pooling};
use ballast_client::staking::ExitTime;
use ballast_engine::oracle::Now;
use ballast_engine::shares::Holding;
use ballast_state::pool::{Exiting, Pool};
use ballast_state::share::Share;
use ballast_state::trader::Trader;
use serde::Serialize;

use crate::countdown::Countdown;
use crate::failure::Computed;
use crate::state::MarketState;
use crate::units::Collateral;

/// A market's pool and somebody's shares of it.
pub struct PoolState {
    /// The market with its queues.
    pub market: MarketState,
    /// The pool.
    pub pool: Pool,
    /// The pool's trader account.
    pub trader: Trader,
    /// The shares; `None` where there is no account for them.
    pub share: Option<Share>,
}

impl PoolState {
    /// What the pool is worth now.
    ///
    /// # Errors
    /// What the program would answer to who leaves.
    pub fn worth(&self) -> Result<Exiting> {
        let state = &self.market;
        let queues = state.queues.as_ref().context("the queues were not read")?;
        let now = Now {
            slot: state.slot,
            unix_timestamp: state.now,
        };
        let (market, price) = (&state.market, state.price.as_ref().ok());
        let found = pooling(market, &self.pool, &self.trader, queues, price, now);
        found.map_err(|error| anyhow!("{}: {error}", error.name()))
    }

    /// The shares, and when the request for them is paid; `None` without one.
    pub fn holding(&self) -> (Holding, Option<ExitTime>) {
        match &self.share {
            Some(share) => pool_shares(&self.pool, share, self.market.slot),
            None => (Holding::default(), None),
        }
    }
}

/// A pool as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct PoolView {
    market: String,
    slot: u64,
    /// To whoever leaves, and to whoever joins.
    worth_low_atoms: u64,
    worth_high_atoms: u64,
    free_atoms: i64,
    /// What may leave now.
    payable_atoms: u64,
    inventory_lots: i64,
    stopped: bool,
    mode: u32,
    shares: u64,
    /// Worth of a million shares to whoever leaves.
    million_shares_atoms: u64,
    owned_shares: u64,
    owned_atoms: u64,
    owned: String,
    requested: u64,
    requested_value_atoms: u64,
    #[serde(flatten)]
    countdown: Countdown,
}

impl PoolView {
    /// Of a pool as it is now.
    ///
    /// # Errors
    /// Those of [`PoolState::worth`].
    pub fn new(found: &PoolState, units: Collateral) -> Result<Self> {
        let now = found.worth()?;
        let fund = found.pool.fund(now.worth.low);
        let (holding, exit) = found.holding();
        let owned_atoms = fund.value(holding.shares).computed()?;
        Ok(Self {
            market: found.market.name(),
            slot: found.market.slot,
            worth_low_atoms: now.worth.low,
            worth_high_atoms: now.worth.high,
            free_atoms: found.trader.free,
            payable_atoms: now.payable,
            inventory_lots: now.lots,
            stopped: found.pool.stopped != 0,
            mode: found.pool.params.mode,
            shares: found.pool.shares,
            million_shares_atoms: fund.value(1_000_000).computed()?,
            owned_shares: holding.shares,
            owned_atoms,
            owned: units.text(owned_atoms.into()),
            requested: holding.requested,
            requested_value_atoms: holding.requested_value,
            countdown: Countdown::new(exit),
        })
    }

    /// In words.
    pub fn words(&self, units: Collateral) -> String {
        let show = |atoms: u64| units.show(atoms.into());
        let asked = self
            .countdown
            .words(&format!("{} at most", show(self.requested_value_atoms)), "");
        format!(
            "The pool of {} is worth {} to leave and {} to join; it holds {} lots, and {} may leave.\n{} shares of {}, worth {}. {asked}",
            self.market,
            show(self.worth_low_atoms),
            show(self.worth_high_atoms),
            self.inventory_lots,
            show(self.payable_atoms),
            self.owned_shares,
            self.shares,
            show(self.owned_atoms),
        )
    }
}
