//! A market on a test validator, end to end: deployed by `deploy`, traded over RPC, crashed, tidied
//! up by keepers, and checked against the chain. `cargo xtask e2e` builds what it needs and runs
//! it.

mod audit;
mod commands;
mod crash;
mod deploying;
mod keepers;
mod pool;
mod protection;
mod proxy;
mod report;
mod session;
mod stage;
mod standing;
mod upgrade;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{anyhow, bail, Context, Result};
use ballast_localnet::{process, validator};
use clap::Parser;
use tokio::signal::unix::{signal, SignalKind};

use stage::Stage;

/// Exit code when there is no validator to run.
const NO_VALIDATOR: u8 = 3;

/// Plays a market crash on a test validator and checks it against the chain.
///
/// Exits with 3 when there is no test validator.
#[derive(Debug, Parser)]
#[command(name = "ballast-e2e", version)]
pub struct Args {
    /// The built program
    #[arg(long)]
    program: PathBuf,
    /// The built gate
    #[arg(long)]
    gate: PathBuf,
    /// The built program that writes prices
    #[arg(long)]
    oracle: PathBuf,
    /// Folder of the commands [default: this command's own]
    #[arg(long)]
    bins: Option<PathBuf>,
    /// What `deploy` sets up
    #[arg(long)]
    market: PathBuf,
    /// Folder for logs and report.json
    #[arg(long)]
    out: PathBuf,
    /// Longs, each with a short
    #[arg(long, default_value_t = 12)]
    pairs: usize,
    /// Only the session of docs/OPERATING.md
    #[arg(long)]
    session: bool,
    /// Length of a slot, ticks of 6.25 ms: clusters have 64, fewer make a run faster
    #[arg(long, default_value_t = 64)]
    ticks_per_slot: u64,
}

impl Args {
    /// A command of the workspace.
    pub fn bin(&self, name: &str) -> PathBuf {
        let own = || Some(std::env::current_exe().ok()?.parent()?.to_path_buf());
        let folder = self.bins.clone().or_else(own).unwrap_or_default();
        folder.join(name)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let Some(validator) = validator::find() else {
        eprintln!("e2e: {}.", validator::how_to_get_it());
        return ExitCode::from(NO_VALIDATOR);
    };
    let logs = args.out.join("logs");
    let outcome = tokio::select! {
        outcome = run(&args, &validator, &logs) => outcome,
        told = told_to_end() => Err(told),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            for folder in [logs.join("session"), logs] {
                eprint!("{}", process::tails(&folder));
            }
            eprintln!("e2e: {problem:#}.");
            ExitCode::FAILURE
        }
    }
}

/// Returns at the first SIGINT or SIGTERM; dropping the run then ends every process of it.
async fn told_to_end() -> anyhow::Error {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return anyhow!("signals cannot be heard");
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    anyhow!("interrupted")
}

async fn run(args: &Args, validator: &Path, logs: &Path) -> Result<()> {
    if logs.exists() {
        std::fs::remove_dir_all(logs)?;
    }
    std::fs::create_dir_all(logs).with_context(|| format!("{} cannot be made", logs.display()))?;
    let commands = session::play(args, validator, logs).await?;
    println!("{:<34} {commands} commands", "session of docs/OPERATING.md");
    if args.session {
        return Ok(());
    }
    let mut stage = Stage::build(args, validator, logs).await?;
    let mut report = crash::play(&mut stage, args).await?;
    report
        .checks
        .push(upgrade::through_the_gate(&stage, args).await?);
    let file = args.out.join("report.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&report)?)?;
    report.print();
    println!("{:<34} {}", "report", file.display());
    if !report.balances() {
        bail!("the books do not balance");
    }

    Ok(())
}
