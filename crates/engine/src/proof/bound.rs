//! Which subtrees may hold a position that ranks too high to be left out.
//!
//! A subtree is known by its best entry price and its best bankruptcy price. Both
//! are widened to the next 2^-32, the bankruptcy price is held back at the close
//! price (nobody eligible is beyond it), and the result is compared with the last
//! position cut in forms without division, `d = |p-b|`:
//!
//! ```text
//! last scores T p > 0    longs   e (1 + T d) <= p
//!                        shorts  e (1 - T d) >= p
//! last scores -t/p <= 0  longs   e <= p  or  (e-p) d <= t e
//!                        shorts  e >= p  or  (p-e) d <= t e
//! ```
//!
//! `T` is rounded down and `t` up, so that an error always admits more. Two 64-bit
//! products a node. Prices that do not fit are compared as exact fractions.

use core::cmp::Ordering;

use crate::error::EngineError;
use crate::math::div_rem;
use crate::rank::{Class, Exposure, Ranked, Round, Score};
use crate::units::{Side, BPS_ONE};

use super::ratio::{product, ratio_down, ratio_up};

/// One atom per lot.
const ONE_Q32: u64 = 1 << 32;

/// Decides whether a subtree is walked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// Everything is.
    All,
    /// Longs by prices in units of 2^-32.
    Long(Fast),
    /// Shorts by prices in units of 2^-32.
    Short(Fast),
    /// By exact fractions.
    Exact(Exact),
}

impl Bound {
    /// The bound that admits every position above `last` by more than the
    /// tolerance or, without one, at least equal to it.
    pub(super) fn new(
        round: &Round,
        last: Option<&Ranked>,
        tolerance_bps: u32,
    ) -> Result<Self, EngineError> {
        let Some(last) = last.filter(|last| last.class > Class::Ineligible) else {
            return Ok(Self::All);
        };
        if let Some(fast) = Fast::new(round, last, tolerance_bps) {
            return Ok(match round.side {
                Side::Long => Self::Long(fast),
                Side::Short => Self::Short(fast),
            });
        }
        Ok(Self::Exact(Exact {
            round: *round,
            class: last.class,
            score: last.score,
            tolerance_bps,
        }))
    }

    /// The same where a bankruptcy price is held back at the mark and not at the close price: for those
    /// who may be cut without being solvent there.
    pub(super) const fn up_to_mark(self) -> Self {
        match self {
            Self::Long(fast) => Self::Long(fast.up_to_mark()),
            Self::Short(fast) => Self::Short(fast.up_to_mark()),
            other => other,
        }
    }

    /// Whether a position with an entry price of `entry_q32` or worse and a
    /// bankruptcy price of `bankruptcy_q32` or worse may rank too high.
    pub(super) fn admits(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        match self {
            Self::All => true,
            Self::Long(fast) => fast.admits_long(entry_q32, bankruptcy_q32),
            Self::Short(fast) => fast.admits_short(entry_q32, bankruptcy_q32),
            Self::Exact(exact) => exact.admits(entry_q32, bankruptcy_q32),
        }
    }
}

/// Which bankruptcy prices a position may have that is solvent at the close price.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solvency {
    /// Close price less the funding index, 2^-32 atoms per lot, rounded to the side
    /// that admits more; `None` when it does not fit.
    close_q32: Option<i64>,
}

impl Solvency {
    pub(super) fn new(round: &Round) -> Self {
        Self {
            close_q32: pivoted_close_q32(round),
        }
    }

    #[inline(always)]
    pub(super) fn admits_long(&self, bankruptcy_q32: i64) -> bool {
        self.close_q32.is_none_or(|close| bankruptcy_q32 <= close)
    }

    #[inline(always)]
    pub(super) fn admits_short(&self, bankruptcy_q32: i64) -> bool {
        self.close_q32.is_none_or(|close| bankruptcy_q32 >= close)
    }
}

/// The score of the best position a subtree could hold, to choose where to look
/// first.
pub(super) fn promise(round: &Round, entry_q32: u64, bankruptcy_q32: i64) -> Score {
    best_case(round, entry_q32, bankruptcy_q32)
        .score(round.mark)
        .unwrap_or(Score::ZERO)
}

/// A position of 2^32 lots with the given prices, widened.
fn best_case(round: &Round, entry_q32: u64, bankruptcy_q32: i64) -> Exposure {
    let (entry, widened) = match round.side {
        Side::Long => (entry_q32, 1),
        Side::Short => (entry_q32.wrapping_add(1), 0),
    };
    // 64 bits and 32 more, then two small terms.
    let funding = i128::from(round.funding_index.get()) << 32;
    Exposure {
        side: round.side,
        lots: ONE_Q32,
        entry,
        bankruptcy: i128::from(bankruptcy_q32)
            .wrapping_add(widened)
            .wrapping_add(funding),
        sequence: 0,
    }
}

/// The score of the last position cut, in units of 2^-32.
#[derive(Clone, Copy, Debug)]
enum Score32 {
    /// `T`, 2^-64 lots per atom, rounded down, at most `u64::MAX`.
    Gain(u64),
    /// `t`, 2^-32 atoms per lot, rounded up; 0 for a score of nothing.
    Loss(u64),
}

/// A bound by prices in units of 2^-32 atoms per lot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fast {
    /// Mark, atoms per lot.
    mark: u64,
    /// Mark in units of 2^-32 atoms per lot.
    pub(super) mark_q32: u64,
    /// Mark less the funding index.
    pub(super) pivot_q32: i64,
    /// Close price less the funding index, rounded to the side that admits more.
    pub(super) close_q32: i64,
    /// Worst entry price of a winner, rounded down.
    pub(super) winner_q32: u64,
    /// Whether the last position cut is a winner: nobody else may precede it.
    winners_only: bool,
    score: Score32,
}

impl Fast {
    /// `None` when a price does not fit.
    fn new(round: &Round, last: &Ranked, tolerance_bps: u32) -> Option<Self> {
        let mark = round.mark.get();
        // Below 2^31.
        let mark_q32 = mark << 32;
        // 64 bits and 32 more.
        let funding_q32 = i128::from(round.funding_index.get()) << 32;
        let (close_down, _) = close_q32(round)?;
        let pivot = i128::from(mark_q32).checked_sub(funding_q32)?;
        Some(Self {
            mark,
            mark_q32,
            pivot_q32: i64::try_from(pivot).ok()?,
            close_q32: pivoted_close_q32(round)?,
            winner_q32: winner_q32(round, mark_q32, close_down)?,
            winners_only: last.class == Class::Winner,
            score: Score32::new(&last.score, tolerance_bps)?,
        })
    }

    const fn up_to_mark(self) -> Self {
        Self {
            close_q32: self.pivot_q32,
            ..self
        }
    }

    /// `T` where the last position cut is a winner in profit.
    pub(super) const fn winners_slope(&self) -> Option<u64> {
        match self.score {
            Score32::Gain(slope) if self.winners_only => Some(slope),
            _ => None,
        }
    }

    #[inline(always)]
    pub(super) fn admits_long(&self, entry: u64, bankruptcy_q32: i64) -> bool {
        if (entry <= self.winner_q32) != self.winners_only {
            return !self.winners_only;
        }
        let bankruptcy = if bankruptcy_q32 < self.close_q32 {
            bankruptcy_q32.wrapping_add(1)
        } else {
            self.close_q32
        };
        let distance = if bankruptcy < self.pivot_q32 {
            self.pivot_q32.abs_diff(bankruptcy)
        } else {
            0
        };
        match self.score {
            Score32::Gain(slope) => {
                let factor = product(slope, distance).0.checked_add(ONE_Q32);
                factor.is_some_and(|factor| product(entry, factor) <= (self.mark, 0))
            }
            Score32::Loss(limit) => {
                entry <= self.mark_q32
                    || product(entry.wrapping_sub(self.mark_q32), distance) <= product(limit, entry)
            }
        }
    }

    #[inline(always)]
    pub(super) fn admits_short(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        if (entry_q32 >= self.winner_q32) != self.winners_only {
            return !self.winners_only;
        }
        let entry = entry_q32.wrapping_add(1);
        let bankruptcy = bankruptcy_q32.max(self.close_q32);
        let distance = if bankruptcy > self.pivot_q32 {
            bankruptcy.abs_diff(self.pivot_q32)
        } else {
            0
        };
        match self.score {
            Score32::Gain(slope) => {
                let factor = ONE_Q32.checked_sub(product(slope, distance).0);
                factor.is_some_and(|factor| product(entry, factor) >= (self.mark, 0))
            }
            Score32::Loss(limit) => {
                entry >= self.mark_q32
                    || product(self.mark_q32.wrapping_sub(entry), distance) <= product(limit, entry)
            }
        }
    }
}

impl Score32 {
    fn new(score: &Score, tolerance_bps: u32) -> Option<Self> {
        let one = u128::from(BPS_ONE);
        let more = one.checked_add(u128::from(tolerance_bps))?;
        // Nothing is also what a loss without equity scores.
        if score.loss || score.numerator == 0 {
            let limit = ratio_up(score.numerator, score.denominator, 32)?;
            let limit = limit.checked_mul(one)?.div_ceil(more);
            return u64::try_from(limit).ok().map(Self::Loss);
        }
        let slope = ratio_down(score.numerator, score.denominator, 64);
        if tolerance_bps == 0 {
            return Some(Self::Gain(slope));
        }
        // 64 by 34 bits.
        let (slope, _) = div_rem(u128::from(slope).wrapping_mul(more), 10_000).ok()?;
        Some(Self::Gain(u64::try_from(slope).unwrap_or(u64::MAX)))
    }
}

/// The close price less the funding index, 2^-32 atoms per lot, rounded to the side
/// that admits more.
fn pivoted_close_q32(round: &Round) -> Option<i64> {
    let (down, exact) = close_q32(round)?;
    let close = match round.side {
        Side::Long => down.checked_add(i128::from(!exact))?,
        Side::Short => down,
    };
    // 64 bits and 32 more.
    let funding_q32 = i128::from(round.funding_index.get()) << 32;
    i64::try_from(close.checked_sub(funding_q32)?).ok()
}

/// The close price, 2^-32 atoms per lot, rounded down, and whether it is exact.
fn close_q32(round: &Round) -> Option<(i128, bool)> {
    let size = u128::from(round.close.quote.unsigned_abs()) << 32;
    let (quotient, rest) = div_rem(size, round.close.lots).ok()?;
    let quotient = i128::try_from(quotient).ok()?;
    let exact = rest == 0;
    if round.close.quote >= 0 {
        return Some((quotient, exact));
    }
    Some((
        quotient.checked_add(i128::from(!exact))?.checked_neg()?,
        exact,
    ))
}

/// Worst entry price of a winner, rounded down: no loss at the close price, and
/// the least profit at the mark.
fn winner_q32(round: &Round, mark_q32: u64, close_q32: i128) -> Option<u64> {
    let one = BPS_ONE;
    let least = u64::from(round.min_profit_bps);
    // 63 bits and 14 more.
    let scaled = u128::from(mark_q32).wrapping_mul(u128::from(BPS_ONE));
    let by_close = u128::try_from(close_q32).unwrap_or(0);
    match round.side {
        Side::Long => {
            let (by_profit, _) = div_rem(scaled, one.checked_add(least)?).ok()?;
            u64::try_from(by_profit.min(by_close)).ok()
        }
        Side::Short => {
            // A short cannot gain its whole entry: then nobody wins.
            let rest = one.checked_sub(least).filter(|rest| *rest > 0);
            let Some(rest) = rest else {
                return Some(u64::MAX);
            };
            let (by_profit, _) = div_rem(scaled, rest).ok()?;
            Some(u64::try_from(by_profit.max(by_close)).unwrap_or(u64::MAX))
        }
    }
}

/// A bound by exact fractions, for prices beyond the range of [`Fast`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    round: Round,
    class: Class,
    score: Score,
    tolerance_bps: u32,
}

impl Exact {
    #[cold]
    #[inline(never)]
    pub(super) fn admits(&self, entry_q32: u64, bankruptcy_q32: i64) -> bool {
        let best = best_case(&self.round, entry_q32, bankruptcy_q32);
        if self.may_win(&best) != (self.class == Class::Winner) {
            return self.class != Class::Winner;
        }
        // What cannot be compared is walked.
        self.scores(&best).unwrap_or(true)
    }

    fn scores(&self, best: &Exposure) -> Result<bool, EngineError> {
        let score = best.score(self.round.mark)?;
        if self.tolerance_bps == 0 {
            return Ok(score.compare(&self.score) != Ordering::Less);
        }
        score.beats(&self.score, self.tolerance_bps)
    }

    /// Whether a position with this entry price can be a winner when its
    /// bankruptcy price is nowhere near.
    fn may_win(&self, best: &Exposure) -> bool {
        let far = match best.side {
            Side::Long => i128::MIN,
            Side::Short => i128::MAX,
        };
        let solvent = Exposure {
            bankruptcy: far >> 34,
            ..*best
        };
        solvent.class(&self.round).unwrap_or(Class::Winner) == Class::Winner
    }
}
