//! `standing`: where a trader stands in the queue of its side, as `ballast queue --trader` prints it.

use anyhow::{bail, Result};
use ballast_view::queue::Standing;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// A market and a trader account with a position in it.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct StandingOf {
    /// The market.
    pub market: MarketRequest,
    /// The trader account.
    pub trader: TraderRequest,
}

/// The trader's place.
pub fn call(request: &StandingOf) -> Result<Standing> {
    let (state, trader) = (request.market.state()?, request.trader.trader()?);
    let slot = trader.slot(&request.market.address).ok();
    match slot.filter(|slot| slot.lots != 0) {
        Some(slot) => Standing::new(&state, slot),
        None => bail!(
            "{} has no position in {}; expected a trader account with one",
            request.trader.address,
            state.name()
        ),
    }
}
