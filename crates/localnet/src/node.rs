//! The node the market lives on: a test validator where there is one, else that of `crates/node`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use ballast_localnet::oracle::{self, Oracle, SOL_USD_FEED};
use ballast_localnet::process::Process;
use ballast_localnet::validator::{self, Genesis, Validator};
use ballast_localnet::venue::{airdrop, client, keypair_file, Venue};
use ballast_node::control::Price;
use ballast_node::{scene, Settings};
use ballast_sandbox::MarketCookie;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::process::Command;

use crate::Args;

/// The port of a validator, where the embedded node listens too if nobody else does.
const PORT: u16 = 8899;
/// Slots of a validator as clusters have them, in ticks of 6.25 ms.
const TICKS_PER_SLOT: u64 = 64;
/// How long setting the exchange up may take.
const DEPLOY_LIMIT: Duration = Duration::from_secs(120);

/// The node, and how its price is published.
pub enum Node {
    /// In this process.
    Embedded(Box<ballast_node::Node>, Box<MarketCookie>),
    /// A process.
    Validator(Box<Validator>, Box<Oracle>),
}

impl Node {
    /// Starts one and sets the exchange and its market up at the price `ticks`; keys are written to `folder`.
    ///
    /// # Errors
    /// When one of it fails.
    pub async fn start(args: &Args, folder: &Path, ticks: u64) -> Result<(Self, Venue)> {
        match validator::find().filter(|_| !args.embedded) {
            Some(binary) => on_validator(args, &binary, folder, ticks).await,
            None => embedded(args, ticks).await,
        }
    }

    /// The URL of its RPC.
    pub fn url(&self) -> String {
        match self {
            Self::Embedded(node, _) => node.url(),
            Self::Validator(validator, _) => validator.url.clone(),
        }
    }

    /// What it is.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Embedded(..) => "ballast-node, in this process",
            Self::Validator(..) => "solana-test-validator",
        }
    }

    /// Publishes a price from now on.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn publish(&self, ticks: u64) -> Result<()> {
        match self {
            Self::Embedded(node, market) => node.desk().publish(market, Price::certain(ticks)),
            Self::Validator(_, oracle) => drop(oracle.set(ticks).await?),
        }
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(&mut self) -> Result<()> {
        match self {
            Self::Embedded(..) => Ok(()),
            Self::Validator(validator, _) => validator.stop().await,
        }
    }
}

async fn embedded(args: &Args, ticks: u64) -> Result<(Node, Venue)> {
    let settings = |port| Settings {
        port,
        real_time: true,
        control: false,
    };
    let exchange = || scene::exchange(Some(args.program.clone()));
    let node = match ballast_node::Node::serve(exchange()?, settings(PORT)).await {
        Ok(node) => node,
        // Somebody has a validator of their own.
        Err(_) => ballast_node::Node::serve(exchange()?, settings(0)).await?,
    };
    let market = node.with(|sandbox| scene::market(sandbox, ticks))?;
    node.desk().publish(&market, Price::certain(ticks));
    let mint_authority = Arc::new(node.with(|sandbox| sandbox.payer_keypair()));
    let venue = Venue::of(client(&node.url())?, mint_authority).await?;
    Ok((Node::Embedded(Box::new(node), Box::new(market)), venue))
}

async fn on_validator(
    args: &Args,
    binary: &Path,
    folder: &Path,
    ticks: u64,
) -> Result<(Node, Venue)> {
    let (admin, publisher) = (Arc::new(Keypair::new()), Arc::new(Keypair::new()));
    let admin_file = keypair_file(folder, "admin", &admin)?;
    let price = oracle::first_account(folder, SOL_USD_FEED, ticks, &publisher.pubkey())?;
    let validator = Validator::start(&Genesis {
        binary,
        program: (&args.program, &admin_file),
        gate: &args.gate,
        oracle: &args.oracle,
        accounts: &[price],
        ticks_per_slot: TICKS_PER_SLOT,
        logs: &args.logs,
    })
    .await?;
    let cluster = client(&validator.url)?;
    airdrop(&cluster, &publisher.pubkey()).await?;
    let mut command = Command::new(beside("deploy")?);
    command.args(["--url", &validator.url, "--create-test-mint"]);
    command.arg("--keypair").arg(&admin_file);
    command.arg("--config").arg(&args.market);
    let deploying = Process::start("deploy", &args.logs, &mut command)?;
    let status = deploying.ended(DEPLOY_LIMIT).await?;
    ensure!(status.success(), "`deploy` ended with {status}");
    airdrop(&cluster, &admin.pubkey()).await?;
    let venue = Venue::of(cluster.clone(), admin).await?;
    let market = venue.market().await?;
    let oracle = Oracle::start(cluster, publisher, &market, ticks).await?;
    Ok((
        Node::Validator(Box::new(validator), Box::new(oracle)),
        venue,
    ))
}

/// A command of this workspace, beside this one.
pub fn beside(name: &str) -> Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("this command is in no folder")?;
    let found = folder.join(name);
    ensure!(found.is_file(), "{} is not built", found.display());
    Ok(found)
}
