//! Delegates, and calls that somebody else signs.

use super::Generator;
use crate::model::{pool_trader, Model};
use crate::operation::{CrossCall, Operation, Protecting};
use crate::program::WALLETS;

/// More lots than this are refused before anybody asks who signs.
const MANY_LOTS: i64 = 1_000_000_000;

impl Generator {
    /// Names a delegate, or dismisses it.
    pub fn set_delegate(&mut self, model: &Model) -> Operation {
        let delegate = self.pick.percent(85).then(|| self.wallet());
        Operation::SetDelegate {
            trader: self.trader(model),
            delegate,
            block_trades: self.pick.percent(40),
        }
    }

    /// Now and then a call is signed by the delegate, or by anybody.
    pub fn signed(&mut self, model: &Model, call: Operation) -> Operation {
        let Some(trader) = call.actor().filter(|_| depends_on_the_signer(model, &call)) else {
            return call;
        };
        let Some(account) = &model.traders[trader] else {
            return call;
        };
        let chance = if account.delegate.is_some() { 30 } else { 3 };
        if !self.pick.percent(chance) {
            return call;
        }
        let by = match account.delegate {
            Some(delegate) if self.pick.percent(85) => delegate,
            _ => self.wallet(),
        };
        let call = Box::new(call);
        Operation::Signed { by, call }
    }

    /// Any wallet.
    pub fn wallet(&mut self) -> usize {
        let last = i128::try_from(WALLETS).expect("few") - 1;
        usize::try_from(self.pick.within(0, last)).expect("few")
    }
}

/// Whether nothing that the call itself says is refused before its signer is looked at.
fn depends_on_the_signer(model: &Model, call: &Operation) -> bool {
    match call {
        Operation::Withdraw { amount, .. } => *amount > 0,
        Operation::Trade(trade) => {
            trade.taker != trade.maker && (-MANY_LOTS..MANY_LOTS).contains(&trade.lots)
        }
        Operation::Liquidate(call) => {
            let own = call.into_pool && call.trader == pool_trader(call.market);
            call.makers.is_empty() && call.trader != call.liquidator && !own
        }
        Operation::Cross(CrossCall::Trade { placing, .. }) => placing.makers.is_empty(),
        Operation::Cross(CrossCall::Liquidate { call, .. }) => {
            call.makers.is_empty() && call.trader != call.liquidator
        }
        Operation::SetProtection(Protecting { market, trader, .. })
        | Operation::CloseProtection { market, trader } => {
            model.protection(*market, *trader).is_some()
        }
        Operation::CreateProtection { market, trader } => {
            model.protection(*market, *trader).is_none()
        }
        _ => true,
    }
}
