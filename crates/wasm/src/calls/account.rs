//! `account`: the cross margin of a trader account, as `ballast account` prints it.

use anyhow::Result;
use ballast_client::accounts;
use ballast_state::Pubkey;
use ballast_view::account::AccountView;
use ballast_view::units::Collateral;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::TraderRequest;

/// A trader account, the board, and the markets of its legs.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct AccountOf {
    /// The trader account.
    pub trader: TraderRequest,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// The slot in which the board was read.
    pub slot: u64,
    /// The board.
    pub board: Vec<u8>,
    /// Every market in which the account has a leg: where it is, and its data.
    pub markets: Vec<(Pubkey, Vec<u8>)>,
}

/// What the account and its legs are worth and need together.
pub fn call(request: &AccountOf) -> Result<AccountView> {
    let (address, trader) = (request.trader.address, request.trader.trader()?);
    let board = accounts::board(&request.board)?;
    let markets = request.markets.iter();
    let markets = markets.map(|(key, data)| Ok((*key, accounts::market(data)?)));
    let markets = markets.collect::<Result<Vec<_>>>()?;
    let collateral = Collateral {
        decimals: request.decimals,
    };
    AccountView::new(
        &address,
        &trader,
        &board,
        &markets,
        request.slot,
        collateral,
    )
}
