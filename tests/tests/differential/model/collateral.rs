//! Accounts, tokens and free collateral.

use ballast_state::error::BallastError;

use super::cross::Shared;
use super::held::Claim;
use super::refusal::{require, signed, unsigned, Verdict, ALREADY_THERE, TOKENS_MISSING};
use super::state::{Model, Trader};

impl Model {
    /// Opens an empty account.
    pub fn create_trader(&mut self, trader: usize) -> Verdict<()> {
        if self.traders[trader].is_some() {
            return Err(ALREADY_THERE);
        }
        self.traders[trader] = Some(Trader {
            delegate: None,
            block_trades: false,
            free: 0,
            positions: vec![None; self.markets.len()],
            put_in: vec![0; self.markets.len()],
            claims: vec![Claim::default(); self.markets.len()],
            shared: Shared {
                legs: vec![None; self.markets.len()],
                ..Shared::default()
            },
        });
        Ok(())
    }

    /// Closes an empty account.
    pub fn close_trader(&mut self, trader: usize) -> Verdict<()> {
        let account = self.trader(trader);
        let unused = (0..self.markets.len()).all(|market| !self.uses(market, trader));
        let pooled = account.shared.atoms != 0 || account.shared.legs.iter().any(Option::is_some);
        let empty = account.free == 0 && unused && !pooled;
        require(empty, BallastError::TraderNotEmpty)?;
        self.traders[trader] = None;
        Ok(())
    }

    /// Tokens of the trader's wallet become free collateral.
    pub fn deposit(&mut self, trader: usize, amount: i128) -> Verdict<()> {
        self.give(trader / 2, trader, amount)
    }

    /// Tokens of any wallet become a trader's free collateral.
    pub fn give(&mut self, wallet: usize, trader: usize, amount: i128) -> Verdict<()> {
        require(amount > 0, BallastError::ZeroAmount)?;
        take(&mut self.wallets[wallet], amount)?;
        self.vault += amount;
        let account = self.trader_mut(trader);
        account.free = signed(account.free + amount)?;
        Ok(())
    }

    /// Free collateral becomes tokens of the trader's wallet.
    pub fn withdraw(&mut self, trader: usize, amount: i128) -> Verdict<()> {
        require(amount > 0, BallastError::ZeroAmount)?;
        let account = self.trader_mut(trader);
        let enough = amount <= account.free;
        require(enough, BallastError::InsufficientCollateral)?;
        account.free -= amount;
        take(&mut self.vault, amount)?;
        self.wallets[trader / 2] += amount;
        Ok(())
    }

    /// Tokens become insurance.
    pub fn donate(&mut self, market: usize, wallet: usize, amount: i128) -> Verdict<()> {
        require(amount > 0, BallastError::ZeroAmount)?;
        take(&mut self.wallets[wallet], amount)?;
        let market = &mut self.markets[market];
        market.vault += amount;
        market.insurance.receive(amount)
    }

    /// The insurance vault gets what its ledger says.
    pub fn sweep(&mut self, market: usize) -> Verdict<()> {
        let market = &mut self.markets[market];
        let missing = market.insurance.balance - market.vault;
        take(&mut self.vault, missing)?;
        market.vault += missing;
        Ok(())
    }

    /// Free collateral becomes margin. Needs no price and pays no funding.
    pub fn add_margin(&mut self, market: usize, trader: usize, amount: i128) -> Verdict<()> {
        let mut holding = self.needed(market, trader)?.holding;
        require(amount > 0, BallastError::ZeroAmount)?;
        let left = signed(self.trader(trader).free - amount)?;
        require(left >= 0, BallastError::InsufficientCollateral)?;
        holding.margin = signed(holding.margin + amount)?;
        let stood = self.stands(market, trader);
        self.hold(market, trader, holding)?;
        self.trader_mut(trader).free = left;
        self.note(&stood, 0);
        Ok(())
    }
}

/// Takes tokens, or some back where the amount is negative.
pub fn take(tokens: &mut i128, amount: i128) -> Verdict<()> {
    if amount > *tokens {
        return Err(TOKENS_MISSING);
    }
    *tokens = unsigned(*tokens - amount)?;
    Ok(())
}
