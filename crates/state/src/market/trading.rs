//! What trades that two parties agreed on are measured by.

use ballast_engine::trade::TradeMarket;

use super::*;

impl Market {
    /// What a block trade needs to know of the market at `mark`.
    #[must_use]
    pub fn trade_market(&self, mark: &Mark) -> TradeMarket {
        TradeMarket {
            atoms_per_lot_tick: self.oracle.atoms_per_lot_tick,
            open_interest_lots: self.open_interest_lots,
            least_lots: self.least_position(mark.price),
            mode: self.mode(),
        }
    }

    /// Whether a price that was read for less is fit for opening. `pauses` are the exchange's flags in force.
    ///
    /// # Errors
    /// The `Price...` errors.
    pub fn check_opens(&self, price: &OraclePrice, now: Now, pauses: u32) -> Result<()> {
        self.known(now, pauses).judge(Action::Open, price)?;
        Ok(())
    }
}
