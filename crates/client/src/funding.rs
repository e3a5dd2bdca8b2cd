//! What a market's funding is at a moment: the index that positions settle to, and the rates.

use ballast_engine::funding::{FundingRates, FundingState};
use ballast_engine::EngineError;
use ballast_state::market::Market;

use crate::moment::Moment;

/// The market's funding accrued up to a moment, as every instruction accrues it: at the price that
/// the market recorded last.
///
/// Errors: `PriceOutOfRange`, `Overflow`.
pub fn state_at(market: &Market, moment: &Moment) -> Result<FundingState, EngineError> {
    market.funding_at(moment.unix_timestamp)
}

/// The rates of a moment: what this hour pays, what the book and the price say now, and what the
/// next hour pays if they stay as they are.
///
/// Errors: `PriceOutOfRange`, `Overflow`.
pub fn rates_at(market: &Market, moment: &Moment) -> Result<FundingRates, EngineError> {
    let price = moment.lot_price(market)?;
    state_at(market, moment)?.rates(market.params(), price)
}
