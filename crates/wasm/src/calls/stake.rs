//! `stake`: what somebody has staked behind a market's insurance, as `ballast stake show` prints it.

use anyhow::Result;
use ballast_client::accounts;
use ballast_client::staking::staking;
use ballast_view::failure::Computed;
use ballast_view::stake::StakeView;
use ballast_view::units::Collateral;
use borsh::{BorshDeserialize, BorshSerialize};

/// A market's stakes and somebody's shares of them.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct StakeOf {
    /// The slot.
    pub slot: u64,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// The market's account.
    pub market: Vec<u8>,
    /// The account of the stakes.
    pub stakes: Vec<u8>,
    /// The account of the shares.
    pub share: Vec<u8>,
}

/// The stake as it is now.
pub fn call(request: &StakeOf) -> Result<StakeView> {
    let market = accounts::market(&request.market)?;
    let stakes = accounts::stakes(&request.stakes)?;
    let share = accounts::share(&request.share)?;
    let now = staking(&market, &stakes, &share, request.slot).computed()?;
    let collateral = Collateral {
        decimals: request.decimals,
    };
    let owner = share.owner;
    Ok(StakeView::new(
        &market,
        &owner,
        (&now, request.slot),
        collateral,
    ))
}
