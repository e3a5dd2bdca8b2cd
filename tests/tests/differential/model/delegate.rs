//! Who signs for a trader account.

use ballast_state::error::BallastError;

use super::refusal::{require, Verdict};
use super::state::Model;
use crate::operation::Operation;

impl Model {
    /// Names the delegate of an account, or none, and says whether it signs block trades.
    pub fn set_delegate(&mut self, trader: usize, delegate: Option<usize>, block_trades: bool) {
        let account = self.trader_mut(trader);
        account.delegate = delegate;
        account.block_trades = block_trades && delegate.is_some();
    }

    /// Refuses a call that the wallet may not sign for the account that acts in it.
    pub fn require_signer(&self, wallet: usize, call: &Operation) -> Verdict<()> {
        let Some(trader) = call.actor() else {
            return Ok(());
        };
        let account = self.trader(trader);
        let owns = trader / 2 == wallet;
        let own = matches!(
            call,
            Operation::Withdraw { .. }
                | Operation::CloseTrader { .. }
                | Operation::CreateProtection { .. }
                | Operation::CloseProtection { .. }
                | Operation::SetDelegate { .. }
        );
        if own {
            return require(owns, BallastError::NotOwner);
        }
        let acts = owns || account.delegate == Some(wallet);
        require(acts, BallastError::NotTraderAuthority)?;
        let trades = owns || account.block_trades || !matches!(call, Operation::Trade(_));
        require(trades, BallastError::DelegateMayNotBlockTrade)
    }
}
