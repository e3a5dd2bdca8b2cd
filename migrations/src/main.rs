//! Deploys and migrates: sets up the exchange and its markets on a cluster, as a file says, and brings
//! those that are there to what it says.
//!
//! What is there already is compared with the file, and changed only with `--update-risk`; so it can run
//! again at any time: a second run changes nothing.

mod config;
mod deployment;
mod exchange;
mod market;
mod plan;
mod report;
mod risk;
mod staging;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::settings::Settings;
use clap::{Parser, ValueEnum};

use config::Config;
use deployment::Deployment;
use plan::{Allowed, Plan};
use report::Report;

/// Exit code when something on the cluster is not as configured and was left so.
const DIFFERS: u8 = 2;

/// Sets up the exchange and its markets; what is there already stays as it is.
///
/// Exits with 2 when something differs from the configuration and was not changed.
#[derive(Debug, Parser)]
#[command(name = "deploy", version)]
struct Args {
    /// URL of the cluster, or mainnet-beta, testnet, devnet, localhost [default: the Solana
    /// configuration's]
    #[arg(short, long)]
    url: Option<Endpoint>,
    /// Keypair of the admin, who signs and pays: the program's upgrade authority [default: the
    /// Solana configuration's]
    #[arg(short, long)]
    keypair: Option<PathBuf>,
    /// What to set up
    #[arg(short, long, default_value = "migrations/localnet.toml")]
    config: PathBuf,
    /// Makes a mint for the exchange where it has none, and tokens for insurance; on a local
    /// cluster only
    #[arg(long)]
    create_test_mint: bool,
    /// Stages the risk parameters of existing markets that differ, and applies those that are due
    #[arg(long)]
    update_risk: bool,
    /// Checks the file against the cluster and says what would be done; sends nothing
    #[arg(long)]
    dry_run: bool,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(DIFFERS),
        Err(problem) => {
            eprintln!("deploy: {problem:#}.");
            ExitCode::FAILURE
        }
    }
}

/// Says what is going to be done, before it is.
fn announce(args: &Args, plan: &Plan) {
    match args.output {
        Output::Json if args.dry_run => {
            println!(
                "{}",
                serde_json::json!({"dry_run": true, "plan": plan.steps})
            );
        }
        Output::Json => {}
        Output::Text if plan.steps.is_empty() => println!("plan      nothing to create or change"),
        Output::Text => {
            for step in &plan.steps {
                println!("plan      {step}");
            }
        }
    }
}

/// Whether everything is as configured now.
async fn run(args: &Args) -> Result<bool> {
    let config = Config::read(&args.config)?;
    let settings = Settings::resolve(args.url.as_ref(), args.keypair.as_deref(), None)?;
    let mut deployment = Deployment::new(&settings)?;
    let allowed = Allowed {
        create_test_mint: args.create_test_mint,
        update_risk: args.update_risk,
    };
    let plan = Plan::of(&deployment, &config, allowed).await?;
    announce(args, &plan);
    if args.dry_run {
        return Ok(true);
    }
    let (exchange, currency) =
        exchange::ensure(&mut deployment, &config, args.create_test_mint).await?;
    let mut report = Report {
        cluster: settings.rpc_url.to_string(),
        admin: deployment.admin().to_string(),
        plan: plan.steps,
        exchange,
        ..Report::default()
    };
    for wanted in &config.markets {
        let market = market::ensure(&mut deployment, wanted, &currency, args.update_risk).await?;
        report.markets.push(market);
    }
    let delays = staging::raise_delays(&mut deployment, config.exchange.delays()).await?;
    report.exchange.differences.extend(delays);
    report.changed = !deployment.sent.is_empty();
    report.transactions = deployment.sent;
    match args.output {
        Output::Text => report.print(),
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
    }
    Ok(report.agrees())
}
