//! A trader account as commands print it.

use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::units::Collateral;

/// A trader account as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct TraderView {
    /// Its address.
    pub trader: String,
    /// The wallet that owns it.
    pub owner: String,
    /// Its number among its owner's.
    pub sub_id: u16,
    /// `null` when there is none.
    delegate: Option<String>,
    /// Free collateral, atoms.
    pub free_atoms: i64,
    free: String,
    /// Markets in which it has a position, orders or held profit.
    pub markets: u32,
}

impl TraderView {
    /// Of a decoded account.
    pub fn new(address: &Pubkey, trader: &Trader, collateral: Collateral) -> Self {
        let delegate = trader.delegate;
        Self {
            trader: address.to_string(),
            owner: trader.owner.to_string(),
            sub_id: trader.sub_id,
            delegate: (delegate != Pubkey::default()).then(|| delegate.to_string()),
            free_atoms: trader.free,
            free: collateral.text(trader.free.into()),
            markets: trader.position_count,
        }
    }

    /// In words; several lines.
    pub fn words(&self, collateral: Collateral) -> String {
        format!(
            "Trader account {}\n  owner            {} (number {})\n  delegate         {}\n  free collateral  {}\n  markets in use   {} of 16",
            self.trader,
            self.owner,
            self.sub_id,
            self.delegate.as_deref().unwrap_or("nobody"),
            collateral.show(self.free_atoms.into()),
            self.markets
        )
    }
}
