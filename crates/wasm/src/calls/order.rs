//! `order`: what an order would do, to the atom.

use anyhow::Result;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
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

impl OrderOf {
    /// The makers' accounts.
    pub(super) fn makers(&self) -> Result<Vec<(Pubkey, Trader)>> {
        let makers = self.makers.iter();
        let makers = makers.map(|maker| Ok((maker.address, maker.trader()?)));
        makers.collect()
    }
}

/// The order's outcome; fails where it meets an order of a leg.
pub fn call(request: &OrderOf) -> Result<OrderView> {
    let (state, trader) = (request.market.state()?, request.trader.trader()?);
    let makers = request.makers()?;
    OrderView::new(
        state,
        (&request.trader.address, &trader),
        &makers,
        None,
        &request.order,
    )
}
