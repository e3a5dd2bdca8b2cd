//! `account`: the cross margin of a trader account at the board's marks, as `ballast account` prints it.

use anyhow::{Context, Result};
use ballast_client::accounts;
use ballast_state::market::Market;
use ballast_state::Pubkey;
use ballast_view::account::AccountView;
use ballast_view::units::Collateral;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::TraderRequest;

/// A trader account, the board and the markets of its legs, all of one slot.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct AccountOf {
    /// The slot.
    pub slot: u64,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// The trader account.
    pub trader: TraderRequest,
    /// The account of the board.
    pub board: Vec<u8>,
    /// Where each market is, and its account.
    pub markets: Vec<(Pubkey, Vec<u8>)>,
}

/// What the account and its legs hold and need.
pub fn call(request: &AccountOf) -> Result<AccountView> {
    let board = accounts::board(&request.board).context("the board of cross margin")?;
    let markets = request.markets.iter().map(|(address, data)| {
        let market: Market = accounts::market(data).with_context(|| format!("market {address}"))?;
        Ok((*address, market))
    });
    let markets = markets.collect::<Result<Vec<_>>>()?;
    let collateral = Collateral {
        decimals: request.decimals,
    };
    let (address, trader) = (request.trader.address, request.trader.trader()?);
    AccountView::new(
        &address,
        &trader,
        &board,
        &markets,
        request.slot,
        collateral,
    )
}
