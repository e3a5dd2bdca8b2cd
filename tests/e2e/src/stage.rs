//! A cluster with the exchange, one market, its price and its traders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{bail, ensure, Context, Result};
use ballast_client::conservation::Conservation;
use ballast_client::instructions::{Collateral, MarketKeys};
use ballast_client::{addresses, token};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::sender::{FeePolicy, Landed, Sender};
use ballast_rpc::settings::Settings;
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use solana_instruction::Instruction;
use solana_keypair::{write_keypair_file, Keypair};
use solana_signer::Signer;
use tempfile::TempDir;

use crate::deploying::Deploying;
use crate::oracle::{self, Oracle};
use crate::upgrade;
use crate::validator::{Genesis, Validator};
use crate::wait::until;
use crate::Args;

/// Pyth's feed of SOL/USD.
pub const FEED: [u8; 32] = [
    0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda, 0x39,
    0x2a, 0x0d, 0x2f, 0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80, 0xb5, 0x6d,
];
/// What every wallet that pays gets, lamports.
pub const WALLET_LAMPORTS: u64 = 100_000_000_000;
/// Price at which everything begins: $200, in ticks.
pub const START_TICKS: u64 = 200_000;

/// Everything a scenario plays on.
pub struct Stage {
    /// The test validator that runs the cluster.
    pub validator: Validator,
    /// Read from here.
    pub cluster: Arc<Cluster>,
    /// The admin pays here: upgrade authority and mint authority.
    pub sender: Arc<Sender>,
    /// The quote currency.
    pub collateral: Collateral,
    /// The market's accounts.
    pub keys: MarketKeys,
    /// Publishes the market's price.
    pub oracle: Oracle,
    /// What `deploy` said, the first and the second time.
    pub deployments: [serde_json::Value; 2],
    /// Buffer with other code for the program; the admin holds it.
    pub new_code: Pubkey,
    /// Folder of keypairs and configurations.
    pub folder: TempDir,
    /// Folder of logs.
    pub logs: PathBuf,
}

impl Stage {
    /// Starts a validator, deploys twice and publishes the first price.
    ///
    /// # Errors
    /// When one of it fails.
    pub async fn build(args: &Args, validator: &Path, logs: &Path) -> Result<Self> {
        let folder = TempDir::with_prefix("ballast-e2e-keys-")?;
        let admin = Arc::new(Keypair::new());
        let publisher = Arc::new(Keypair::new());
        let admin_file = keypair_file(folder.path(), "admin", &admin)?;
        let price = oracle::first_account(folder.path(), FEED, START_TICKS, &publisher.pubkey())?;
        let buffer = upgrade::buffer(folder.path(), &args.program, &admin.pubkey())?;
        let new_code = buffer.0;
        let validator = Validator::start(&Genesis {
            binary: validator,
            program: (&args.program, &admin_file),
            gate: &args.gate,
            oracle: &args.oracle,
            accounts: &[price, buffer],
            ticks_per_slot: args.ticks_per_slot,
            logs,
        })
        .await?;
        let settings = Settings::resolve(
            Some(&Endpoint::new(&validator.url)),
            Some(&admin_file),
            None,
        )?;
        let cluster = Arc::new(Cluster::new(&settings));
        airdrop(&cluster, &publisher.pubkey()).await?;
        let deploying = Deploying {
            args,
            url: &validator.url,
            keypair: &admin_file,
            folder: folder.path(),
        };
        deploying.beforehand(&cluster).await?;
        let deployments = deploying.all().await?;
        airdrop(&cluster, &admin.pubkey()).await?;
        let (market_address, market) = only_market(&cluster).await?;
        let oracle = Oracle::start(cluster.clone(), publisher, &market, START_TICKS).await?;
        Ok(Self {
            collateral: cluster.collateral().await?,
            keys: MarketKeys::of(&market_address, &market, oracle.account),
            sender: Arc::new(Sender::new(
                cluster.clone(),
                admin.clone(),
                FeePolicy::default(),
            )),
            validator,
            cluster,
            oracle,
            deployments,
            new_code,
            folder,
            logs: logs.to_path_buf(),
        })
    }

    /// Sends as the admin.
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

    /// What the insurance vault lacks, or has more than its ledger says, atoms.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn unswept(&self) -> Result<u64> {
        let vault = addresses::insurance_vault(&self.keys.market);
        let (_, found) = self.cluster.accounts(&[vault, self.keys.market]).await?;
        let data: Vec<Vec<u8>> = found.into_iter().flatten().map(|it| it.data).collect();
        let [vault, market] = &data[..] else {
            bail!("the insurance vault is gone");
        };
        let held = token::token_amount(vault).context("it holds no tokens")?;
        let ledger = ballast_client::accounts::market(market)?.insurance.balance;
        Ok(held.abs_diff(ledger))
    }

    /// Every claim on the exchange and every token, all of one slot.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn conservation(&self) -> Result<Conservation> {
        let traders = self.cluster.traders().await?;
        let vaults = [
            addresses::collateral_vault(),
            addresses::insurance_vault(&self.keys.market),
            self.keys.market,
        ];
        let accounts: Vec<Pubkey> = vaults
            .into_iter()
            .chain(traders.iter().map(|(address, _)| *address))
            .collect();
        ensure!(accounts.len() <= 100, "too many accounts for one slot");
        let (_, found) = self.cluster.accounts(&accounts).await?;
        let data: Vec<Vec<u8>> = found
            .into_iter()
            .map(|account| {
                account
                    .map(|account| account.data)
                    .context("an account is gone")
            })
            .collect::<Result<_>>()?;
        let [collateral, insurance, market, traders @ ..] = &data[..] else {
            bail!("the vaults are gone");
        };
        let tokens: u64 = [collateral, insurance]
            .into_iter()
            .filter_map(|data| token::token_amount(data))
            .sum();
        let market = ballast_client::accounts::market(market)?;
        let traders: Vec<Trader> = traders
            .iter()
            .map(|data| Ok(ballast_client::accounts::trader(data)?))
            .collect::<Result<_>>()?;
        let markets = [(self.keys.market, &market)];
        Ok(Conservation::of(markets, &traders, i128::from(tokens)))
    }
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
