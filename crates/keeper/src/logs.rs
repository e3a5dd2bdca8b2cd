//! Log lines, as text or JSON, without secrets.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Logs};
use crate::identity::Secrets;

/// Writes log lines to standard error from now on. `RUST_LOG`, where it is set, counts more than
/// the configuration.
///
/// # Errors
/// When the filter means nothing.
pub fn start(logs: &Logs, secrets: Secrets) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) => EnvFilter::try_new(filter)?,
        Err(_) => EnvFilter::try_new(&logs.filter)?,
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Censor { secrets });
    let started = match logs.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logs cannot be written: {error}"))
}

/// Standard error without the secrets.
struct Censor {
    secrets: Secrets,
}

impl<'a> MakeWriter<'a> for Censor {
    type Writer = Censored<'a, io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Censored {
            secrets: &self.secrets,
            line: Vec::new(),
            to: io::stderr(),
        }
    }
}

/// One line, written when it is complete.
struct Censored<'a, W: Write> {
    secrets: &'a Secrets,
    line: Vec<u8>,
    to: W,
}

impl<W: Write> Write for Censored<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let shown = self.secrets.hide(&String::from_utf8_lossy(&line));
        self.to.write_all(shown.as_bytes())?;
        self.to.flush()
    }
}

impl<W: Write> Drop for Censored<'_, W> {
    fn drop(&mut self) {
        // There is nowhere to say that standard error is closed.
        drop(self.flush());
    }
}
