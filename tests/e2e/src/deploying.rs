//! The `deploy` command, run as its users run it.

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use tokio::process::Command;

use crate::Args;

/// Exit code for a difference that was left.
const DIFFERS: i32 = 2;

/// Runs `deploy` on one cluster.
pub struct Deploying<'a> {
    /// Where the command is.
    pub args: &'a Args,
    /// Endpoint of the cluster.
    pub url: &'a str,
    /// The admin's keypair.
    pub keypair: &'a Path,
    /// Folder for changed configurations.
    pub folder: &'a Path,
}

impl Deploying<'_> {
    /// Sets the exchange up, runs again, and has a changed configuration noticed, applied and taken
    /// back. Gives what the first two runs said.
    ///
    /// # Errors
    /// When a run does something else than it must.
    pub async fn all(&self) -> Result<[Value; 2]> {
        let config = self.args.market.clone();
        let first = self.agrees(&config, false).await?;
        ensure!(first["changed"] == true, "the first run changed nothing");
        let second = self.agrees(&config, false).await?;
        ensure!(
            second["changed"] == false,
            "the second run changed something: {second}"
        );

        let changed = self.with_fee(&config, 6)?;
        let (code, noticed) = self.run(&changed, false).await?;
        let difference = &noticed["markets"][0]["differences"][0];
        ensure!(
            code == Some(DIFFERS)
                && noticed["changed"] == false
                && difference["field"] == "risk.taker_fee_bps"
                && difference["on_chain"] == "5"
                && difference["configured"] == "6",
            "a changed fee was not reported as it must be: {noticed}"
        );
        for config in [&changed, &config] {
            let updated = self.agrees(config, true).await?;
            let action = &updated["markets"][0]["action"];
            ensure!(action == "risk updated", "the market is {action}");
        }
        Ok([first, second])
    }

    /// A run after which everything is as configured.
    async fn agrees(&self, config: &Path, update_risk: bool) -> Result<Value> {
        let (code, said) = self.run(config, update_risk).await?;
        ensure!(code == Some(0), "something differs after `deploy`: {said}");
        Ok(said)
    }

    async fn run(&self, config: &Path, update_risk: bool) -> Result<(Option<i32>, Value)> {
        let mut command = Command::new(self.args.bin("deploy"));
        command.args(["--url", self.url, "--output", "json", "--create-test-mint"]);
        command.arg("--keypair").arg(self.keypair);
        command.arg("--config").arg(config);
        if update_risk {
            command.arg("--update-risk");
        }
        let output = command.kill_on_drop(true).output().await;
        let output = output.context("`deploy` could not be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout);
        let report = report.with_context(|| format!("`deploy` failed: {said}"))?;
        Ok((output.status.code(), report))
    }

    /// The configuration with another taker's fee.
    fn with_fee(&self, config: &Path, bps: u32) -> Result<PathBuf> {
        let text = std::fs::read_to_string(config)?;
        let changed = text.replace("taker_fee_bps = 5\n", &format!("taker_fee_bps = {bps}\n"));
        ensure!(
            changed != text,
            "the configuration has another fee than expected"
        );
        let file = self.folder.join("changed.toml");
        std::fs::write(&file, changed)?;
        Ok(file)
    }
}
