//! What the sandbox hands out for what it made.

use ballast_client::instructions::MarketKeys;
use ballast_state::Pubkey;

use crate::config::MarketConfig;

/// A market of the sandbox.
#[derive(Clone, Debug)]
pub struct MarketCookie {
    /// Number of the market.
    pub index: u16,
    /// Market, queues, book and price account.
    pub keys: MarketKeys,
    /// The market's insurance token account.
    pub insurance_vault: Pubkey,
    /// What the market was created with.
    pub config: MarketConfig,
}
