//! Traders: wallets, deposits, trades and margin.

use ballast_client::addresses;
use ballast_client::instructions::trader::{self, Party};
use ballast_state::instructions::BlockTradeArgs;
use ballast_state::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::cookie::MarketCookie;
use crate::outcome::{TxError, TxResult};
use crate::world::Sandbox;

/// A wallet with a token account.
#[derive(Debug)]
pub struct Wallet {
    /// Signs for it.
    pub keypair: Keypair,
    /// Its token account for the collateral mint.
    pub tokens: Pubkey,
}

/// A trader account and the wallet that owns it.
#[derive(Debug)]
pub struct TraderCookie {
    /// The trader account.
    pub address: Pubkey,
    /// Who owns it, with tokens to deposit.
    pub wallet: Wallet,
}

impl Wallet {
    /// The wallet's address.
    pub fn address(&self) -> Pubkey {
        self.keypair.pubkey()
    }
}

impl Clone for Wallet {
    fn clone(&self) -> Self {
        Self {
            keypair: self.keypair.insecure_clone(),
            tokens: self.tokens,
        }
    }
}

impl Clone for TraderCookie {
    fn clone(&self) -> Self {
        Self {
            address: self.address,
            wallet: self.wallet.clone(),
        }
    }
}

impl TraderCookie {
    /// This trader as a side of a block trade, signed by its owner.
    pub fn party(&self) -> Party {
        Party {
            trader: self.address,
            authority: self.wallet.address(),
        }
    }
}

/// Terms of a block trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockTrade {
    /// Lots the taker gets; negative to sell.
    pub lots: i64,
    /// Price of the trade, ticks.
    pub price_ticks: u64,
    /// Free collateral the taker puts into the position, in atoms.
    pub taker_margin: u64,
    /// The same for the maker.
    pub maker_margin: u64,
}

impl Sandbox {
    /// A wallet with 10 SOL and `atoms` of collateral.
    pub fn create_wallet(&mut self, atoms: u64) -> Result<Wallet, TxError> {
        let keypair = self.funded_keypair();
        let (mint, token_program) = (self.mint(), self.token_program());
        let tokens = self.create_token_account(&keypair.pubkey(), &mint, &token_program)?;
        if atoms > 0 {
            self.mint_to(&tokens, atoms)?;
        }
        Ok(Wallet { keypair, tokens })
    }

    /// A new wallet with a trader account (sub-id 0) and `atoms` deposited.
    pub fn create_trader(&mut self, atoms: u64) -> Result<TraderCookie, TxError> {
        let wallet = self.create_wallet(atoms)?;
        let trader = self.create_trader_of(&wallet, 0)?;
        if atoms > 0 {
            self.deposit(&trader, atoms)?;
        }
        Ok(trader)
    }

    /// Creates a trader account of an existing wallet.
    pub fn create_trader_of(
        &mut self,
        wallet: &Wallet,
        sub_id: u16,
    ) -> Result<TraderCookie, TxError> {
        let instruction = trader::CreateTrader {
            payer: self.payer(),
            owner: wallet.address(),
            sub_id,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])?;
        let address = addresses::trader(&wallet.address(), sub_id);
        self.traders.push(address);
        Ok(TraderCookie {
            address,
            wallet: wallet.clone(),
        })
    }

    /// Closes an empty trader account.
    pub fn close_trader(&mut self, trader: &TraderCookie) -> TxResult {
        let instruction = trader::CloseTrader {
            owner: trader.wallet.address(),
            trader: trader.address,
        }
        .instruction();
        let outcome = self.send(&[instruction], &[&trader.wallet.keypair])?;
        self.traders.retain(|address| *address != trader.address);
        Ok(outcome)
    }

    /// Sets or revokes the delegate of a trader account; it does not block-trade.
    pub fn set_delegate(&mut self, trader: &TraderCookie, delegate: Option<Pubkey>) -> TxResult {
        let instruction = trader::SetDelegate {
            owner: trader.wallet.address(),
            trader: trader.address,
            delegate,
            block_trades: false,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Deposits from the trader's own wallet.
    pub fn deposit(&mut self, trader: &TraderCookie, atoms: u64) -> TxResult {
        self.deposit_from(&trader.wallet, &trader.address, atoms)
    }

    /// Deposits from any wallet to any trader account.
    pub fn deposit_from(&mut self, wallet: &Wallet, trader: &Pubkey, atoms: u64) -> TxResult {
        let instruction = trader::Deposit {
            depositor: wallet.address(),
            trader: *trader,
            source: wallet.tokens,
            collateral: self.collateral(),
            amount: atoms,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Withdraws free collateral to the trader's wallet.
    pub fn withdraw(&mut self, trader: &TraderCookie, atoms: u64) -> TxResult {
        let instruction = trader::Withdraw {
            owner: trader.wallet.address(),
            trader: trader.address,
            destination: trader.wallet.tokens,
            collateral: self.collateral(),
            amount: atoms,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Adds margin to a position.
    pub fn add_margin(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        atoms: u64,
    ) -> TxResult {
        let instruction = trader::AddMargin {
            authority: trader.wallet.address(),
            keys: market.keys,
            trader: trader.address,
            amount: atoms,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Takes margin out of a position.
    pub fn remove_margin(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        atoms: u64,
    ) -> TxResult {
        let instruction = trader::RemoveMargin {
            authority: trader.wallet.address(),
            keys: market.keys,
            trader: trader.address,
            amount: atoms,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// A block trade signed by both owners.
    pub fn block_trade(
        &mut self,
        market: &MarketCookie,
        taker: &TraderCookie,
        maker: &TraderCookie,
        terms: BlockTrade,
    ) -> TxResult {
        let instruction = trader::BlockTrade {
            keys: market.keys,
            taker: taker.party(),
            maker: maker.party(),
            args: terms.args(),
        }
        .instruction();
        self.send(
            &[instruction],
            &[&taker.wallet.keypair, &maker.wallet.keypair],
        )
    }
}

impl BlockTrade {
    /// The terms as the program's arguments.
    pub fn args(&self) -> BlockTradeArgs {
        BlockTradeArgs {
            lots: self.lots,
            price_ticks: self.price_ticks,
            taker_margin: self.taker_margin,
            maker_margin: self.maker_margin,
        }
    }
}
