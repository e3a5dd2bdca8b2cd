//! An exchange with one market on a node of this machine, and who makes its collateral.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use anyhow::{bail, Result};
use ballast_client::instructions::{Collateral, MarketKeys};
use ballast_client::price::feed_account;
use ballast_client::token::{associated_token, create_associated_token};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::sender::{FeePolicy, Landed, Sender};
use ballast_rpc::settings::Settings;
use ballast_state::market::Market;
use solana_instruction::Instruction;
use solana_keypair::{write_keypair_file, Keypair};

use crate::wait::until;

/// What every wallet that pays gets, lamports.
pub const WALLET_LAMPORTS: u64 = 100_000_000_000;
/// Price at which everything begins: $200, in ticks.
pub const START_TICKS: u64 = 200_000;

/// The market, and a wallet that pays and may make collateral.
pub struct Venue {
    /// Read from here.
    pub cluster: Arc<Cluster>,
    /// The mint authority pays here.
    pub sender: Arc<Sender>,
    /// The quote currency.
    pub collateral: Collateral,
    /// The market's accounts.
    pub keys: MarketKeys,
}

impl Venue {
    /// The only market of an exchange, whose price is read where the push oracle would have it.
    ///
    /// # Errors
    /// When the exchange has not one market, or the node does not answer.
    pub async fn of(cluster: Arc<Cluster>, mint_authority: Arc<Keypair>) -> Result<Self> {
        let (address, market) = only_market(&cluster).await?;
        Ok(Self {
            collateral: cluster.collateral().await?,
            keys: MarketKeys::of(&address, &market, feed_account(0, &market.oracle.feed_id)),
            sender: Arc::new(Sender::new(
                cluster.clone(),
                mint_authority,
                FeePolicy::default(),
            )),
            cluster,
        })
    }

    /// Sends as the mint authority.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn send(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Landed> {
        Ok(self.sender.send(instructions, signers, &[]).await?)
    }

    /// The market as it is.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn market(&self) -> Result<Market> {
        Ok(self.cluster.market(&self.keys.market).await?)
    }

    /// New collateral for a wallet, in its associated token account, which is made if it is not there.
    ///
    /// # Errors
    /// When they cannot be built.
    pub fn wealth(&self, wallet: &Pubkey, atoms: u64) -> Result<[Instruction; 2]> {
        let payer = self.sender.payer();
        let tokens = associated_token(wallet, &self.collateral);
        let (mint, program) = (self.collateral.mint, self.collateral.token_program);
        Ok([
            create_associated_token(payer, *wallet, &self.collateral),
            spl_token::instruction::mint_to(&program, &mint, &tokens, &payer, &[], atoms)?,
        ])
    }
}

/// A client of the node at a URL.
///
/// # Errors
/// When it is no URL.
pub fn client(url: &str) -> Result<Arc<Cluster>> {
    let settings = Settings::resolve(Some(&Endpoint::new(url)), None, None)?;
    Ok(Arc::new(Cluster::new(&settings)))
}

/// Writes a keypair where the command-line tools can read it.
///
/// # Errors
/// When the file cannot be written.
pub fn keypair_file(folder: &Path, name: &str, keypair: &Keypair) -> Result<PathBuf> {
    let file = folder.join(format!("{name}.json"));
    match write_keypair_file(keypair, &file) {
        Ok(_) => Ok(file),
        Err(problem) => bail!("{} cannot be written ({problem})", file.display()),
    }
}

/// Gives a wallet SOL from the faucet.
///
/// # Errors
/// When nothing comes.
pub async fn airdrop(cluster: &Cluster, wallet: &Pubkey) -> Result<()> {
    let rpc = &cluster.rpc;
    let signature = rpc.request_airdrop(wallet, WALLET_LAMPORTS).await?;
    until("the airdrop", Duration::from_secs(30), || async {
        let landed = rpc.confirm_transaction(&signature).await?;
        Ok(landed.then_some(()))
    })
    .await
}

async fn only_market(cluster: &Cluster) -> Result<(Pubkey, Market)> {
    let mut markets = cluster.markets().await?;
    match (markets.pop(), markets.pop()) {
        (Some(market), None) => Ok(market),
        _ => bail!("the exchange has not one market"),
    }
}
