//! `pool`: what a market's pool is worth and what somebody owns of it, as `ballast pool show` prints it.

use anyhow::Result;
use ballast_client::accounts;
use ballast_view::pool::{PoolState, PoolView};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// A market's pool and somebody's shares of it.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct PoolOf {
    /// The market.
    pub market: MarketRequest,
    /// The pool's account.
    pub pool: Vec<u8>,
    /// The pool's trader account.
    pub trader: TraderRequest,
    /// The account of the shares; `None` where there is none.
    pub share: Option<Vec<u8>>,
}

/// The pool as it is now.
pub fn call(request: &PoolOf) -> Result<PoolView> {
    let market = request.market.state()?;
    let collateral = market.units.collateral;
    let share = request.share.as_deref().map(accounts::share);
    let found = PoolState {
        pool: accounts::pool(&request.pool)?,
        trader: request.trader.trader()?,
        share: share.transpose()?,
        market,
    };
    PoolView::new(&found, collateral)
}
