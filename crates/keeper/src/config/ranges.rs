//! Which values a setting may have.

use super::{Config, ConfigError};

impl Config {
    /// Whether every value is within its range.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (work, every) = (&self.work, &self.intervals);
        within(
            "work.max_in_flight",
            work.max_in_flight,
            1..=64,
            "expected 1 to 64",
        )?;
        within(
            "work.max_counterparties",
            work.max_counterparties,
            1..=32,
            "expected 1 to 32",
        )?;
        within("work.spares", work.spares, 0..=16, "expected 0 to 16")?;
        let room = "expected at least 10000: less would not meet the initial margin";
        within(
            "work.takeover_room_bps",
            work.takeover_room_bps,
            10_000..=u32::MAX,
            room,
        )?;
        let funding = "expected at least 1 second";
        within(
            "work.funding_seconds",
            work.funding_seconds,
            1..=u64::MAX,
            funding,
        )?;
        within(
            "work.sync_pool_bps",
            work.sync_pool_bps,
            0..=10_000,
            "expected 0 to 10000",
        )?;
        within(
            "fees.percentile",
            self.fees.percentile,
            0..=100,
            "expected 0 to 100",
        )?;
        let some = "expected at least 1";
        within(
            "intervals.poll_ms",
            every.poll_ms,
            100..=u64::MAX,
            "expected at least 100",
        )?;
        within(
            "intervals.check_ms",
            every.check_ms,
            100..=u64::MAX,
            "expected at least 100",
        )?;
        within(
            "intervals.resync_seconds",
            every.resync_seconds,
            1..=u64::MAX,
            some,
        )?;
        let polled = every.polled_resync_seconds;
        within(
            "intervals.polled_resync_seconds",
            polled,
            1..=u64::MAX,
            some,
        )?;
        within(
            "intervals.silence_ms",
            every.silence_ms,
            1_000..=u64::MAX,
            "expected at least 1000",
        )?;
        within(
            "intervals.retry_ms",
            every.retry_ms,
            10..=60_000,
            "expected 10 to 60000",
        )?;
        let mut seen = std::collections::BTreeSet::new();
        for market in &self.market {
            if !seen.insert(market.index) {
                return Err(ConfigError::OutOfRange {
                    field: "market.index",
                    value: market.index.to_string(),
                    expected: "the market is named twice",
                });
            }
        }
        Ok(())
    }
}

fn within<T: PartialOrd + ToString>(
    field: &'static str,
    value: T,
    range: core::ops::RangeInclusive<T>,
    expected: &'static str,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        field,
        value: value.to_string(),
        expected,
    })
}
