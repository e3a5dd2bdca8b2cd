//! `leg_order`: what an order would do that meets orders of legs, and what it lists.

use anyhow::Result;
use ballast_client::accounts;
use ballast_view::preview::LegOrderView;
use borsh::{BorshDeserialize, BorshSerialize};

use super::order::OrderOf;

/// An order, its makers, and the board.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct LegOrderOf {
    /// The order and who lists what.
    pub order: OrderOf,
    /// The board.
    pub board: Vec<u8>,
}

/// The order's outcome.
pub fn call(request: &LegOrderOf) -> Result<LegOrderView> {
    let order = &request.order;
    let trader = (&order.trader.address, &order.trader.trader()?);
    let board = accounts::board(&request.board)?;
    let (state, makers) = (order.market.state()?, order.makers()?);
    LegOrderView::new(state, trader, &makers, &board, &order.order)
}
