//! A cluster with the exchange, one market, its price and its traders.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use anyhow::{bail, ensure, Context, Result};
use ballast_client::conservation::Conservation;
use ballast_client::{addresses, token};
use ballast_localnet::oracle::{self, Oracle};
use ballast_localnet::validator::{Genesis, Validator};
use ballast_localnet::venue::{airdrop, client, keypair_file, Venue, START_TICKS};
use ballast_state::trader::Trader;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;

use crate::deploying::Deploying;
use crate::upgrade;
use crate::Args;

/// Everything a scenario plays on.
pub struct Stage {
    /// The test validator that runs the cluster.
    pub validator: Validator,
    /// The market; the admin pays: upgrade authority and mint authority.
    pub venue: Venue,
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
        let price = oracle::first_account(
            folder.path(),
            oracle::SOL_USD_FEED,
            START_TICKS,
            &publisher.pubkey(),
        )?;
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
        let cluster = client(&validator.url)?;
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
        let venue = Venue::of(cluster.clone(), admin).await?;
        let market = venue.market().await?;
        let oracle = Oracle::start(cluster, publisher, &market, START_TICKS).await?;
        Ok(Self {
            validator,
            venue,
            oracle,
            deployments,
            new_code,
            folder,
            logs: logs.to_path_buf(),
        })
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

impl Deref for Stage {
    type Target = Venue;

    fn deref(&self) -> &Venue {
        &self.venue
    }
}
