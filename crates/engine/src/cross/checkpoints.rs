//! How far marks and funding have gone since a moment: the ranges they were seen in since checkpoints.
//!
//! Each checkpoint keeps the high and low of every market's mark and funding index since it was opened.
//! A record belongs to the newest checkpoint that is live and not after it, whose range holds everything
//! since the record. Ranges of older checkpoints hold those of newer ones, so that dropping one leaves its
//! records with a wider range, never with too narrow a one.

use bytemuck::{Pod, Zeroable};

use super::drift::ENDLESS_PPM;
use super::{CrossError, MOST_MARKETS};
use crate::error::EngineError;
use crate::math::{div_rem, product};
use crate::units::{FundingIndex, LotPrice};

/// Most checkpoints.
pub const MOST_CHECKPOINTS: usize = 16;
/// A way since the newest checkpoint above this opens the next, millionths.
pub const NEXT_CHECKPOINT_PPM: u32 = 100_000;
/// What a way in atoms is multiplied by, over a mark times basis points, to be millionths.
const SCALE: u64 = 10_000_000_000;
/// Ways whose product with [`SCALE`] stays within 64 bits.
const SHORT_WAY: u64 = u64::MAX / SCALE;

/// Where a market's mark and funding index have been.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Range {
    /// Highest mark, atoms a lot.
    pub high: u64,
    /// Lowest mark, atoms a lot; 0 while the market has none.
    pub low: u64,
    /// Highest funding index.
    pub funding_high: FundingIndex,
    /// Lowest funding index.
    pub funding_low: FundingIndex,
}

impl Range {
    /// One point.
    #[must_use]
    pub const fn at(mark: LotPrice, funding: FundingIndex) -> Self {
        Self {
            high: mark.get(),
            low: mark.get(),
            funding_high: funding,
            funding_low: funding,
        }
    }

    /// The same with one more point.
    #[must_use]
    pub fn with(&self, mark: LotPrice, funding: FundingIndex) -> Self {
        if self.low == 0 {
            return Self::at(mark, funding);
        }
        Self {
            high: self.high.max(mark.get()),
            low: self.low.min(mark.get()),
            funding_high: self.funding_high.max(funding),
            funding_low: self.funding_low.min(funding),
        }
    }

    /// The longest way of mark less funding within it, atoms a lot; `None` beyond 64 bits.
    fn way(&self) -> Option<u64> {
        let marks = self.high.abs_diff(self.low);
        let funding = self.funding_high.get().abs_diff(self.funding_low.get());
        marks.checked_add(funding)
    }

    /// That way in units of a lot's maintenance at `mark`, millionths, rounded up; [`ENDLESS_PPM`] beyond
    /// 32 bits or without maintenance.
    #[must_use]
    pub fn kappa_ppm(&self, mark: LotPrice, maintenance_bps: u32) -> u32 {
        // 31 by 32 bits.
        let unit = mark.get().wrapping_mul(u64::from(maintenance_bps));
        let Some(way) = self.way().filter(|_| unit > 0) else {
            return ENDLESS_PPM;
        };
        if way <= SHORT_WAY {
            let scaled = way.wrapping_mul(SCALE);
            return u32::try_from(scaled.div_ceil(unit)).unwrap_or(ENDLESS_PPM);
        }
        match div_rem(product(way, SCALE), unit) {
            Ok((whole, rest)) => u32::try_from(whole)
                .ok()
                .and_then(|whole| whole.checked_add(u32::from(rest > 0)))
                .unwrap_or(ENDLESS_PPM),
            Err(_) => ENDLESS_PPM,
        }
    }
}

/// Where every market has been since one moment.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Checkpoint {
    /// Number of the checkpoint; the later has the greater.
    pub id: u32,
    /// Zero.
    pub _pad: u32,
    /// The markets in the order of the board.
    pub ranges: [Range; MOST_MARKETS],
}

/// What a market's way is measured by: its mark now and the least rate of its maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yardstick {
    /// Mark, atoms a lot.
    pub mark: LotPrice,
    /// Funding index at that mark.
    pub funding: FundingIndex,
    /// Basis points.
    pub maintenance_bps: u32,
}

impl Checkpoint {
    /// The longest way of any market since, millionths of its maintenance; the present points included.
    #[must_use]
    pub fn kappa_ppm(&self, now: &[Option<Yardstick>; MOST_MARKETS]) -> u32 {
        let ways = self.ranges.iter().zip(now).filter_map(|(range, now)| {
            let now = (*now)?;
            let range = range.with(now.mark, now.funding);
            Some(range.kappa_ppm(now.mark, now.maintenance_bps))
        });
        ways.max().unwrap_or(0)
    }
}

/// The live checkpoints, oldest first.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Checkpoints {
    /// Live ones.
    pub count: u32,
    /// Number of the next.
    pub next_id: u32,
    /// The first `count` are in use.
    pub list: [Checkpoint; MOST_CHECKPOINTS],
}

impl Checkpoints {
    /// Those that are live. `BoardLayout`.
    pub fn live(&self) -> Result<&[Checkpoint], CrossError> {
        let count = usize::try_from(self.count).ok();
        count
            .and_then(|count| self.list.get(..count))
            .filter(|live| !live.is_empty())
            .ok_or(CrossError::BoardLayout)
    }

    fn live_mut(&mut self) -> Result<&mut [Checkpoint], CrossError> {
        let count = usize::try_from(self.count).ok();
        count
            .and_then(|count| self.list.get_mut(..count))
            .filter(|live| !live.is_empty())
            .ok_or(CrossError::BoardLayout)
    }

    /// Number of the newest: what a record made now belongs to. `BoardLayout`.
    pub fn newest(&self) -> Result<u32, CrossError> {
        let newest = self.live()?.last();
        newest
            .map(|newest| newest.id)
            .ok_or(CrossError::BoardLayout)
    }

    /// Takes a market's present point into every range. `BoardLayout`.
    pub fn extend(
        &mut self,
        place: usize,
        mark: LotPrice,
        funding: FundingIndex,
    ) -> Result<(), CrossError> {
        for checkpoint in self.live_mut()? {
            let range = checkpoint.ranges.get_mut(place);
            let range = range.ok_or(CrossError::BoardLayout)?;
            *range = range.with(mark, funding);
        }
        Ok(())
    }

    /// Opens the next checkpoint where the way since the newest is above [`NEXT_CHECKPOINT_PPM`]; the
    /// first at once. Whether it did. `BoardLayout`; `Overflow` after 2^32 of them.
    pub fn open_if_due(
        &mut self,
        now: &[Option<Yardstick>; MOST_MARKETS],
    ) -> Result<bool, CrossError> {
        if self.count > 0 {
            let live = self.live()?;
            let newest = live.last().ok_or(CrossError::BoardLayout)?;
            if newest.kappa_ppm(now) <= NEXT_CHECKPOINT_PPM {
                return Ok(false);
            }
            if live.len() == MOST_CHECKPOINTS {
                let gone = self.least_needed(now)?;
                self.list.copy_within(gone.wrapping_add(1).., gone);
                self.count = self.count.wrapping_sub(1);
            }
        }
        let mut next = Checkpoint {
            id: self.next_id,
            ..Checkpoint::default()
        };
        for (range, now) in next.ranges.iter_mut().zip(now) {
            if let Some(now) = now {
                *range = Range::at(now.mark, now.funding);
            }
        }
        let place = usize::try_from(self.count).ok();
        let place = place.and_then(|place| self.list.get_mut(place));
        *place.ok_or(CrossError::BoardLayout)? = next;
        self.count = self.count.wrapping_add(1);
        let following = self.next_id.checked_add(1);
        self.next_id = following.ok_or(EngineError::Overflow)?;
        Ok(true)
    }

    /// The checkpoint whose neighbours differ least, the first of equals; neither the oldest, to which
    /// records of any age belong, nor the one about to be opened, which is the last one's neighbour.
    fn least_needed(&self, now: &[Option<Yardstick>; MOST_MARKETS]) -> Result<usize, CrossError> {
        let live = self.live()?;
        let mut kappas = [0_u32; MOST_CHECKPOINTS];
        for (kappa, checkpoint) in kappas.iter_mut().zip(live) {
            *kappa = checkpoint.kappa_ppm(now);
        }
        let after = kappas.iter().skip(2).copied().chain([0]);
        let gaps = kappas
            .iter()
            .zip(after)
            .map(|(before, after)| before.abs_diff(after));
        let least = gaps.enumerate().min_by_key(|(_, gap)| *gap);
        // The neighbours of a gap lie on both sides of the one after its first.
        least
            .map(|(before, _)| before.wrapping_add(1))
            .ok_or(CrossError::BoardLayout)
    }
}
