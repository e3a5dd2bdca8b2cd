//! `ballast-node`: a Solana node of one machine with the exchange in it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, Context, Result};
use ballast_client::addresses;
use ballast_node::{scene, Node, Settings};
use ballast_state::Pubkey;
use clap::Parser;
use serde_json::{json, Value};
use tokio::signal::unix::{signal, SignalKind};

/// Lamports that an address of `--fund` gets.
const FUND_LAMPORTS: u64 = 100_000_000_000;
/// Collateral that it gets, atoms.
const FUND_ATOMS: u64 = 100_000 * scene::USD;

/// A Solana node of this machine, with the exchange in it.
///
/// Serves JSON RPC at --port and the websocket at the next, and prints one line of JSON: their URLs, addresses,
/// and keys for tests. They are made anew with every start and worth nothing.
#[derive(Debug, Parser)]
#[command(name = "ballast-node", version)]
struct Args {
    /// Port of the RPC; the websocket is at the next. 0: ports that are free
    #[arg(long, default_value_t = 8899)]
    port: u16,
    /// The built program [default: target/deploy/ballast.so]
    #[arg(long)]
    program: Option<PathBuf>,
    /// Create a SOL market with positions and orders, and keep its price fresh
    #[arg(long)]
    seed_market: bool,
    /// Give an address 100 SOL and 100,000 of collateral; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    fund: Vec<String>,
    /// Let whoever reaches the node set the price and the clock: POST /control/price, /control/clock
    #[arg(long)]
    control: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter("warn")
        .init();
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("ballast-node: {problem:#}.");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let funded = args.fund.iter().map(|text| address(text));
    let funded: Vec<Pubkey> = funded.collect::<Result<_>>()?;
    let settings = Settings {
        port: args.port,
        real_time: true,
        control: args.control,
    };
    let node = Node::serve(scene::exchange(args.program.clone())?, settings);
    let node = node
        .await
        .with_context(|| format!("the ports {} and the next cannot be used", args.port))?;
    let seeded = match args.seed_market {
        true => {
            let scene = node.with(scene::seed)?;
            scene.publish(node.desk(), scene::START_TICKS);
            scene.json()
        }
        false => Value::Null,
    };
    for address in &funded {
        let given = node.desk().fund(address, FUND_LAMPORTS, FUND_ATOMS);
        given.map_err(|problem| anyhow!("{address} cannot be funded: {problem}"))?;
    }
    println!("{}", line(&node, &seeded));
    told_to_end().await
}

fn address(text: &str) -> Result<Pubkey> {
    let parsed = text.parse();
    parsed.map_err(|_| anyhow!("`{text}` is no address: expected 32 bytes in base58"))
}

/// What a test needs to know.
fn line(node: &Node, seeded: &Value) -> Value {
    let (admin, mint, token_program) = node.with(|sandbox| {
        let keys = (sandbox.admin_keypair(), sandbox.mint());
        (keys.0, keys.1, sandbox.token_program())
    });
    json!({
        "rpc": node.url(),
        "websocket": node.websocket_url(),
        "program": ballast_state::ID.to_string(),
        "exchange": addresses::exchange().to_string(),
        "mint": mint.to_string(),
        "token_program": token_program.to_string(),
        "admin": admin.to_bytes().to_vec(),
        "seeded": seeded,
    })
}

async fn told_to_end() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
