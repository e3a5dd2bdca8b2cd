//! The keeper bot.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use ballast_keeper::config::Config;
use ballast_keeper::identity::Identity;
use ballast_keeper::logs;
use ballast_keeper::metrics::Metrics;
use ballast_keeper::process::KeeperProcess;
use ballast_keeper::serve::{serve, Board};
use clap::{Parser, Subcommand};
use solana_signer::Signer;
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;

/// Keeps a Ballast exchange: funding, triggers, flags, liquidations, auto-deleveraging.
///
/// Exit codes: 0 stopped or done, 1 a job failed (with --once), 2 it could not begin.
#[derive(Debug, Parser)]
#[command(name = "ballast-keeper", version)]
struct Arguments {
    /// Configuration file; without it every setting has its default.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Evaluate, plan and simulate, but send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do everything there is to do once, then end.
    #[arg(long)]
    once: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Say what the configuration comes to, ask the node whether it can be worked with, and end.
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {}", told(&error));
            ExitCode::from(2)
        }
    }
}

/// The error with those causes that it does not state itself.
fn told(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |text, cause| {
            match (text.is_empty(), text.contains(&cause)) {
                (true, _) => cause,
                (false, true) => text,
                (false, false) => format!("{text}: {cause}"),
            }
        })
}

/// Whether nothing failed.
async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let config = match &arguments.config {
        Some(path) => Config::read(path)
            .with_context(|| format!("in the configuration {}", path.display()))?,
        None => Config::default(),
    };
    let identity = Identity::resolve(&config, |name| std::env::var(name).ok())?;
    if let Some(Command::CheckConfig) = arguments.command {
        let secrets = identity.secrets.clone();
        let wallet = identity.keypair.pubkey();
        let (rpc, websocket) = (&identity.settings.rpc_url, &identity.settings.websocket_url);
        println!("rpc:            {}", rpc);
        println!("websocket:      {}", websocket);
        println!("wallet:         {wallet}");
        let board = Board::new(Metrics::new()?, config.health, secrets);
        let process = KeeperProcess::new(config, identity, board, true);
        println!("trader account: {}", process.trader());
        for line in process.check().await? {
            println!("{line}");
        }
        return Ok(true);
    }
    logs::start(&config.logs, identity.secrets.clone())?;
    let board = Board::new(Metrics::new()?, config.health, identity.secrets.clone());
    let listen = config.metrics.listen;
    let process = KeeperProcess::new(config, identity, board.clone(), arguments.dry_run);
    if arguments.once {
        return Ok(process.once().await?);
    }
    let bound = serve(listen, board)
        .await
        .with_context(|| format!("metrics cannot be served at {listen}"))?;
    println!("listening on {bound}");
    tracing::info!(%bound, "serving /metrics and /health");
    process.run(&stop_signal()?).await?;
    tracing::info!("stopped");
    Ok(true)
}

/// Turns true at the first SIGTERM or SIGINT; the second ends the process.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.send_replace(true) {
                tracing::warn!("told to stop twice");
                std::process::exit(130);
            }
        }
    });
    Ok(stopped)
}
