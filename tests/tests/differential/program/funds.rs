//! Funds as the program is asked for them.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::{fund, stakes, trader};
use ballast_engine::pool::PoolParams;
use ballast_sandbox::{MarketCookie, TxResult, Wallet};
use ballast_state::staged::Change;

use super::World;
use crate::model::pool_trader;
use crate::operation::{FundCall, FundName, Who};

/// Addresses of pools and stakes by their market, and of the accounts for shares by their wallet.
#[derive(Clone)]
pub struct FundAddresses {
    funds: Vec<[Pubkey; 2]>,
    shares: Vec<[Vec<Pubkey>; 2]>,
}

impl FundAddresses {
    /// Of all funds that these markets and wallets may have.
    pub fn of(markets: &[MarketCookie], wallets: &[Wallet]) -> Self {
        let funds: Vec<[Pubkey; 2]> = markets
            .iter()
            .map(|market| [market.pool(), market.stakes()])
            .collect();
        let shares = |fund: Pubkey| {
            let owners = wallets.iter().map(Wallet::address);
            owners
                .map(|owner| addresses::share(&fund, &owner))
                .collect()
        };
        let shares = funds.iter().map(|funds| funds.map(shares)).collect();
        Self { funds, shares }
    }

    /// All funds.
    pub fn all(&self) -> impl Iterator<Item = Pubkey> + '_ {
        self.funds.iter().flatten().copied()
    }
}

impl World {
    /// What only the admin does; `None` for a call of somebody else.
    pub fn admin_fund_call(&mut self, market: usize, call: &FundCall) -> Option<TxResult> {
        let cookie = self.markets[market].clone();
        Some(match call {
            FundCall::CreatePool { params } => self.sandbox.create_pool(&cookie, **params),
            FundCall::StopPool => self.sandbox.stop_pool(&cookie),
            FundCall::ChangePool { params } => self.change_pool(market, params),
            _ => return None,
        })
    }

    fn change_pool(&mut self, market: usize, params: &PoolParams) -> TxResult {
        let cookie = self.markets[market].clone();
        let staged = self.sandbox.stage(Change::Pool(*params), Some(&cookie))?;
        self.sandbox.apply_pool(&cookie, &staged)
    }

    /// The instruction of a call about a fund and the wallets that sign it.
    pub fn fund_call(&self, market: usize, call: &FundCall) -> (Instruction, Vec<usize>) {
        let owner = |wallet: usize| self.wallets[wallet].address();
        let market_key = self.markets[market].keys.market;
        match call {
            FundCall::OpenStakes => {
                let payer = self.sandbox.payer();
                let call = stakes::OpenStakes {
                    payer,
                    market: market_key,
                };
                (call.instruction(), Vec::new())
            }
            FundCall::CreateShare { fund, wallet } => {
                let call = fund::CreateShare {
                    payer: self.sandbox.payer(),
                    owner: owner(*wallet),
                    fund: self.fund(*fund),
                };
                (call.instruction(), vec![*wallet])
            }
            FundCall::CloseShare { fund, wallet } => {
                let call = fund::CloseShare {
                    owner: owner(*wallet),
                    fund: self.fund(*fund),
                };
                (call.instruction(), vec![*wallet])
            }
            FundCall::ResetPool => {
                let call = fund::ResetPool { market: market_key };
                (call.instruction(), Vec::new())
            }
            FundCall::Gift { wallet, amount } => {
                let call = trader::Deposit {
                    depositor: owner(*wallet),
                    trader: self.addresses[pool_trader(market)],
                    source: self.wallets[*wallet].tokens,
                    collateral: self.sandbox.collateral(),
                    amount: *amount,
                };
                (call.instruction(), vec![*wallet])
            }
            FundCall::DepositPool { who, .. }
            | FundCall::RequestPool { who, .. }
            | FundCall::CancelPoolRequest { who }
            | FundCall::WithdrawPool { who, .. } => {
                let instruction = self.pool_call(market, who.wallet, call);
                let fund = FundName::Pool(market);
                (self.of(instruction, fund, *who), vec![who.wallet])
            }
            FundCall::Stake { who, .. }
            | FundCall::RequestUnstake { who, .. }
            | FundCall::CancelUnstake { who }
            | FundCall::Unstake { who, .. } => {
                let instruction = self.stakes_call(market, who.wallet, call);
                let fund = FundName::Stakes(market);
                (self.of(instruction, fund, *who), vec![who.wallet])
            }
            FundCall::CreatePool { .. } | FundCall::StopPool | FundCall::ChangePool { .. } => {
                unreachable!("a call of the admin")
            }
        }
    }

    fn pool_call(&self, market: usize, wallet: usize, call: &FundCall) -> Instruction {
        let keys = self.markets[market].keys;
        let collateral = self.sandbox.collateral();
        let (owner, tokens) = (self.wallets[wallet].address(), self.wallets[wallet].tokens);
        match call {
            FundCall::DepositPool { amount, .. } => fund::DepositPool {
                owner,
                keys,
                source: tokens,
                collateral,
                amount: *amount,
            }
            .instruction(),
            FundCall::RequestPool { shares, .. } => fund::RequestPool {
                owner,
                keys,
                shares: *shares,
            }
            .instruction(),
            FundCall::WithdrawPool { least, .. } => fund::WithdrawPool {
                owner,
                keys,
                destination: tokens,
                collateral,
                least_atoms: *least,
            }
            .instruction(),
            _ => fund::CancelPoolRequest {
                owner,
                market: keys.market,
            }
            .instruction(),
        }
    }

    fn stakes_call(&self, market: usize, wallet: usize, call: &FundCall) -> Instruction {
        let keys = self.markets[market].keys;
        let collateral = self.sandbox.collateral();
        let (owner, tokens) = (self.wallets[wallet].address(), self.wallets[wallet].tokens);
        match call {
            FundCall::Stake { amount, .. } => stakes::Stake {
                owner,
                keys,
                source: tokens,
                collateral,
                amount: *amount,
            }
            .instruction(),
            FundCall::RequestUnstake { shares, .. } => stakes::RequestUnstake {
                owner,
                market: keys.market,
                shares: *shares,
            }
            .instruction(),
            FundCall::Unstake { least, .. } => stakes::Unstake {
                owner,
                keys,
                destination: tokens,
                collateral,
                least_atoms: *least,
            }
            .instruction(),
            _ => stakes::CancelUnstake {
                owner,
                market: keys.market,
            }
            .instruction(),
        }
    }

    /// The same with the account for shares that is meant.
    fn of(&self, mut instruction: Instruction, fund: FundName, who: Who) -> Instruction {
        let own = self.share(fund, who.wallet);
        let mut accounts = instruction.accounts.iter_mut();
        let account = accounts.find(|account| account.pubkey == own);
        account.expect("an account for shares").pubkey = self.share(fund, who.of);
        instruction
    }

    /// The account of a fund, or of what is none.
    pub fn fund(&self, fund: FundName) -> Pubkey {
        match fund {
            FundName::Pool(market) => self.funds.funds[market][0],
            FundName::Stakes(market) => self.funds.funds[market][1],
            FundName::Market(market) => self.markets[market].keys.market,
        }
    }

    /// The account for a wallet's shares of a fund.
    pub fn share(&self, fund: FundName, wallet: usize) -> Pubkey {
        match fund {
            FundName::Pool(market) => self.funds.shares[market][0][wallet],
            FundName::Stakes(market) => self.funds.shares[market][1][wallet],
            FundName::Market(_) => Pubkey::default(),
        }
    }
}
