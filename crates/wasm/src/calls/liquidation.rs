//! `liquidation`: what a step of a liquidation would do, and the makers that it lists.

use anyhow::Result;
use ballast_view::preview::LiquidationView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// A position in trouble and who takes it over.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct LiquidationOf {
    /// The market.
    pub market: MarketRequest,
    /// The trader account that is liquidated.
    pub victim: TraderRequest,
    /// Most lots that the liquidator takes over; 0 leaves it to the book.
    pub take_over: u64,
    /// Orders whose makers are listed beyond those needed.
    pub spares: u8,
}

/// The step.
pub fn call(request: &LiquidationOf) -> Result<LiquidationView> {
    let (state, victim) = (request.market.state()?, request.victim.trader()?);
    let address = &request.victim.address;
    LiquidationView::new(
        &state,
        (address, &victim),
        request.take_over,
        request.spares.into(),
    )
}
