//! `ballast-gateway`: history, rankings, streams and alerts of a Ballast exchange over HTTP.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use ballast_gateway::config::Config;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::{api, follow};
use clap::Parser;
use tokio::signal::unix::{signal, SignalKind};
use tracing_subscriber::EnvFilter;

/// Serves history, rankings, streams and alerts of a Ballast exchange. It holds no trading key.
///
/// Exit codes: 0 stopped, 2 it could not begin.
#[derive(Debug, Parser)]
#[command(name = "ballast-gateway", version)]
struct Arguments {
    /// Configuration file; without it every setting has its default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .init();
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let config = match &arguments.config {
        Some(path) => Config::read(path)
            .with_context(|| format!("in the configuration {}", path.display()))?,
        None => Config::default(),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let gateway = Gateway::open(config).await?;
    let _following = follow(&gateway);
    let (bound, _serving) = api::serve(&gateway).await?;
    println!("listening on {bound}");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
