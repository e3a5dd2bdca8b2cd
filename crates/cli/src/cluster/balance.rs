//! `ballast balance`: what a wallet holds, and what its trader accounts hold.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::amount::grouped_decimal;
use ballast_client::token::associated_token;
use clap::Args;
use serde::Serialize;
use solana_signer::Signer;

use super::collateral::quote_currency;
use super::session::Session;
use super::units::Collateral;

/// Decimals of a SOL in lamports.
const SOL_DECIMALS: u8 = 9;

/// Arguments of `balance`.
#[derive(Clone, Debug, Args)]
pub struct BalanceArgs {
    /// The wallet [default: the signer].
    #[arg(value_name = "KEY")]
    wallet: Option<Pubkey>,
}

/// What a trader account of the wallet holds free.
#[derive(Clone, Debug, Serialize)]
struct Account {
    trader: String,
    sub_id: u16,
    free_atoms: i64,
    free: String,
    markets: u32,
}

/// What a wallet holds as it is printed.
#[derive(Clone, Debug, Serialize)]
struct BalanceView {
    wallet: String,
    lamports: u64,
    sol: String,
    token_account: String,
    /// `null` where there is no token account.
    token_atoms: Option<u64>,
    tokens: Option<String>,
    mint: String,
    trader_accounts: Vec<Account>,
}

impl BalanceView {
    fn words(&self, collateral: Collateral) -> String {
        let tokens = match self.token_atoms {
            Some(atoms) => format!(
                "{} in token account {}",
                collateral.show(atoms.into()),
                self.token_account
            ),
            None => format!(
                "none: there is no token account {} of mint {}",
                self.token_account, self.mint
            ),
        };
        let mut text = format!(
            "Wallet {}\n  SOL              {}\n  quote currency   {tokens}",
            self.wallet,
            grouped_decimal(self.lamports.into(), SOL_DECIMALS, 2),
        );
        if self.trader_accounts.is_empty() {
            text.push_str("\n  trader accounts  none: `ballast trader create` opens one");
        }
        for account in &self.trader_accounts {
            text.push_str(&format!(
                "\n  trader account   {} (number {}): {} free, in use in {} of 16 markets",
                account.trader,
                account.sub_id,
                collateral.show(account.free_atoms.into()),
                account.markets
            ));
        }
        text
    }
}

/// Runs `ballast balance`.
pub async fn run(session: &Session, args: &BalanceArgs) -> Result<()> {
    let wallet = match args.wallet {
        Some(wallet) => wallet,
        None => session.keypair()?.pubkey(),
    };
    let (currency, collateral) = quote_currency(session).await?;
    let token_account = associated_token(&wallet, &currency);
    let (_, found) = session.cluster.accounts(&[wallet]).await?;
    let lamports = found.into_iter().next().flatten();
    let lamports = lamports.map_or(0, |account| account.lamports);
    let token_atoms = session.tokens(&token_account).await?;
    let mut traders = session.cluster.traders().await?;
    traders.retain(|(_, trader)| trader.owner == wallet);
    traders.sort_by_key(|(_, trader)| trader.sub_id);
    let accounts = traders.iter().map(|(address, trader)| Account {
        trader: address.to_string(),
        sub_id: trader.sub_id,
        free_atoms: trader.free,
        free: collateral.text(trader.free.into()),
        markets: trader.position_count,
    });
    let view = BalanceView {
        wallet: wallet.to_string(),
        lamports,
        sol: ballast_client::amount::decimal(lamports.into(), SOL_DECIMALS),
        token_account: token_account.to_string(),
        token_atoms,
        tokens: token_atoms.map(|atoms| collateral.text(atoms.into())),
        mint: currency.mint.to_string(),
        trader_accounts: accounts.collect(),
    };
    session.answer(&view, || view.words(collateral))
}
