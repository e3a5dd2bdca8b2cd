//! `market`: a market in a line, as `ballast markets` prints it.

use anyhow::Result;
use ballast_view::market::MarketView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::MarketRequest;

/// A market.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct MarketOf {
    /// Its accounts.
    pub market: MarketRequest,
}

/// The line.
pub fn call(request: &MarketOf) -> Result<MarketView> {
    MarketView::new(&request.market.state()?)
}
