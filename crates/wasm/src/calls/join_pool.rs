//! `join_pool`: what a deposit into a market's pool would buy.

use anyhow::Result;
use ballast_client::accounts;
use ballast_view::joining::JoinView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::PoolOf;

/// A market's pool, somebody's shares of it, and what they put into it.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct JoinPoolOf {
    /// The pool and the shares.
    pub of: PoolOf,
    /// The deposit.
    pub atoms: u64,
}

/// The shares that the deposit buys.
pub fn call(request: &JoinPoolOf) -> Result<JoinView> {
    let of = &request.of;
    let share = of.share.as_deref().map(accounts::share).transpose()?;
    let (pool, trader) = (accounts::pool(&of.pool)?, of.trader.trader()?);
    JoinView::new(&of.market.state()?, |market| {
        market.pool(&pool, &trader, share.as_ref(), request.atoms)
    })
}
