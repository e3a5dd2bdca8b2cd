//! `join_stakes`: what a deposit behind a market's insurance would buy.

use anyhow::Result;
use ballast_client::accounts;
use ballast_view::joining::JoinView;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::MarketRequest;

/// A market's stakes, somebody's shares of them, and what they put in.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct JoinStakesOf {
    /// The market.
    pub market: MarketRequest,
    /// The account of the stakes.
    pub stakes: Vec<u8>,
    /// The account of the shares; `None` where there is none.
    pub share: Option<Vec<u8>>,
    /// The deposit.
    pub atoms: u64,
}

/// The shares that the deposit buys.
pub fn call(request: &JoinStakesOf) -> Result<JoinView> {
    let share = request.share.as_deref().map(accounts::share).transpose()?;
    let stakes = accounts::stakes(&request.stakes)?;
    JoinView::new(&request.market.state()?, |market| {
        market.stakes(&stakes, share.as_ref(), request.atoms)
    })
}
