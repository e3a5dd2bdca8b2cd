//! `order`: what an order would do, to the atom.

use anyhow::Result;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_view::preview::OrderView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::{MarketRequest, TraderRequest};

/// An order of a trader and the makers that it lists.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct OrderOf {
    /// The market.
    pub market: MarketRequest,
    /// The trader account that orders.
    pub trader: TraderRequest,
    /// The makers' trader accounts, which `makers` names.
    pub makers: Vec<TraderRequest>,
    /// The order.
    pub order: PlaceOrderArgs,
}

/// The order's outcome.
pub fn call(request: &OrderOf) -> Result<OrderView> {
    let (state, trader) = (request.market.state()?, request.trader.trader()?);
    let makers = request
        .makers
        .iter()
        .map(|maker| Ok((maker.address, maker.trader()?)));
    let makers = makers.collect::<Result<Vec<_>>>()?;
    OrderView::new(
        state,
        (&request.trader.address, &trader),
        &makers,
        &request.order,
    )
}
