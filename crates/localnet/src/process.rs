//! Processes that end with the run, each with a log.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{bail, Context, Result};
use tokio::process::{Child, Command};

/// Lines of a log that a failure shows.
const TAIL: usize = 25;

/// A process. Dropping it kills it.
pub struct Process {
    /// What it is called in messages; its log has the same name.
    pub name: String,
    /// File that its output goes to.
    pub log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts a command; what it prints goes to `NAME.log` in the folder, after what is there.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, logs: &Path, command: &mut Command) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("{} cannot be written", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        Ok(Self {
            name: name.to_owned(),
            log,
            child,
        })
    }

    /// Fails when the process has ended.
    ///
    /// # Errors
    /// With how it ended.
    pub fn require_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!(
                "{} ended ({status}); its log: {}",
                self.name,
                self.log.display()
            ),
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When that takes longer than `limit`; it is killed then.
    pub async fn ended(mut self, limit: Duration) -> Result<ExitStatus> {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                self.kill().await?;
                bail!("{} did not end within {} s", self.name, limit.as_secs());
            }
        }
    }

    /// Kills it at once, without a chance to tidy up.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end (SIGTERM) and waits until it has, as it may by itself where a terminal tells a whole group.
    ///
    /// # Errors
    /// When it takes longer than `limit`; it is killed then.
    pub async fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        let id = self.child.id().context("it has ended before")?;
        // Where it cannot be asked it has ended, or does not within the limit.
        let _asked = Command::new("kill").arg(id.to_string()).status().await?;
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                self.kill().await?;
                bail!("{} did not end within {} s", self.name, limit.as_secs());
            }
        }
    }
}

/// The last lines of every log in a folder, for people.
pub fn tails(logs: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(logs) else {
        return String::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    paths.sort();
    let mut text = String::new();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = log.lines().collect();
        let first = lines.len().saturating_sub(TAIL);
        text += &format!("--- the end of {}\n", path.display());
        for line in &lines[first..] {
            text += line;
            text.push('\n');
        }
    }
    text
}
