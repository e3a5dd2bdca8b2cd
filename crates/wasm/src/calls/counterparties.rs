//! `counterparties`: the trader accounts that `auto_deleverage` wants to see, in order.

use anyhow::Result;
use ballast_view::deleveraging::RoundView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// A market and a bankrupt trader of it.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct Counterparties {
    /// The market.
    pub market: MarketRequest,
    /// The bankrupt.
    pub bankrupt: TraderRequest,
    /// Most counterparties to cut.
    pub most: u8,
    /// Counterparties to list beyond those needed.
    pub spares: u8,
}

/// The list, and what the round will do to everybody on it.
pub fn call(request: &Counterparties) -> Result<RoundView> {
    let (state, bankrupt) = (request.market.state()?, request.bankrupt.trader()?);
    let address = request.bankrupt.address;
    RoundView::new(
        &state,
        &address,
        &bankrupt,
        request.most.into(),
        request.spares.into(),
    )
}
