//! The stakes behind a market's insurance.

use ballast_client::accounts;
use ballast_client::addresses;
use ballast_client::instructions::stakes;
use ballast_state::stakes::Stakes;
use ballast_state::Pubkey;

use crate::cookie::MarketCookie;
use crate::outcome::TxResult;
use crate::trading::Wallet;
use crate::world::Sandbox;

impl MarketCookie {
    /// Address of the stakes behind the market's insurance.
    pub fn stakes(&self) -> Pubkey {
        addresses::stakes(&self.keys.market)
    }
}

impl Sandbox {
    /// Opens the stakes of a market.
    pub fn open_stakes(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = stakes::OpenStakes {
            payer: self.payer(),
            market: market.keys.market,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Stakes a wallet's tokens.
    pub fn stake(&mut self, market: &MarketCookie, wallet: &Wallet, amount: u64) -> TxResult {
        let instruction = stakes::Stake {
            owner: wallet.address(),
            keys: market.keys,
            source: wallet.tokens,
            collateral: self.collateral(),
            amount,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Asks for a wallet's shares back.
    pub fn request_unstake(
        &mut self,
        market: &MarketCookie,
        wallet: &Wallet,
        shares: u64,
    ) -> TxResult {
        let instruction = stakes::RequestUnstake {
            owner: wallet.address(),
            market: market.keys.market,
            shares,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Withdraws such a request.
    pub fn cancel_unstake(&mut self, market: &MarketCookie, wallet: &Wallet) -> TxResult {
        let instruction = stakes::CancelUnstake {
            owner: wallet.address(),
            market: market.keys.market,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Pays a wallet what it asked for.
    pub fn unstake(&mut self, market: &MarketCookie, wallet: &Wallet, least: u64) -> TxResult {
        let instruction = stakes::Unstake {
            owner: wallet.address(),
            keys: market.keys,
            destination: wallet.tokens,
            collateral: self.collateral(),
            least_atoms: least,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// A new wallet that has staked `atoms` in a market whose stakes are open.
    ///
    /// # Panics
    /// If a transaction fails.
    pub fn staker(&mut self, market: &MarketCookie, atoms: u64) -> Wallet {
        let wallet = self.create_wallet(atoms).expect("a wallet");
        let share = self.create_share(&market.stakes(), &wallet);
        share.expect("an account for shares");
        self.stake(market, &wallet, atoms).expect("a stake");
        wallet
    }

    /// The stakes of a market.
    ///
    /// # Panics
    /// If there are none.
    pub fn stakes(&self, market: &MarketCookie) -> Stakes {
        let account = self.account(&market.stakes()).expect("stakes");
        accounts::stakes(&account.data).expect("stakes")
    }
}
