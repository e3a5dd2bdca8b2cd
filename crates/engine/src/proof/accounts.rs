//! The walk of a cross queue. See [`crate::cross::walk`].

use core::cmp::Ordering;

use super::bound::Bound;
use super::narrow::Narrow;
use super::{precedes, slot, Waiting, Walk, NOWHERE};
use crate::cross::board::Drifts;
use crate::cross::checkpoints::MOST_CHECKPOINTS;
use crate::cross::drift::{Drift, PriceMap};
use crate::cross::entry::CrossEntry;
use crate::cross::queue::CrossQueueRef;
use crate::error::EngineError;
use crate::math::{div_rem, product};
use crate::queue::QueueEntry;
use crate::rank::{Exposure, Ranked, Round};
use crate::slab::NIL;
use crate::units::{Side, BPS_ONE};

/// What a round knows of records.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// Their accounts are above maintenance, and records are off by so much at most.
    Health {
        /// By the checkpoint of a record.
        drifts: &'a Drifts,
        /// Least rate of maintenance of the market, basis points.
        maintenance_bps: u32,
    },
    /// Nothing: they are ranked as recorded, and those without equity by record are passed over.
    Record,
}

/// Finds a leg that is not at its cap, not among the `known`, not too weak by a record fresh in `slot`, and whose
/// account may rank above `last` by more than the tolerance; with no `last`, one that may be cut at all.
///
/// `known` are the nodes, ascending, of the accounts valued exactly in this call. Errors: `WrongSide`,
/// those of a corrupt queue.
pub fn first_skipped_account(
    queue: &CrossQueueRef<'_>,
    round: &Round,
    last: Option<&Ranked>,
    evidence: &Evidence<'_>,
    known: &[u32],
    slot: u64,
) -> Result<Walk, EngineError> {
    if queue.side() != round.side {
        return Err(EngineError::WrongSide);
    }
    round.check()?;
    let search = Search {
        queue,
        round,
        last,
        known,
        slot,
        maps: Maps::new(round, evidence)?,
    };
    let best = match queue.tree().root() {
        NIL => 0,
        root => queue.tree().linked(root)?.position.best_entry_q32,
    };
    match Bound::new(round, last, round.rank_tolerance_bps)?.up_to_mark() {
        Bound::All => search.walk(|_, _| true),
        Bound::Long(fast) => match Narrow::long(&fast, best) {
            Some(narrow) => search.walk(|e, b| narrow.admits_long(e, b)),
            None => search.walk(|e, b| fast.admits_long(e, b)),
        },
        Bound::Short(fast) => match Narrow::short(&fast, best) {
            Some(narrow) => search.walk(|e, b| narrow.admits_short(e, b)),
            None => search.walk(|e, b| fast.admits_short(e, b)),
        },
        Bound::Exact(bound) => search.walk(|e, b| bound.admits(e, b)),
    }
}

/// Where bankruptcy prices can be, by checkpoint.
struct Maps<'a> {
    evidence: &'a Evidence<'a>,
    /// `None` where the mark less the funding index does not fit: then nothing is known of any price.
    maps: Option<[PriceMap; MOST_CHECKPOINTS]>,
    nearest: i64,
}

impl<'a> Maps<'a> {
    fn new(round: &Round, evidence: &'a Evidence<'a>) -> Result<Self, EngineError> {
        let nearest = match round.side {
            Side::Long => i64::MAX,
            Side::Short => i64::MIN,
        };
        let mark_q32 = i128::from(round.mark.get()) << 32;
        // 64 bits moved by 32.
        let pivot = mark_q32.wrapping_sub(i128::from(round.funding_index.get()) << 32);
        let Ok(pivot) = i64::try_from(pivot) else {
            return Ok(Self {
                evidence,
                maps: None,
                nearest,
            });
        };
        let map = |drift: &Drift, bps| PriceMap::new(drift, round.side, round.mark, pivot, bps);
        let maps = match evidence {
            Evidence::Record => [map(&Drift::NONE, 0)?; MOST_CHECKPOINTS],
            Evidence::Health {
                drifts,
                maintenance_bps,
            } => {
                let mut maps = [map(&Drift::NONE, *maintenance_bps)?; MOST_CHECKPOINTS];
                for (place, drift) in maps.iter_mut().zip(drifts.each()) {
                    *place = map(drift, *maintenance_bps)?;
                }
                maps
            }
        };
        Ok(Self {
            evidence,
            maps: Some(maps),
            nearest,
        })
    }

    /// The bankruptcy price nearest to the mark that an account of this record, or an older base, can have.
    #[inline(always)]
    fn nearest(&self, bankruptcy_q32: i64, base: u32) -> i64 {
        let Some(maps) = &self.maps else {
            return self.nearest;
        };
        let place = match self.evidence {
            Evidence::Health { drifts, .. } => drifts.place(base),
            Evidence::Record => 0,
        };
        maps.get(place)
            .map_or(self.nearest, |map| map.nearest(bankruptcy_q32))
    }

    /// The exposure with the least equity that its account can have; `None` where a record without
    /// equity is passed over.
    fn closest(
        &self,
        round: &Round,
        node: &CrossEntry,
        slot: u64,
    ) -> Result<Option<Exposure>, EngineError> {
        let recorded = Exposure::of_entry(&node.position, round.side, round.funding_index);
        let worth = round.mark.notional(recorded.lots)?;
        let equity = recorded.worth(round.mark)?.unwrap_or(0);
        let least = match self.evidence {
            Evidence::Record if equity == 0 => return Ok(None),
            Evidence::Record => return Ok(Some(recorded)),
            Evidence::Health {
                drifts,
                maintenance_bps,
            } => {
                let needed = product(worth, u64::from(*maintenance_bps));
                let (needed, _) = div_rem(needed, BPS_ONE)?;
                let needed = u64::try_from(needed).map_err(|_| EngineError::Overflow)?;
                let equity = if floored(round.side, &node.position) {
                    0
                } else {
                    equity
                };
                drifts
                    .of(node.base, node.is_fresh(slot))
                    .least_equity(equity, needed)
            }
        };
        // 64 bits each.
        let (worth, least) = (i128::from(worth), i128::from(least));
        Ok(Some(Exposure {
            bankruptcy: match round.side {
                Side::Long => worth.wrapping_sub(least),
                Side::Short => worth.wrapping_add(least),
            },
            ..recorded
        }))
    }
}

const fn floored(side: Side, node: &QueueEntry) -> bool {
    crate::cross::record::is_floored(side, node.bankruptcy_q32)
}

struct Search<'a> {
    queue: &'a CrossQueueRef<'a>,
    round: &'a Round,
    last: Option<&'a Ranked>,
    known: &'a [u32],
    slot: u64,
    maps: Maps<'a>,
}

impl Search<'_> {
    #[inline(never)]
    fn walk(&self, admits: impl Fn(u64, i64) -> bool) -> Result<Walk, EngineError> {
        let nodes = self.queue.tree().nodes();
        let epoch = self.round.first_epoch();
        let all = u64::from(self.queue.len());
        let mut left = all;
        let mut waiting = Waiting::new();
        let mut next = slot(self.queue.tree().root());
        let mut skipped = None;
        while next != NOWHERE {
            let node = nodes.get(next).ok_or(EngineError::TreeCorrupt)?;
            // More nodes than there are: a loop.
            left = left.checked_sub(1).ok_or(EngineError::TreeCorrupt)?;
            let position = &node.position;
            let best = |base| self.maps.nearest(position.best_bankruptcy_q32, base);
            if position.least_capped_epoch >= epoch
                || !admits(position.best_entry_q32, best(node.oldest_base()))
            {
                next = waiting.pop();
                continue;
            }
            let own = self.maps.nearest(position.bankruptcy_q32, node.base);
            if position.capped_epoch < epoch
                && !node.is_weak(self.round, self.slot)
                && admits(position.entry_q32, own)
                && self.passed_over(next, node)?
            {
                skipped = u32::try_from(next).ok();
                break;
            }
            next = waiting.descend(slot(position.left()), slot(position.right()))?;
        }
        Ok(Walk {
            skipped,
            visited: u32::try_from(all.wrapping_sub(left)).unwrap_or(u32::MAX),
        })
    }

    #[cold]
    #[inline(never)]
    fn passed_over(&self, index: usize, node: &CrossEntry) -> Result<bool, EngineError> {
        let index = u32::try_from(index).map_err(|_| EngineError::TreeCorrupt)?;
        let position = &node.position;
        let lots = u64::from(position.lots);
        if self.known.binary_search(&index).is_ok()
            || self.round.cap_left(lots, position.stamp())? == 0
        {
            return Ok(false);
        }
        let Some(closest) = self.maps.closest(self.round, node, self.slot)? else {
            return Ok(false);
        };
        let found = Ranked::of_account(self.round, &closest)?;
        ranks_above(self.round, &found, self.last)
    }
}

/// Whether somebody so ranked, who was not cut, was passed over when `last` was cut; always where nobody
/// was.
pub(crate) fn ranks_above(
    round: &Round,
    found: &Ranked,
    last: Option<&Ranked>,
) -> Result<bool, EngineError> {
    let Some(last) = last else {
        return Ok(true);
    };
    match found.class.cmp(&last.class) {
        Ordering::Greater => Ok(true),
        Ordering::Less => Ok(false),
        Ordering::Equal if round.rank_tolerance_bps == 0 => precedes(found, Some(last)),
        Ordering::Equal => found.score.beats(&last.score, round.rank_tolerance_bps),
    }
}
