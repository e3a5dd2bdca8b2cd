//! A market's pool and its depositors.

use ballast_client::accounts;
use ballast_client::addresses;
use ballast_client::instructions::admin::StagedKeys;
use ballast_client::instructions::fund;
use ballast_engine::pool::PoolParams;
use ballast_state::pool::{Pool, POOL_SUB_ID};
use ballast_state::share::Share;
use ballast_state::Pubkey;

use crate::cookie::MarketCookie;
use crate::outcome::TxResult;
use crate::trading::Wallet;
use crate::world::Sandbox;

impl MarketCookie {
    /// Address of the market's pool.
    pub fn pool(&self) -> Pubkey {
        addresses::pool(&self.keys.market)
    }

    /// Address of the pool's trader account.
    pub fn pool_trader(&self) -> Pubkey {
        addresses::trader(&self.pool(), POOL_SUB_ID)
    }
}

impl Sandbox {
    /// Gives a market a pool, signed by the admin.
    pub fn create_pool(&mut self, market: &MarketCookie, params: PoolParams) -> TxResult {
        let instruction = fund::CreatePool {
            admin: self.admin(),
            payer: self.payer(),
            market: market.keys.market,
            params,
        }
        .instruction();
        let outcome = self.send(&[instruction], &[&self.admin_keypair()])?;
        self.traders.push(market.pool_trader());
        Ok(outcome)
    }

    /// Opens an account for a wallet's shares of a fund.
    pub fn create_share(&mut self, fund: &Pubkey, wallet: &Wallet) -> TxResult {
        let instruction = fund::CreateShare {
            payer: self.payer(),
            owner: wallet.address(),
            fund: *fund,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Closes it.
    pub fn close_share(&mut self, fund: &Pubkey, wallet: &Wallet) -> TxResult {
        let instruction = fund::CloseShare {
            owner: wallet.address(),
            fund: *fund,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Puts a wallet's tokens into a market's pool.
    pub fn deposit_pool(
        &mut self,
        market: &MarketCookie,
        wallet: &Wallet,
        amount: u64,
    ) -> TxResult {
        let instruction = fund::DepositPool {
            owner: wallet.address(),
            keys: market.keys,
            source: wallet.tokens,
            collateral: self.collateral(),
            amount,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Asks for the worth of a wallet's shares of a market's pool.
    pub fn request_pool(
        &mut self,
        market: &MarketCookie,
        wallet: &Wallet,
        shares: u64,
    ) -> TxResult {
        let instruction = fund::RequestPool {
            owner: wallet.address(),
            keys: market.keys,
            shares,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Withdraws that.
    pub fn cancel_pool_request(&mut self, market: &MarketCookie, wallet: &Wallet) -> TxResult {
        let instruction = fund::CancelPoolRequest {
            owner: wallet.address(),
            market: market.keys.market,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Takes a wallet's tokens out of a market's pool.
    pub fn withdraw_pool(
        &mut self,
        market: &MarketCookie,
        wallet: &Wallet,
        least_atoms: u64,
    ) -> TxResult {
        let instruction = fund::WithdrawPool {
            owner: wallet.address(),
            keys: market.keys,
            destination: wallet.tokens,
            collateral: self.collateral(),
            least_atoms,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Begins a new epoch of a market's spent pool.
    pub fn reset_pool(&mut self, market: &MarketCookie) -> TxResult {
        let market = market.keys.market;
        self.send(&[fund::ResetPool { market }.instruction()], &[])
    }

    /// Has a market's pool take nothing more, signed by the admin.
    pub fn stop_pool(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = fund::StopPool {
            authority: self.admin(),
            market: market.keys.market,
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])
    }

    /// Puts staged parameters of a market's pool in force.
    pub fn apply_pool(&mut self, market: &MarketCookie, staged: &StagedKeys) -> TxResult {
        let instruction = fund::ApplyPoolChange {
            market: market.keys.market,
            staged: *staged,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// A new wallet that has put `atoms` into a market's pool.
    ///
    /// # Panics
    /// If a transaction fails.
    pub fn depositor(&mut self, market: &MarketCookie, atoms: u64) -> Wallet {
        let wallet = self.create_wallet(atoms).expect("a wallet");
        let share = self.create_share(&market.pool(), &wallet);
        share.expect("an account for shares");
        let deposit = self.deposit_pool(market, &wallet, atoms);
        deposit.expect("a deposit");
        wallet
    }

    /// Reads a market's pool.
    ///
    /// # Panics
    /// If there is none.
    pub fn pool(&self, market: &MarketCookie) -> Pool {
        let account = self.account(&market.pool()).expect("a pool");
        accounts::pool(&account.data).expect("a pool")
    }

    /// Reads a wallet's shares of a fund.
    ///
    /// # Panics
    /// If there is no account for them.
    pub fn share(&self, fund: &Pubkey, owner: &Pubkey) -> Share {
        let account = self.account(&addresses::share(fund, owner));
        accounts::share(&account.expect("shares").data).expect("shares")
    }
}
