//! Times of a phase, and how they are printed.

use std::time::Duration;

/// Times of one phase.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of all do not exceed; zero without any.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(place).copied().unwrap_or_default()
    }

    /// A row of the table.
    pub fn row(&self, name: &str) -> String {
        let cells = [50, 90, 99, 100].map(|percent| milliseconds(self.percentile(percent)));
        format!("| {name} | {} | {} |", self.len(), cells.join(" | "))
    }
}

/// Milliseconds with three decimals.
pub fn milliseconds(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}
