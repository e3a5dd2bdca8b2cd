//! `gap`: what positions would lack after a jump, as `ballast gap` prints it.

use anyhow::{bail, Result};
use ballast_view::gap::GapView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::MarketRequest;

/// A market and moves of its price.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct GapOf {
    /// The market.
    pub market: MarketRequest,
    /// Moves, whole per cent from 1 to 90, each tried up and down.
    pub percent: Vec<u8>,
}

/// The curve.
pub fn call(request: &GapOf) -> Result<GapView> {
    let moves: Vec<i32> = request.percent.iter().map(|one| i32::from(*one)).collect();
    if let Some(refusal) = GapView::refused(&moves) {
        bail!(refusal);
    }
    GapView::new(&request.market.state()?, &moves)
}
