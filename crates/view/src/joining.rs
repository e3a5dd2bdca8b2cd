//! What a deposit into a market's pool or stakes would buy.

use anyhow::{anyhow, Context, Result};
use ballast_client::joining::{Joinable, Joined};
use ballast_engine::oracle::Now;
use ballast_state::error::BallastError;
use serde::Serialize;

use crate::state::MarketState;

/// What a deposit would buy, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct JoinView {
    market: String,
    slot: u64,
    /// Shares that the deposit buys.
    shares: u64,
    owner_shares_after: u64,
    /// What those are worth to who leaves at once.
    value_after_atoms: u64,
    /// All shares then.
    shares_after: u64,
}

impl JoinView {
    /// Of a market with its queues and its price, and how it is joined.
    ///
    /// # Errors
    /// What the program would answer.
    pub fn new(
        state: &MarketState,
        join: impl FnOnce(&Joinable<'_>) -> Result<Joined, BallastError>,
    ) -> Result<Self> {
        let price = state.price.as_ref().map_err(|error| anyhow!("{error}"))?;
        let scene = Joinable {
            market: &state.market,
            queues: state.queues.as_ref().context("the queues were not read")?,
            price: *price,
            now: Now {
                slot: state.slot,
                unix_timestamp: state.now,
            },
        };
        let joined = join(&scene).map_err(|error| anyhow!("{}: {error}", error.name()))?;
        Ok(Self {
            market: state.name(),
            slot: state.slot,
            shares: joined.shares,
            owner_shares_after: joined.holding.shares,
            value_after_atoms: joined.value_atoms,
            shares_after: joined.shares_after,
        })
    }
}
