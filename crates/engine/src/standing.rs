//! Where one position stands in its queue: how many are cut before it, and at which
//! mark it would be the first.

mod first;

use core::cmp::Ordering;

use crate::error::EngineError;
use crate::queue::QueueRef;
use crate::rank::{light, Class, Exposure, Ranked, Round};

pub use first::{price_to_be_first, Band};

/// Where a position stands among all of its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The position with its class and its score.
    pub ranked: Ranked,
    /// Positions ranked before it; 0 is the first to be cut. Those at their cap count.
    pub rank: u32,
    /// Positions that may be cut: solvent at the close price.
    pub eligible: u32,
    /// Indicator, see [`light_of`].
    pub light: u8,
    /// Lots of the positions ranked before it.
    pub lots_ahead: u64,
    /// Worth of these lots at the mark, atoms.
    pub notional_ahead: u128,
    /// The part of `lots_ahead` that the passes which count may still cut.
    pub cuttable_ahead: u64,
}

impl Standing {
    /// The standing of the position at `node`: one comparison with every other. `NodeNotFound`;
    /// `WrongSide` when the round ranks the other side; the errors of [`Ranked::new`].
    pub fn of(queue: &QueueRef<'_>, round: &Round, node: u32) -> Result<Self, EngineError> {
        if queue.side() != round.side {
            return Err(EngineError::WrongSide);
        }
        let own = queue.entry(node)?;
        let exposure = Exposure::of_entry(own, round.side, round.funding_index);
        let own = Ranked::new(round, &exposure)?;
        let mut standing = Self {
            ranked: own,
            rank: 0,
            eligible: 0,
            light: 0,
            lots_ahead: 0,
            notional_ahead: 0,
            cuttable_ahead: 0,
        };
        for step in queue.iter() {
            let (index, entry) = step?;
            let exposure = Exposure::of_entry(entry, round.side, round.funding_index);
            let ranked = Ranked::new(round, &exposure)?;
            if ranked.class > Class::Ineligible {
                // Nodes are numbered by `u32`.
                standing.eligible = standing.eligible.wrapping_add(1);
            }
            if index != node && ranked.compare(&own)? == Ordering::Greater {
                let cap = round.cap_left(exposure.lots, entry.stamp())?;
                standing.count(round, &ranked, cap)?;
            }
        }
        standing.light = light_of(own.class, standing.rank, standing.eligible);
        Ok(standing)
    }

    /// Counts a position ranked before.
    fn count(&mut self, round: &Round, ahead: &Ranked, cap: u64) -> Result<(), EngineError> {
        let lots = ahead.exposure.lots;
        let worth = round.mark.notional(lots)?;
        let cuttable = if ahead.class > Class::Ineligible {
            cap
        } else {
            0
        };
        // Fewer than 2^32 positions of fewer than 2^32 lots worth less than 2^63 each.
        self.rank = self.rank.wrapping_add(1);
        self.lots_ahead = self.lots_ahead.wrapping_add(lots);
        self.notional_ahead = self.notional_ahead.wrapping_add(u128::from(worth));
        self.cuttable_ahead = self.cuttable_ahead.wrapping_add(cuttable);
        Ok(())
    }
}

/// Indicator of a position that `rank` of `eligible` others precede: 5 in the first fifth, 1 in
/// the last, 0 when it cannot be cut.
#[must_use]
pub fn light_of(class: Class, rank: u32, eligible: u32) -> u8 {
    match class {
        Class::Ineligible => 0,
        Class::Other | Class::Winner => light(rank, eligible),
    }
}
