//! When and at what price something is evaluated.

use ballast_engine::oracle::Now;
use ballast_engine::units::{LotPrice, Ticks};
use ballast_engine::EngineError;
use ballast_state::market::Market;

/// When and at what price something is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The slot of the cluster.
    pub slot: u64,
    /// The cluster's clock, unix seconds.
    pub unix_timestamp: i64,
    /// Oracle price, ticks.
    pub price_ticks: u64,
}

impl Moment {
    /// Slot and time.
    #[must_use]
    pub const fn now(&self) -> Now {
        Now {
            slot: self.slot,
            unix_timestamp: self.unix_timestamp,
        }
    }

    /// The price of a lot of the market; of one that has ended, its last price.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn lot_price(&self, market: &Market) -> Result<LotPrice, EngineError> {
        let ticks = if market.mode().has_ended() {
            u64::from(market.final_ticks)
        } else {
            self.price_ticks
        };
        Ticks::new(ticks).lot_price(market.oracle.atoms_per_lot_tick)
    }
}
