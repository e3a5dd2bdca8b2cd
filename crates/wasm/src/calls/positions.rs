//! `positions`: what a trader account holds, as `ballast positions` prints it.

use anyhow::Result;
use ballast_view::positions::Holdings;
use ballast_view::state::MarketState;
use ballast_view::units::Collateral;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// A trader account and the markets it is in.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct Positions {
    /// The trader account.
    pub trader: TraderRequest,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// Every market in which the account has a position, orders or held profit.
    pub markets: Vec<MarketRequest>,
}

/// What the account holds.
pub fn call(request: &Positions) -> Result<Holdings> {
    let states = request.markets.iter().map(MarketRequest::state);
    let states = states.collect::<Result<Vec<MarketState>>>()?;
    of(request, &states)
}

/// The same in markets that have been read.
pub fn of(request: &Positions, states: &[MarketState]) -> Result<Holdings> {
    let (address, trader) = (request.trader.address, request.trader.trader()?);
    let collateral = Collateral {
        decimals: request.decimals,
    };
    Holdings::new(&address, &trader, states, collateral)
}
