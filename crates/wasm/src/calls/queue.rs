//! `queue`: who is deleveraged first, as `ballast queue` prints it, and how many stand at each light.

use anyhow::Result;
use ballast_engine::units::Side;
use ballast_view::queue::QueueView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::MarketRequest;

/// A market, and how many places of each side to tell.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct QueueOf {
    /// The market.
    pub market: MarketRequest,
    /// Places.
    pub top: u32,
}

/// Both queues.
pub fn call(request: &QueueOf) -> Result<QueueView> {
    let top = usize::try_from(request.top)?;
    let sides = [Side::Long, Side::Short];
    QueueView::new(&request.market.state()?, &sides, top, None)
}
