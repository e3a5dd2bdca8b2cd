//! Keepers: the `ballast-keeper` command as a process, with a wallet and an account of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::process::Command;

use crate::report::KeeperFigures;
use crate::stage::Stage;
use crate::Args;
use ballast_localnet::keeper::configuration;
use ballast_localnet::people::Person;
use ballast_localnet::population::USD;
use ballast_localnet::process::Process;
use ballast_localnet::venue::{airdrop, keypair_file};
use ballast_localnet::wait::until;

/// What a keeper deposits to take positions over with.
const DEPOSIT: u64 = 50_000 * USD;
/// How long a keeper may take to see everything.
const READY_LIMIT: Duration = Duration::from_secs(40);
/// How long it may take to end when it is told to.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);

/// A keeper. Dropping it kills it.
pub struct Keeper {
    /// Its wallet and account.
    pub person: Person,
    binary: PathBuf,
    config: PathBuf,
    /// What stands in it.
    text: String,
    logs: PathBuf,
    address: String,
    process: Option<Process>,
    /// What earlier processes of it counted.
    past: Counts,
}

/// Transactions by what became of them.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sent: u64,
    won: u64,
    lost: u64,
    failed: u64,
    expired: u64,
}

/// What `/health` says.
pub struct Condition {
    /// Whether it is well.
    pub well: bool,
    /// What `/health` said.
    pub text: String,
}

impl Keeper {
    /// Sets a wallet and an account up; the keeper asks the node at `url` and serves its pages on a
    /// port. `funded`: whether the wallet can pay.
    ///
    /// # Errors
    /// When a transaction does not land.
    pub async fn new(
        stage: &Stage,
        args: &Args,
        name: &str,
        url: &str,
        port: u16,
        funded: bool,
    ) -> Result<Self> {
        let wallet = Keypair::new();
        if funded {
            airdrop(&stage.cluster, &wallet.pubkey()).await?;
        }
        let folder = stage.folder.path();
        let keypair = keypair_file(folder, name, &wallet)?;
        let person = stage.person_of(name.to_owned(), wallet, DEPOSIT).await?;
        let address = format!("127.0.0.1:{port}");
        let state = folder.join(format!("{name}-state"));
        let text = configuration(url, &keypair, &state, &address);
        let config = folder.join(format!("{name}.toml"));
        std::fs::write(&config, &text)?;
        Ok(Self {
            person,
            binary: args.bin("ballast-keeper"),
            config,
            text,
            logs: stage.logs.clone(),
            address,
            process: None,
            past: Counts::default(),
        })
    }

    /// Name of the keeper.
    pub fn name(&self) -> &str {
        &self.person.name
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.config);
        self.process = Some(Process::start(self.name(), &self.logs, &mut command)?);
        Ok(())
    }

    /// One pass over everything by a process of its own (`--once`), which must end well; what it
    /// logged. `dry`: nothing is sent.
    ///
    /// # Errors
    /// When it ends badly.
    pub async fn pass(&self, dry: bool) -> Result<String> {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.config).arg("--once");
        command.args(dry.then_some("--dry-run"));
        let output = command.kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let status = output.status;
        ensure!(
            status.success(),
            "a pass of {} ended with {status}: {said}",
            self.name()
        );
        Ok(said)
    }

    /// What `check-config` says of its configuration with `to` in place of `from`, which it must refuse.
    ///
    /// # Errors
    /// When it does not.
    pub async fn refused(&self, from: &str, to: &str) -> Result<String> {
        let text = std::fs::read_to_string(&self.config)?;
        let changed = text.replace(from, to);
        ensure!(changed != text, "the configuration has no `{from}`");
        let file = self.config.with_extension("refused.toml");
        std::fs::write(&file, changed)?;
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&file).arg("check-config");
        let output = command.kill_on_drop(true).output().await?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        ensure!(
            output.status.code() == Some(2),
            "`check-config` ended with {}: {said}",
            output.status
        );
        Ok(said)
    }

    /// Waits until it is well.
    ///
    /// # Errors
    /// When that takes too long, with what it says.
    pub async fn well(&self) -> Result<()> {
        let what = format!("{} being well", self.name());
        until(&what, READY_LIMIT, || async {
            let condition = self.condition().await?;
            ensure!(condition.well, "{}", condition.text);
            Ok(Some(()))
        })
        .await
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn condition(&self) -> Result<Condition> {
        let answer = reqwest::get(format!("http://{}/health", self.address)).await?;
        Ok(Condition {
            well: answer.status().is_success(),
            text: answer.text().await?,
        })
    }

    /// Kills it without warning (SIGKILL).
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> Result<()> {
        self.note().await?;
        let mut process = self.process.take().context("it does not run")?;
        process.kill().await
    }

    /// Tells it to end (SIGTERM); it must end well.
    ///
    /// # Errors
    /// When it does not.
    pub async fn stop(&mut self) -> Result<()> {
        self.note().await?;
        let mut process = self.process.take().context("it does not run")?;
        let status = process.terminate(DRAIN_LIMIT).await?;
        ensure!(status.success(), "{} ended with {status}", self.name());
        Ok(())
    }

    /// Ends it and starts it again with `more` in its configuration.
    ///
    /// # Errors
    /// When it does not end well, or does not become well again.
    pub async fn restart_with(&mut self, more: &str) -> Result<()> {
        self.stop().await?;
        std::fs::write(&self.config, format!("{}{more}", self.text))?;
        self.start()?;
        self.well().await
    }

    /// How many transactions of a kind the running process has won.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn won(&self, kind: &str) -> Result<u64> {
        let text = self.page().await?;
        let series = format!("ballast_keeper_won_total{{kind=\"{kind}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        let count = line.with_context(|| format!("no metric of the kind {kind}"))?;
        Ok(count.parse()?)
    }

    /// Fails when it has ended by itself.
    ///
    /// # Errors
    /// With how it ended.
    pub fn require_running(&mut self) -> Result<()> {
        match &mut self.process {
            Some(process) => process.require_running(),
            None => bail!("{} was not started", self.person.name),
        }
    }

    /// What all its processes did.
    ///
    /// # Errors
    /// When the running one does not answer.
    pub async fn figures(&self) -> Result<KeeperFigures> {
        let mut counts = self.past;
        if self.process.is_some() {
            counts.add(self.counts().await?);
        }
        Ok(KeeperFigures {
            name: self.name().to_owned(),
            sent: counts.sent,
            won: counts.won,
            lost: counts.lost,
            failed: counts.failed,
            expired: counts.expired,
        })
    }

    async fn note(&mut self) -> Result<()> {
        let counts = self.counts().await?;
        self.past.add(counts);
        Ok(())
    }

    async fn counts(&self) -> Result<Counts> {
        let metrics = self.metrics().await?;
        let total = |name: &str| {
            metrics
                .get(&format!("ballast_keeper_{name}_total"))
                .copied()
        };
        let total = |name: &str| total(name).with_context(|| format!("no metric {name}"));
        Ok(Counts {
            sent: total("sent")?,
            won: total("won")?,
            lost: total("lost")?,
            failed: total("failed")?,
            expired: total("expired")?,
        })
    }

    /// Its counters, summed over labels.
    ///
    /// # Errors
    /// When it does not answer.
    async fn metrics(&self) -> Result<BTreeMap<String, u64>> {
        Ok(sums(&self.page().await?))
    }

    /// Its page of metrics.
    async fn page(&self) -> Result<String> {
        let answer = reqwest::get(format!("http://{}/metrics", self.address)).await?;
        Ok(answer.text().await?)
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.won += other.won;
        self.lost += other.lost;
        self.failed += other.failed;
        self.expired += other.expired;
    }
}

/// Whole numbers of Prometheus' text format, summed over labels.
fn sums(text: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let name = series.split('{').next().unwrap_or(series);
        if let Ok(value) = value.parse::<u64>() {
            *sums.entry(name.to_owned()).or_default() += value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_their_labels() {
        let text =
            "# TYPE a_total counter\na_total{kind=\"x\"} 2\na_total{kind=\"y\"} 3\nb 1\nc 0.5\n";
        let expected = [("a_total", 5), ("b", 1)];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(sums(text), BTreeMap::from(expected));
    }
}
