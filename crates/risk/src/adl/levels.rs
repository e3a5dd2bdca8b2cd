//! At which prices somebody has to be looked at: liquidation prices, computed once, and again for those
//! whose position changed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ballast_engine::price_levels::liquidation_price;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{FundingIndex, LotPrice, Side, BPS_ONE};
use ballast_engine::EngineError;
use ballast_state::error::Result;

use super::snapshot::{of, Snapshot};

/// Liquidation prices of a snapshot, ticks, with the places of the accounts; those that a price passes
/// first come first.
#[derive(Clone, Debug)]
pub struct Levels {
    /// Of longs, falling.
    long: Vec<(u64, u32)>,
    /// Of shorts, rising.
    short: Vec<(u64, u32)>,
    /// Places of those whose distress is remembered: they are looked at from the first price on.
    pub(super) hot: Vec<u32>,
}

impl Levels {
    /// Those of `snapshot`.
    ///
    /// # Errors
    /// `PriceOutOfRange`, `RiskTiers`, `Overflow`.
    pub fn of(snapshot: &Snapshot) -> Result<Self> {
        let market = &snapshot.market;
        let now = snapshot.at.now.unix_timestamp;
        let index = market.funding_at(now)?.index;
        let mut levels = Self {
            long: Vec::new(),
            short: Vec::new(),
            hot: Vec::new(),
        };
        for (place, account) in (0_u32..).zip(&snapshot.accounts) {
            let position = account.slot.position()?.settle(index)?;
            let Some(side) = position.side() else {
                continue;
            };
            if account.slot.flagged_slot != 0 {
                levels.hot.push(place);
                continue;
            }
            let tick = market.oracle.atoms_per_lot_tick;
            if let Some(price) = liquidation_price(&position, market.params(), tick)? {
                levels.list(side).push((price.get(), place));
            }
        }
        levels.long.sort_unstable_by(|a, b| b.cmp(a));
        levels.short.sort_unstable();
        Ok(levels)
    }

    fn list(&mut self, side: Side) -> &mut Vec<(u64, u32)> {
        match side {
            Side::Long => &mut self.long,
            Side::Short => &mut self.short,
        }
    }
}

/// Whose liquidation price a path has passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed {
    cursors: [usize; 2],
    /// Those that changed on the way; shorts as they are, longs by falling price.
    long: BinaryHeap<(u64, u32)>,
    short: BinaryHeap<Reverse<(u64, u32)>>,
    /// Funding indices so far.
    range: Option<(i64, i64)>,
}

impl Passed {
    /// Back to the beginning of a path.
    pub fn reset(&mut self) {
        self.cursors = [0; 2];
        self.long.clear();
        self.short.clear();
        self.range = None;
    }

    /// Notes the liquidation price of a position that changed.
    pub fn note(&mut self, side: Side, ticks: u64, place: u32) {
        match side {
            Side::Long => self.long.push((ticks, place)),
            Side::Short => self.short.push(Reverse((ticks, place))),
        }
    }

    /// Takes out everybody of `levels` whose liquidation price the mark may have passed. Funding moves
    /// those prices: with equity `q (p - F) - X` and maintenance of at most `m` of the notional, a change
    /// of the index by `d` moves them by no more than `d / (1 - m)`. By so much, and a tick for rounding,
    /// somebody is looked at early.
    ///
    /// # Errors
    /// `Overflow`, `RiskTiers`.
    pub fn take(
        &mut self,
        levels: &Levels,
        params: &RiskParams,
        (mark, tick): (LotPrice, u64),
        index: FundingIndex,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let slack = self.slack(params, index)?.div_ceil(tick).saturating_add(1);
        let ticks = mark.get() / tick;
        let (low, high) = (ticks.saturating_sub(slack), ticks.saturating_add(slack));
        let [long, short] = &mut self.cursors;
        while let Some((_, place)) = levels.long.get(*long).filter(|one| one.0 >= low) {
            out.push(*place);
            *long += 1;
        }
        while let Some((_, place)) = levels.short.get(*short).filter(|one| one.0 <= high) {
            out.push(*place);
            *short += 1;
        }
        while let Some((_, place)) = self.long.peek().filter(|one| one.0 >= low) {
            out.push(*place);
            self.long.pop();
        }
        while let Some(Reverse((_, place))) = self.short.peek().filter(|one| one.0 .0 <= high) {
            out.push(*place);
            self.short.pop();
        }
        Ok(())
    }

    fn slack(&mut self, params: &RiskParams, index: FundingIndex) -> Result<u64> {
        let index = index.get();
        let (low, high) = self.range.unwrap_or((index, index));
        let (low, high) = (low.min(index), high.max(index));
        self.range = Some((low, high));
        if low == high {
            return Ok(0);
        }
        let tiers = params.active_tiers()?.iter();
        let worst = tiers
            .map(|tier| u64::from(tier.maintenance_margin_bps))
            .max();
        let left = BPS_ONE.saturating_sub(worst.unwrap_or(0)).max(1);
        let moved = u128::from(high.abs_diff(low)) * u128::from(BPS_ONE);
        let slack = u64::try_from(moved.div_ceil(u128::from(left)));
        Ok(slack.map_err(|_| EngineError::Overflow)?)
    }
}

/// Of a pair the part of a side.
pub(super) fn side_of<T>(pair: &[T; 2], side: Side) -> &T {
    &pair[of(side)]
}
