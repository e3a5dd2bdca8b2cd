//! The command line on the same market: a trader who opens an account, trades and looks around.

use std::path::PathBuf;
use std::process::Output;

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::process::Command;

use crate::stage::Stage;
use crate::Args;
use ballast_localnet::population::USD;
use ballast_localnet::venue::{airdrop, keypair_file};

/// What the trader has.
const WEALTH: u64 = 500 * USD;

/// The command line of one wallet.
pub struct CommandLine<'a> {
    stage: &'a Stage,
    args: &'a Args,
    keypair: PathBuf,
}

impl<'a> CommandLine<'a> {
    /// Of the wallet with this keypair.
    pub fn new(stage: &'a Stage, args: &'a Args, keypair: PathBuf) -> Self {
        Self {
            stage,
            args,
            keypair,
        }
    }

    async fn output(&self, line: &str) -> Result<Output> {
        let mut command = Command::new(self.args.bin("ballast"));
        command.args(line.split(' ')).args(["--output", "json"]);
        command.args(["--url", &self.stage.validator.url, "--keypair"]);
        let output = command.arg(&self.keypair).kill_on_drop(true).output().await;
        output.context("`ballast` could not be started")
    }

    /// Runs a command that has to fail with a sentence that contains `expected`.
    pub async fn refused(&self, line: &str, expected: &str) -> Result<()> {
        let output = self.output(line).await?;
        let problem = String::from_utf8_lossy(&output.stderr);
        ensure!(
            !output.status.success() && problem.contains(expected),
            "`ballast {line}` did not fail with {expected}: {problem}"
        );
        Ok(())
    }

    /// Runs a command; the JSON values it printed.
    pub async fn run(&self, line: &str) -> Result<Vec<Value>> {
        let output = self.output(line).await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let problem = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "`ballast {line}` failed: {said}{problem}"
        );
        let values = said.lines().map(serde_json::from_str);
        let values: Result<Vec<Value>, _> = values.collect();
        values.with_context(|| format!("`ballast {line}` printed no JSON: {said}"))
    }

    /// Runs a command that prints one value with `expected` at `pointer`.
    pub async fn says(&self, line: &str, pointer: &str, expected: &Value) -> Result<()> {
        let values = self.run(line).await?;
        let found = values.first().and_then(|value| value.pointer(pointer));
        ensure!(
            found == Some(expected),
            "`ballast {line}` has {found:?} at {pointer}, expected {expected}: {values:?}"
        );
        Ok(())
    }
}

/// Opens an account, deposits, places and cancels an order, and looks at everything; `short` is an
/// open position's trader account. The number of commands.
///
/// # Errors
/// When a command fails or says something else than it should.
pub async fn try_all(stage: &Stage, args: &Args, short: &str) -> Result<usize> {
    let wallet = Keypair::new();
    let owner = wallet.pubkey();
    airdrop(&stage.cluster, &owner).await?;
    stage.send(&stage.wealth(&owner, WEALTH)?, &[]).await?;
    let keypair = keypair_file(stage.folder.path(), "trader", &wallet)?;
    let line = CommandLine::new(stage, args, keypair);
    let order = "order place --market 0 --side buy --size 1 --price 168 --type post-only";
    let positions = format!("positions --trader {short}");
    let queue = format!("queue --market 0 --side short --trader {short}");
    let watch = format!("watch --once --trader {short} --light-at 5");
    let expected: [(&str, &str, Value); 12] = [
        ("markets", "/markets/0/price_fault", Value::Null),
        ("trader create", "/events/0/event", "TraderCreated".into()),
        ("deposit 500", "/events/0/event", "Deposited".into()),
        (&format!("{order} --dry-run"), "/signature", Value::Null),
        (order, "/events/0/resting_lots", 1_000.into()),
        ("order list", "/0/lots", 1_000.into()),
        (
            "order cancel-all --market 0",
            "/events/0/event",
            "OrdersCancelled".into(),
        ),
        ("trader show", "/free_atoms", WEALTH.into()),
        (&positions, "/positions/0/health", "healthy".into()),
        (&queue, "/sides/0/trader/trader", short.into()),
        (&watch, "/type", "status".into()),
        ("insurance", "/0/market_index", 0.into()),
    ];
    let count = expected.len();
    for (command, pointer, value) in expected {
        line.says(command, pointer, &value).await?;
    }
    Ok(count)
}
