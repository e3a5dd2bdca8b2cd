//! What initial margin is scaled by: how much the market moves of late, and how full it is.

use ballast_engine::margin::MarginScale;

use super::*;

impl Market {
    /// What is remembered of the moves of prices once `price` is recorded.
    pub(super) fn volatility_at(
        &self,
        price: &OraclePrice,
    ) -> core::result::Result<Volatility, EngineError> {
        let most = self.risk.margin_multiplier_max_bps;
        self.volatility
            .counted(most, price.price, price.publish_time)
    }

    /// What initial margin is scaled by as the market stands.
    #[must_use]
    pub fn margin_scale(&self) -> MarginScale {
        self.scale_of(&self.volatility)
    }

    fn scale_of(&self, volatility: &Volatility) -> MarginScale {
        MarginScale {
            multiplier_ppm: volatility.multiplier(self.risk.margin_multiplier_max_bps),
            open_interest_lots: self.open_interest_lots,
        }
    }

    /// The price of a lot at `price`, and what initial margin is scaled by once it is recorded: what
    /// [`Self::touch`] makes of a price near its average, without writing anything.
    ///
    /// # Errors
    /// `PriceOutOfRange`; `Overflow` for a price from another century.
    pub fn mark_at(&self, price: &OraclePrice) -> core::result::Result<Mark, EngineError> {
        let mark = price.mark(self.oracle.atoms_per_lot_tick)?;
        let scale = self.scale_of(&self.volatility_at(price)?);
        Ok(Mark { scale, ..mark })
    }
}
