//! What the calls are asked with: the bytes of accounts as a node sends them, and who is meant.

use anyhow::{Context, Result};
use ballast_client::accounts;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use ballast_view::state::{MarketAccounts, MarketState, PriceCandidate};
use borsh::{BorshDeserialize, BorshSerialize};

pub use crate::calls::account::AccountOf;
pub use crate::calls::alerts::{AlertsOf, Raised};
pub use crate::calls::counterparties::Counterparties;
pub use crate::calls::explain::Explain;
pub use crate::calls::gap::GapOf;
pub use crate::calls::join_pool::JoinPoolOf;
pub use crate::calls::join_stakes::JoinStakesOf;
pub use crate::calls::leg_order::LegOrderOf;
pub use crate::calls::liquidation::LiquidationOf;
pub use crate::calls::makers::MakersOf;
pub use crate::calls::market::MarketOf;
pub use crate::calls::order::OrderOf;
pub use crate::calls::pool::PoolOf;
pub use crate::calls::positions::Positions;
pub use crate::calls::queue::QueueOf;
pub use crate::calls::stake::StakeOf;
pub use crate::calls::standing::StandingOf;
pub use crate::calls::transfer::TransferOf;

/// An account that may hold a market's price.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct PriceRequest {
    /// Where it is.
    pub address: Pubkey,
    /// The program that owns it, and its data; `None` where there is no such account.
    pub account: Option<(Pubkey, Vec<u8>)>,
}

impl PriceRequest {
    fn candidate(&self) -> PriceCandidate<'_> {
        let account = self.account.as_ref();
        PriceCandidate {
            address: self.address,
            account: account.map(|(owner, data)| (*owner, data.as_slice())),
        }
    }
}

/// A market's accounts, all of one slot.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct MarketRequest {
    /// The slot.
    pub slot: u64,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// Where the market is.
    pub address: Pubkey,
    /// Its account.
    pub market: Vec<u8>,
    /// The sysvar with slot and time.
    pub clock: Vec<u8>,
    /// Its book; `None` where there is none.
    pub book: Option<Vec<u8>>,
    /// Its queue of longs; `None` where there is none.
    pub queue_long: Option<Vec<u8>>,
    /// Its queue of shorts; `None` where there is none.
    pub queue_short: Option<Vec<u8>>,
    /// Accounts that may hold its price, in the order in which they are tried.
    pub prices: Vec<PriceRequest>,
}

impl MarketRequest {
    /// The market, decoded.
    ///
    /// # Errors
    /// A sentence about the account that is missing or cannot be read.
    pub fn state(&self) -> Result<MarketState> {
        MarketState::read(&MarketAccounts {
            slot: self.slot,
            decimals: self.decimals,
            address: self.address,
            market: &self.market,
            clock: &self.clock,
            book: self.book.as_deref(),
            queues: Some([self.queue_long.as_deref(), self.queue_short.as_deref()]),
            prices: self.prices.iter().map(PriceRequest::candidate).collect(),
        })
    }
}

/// A trader account.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct TraderRequest {
    /// Where it is.
    pub address: Pubkey,
    /// Its data.
    pub data: Vec<u8>,
}

impl TraderRequest {
    /// The account, decoded.
    ///
    /// # Errors
    /// What is wrong with its bytes.
    pub fn trader(&self) -> Result<Trader> {
        accounts::trader(&self.data).with_context(|| format!("trader account {}", self.address))
    }
}
