//! `makers`: the trader accounts whose orders an order meets.

use anyhow::Result;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_view::preview::MakersView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// An order of a trader.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct MakersOf {
    /// The market.
    pub market: MarketRequest,
    /// The trader account that orders.
    pub trader: TraderRequest,
    /// The order.
    pub order: PlaceOrderArgs,
    /// Orders whose makers are listed beyond those that it needs.
    pub spares: u8,
}

/// The list, in order.
pub fn call(request: &MakersOf) -> Result<MakersView> {
    let (state, trader) = (request.market.state()?, request.trader.trader()?);
    let spares = request.spares.into();
    MakersView::of_order(
        &state,
        (&request.trader.address, &trader),
        &request.order,
        spares,
    )
}
