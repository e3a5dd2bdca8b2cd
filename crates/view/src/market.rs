//! A market in a line.

use anyhow::Result;
use ballast_engine::units::Side;
use ballast_engine::wind_down::MarketMode;
use serde::Serialize;

use crate::state::MarketState;

/// A mode as the command line has it.
pub const fn mode_name(mode: MarketMode) -> &'static str {
    match mode {
        MarketMode::Active => "active",
        MarketMode::ReduceOnly => "reduce_only",
        MarketMode::Settling => "settling",
        MarketMode::Settled => "settled",
    }
}

/// The best price of a side of the book, and the lots there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// The price, ticks.
    pub ticks: u64,
    /// The price as a decimal number.
    pub price: String,
    /// Lots at that price.
    pub lots: u64,
    /// The same in base units.
    pub size: String,
}

/// A market as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct MarketView {
    /// Its number.
    pub index: u16,
    /// Its name.
    pub name: String,
    /// Its address.
    pub market: String,
    /// The slot of all of this.
    pub slot: u64,
    /// `active`, `reduce_only`, `settling` or `settled`.
    pub mode: &'static str,
    /// When it ends or ended, unix seconds; `null` where no end is foreseen.
    pub ends_at: Option<i64>,
    /// The mark, ticks.
    pub price_ticks: Option<u64>,
    /// The price as a decimal number.
    pub price: Option<String>,
    /// `oracle` or `last_recorded`.
    pub price_source: Option<&'static str>,
    /// Seconds since the price was published.
    pub price_age_seconds: Option<i64>,
    /// What keeps the price from opening positions.
    pub price_fault: Option<&'static str>,
    /// Rate of this hour, millionths of worth an hour; longs pay when positive.
    pub funding_current_ppm: Option<i32>,
    /// What book and price make it now.
    pub funding_sample_ppm: Option<i32>,
    /// Rate of the next hour if nothing changes.
    pub funding_next_ppm: Option<i32>,
    /// Sum of the long lots.
    pub open_interest_lots: u64,
    /// The same in base units.
    pub open_interest: String,
    /// The best price at which somebody buys.
    pub best_bid: Option<Level>,
    /// The best at which somebody sells.
    pub best_ask: Option<Level>,
    /// Insurance, atoms.
    pub insurance_atoms: u64,
    /// The same in the quote currency.
    pub insurance: String,
    /// What insurance may pay now, atoms.
    pub insurance_available_atoms: u64,
    /// Rounds of deleveraging so far.
    pub adl_rounds: u64,
    /// Liquidations so far, each step counted.
    pub liquidations: u64,
}

impl MarketView {
    /// Of a market's accounts.
    pub fn new(state: &MarketState) -> Result<Self> {
        let units = state.units;
        let mark = state.mark_ticks();
        let rates = mark.map(|_| state.funding_rates()).transpose()?;
        let level = |side| -> Result<Option<Level>> {
            Ok(state.best(side)?.map(|(ticks, lots)| Level {
                ticks,
                price: units.price(ticks),
                lots,
                size: units.size(lots),
            }))
        };
        let (market, end) = (&state.market, state.market.wind_down);
        Ok(Self {
            index: market.index,
            name: state.name(),
            market: state.keys.market.to_string(),
            slot: state.slot,
            mode: mode_name(market.mode()),
            ends_at: end.is_scheduled().then_some(end.ends_at),
            price_ticks: mark.map(|(ticks, _)| ticks),
            price: mark.map(|(ticks, _)| units.price(ticks)),
            price_source: mark.map(|(_, source)| source.name()),
            price_age_seconds: state.price_age(),
            price_fault: state.price_fault(),
            funding_current_ppm: rates.map(|rates| rates.current_ppm),
            funding_sample_ppm: rates.map(|rates| rates.sample_ppm),
            funding_next_ppm: rates.map(|rates| rates.next_ppm),
            open_interest_lots: market.open_interest_lots,
            open_interest: units.size(market.open_interest_lots),
            best_bid: level(Side::Long)?,
            best_ask: level(Side::Short)?,
            insurance_atoms: market.insurance.balance,
            insurance: units.collateral.text(market.insurance.balance.into()),
            insurance_available_atoms: state.insurance_available()?,
            adl_rounds: market.adl_rounds,
            liquidations: market.liquidations,
        })
    }
}
