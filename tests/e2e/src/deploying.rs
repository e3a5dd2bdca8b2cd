//! The `deploy` command, run as its users run it.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure, Context, Result};
use ballast_client::addresses;
use ballast_rpc::cluster::Cluster;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::process::Command;

use crate::Args;
use ballast_localnet::venue::keypair_file;

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
    /// Before there is an exchange: what cannot be is refused by a sentence and nothing is sent, and a
    /// dry run says everything that it would do.
    ///
    /// # Errors
    /// When a run says or does something else than it must.
    pub async fn beforehand(&self, cluster: &Cluster) -> Result<()> {
        let text = std::fs::read_to_string(&self.args.market)?;
        let file = |name: &str, text: String| -> Result<PathBuf> {
            let file = self.folder.join(name);
            std::fs::write(&file, text)?;
            Ok(file)
        };
        let queue = text.replace("queue_positions = 128", "queue_positions = 1_000_000");
        let feed = text.replace("feed_id = \"0xef", "feed_id = \"ef");
        let feed = feed.replace("c280b56d", "c280");
        let stranger = keypair_file(self.folder, "stranger", &Keypair::new())?;
        let (admin, test_mint) = (self.keypair, ["--create-test-mint"].as_slice());
        for (config, keypair, options, part) in [
            (
                &file("queue.toml", queue)?,
                admin,
                test_mint,
                "queue_positions is 1000000, expected 1 to",
            ),
            (
                &file("feed.toml", feed)?,
                admin,
                test_mint,
                "64 hexadecimal digits",
            ),
            (
                &self.args.market,
                &stranger,
                test_mint,
                "is created by its upgrade authority",
            ),
            (&self.args.market, admin, &[], "the exchange needs a mint"),
        ] {
            let output = self.command(config, keypair, options).output().await?;
            let said = String::from_utf8([output.stdout, output.stderr].concat())?;
            ensure!(
                output.status.code() == Some(1) && said.contains(part),
                "`deploy` does not say `{part}`: {said}"
            );
        }
        let options = ["--create-test-mint", "--dry-run", "--output", "json"];
        let command = self.command(&self.args.market, admin, &options);
        let output = { command }.output().await?;
        let said: Value = serde_json::from_slice(&output.stdout)?;
        let plan: Vec<&str> = said["plan"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let order = [
            "from the faucet",
            "make a mint",
            "create the exchange",
            "of tokens for insurance",
            "create market 0, SOL-PERP",
            "AUTHORITIES ACT AT ONCE",
            "SOL of rent",
        ];
        let planned = plan.len() == order.len()
            && plan
                .iter()
                .zip(order)
                .all(|(step, part)| step.contains(part));
        ensure!(said["dry_run"] == true && planned, "a dry run says: {said}");
        let admin =
            solana_keypair::read_keypair_file(admin).map_err(|problem| anyhow!("{problem}"))?;
        let (_, left) = cluster
            .accounts(&[addresses::exchange(), admin.pubkey()])
            .await?;
        ensure!(
            left.iter().all(Option::is_none),
            "something was sent before `deploy` was told to: {left:?}"
        );
        Ok(())
    }

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

        let changed = self.changed(&config, "taker_fee_bps = 5\n", "taker_fee_bps = 6\n")?;
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
        let grown = self.changed(&config, "queue_positions = 128", "queue_positions = 300")?;
        let (_, noticed) = self.run(&grown, false).await?;
        let remedy = &noticed["markets"][0]["differences"][0]["remedy"];
        ensure!(
            remedy == "ballast admin grow-queue --market SOL-PERP --side long --positions 300",
            "a queue that is too small is reported with {remedy}"
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
        let mut options = vec!["--output", "json", "--create-test-mint"];
        options.extend(update_risk.then_some("--update-risk"));
        let output = self.command(config, self.keypair, &options).output().await;
        let output = output.context("`deploy` could not be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout);
        let report = report.with_context(|| format!("`deploy` failed: {said}"))?;
        Ok((output.status.code(), report))
    }

    fn command(&self, config: &Path, keypair: &Path, options: &[&str]) -> Command {
        let mut command = Command::new(self.args.bin("deploy"));
        command.args(["--url", self.url]).args(options);
        command.arg("--keypair").arg(keypair);
        command.arg("--config").arg(config).kill_on_drop(true);
        command
    }

    /// The configuration with `to` in place of `from`.
    fn changed(&self, config: &Path, from: &str, to: &str) -> Result<PathBuf> {
        let text = std::fs::read_to_string(config)?;
        let changed = text.replace(from, to);
        ensure!(changed != text, "the configuration has no `{from}`");
        let field = to.split(' ').next().unwrap_or_default();
        let file = self.folder.join(format!("{field}.toml"));
        std::fs::write(&file, changed)?;
        Ok(file)
    }
}
