//! Who is below maintenance or bankrupt, judged from here by the engine.

use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, Result};
use ballast_client::moment::Moment;
use ballast_client::price::decode_price;
use ballast_client::ranking::funding_index_at;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::units::Ticks;
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;

use crate::stage::Stage;
use ballast_localnet::wait::until;

/// How long keepers may take for a price.
pub const TIDY_LIMIT: Duration = Duration::from_secs(75);

impl Stage {
    /// Trader accounts whose position is not healthy at the present price.
    ///
    /// # Errors
    /// When the node does not answer or has no price.
    pub async fn unhealthy(&self) -> Result<Vec<Pubkey>> {
        let keys = &self.keys;
        let now = self.cluster.snapshot(&keys.market, &keys.price).await?;
        let account = &now.price_account;
        let price = decode_price(&now.market, &keys.price, &account.owner, &account.data)?;
        let moment = Moment {
            slot: now.slot,
            unix_timestamp: now.clock.unix_timestamp,
            price_ticks: price.price.get(),
        };
        let mut found = Vec::new();
        for (address, trader) in self.cluster.traders().await? {
            let index = trader.find(&keys.market);
            let Some(slot) = index.and_then(|index| trader.positions.get(index)) else {
                continue;
            };
            let stands = stands(&now.market, slot, &moment);
            if stands.map_err(|error| anyhow!("{address} cannot be judged: {error}"))? {
                continue;
            }
            found.push(address);
        }
        Ok(found)
    }

    /// Waits until every position is healthy.
    ///
    /// # Errors
    /// When keepers take too long.
    pub async fn tidied(&self) -> Result<()> {
        until("the end of all distress", TIDY_LIMIT, || async {
            let left = self.unhealthy().await?;
            match left.is_empty() {
                true => Ok(Some(())),
                false => Err(anyhow!("{} positions are left: {left:?}", left.len())),
            }
        })
        .await
    }
}

/// Whether a position has its maintenance margin, or is none.
fn stands(market: &Market, slot: &PositionSlot, moment: &Moment) -> Result<bool, EngineError> {
    if slot.lots == 0 {
        return Ok(true);
    }
    let position = slot.position().map_err(|_| EngineError::SizeOutOfRange)?;
    let position = position.settle(funding_index_at(market, moment)?)?;
    let ticks = Ticks::new(moment.price_ticks);
    let mark = ticks.lot_price(market.oracle.atoms_per_lot_tick)?;
    let health = health(&position, mark, market.params())?;
    Ok(matches!(health, Health::Healthy))
}
