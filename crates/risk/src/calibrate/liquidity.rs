//! What a market takes, and how long a position of some size takes to close.

use anyhow::{ensure, Result};
use serde::Serialize;

/// From a breach of maintenance until a keeper's transaction lands: the oldest price that a keeper may act on
/// and two of its rounds, seconds.
const LATENCY: f64 = 60.;
/// Slots between two steps of the ladder.
pub(super) const LADDER_INTERVAL_SLOTS: u64 = 10;
/// Steps of the ladder.
pub(super) const LADDER_STEPS: u64 = 3;
/// Seconds of a slot.
pub(super) const SLOT_SECONDS: f64 = 0.4;
/// Horizon of a small position unless another is asked for, seconds.
pub(super) const LEAST_HORIZON: f64 = 300.;
/// Part of the volume that a liquidation takes without moving the price by itself.
const PARTICIPATION: f64 = 0.1;
const DAY: f64 = 86_400.;
/// What is assumed where nothing is said: parts of the open interest.
const ASSUMED_DEPTH: f64 = 0.005;
const ASSUMED_VOLUME: f64 = 2.;
const ASSUMED_HALF_SPREAD_BPS: f64 = 4.;

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It was given.
    Given,
    /// It was read from a book.
    Book,
    /// Nothing was said; a part of the open interest is assumed.
    Assumed,
}

/// What a market takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Liquidity {
    /// What a side of the book takes at once within 1% of the mark, US dollars.
    pub depth_usd: f64,
    /// Where that comes from.
    pub depth_source: Source,
    /// Traded in a day, US dollars.
    pub volume_usd: f64,
    /// Where that comes from.
    pub volume_source: Source,
    /// From the mark to the best price, basis points.
    pub half_spread_bps: f64,
    /// Where that comes from.
    pub spread_source: Source,
}

impl Liquidity {
    /// What is assumed of a market with so much open interest, US dollars: a depth of 0.5% of it, a daily
    /// volume of twice it, and 4 basis points from the mark to the best price.
    #[must_use]
    pub fn assumed(open_interest_usd: f64) -> Self {
        Self {
            depth_usd: ASSUMED_DEPTH * open_interest_usd,
            depth_source: Source::Assumed,
            volume_usd: ASSUMED_VOLUME * open_interest_usd,
            volume_source: Source::Assumed,
            half_spread_bps: ASSUMED_HALF_SPREAD_BPS,
            spread_source: Source::Assumed,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        ensure!(
            [self.depth_usd, self.volume_usd]
                .iter()
                .all(|usd| (1. ..=1e15).contains(usd)),
            "depth and daily volume must be $1 or more, found {} and {}",
            self.depth_usd,
            self.volume_usd
        );
        ensure!(
            (0. ..=100.).contains(&self.half_spread_bps),
            "half of the spread is from 0 to 100 basis points, found {}",
            self.half_spread_bps
        );
        Ok(())
    }

    /// The notional, US dollars, of which everything is closed so many seconds after the breach: the depth at
    /// once, and a tenth of the volume from then on.
    pub(super) fn closed_within(&self, seconds: f64) -> f64 {
        let time = (seconds - Self::begins()).max(0.);
        self.depth_usd + PARTICIPATION * self.volume_usd / DAY * time
    }

    /// Seconds after the breach at which so much notional, US dollars, is closed.
    pub(super) fn time_to_close(&self, usd: f64) -> f64 {
        let slowly = (usd - self.depth_usd).max(0.);
        Self::begins() + slowly / (PARTICIPATION * self.volume_usd / DAY)
    }

    /// Seconds after the breach at which the ladder is through and a part of the volume begins to count.
    fn begins() -> f64 {
        LATENCY + LADDER_INTERVAL_SLOTS as f64 * LADDER_STEPS as f64 * SLOT_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_closed_in_a_longer_time() {
        let liquidity = Liquidity::assumed(864_000.);
        assert_eq!(liquidity.closed_within(10.), 4_320.);
        // A tenth of 1,728,000 dollars a day is 2 dollars a second.
        assert!((liquidity.closed_within(172.) - 4_520.).abs() < 1e-9);
        assert!((liquidity.time_to_close(4_520.) - 172.).abs() < 1e-9);
    }
}
