//! Between what a market's parameters may lie.

use core::ops::RangeInclusive;

/// Most risk tiers.
pub const MAX_TIERS: usize = 4;
/// Most ladder steps.
pub const MAX_LADDER_STEPS: usize = 4;
/// Highest trading fee, basis points.
pub const MAX_FEE_BPS: u32 = 1_000;
/// Highest absolute funding rate, millionths of the notional an hour.
pub const MAX_FUNDING_RATE_PPM: u32 = 10_000;

/// Bounds of the oldest price that serves for anything but reducing, seconds.
pub const OLDEST_PRICE_AGE_SECONDS: RangeInclusive<u64> = 5..=30;
/// Bounds of the oldest price for everything but funding, reducing and what was flagged before,
/// seconds.
pub const PRICE_AGE_SECONDS: RangeInclusive<u32> = 5..=15;
/// What 0 stands for in `RiskParams::price_age_seconds`.
pub const DEFAULT_PRICE_AGE_SECONDS: u32 = 10;
/// Bounds of the time for which prices have to be far from their average, seconds.
pub const DIVERGENCE_GRACE_SECONDS: RangeInclusive<u32> = 10..=120;
/// What 0 stands for in `RiskParams::divergence_grace_seconds`.
pub const DEFAULT_DIVERGENCE_GRACE_SECONDS: u32 = 30;
/// What 0 stands for in `RiskParams::oracle_dead_seconds`, and the least it may be: a day.
pub const DEFAULT_ORACLE_DEAD_SECONDS: u64 = 86_400;
/// The most: 30 days.
pub const MAX_ORACLE_DEAD_SECONDS: u64 = 2_592_000;
