//! The board and every account with legs or orders of legs, in memory.

use std::collections::HashMap;
use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::Traders;
use ballast_state::cross::CrossBoard;
use ballast_state::trader::Trader;

/// The board and the accounts with legs or orders that open some. Whoever tells it sees to it that no account is
/// older than the one before. A copy shares what it holds.
#[derive(Clone, Debug, Default)]
pub struct CrossState {
    /// The board, where there is one.
    pub board: Option<Arc<CrossBoard>>,
    accounts: HashMap<Pubkey, Arc<Trader>>,
}

impl CrossState {
    /// Takes over what an account says: those with legs or orders of legs stay, the others go. Whether anything has
    /// changed.
    pub fn apply_trader(&mut self, address: &Pubkey, trader: &Trader) -> bool {
        if !trader.has_cross() {
            return self.forget(address);
        }
        self.accounts.insert(*address, Arc::new(*trader));
        true
    }

    /// Forgets an account that is gone; whether it was among these.
    pub fn forget(&mut self, address: &Pubkey) -> bool {
        self.accounts.remove(address).is_some()
    }

    /// All of them, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Pubkey, &Trader)> {
        self.accounts
            .iter()
            .map(|(address, trader)| (address, &**trader))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, address: &Pubkey) -> Option<&Trader> {
        self.accounts.get(address).map(|trader| &**trader)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether nobody has legs or orders of legs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

impl Traders for CrossState {
    fn trader(&self, address: &Pubkey) -> Option<&Trader> {
        self.get(address)
    }
}
