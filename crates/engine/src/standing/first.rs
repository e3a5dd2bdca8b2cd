//! The mark nearest to the present one at which a position would be the first to be cut.
//!
//! From the mark outwards, either way: look at the rivals one after another, and wherever one
//! ranks before the position, go on to the nearest price at which it does not. A look at all of
//! them that changes nothing has found the price; a rival that stays ahead to the end says that
//! there is none. No price is passed by at which the position would be first.
//!
//! Where the position and a rival keep their class and their sign of profit, the difference of
//! their scores is, but for a positive factor, a quadratic in the price. With entry `e`,
//! bankruptcy price `b` and price `p` of longs, `i` for the position and `j` for the rival:
//!
//! ```text
//! in profit  (p-ei) ej (p-bj) - (p-ej) ei (p-bi)
//! in loss    (ej-p) (p-bj) ei - (ei-p) (p-bi) ej
//! ```
//!
//! and of shorts with every difference reversed. Its roots are not computed: an interval on
//! which it turns from negative is halved by the exact comparison of the ranking. Negative at
//! both ends it can be positive in between only in profit, and there its greatest value is found
//! by the sign of its growth. In loss, with `r <= s` the roots and `ej < ei`, a long rival would
//! have `bj = r + s - r s / ei > r`, insolvent where the lead begins, and a short position
//! `bi = r + s - r s / ej < s`, insolvent where it ends.
//!
//! One way takes at most `6 (n-1) + 1` looks at all of `n` positions, and never more than there
//! are prices: going one way the position passes at most three classes and signs and a rival
//! four, so that there are at most six stretches in which both keep theirs, three of them with
//! one and the same, in which the order changes at most twice. That is at most eleven changes,
//! hence six stretches in which one rival is ahead, and a look that changes something leaves one
//! of them. It leaves far more where they crowd, because the rivals come in no order of score; a
//! rival passed costs some hundred comparisons. Before each look the tree is asked who is first
//! ([`best_below`]), which ends most searches without any.

use core::cmp::Ordering;

use crate::error::EngineError;
use crate::math::{mul_wide, U256};
use crate::proof::best_below;
use crate::queue::{QueueEntry, QueueRef};
use crate::rank::{compare, Class, ClosePrice, Exposure, Ranked, Round};
use crate::units::{LotPrice, Side, Ticks, BPS_ONE, MAX_LOT_PRICE};

/// Prices to search, whole ticks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The lowest price of it.
    pub lowest: Ticks,
    /// The highest price of it.
    pub highest: Ticks,
}

impl Band {
    /// Every price there is.
    pub const ALL: Self = Self {
        lowest: Ticks::new(1),
        highest: Ticks::new(MAX_LOT_PRICE),
    };
}

/// The mark within `band`, nearest to that of `round`, at which the position at `node` would be
/// the first to be cut if everything closed at the mark, nobody had been cut before and the
/// funding index stayed: of two equally near ones the lower. `None` when there is none. A tick of
/// one lot is `atoms_per_lot_tick`; of `round` the side, the mark, the funding index and the least
/// profit of a winner count.
///
/// `NodeNotFound`; `WrongSide` when the round ranks the other side; `PriceOutOfRange` for a tick
/// of 0; the errors of [`compare`].
pub fn price_to_be_first(
    queue: &QueueRef<'_>,
    round: &Round,
    node: u32,
    atoms_per_lot_tick: u64,
    band: Band,
) -> Result<Option<Ticks>, EngineError> {
    if queue.side() != round.side {
        return Err(EngineError::WrongSide);
    }
    let own = Exposure::of_entry(queue.entry(node)?, round.side, round.funding_index);
    let search = Search {
        queue,
        round: Round {
            rank_tolerance_bps: 0,
            max_close_bps: ALL_BPS,
            epoch: u32::MAX,
            ..*round
        },
        node,
        own,
        tick: atoms_per_lot_tick,
    };
    let highest = MAX_LOT_PRICE
        .checked_div(atoms_per_lot_tick)
        .ok_or(EngineError::PriceOutOfRange)?;
    let mark = round.mark.get().checked_div(atoms_per_lot_tick);
    let mark = mark.ok_or(EngineError::PriceOutOfRange)?;
    let lowest = band.lowest.get().max(1);
    let Some((lowest, highest)) = search.solvent(lowest, band.highest.get().min(highest))? else {
        return Ok(None);
    };
    let above = search.along(Path::up(mark.max(lowest), highest))?;
    // No farther down than up.
    let lowest = above.map_or(lowest, |above| {
        let distance = above.saturating_sub(mark);
        lowest.max(mark.saturating_sub(distance))
    });
    let below = search.along(Path::down(mark.min(highest), lowest))?;
    Ok(below.or(above).map(Ticks::new))
}

/// [`BPS_ONE`] as a round has it.
const ALL_BPS: u32 = 10_000;
const _: () = assert!(BPS_ONE == 10_000);

/// Prices one way, by the number of ticks from where it begins.
#[derive(Clone, Copy)]
struct Path {
    start: u64,
    rises: bool,
    /// Steps to the last price; `None` when there is not even a first.
    last: Option<u64>,
}

impl Path {
    const fn up(start: u64, highest: u64) -> Self {
        Self {
            start,
            rises: true,
            last: highest.checked_sub(start),
        }
    }

    const fn down(start: u64, lowest: u64) -> Self {
        Self {
            start,
            rises: false,
            last: start.checked_sub(lowest),
        }
    }

    /// The price after so many steps, ticks; within the range of prices up to the last.
    const fn ticks(&self, steps: u64) -> u64 {
        if self.rises {
            self.start.wrapping_add(steps)
        } else {
            self.start.wrapping_sub(steps)
        }
    }
}

struct Search<'a> {
    queue: &'a QueueRef<'a>,
    round: Round,
    node: u32,
    own: Exposure,
    tick: u64,
}

impl Search<'_> {
    /// The round in which everything closes at this price.
    fn at(&self, ticks: u64) -> Result<Round, EngineError> {
        let mark = Ticks::new(ticks).lot_price(self.tick)?;
        Ok(Round {
            mark,
            close: at_mark(mark)?,
            ..self.round
        })
    }

    /// The prices from `lowest` to `highest` at which the position may be cut at all: for a long
    /// those above a certain one, for a short those below.
    fn solvent(&self, lowest: u64, highest: u64) -> Result<Option<(u64, u64)>, EngineError> {
        let solvent = |ticks| -> Result<bool, EngineError> {
            Ok(self.own.class(&self.at(ticks)?)? > Class::Ineligible)
        };
        let (best, worst) = match self.own.side {
            Side::Long => (highest, lowest),
            Side::Short => (lowest, highest),
        };
        if lowest > highest || !solvent(best)? {
            return Ok(None);
        }
        Ok(Some(match self.own.side {
            Side::Long => (first_where(worst, best, solvent)?, best),
            Side::Short => {
                let insolvent = |ticks| solvent(ticks).map(|solvent| !solvent);
                let end = if solvent(worst)? {
                    worst
                } else {
                    first_where(best, worst, insolvent)?.saturating_sub(1)
                };
                (best, end)
            }
        }))
    }

    /// The first price of the path at which the position is first in line, ticks.
    fn along(&self, path: Path) -> Result<Option<u64>, EngineError> {
        let Some(last) = path.last else {
            return Ok(None);
        };
        let mut step = 0;
        loop {
            let round = self.at(path.ticks(step))?;
            // The position itself may be cut, so somebody may.
            let first = best_below(self.queue, &round, None)?.ok_or(EngineError::TreeCorrupt)?;
            if first == self.node {
                return Ok(Some(path.ticks(step)));
            }
            let rival = self.exposure(self.queue.entry(first)?);
            let Some(passed) = self.duel(path, rival).won(step, last)? else {
                return Ok(None);
            };
            match self.past_all(path, passed, last)? {
                Some(beyond) if beyond > step => step = beyond,
                // Whoever is first is ahead.
                Some(_) => return Err(EngineError::TreeCorrupt),
                None => return Ok(None),
            }
        }
    }

    /// Goes on from `step` as far as the rivals push, each looked at once. `None` when one of
    /// them stays ahead to the end.
    fn past_all(&self, path: Path, step: u64, last: u64) -> Result<Option<u64>, EngineError> {
        let mut step = step;
        let mut round = self.at(path.ticks(step))?;
        let mut own = Ranked::new(&round, &self.own)?;
        for next in self.queue.iter() {
            let (node, entry) = next?;
            let rival = self.exposure(entry);
            if node == self.node || own.compare(&Ranked::new(&round, &rival)?)? == Ordering::Greater
            {
                continue;
            }
            let Some(passed) = self.duel(path, rival).won(step, last)? else {
                return Ok(None);
            };
            step = passed;
            round = self.at(path.ticks(step))?;
            own = Ranked::new(&round, &self.own)?;
        }
        Ok(Some(step))
    }

    fn exposure(&self, entry: &QueueEntry) -> Exposure {
        Exposure::of_entry(entry, self.round.side, self.round.funding_index)
    }

    const fn duel(&self, path: Path, rival: Exposure) -> Duel<'_> {
        Duel {
            search: self,
            path,
            rival,
        }
    }
}

/// What decides a position's place besides its score: its class, and whether it is in profit.
type Regime = (Class, bool);

/// The position against a rival, on a path.
struct Duel<'a> {
    search: &'a Search<'a>,
    path: Path,
    rival: Exposure,
}

impl Duel<'_> {
    fn round(&self, step: u64) -> Result<Round, EngineError> {
        self.search.at(self.path.ticks(step))
    }

    /// Whether the position ranks before the rival.
    fn leads(&self, step: u64) -> Result<bool, EngineError> {
        let order = compare(&self.round(step)?, &self.search.own, &self.rival)?;
        Ok(order == Ordering::Greater)
    }

    /// The first step from `from` to `last` at which the position leads.
    fn won(&self, from: u64, last: u64) -> Result<Option<u64>, EngineError> {
        let mut from = from;
        loop {
            let regimes = self.regimes(from)?;
            let changed = |step| self.regimes(step).map(|now| now != regimes);
            // A class or sign that has gone along a path does not come back.
            let next = if changed(last)? {
                Some(first_where(from, last, changed)?)
            } else {
                None
            };
            let end = next.map_or(last, |next| next.saturating_sub(1));
            if let Some(step) = self.won_within(from, end, regimes)? {
                return Ok(Some(step));
            }
            match next {
                Some(next) => from = next,
                None => return Ok(None),
            }
        }
    }

    /// The same where neither class nor sign changes.
    fn won_within(
        &self,
        from: u64,
        end: u64,
        (own, rival): (Regime, Regime),
    ) -> Result<Option<u64>, EngineError> {
        let leads = |step| self.leads(step);
        if leads(from)? {
            return Ok(Some(from));
        }
        if own != rival {
            return Ok(None);
        }
        let top = if leads(end)? {
            end
        } else if !own.1 {
            return Ok(None);
        } else {
            // Behind at both ends, it leads in between only around the greatest difference.
            let falls = |step| self.grows(step).map(|grows| !grows);
            let top = first_where(from, end, falls)?;
            if !leads(top)? {
                return Ok(None);
            }
            top
        };
        first_where(from, top, leads).map(Some)
    }

    /// Whether the difference is greater one step on. Only where both stay in profit.
    fn grows(&self, step: u64) -> Result<bool, EngineError> {
        let now = self.round(step)?.mark;
        let next = self.round(step.saturating_add(1))?.mark;
        let own = (
            Fraction::of(&self.search.own, now)?,
            Fraction::of(&self.search.own, next)?,
        );
        let rival = (
            Fraction::of(&self.rival, now)?,
            Fraction::of(&self.rival, next)?,
        );
        // next: own - rival > now: own - rival, every product below 2^224.
        let more = sum(own.1.times(&rival.1), rival.0.times(&own.0));
        let less = sum(rival.1.times(&own.1), own.0.times(&rival.0));
        Ok(more > less)
    }

    fn regimes(&self, step: u64) -> Result<(Regime, Regime), EngineError> {
        let round = self.round(step)?;
        let regime = |exposure: &Exposure| -> Result<Regime, EngineError> {
            Ok((exposure.class(&round)?, gains(exposure, round.mark)))
        };
        Ok((regime(&self.search.own)?, regime(&self.rival)?))
    }
}

/// `s/p` of a solvent position in profit: both terms grow evenly with the price.
#[derive(Clone, Copy)]
struct Fraction {
    numerator: u128,
    denominator: u128,
}

impl Fraction {
    fn of(exposure: &Exposure, mark: LotPrice) -> Result<Self, EngineError> {
        let worth = mark.notional(exposure.lots)?;
        let change = u128::from(worth.abs_diff(exposure.entry));
        let worth = i128::from(worth);
        let equity = match exposure.side {
            Side::Long => worth.checked_sub(exposure.bankruptcy),
            Side::Short => exposure.bankruptcy.checked_sub(worth),
        };
        let equity = equity.and_then(|equity| u128::try_from(equity).ok());
        let denominator = equity.and_then(|equity| u128::from(exposure.entry).checked_mul(equity));
        Ok(Self {
            // 63 by 32 bits.
            numerator: change.wrapping_mul(u128::from(exposure.lots)),
            denominator: denominator.ok_or(EngineError::Overflow)?,
        })
    }

    /// Its numerator times the other's denominator.
    fn times(&self, other: &Self) -> U256 {
        mul_wide(self.numerator, other.denominator)
    }
}

/// Whether the mark is beyond the entry in the position's favour.
fn gains(exposure: &Exposure, mark: LotPrice) -> bool {
    // 31 by 64 bits.
    let worth = u128::from(mark.get()).wrapping_mul(u128::from(exposure.lots));
    match exposure.side {
        Side::Long => worth > u128::from(exposure.entry),
        Side::Short => worth < u128::from(exposure.entry),
    }
}

/// A lot closes at the mark.
fn at_mark(mark: LotPrice) -> Result<ClosePrice, EngineError> {
    let quote = i64::try_from(mark.get()).map_err(|_| EngineError::Overflow)?;
    Ok(ClosePrice { quote, lots: 1 })
}

/// Sum of two numbers below 2^255.
const fn sum(a: U256, b: U256) -> U256 {
    let (lo, carry) = a.lo.overflowing_add(b.lo);
    let hi = a.hi.wrapping_add(b.hi);
    U256 {
        hi: if carry { hi.wrapping_add(1) } else { hi },
        lo,
    }
}

/// The first number from `low` to `high` for which `holds` does, where it does for `high` and
/// for every number beyond the first.
fn first_where(
    low: u64,
    high: u64,
    holds: impl Fn(u64) -> Result<bool, EngineError>,
) -> Result<u64, EngineError> {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle)? {
            high = middle;
        } else {
            low = middle.saturating_add(1);
        }
    }
    Ok(low)
}
