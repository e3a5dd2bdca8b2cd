//! The live market: what it is made of, from the first process to the last.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{ensure, Result};
use ballast_localnet::keeper::configuration;
use ballast_localnet::population::USD;
use ballast_localnet::ports;
use ballast_localnet::process::Process;
use ballast_localnet::venue::{airdrop, keypair_file, Venue, START_TICKS};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::{mpsc, watch, Mutex};
use tokio::task::JoinHandle;

use crate::bots::{Bots, Maker};
use crate::node::{beside, Node};
use crate::prices::{Move, Walk};
use crate::site::Site;
use crate::Args;

/// What the keeper deposits to take positions over with.
const KEEPER_WEALTH: u64 = 50_000 * USD;
/// How long keeper and gateway may take to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// Everything that runs.
pub struct LiveMarket {
    node: Node,
    venue: Arc<Venue>,
    walk: Walk,
    price: watch::Sender<u64>,
    maker: Arc<Mutex<Maker>>,
    bots: JoinHandle<()>,
    keeper: Process,
    gateway: Process,
    site: Site,
    wanted: mpsc::Receiver<Move>,
    /// Keys and configurations, removed with this.
    _folder: TempDir,
}

impl LiveMarket {
    /// Starts everything.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(args: &Args) -> Result<Self> {
        let folder = TempDir::with_prefix("ballast-localnet-")?;
        let walk = Walk::new(args.seed, START_TICKS, args.prices.as_deref())?;
        let ticks = walk.ticks();
        let (node, venue) = Node::start(args, folder.path(), ticks).await?;
        let venue = Arc::new(venue);
        let ports = ports::free_block()?;
        let (gateway, history) = gateway(args, &node, &folder, ports + 1)?;
        let (bots, keeper) = tokio::try_join!(
            Bots::settle(venue.clone(), args.pairs, ticks, args.seed),
            keeper(args, &node, &venue, &folder, ports),
        )?;
        let (asks, wanted) = mpsc::channel(4);
        let site = Site::serve(args, (&node, &history), venue.clone(), asks).await?;
        let (price, told) = watch::channel(ticks);
        Ok(Self {
            maker: bots.maker(),
            bots: tokio::spawn(bots.trade(told)),
            node,
            venue,
            walk,
            price,
            keeper,
            gateway,
            site,
            wanted,
            _folder: folder,
        })
    }

    /// Says where everything is.
    pub fn print(&self, after: Duration) {
        let (node, what) = (self.node.url(), self.node.what());
        println!("node    {node} ({what})");
        println!(
            "market  {}, keeper {}",
            self.venue.keys.market,
            self.keeper.log.display()
        );
        println!(
            "page    {} after {:.1} s",
            self.site.url(),
            after.as_secs_f64()
        );
        println!("`crash` or `rally` and Enter lets the price jump; Ctrl-C ends everything.");
    }

    /// The next jump that somebody asks for at the page.
    pub async fn wanted(&mut self) -> Move {
        match self.wanted.recv().await {
            Some(wanted) => wanted,
            None => std::future::pending().await,
        }
    }

    /// Publishes the next price; before a jump the market maker pulls away.
    ///
    /// # Errors
    /// When the price cannot be published, or something that has to run has ended.
    pub async fn step(&mut self, wanted: Option<Move>) -> Result<()> {
        self.keeper.require_running()?;
        self.gateway.require_running()?;
        ensure!(!self.bots.is_finished(), "nobody trades any more");
        let ticks = match wanted {
            None => self.walk.step(),
            Some(wanted) => {
                let pulled = self.maker.lock().await.pull_away(&self.venue).await;
                if let Err(problem) = pulled {
                    tracing::warn!("the market maker: {problem:#}");
                }
                self.walk.jump(wanted)
            }
        };
        self.node.publish(ticks).await?;
        self.price.send_replace(ticks);
        if wanted.is_some() {
            println!("price   {}.{:03}", ticks / 1_000, ticks % 1_000);
        }
        Ok(())
    }

    /// Ends everything, the node last.
    ///
    /// # Errors
    /// When a process does not end.
    pub async fn end(mut self) -> Result<()> {
        self.bots.abort();
        let keeper: Result<ExitStatus> = self.keeper.terminate(DRAIN_LIMIT).await;
        let gateway = self.gateway.terminate(DRAIN_LIMIT).await;
        self.node.end().await?;
        keeper.and(gateway).map(drop)
    }
}

/// A gateway on the node, and where it is.
fn gateway(args: &Args, node: &Node, folder: &TempDir, port: u16) -> Result<(Process, String)> {
    let listen = format!("127.0.0.1:{port}");
    let database = folder.path().join("gateway.sqlite");
    let config = folder.path().join("gateway.toml");
    let text = format!(
        "listen = {listen:?}\n[store]\nsqlite = {database:?}\n[[node]]\nrpc = {:?}\n",
        node.url()
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(beside("ballast-gateway")?);
    command.arg("--config").arg(&config);
    let process = Process::start("gateway", &args.logs, &mut command)?;
    Ok((process, format!("http://{listen}/")))
}

async fn keeper(
    args: &Args,
    node: &Node,
    venue: &Venue,
    folder: &TempDir,
    port: u16,
) -> Result<Process> {
    let wallet = Keypair::new();
    airdrop(&venue.cluster, &wallet.pubkey()).await?;
    let keypair = keypair_file(folder.path(), "keeper", &wallet)?;
    venue
        .person_of("the keeper".to_owned(), wallet, KEEPER_WEALTH)
        .await?;
    let listen = format!("127.0.0.1:{port}");
    let state = folder.path().join("keeper-state");
    let config = folder.path().join("keeper.toml");
    let text = configuration(&node.url(), &keypair, &state, &listen);
    std::fs::write(&config, text)?;
    let mut command = Command::new(beside("ballast-keeper")?);
    command.arg("--config").arg(&config);
    Process::start("keeper", &args.logs, &mut command)
}
