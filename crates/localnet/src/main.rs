//! `ballast-localnet`: a live market on this machine for a visitor of the web app. `cargo xtask localnet`
//! builds what it needs and runs it.

mod bots;
mod market;
mod node;
mod prices;
mod site;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ballast_localnet::process;
use clap::Parser;
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::mpsc;

use market::LiveMarket;
use prices::Move;

/// How long after a step of the price the next one comes.
const STEP: Duration = Duration::from_secs(2);

/// A live market on this machine: a node, people who trade, a keeper, and the web app at the address that is
/// printed. `crash` and Enter, or the page's button, lets the price fall. Ctrl-C ends all of it.
#[derive(Debug, Parser)]
#[command(name = "ballast-localnet", version)]
pub struct Args {
    /// The built program
    #[arg(long)]
    program: PathBuf,
    /// The built gate, for a validator
    #[arg(long)]
    gate: PathBuf,
    /// The built program that writes prices, for a validator
    #[arg(long)]
    oracle: PathBuf,
    /// What `deploy` sets up on a validator
    #[arg(long)]
    market: PathBuf,
    /// Folder of the built web app
    #[arg(long)]
    app: PathBuf,
    /// Folder for logs
    #[arg(long)]
    logs: PathBuf,
    /// Port of the web app; 0 is any that is free
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Use the node of this program though there is a solana-test-validator
    #[arg(long)]
    embedded: bool,
    /// Longs with a short against each, at the beginning
    #[arg(long, default_value_t = 12)]
    pairs: usize,
    /// What the prices and the orders are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prices from a CSV file (timestamp,price) instead of drawn ones, one every two seconds
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter("error")
        .init();
    let args = Args::parse();
    let begun = Instant::now();
    match run(&args, begun).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprint!("{}", process::tails(&args.logs));
            eprintln!("localnet: {problem:#}.");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, begun: Instant) -> Result<()> {
    if args.logs.exists() {
        std::fs::remove_dir_all(&args.logs)?;
    }
    let logs = &args.logs;
    std::fs::create_dir_all(logs).with_context(|| format!("{} cannot be made", logs.display()))?;
    let mut told = std::pin::pin!(told_to_end()?);
    let mut market = tokio::select! {
        started = LiveMarket::start(args) => started?,
        () = &mut told => return Ok(()),
    };
    market.print(begun.elapsed());
    let outcome = tokio::select! {
        outcome = play(&mut market) => outcome,
        () = &mut told => Ok(()),
    };
    eprintln!("localnet: ending");
    market.end().await?;
    outcome
}

/// Moves the price and does what is typed, until something that has to run ends.
async fn play(market: &mut LiveMarket) -> Result<()> {
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut typed = typed();
    loop {
        let wanted = tokio::select! {
            _ = steps.tick() => None,
            wanted = market.wanted() => Some(wanted),
            Some(wanted) = typed.recv() => Some(wanted),
        };
        market.step(wanted).await?;
    }
}

/// The jumps that are typed. They are read by a thread of its own, which nothing waits for in the end.
fn typed() -> mpsc::Receiver<Move> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            match Move::named(line.trim()) {
                Some(wanted) => {
                    if sender.blocking_send(wanted).is_err() {
                        return;
                    }
                }
                None => eprintln!("localnet: `{}` is none of crash, rally", line.trim()),
            }
        }
    });
    receiver
}

/// Ready at the first SIGINT or SIGTERM.
fn told_to_end() -> Result<impl std::future::Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
