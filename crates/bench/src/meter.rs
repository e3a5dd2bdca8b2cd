//! Collects figures while they are measured.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::figure::{Figure, Figures};

/// Figures measured so far, and which are wanted.
pub struct Meter {
    figures: Figures,
    only: String,
    bar: ProgressBar,
}

impl Meter {
    /// Measures what begins with `only`; `expected` figures are shown as the whole.
    pub fn new(only: &str, expected: usize) -> Self {
        let bar = ProgressBar::new(u64::try_from(expected).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{msg:60!} {bar:30} {pos}/{len} {elapsed}")
        {
            bar.set_style(style);
        }
        Self {
            figures: Figures::default(),
            only: only.to_owned(),
            bar,
        }
    }

    /// Whether any figure whose name begins with `prefix` is wanted.
    pub fn wants(&self, prefix: &str) -> bool {
        prefix.starts_with(&self.only) || self.only.starts_with(prefix)
    }

    /// Whether a figure has been measured.
    pub fn has(&self, name: &str) -> bool {
        self.figures.get(name).is_some()
    }

    /// Measures one transaction, unless its name is not wanted.
    pub fn measure(&mut self, name: &str, figure: impl FnOnce() -> Result<Figure>) -> Result<()> {
        if !name.starts_with(&self.only) {
            return Ok(());
        }
        self.bar.set_message(name.to_owned());
        let figure = figure().with_context(|| name.to_owned())?;
        self.bar.inc(1);
        self.figures.add(name, figure)
    }

    /// All figures.
    pub fn finish(self) -> Figures {
        self.bar.finish_and_clear();
        self.figures
    }
}
