//! Who is deleveraged before whom, decided on exact integers.
//!
//! With lots `q`, entry `E = q e`, bankruptcy `X = q b` and worth at the mark
//! `P = q p`, the score of a long is
//!
//! ```text
//! in profit: s = (p-e)/e * p/(p-b)   s/p =  (P-E) q / (E (P-X))
//! in loss:   s = (p-e)/e * (p-b)/p   s*p = -(E-P) (P-X) / (E q)
//! ```
//!
//! and of a short the same with every difference reversed. `P-X` is the equity.
//! No division is made: fractions are compared by 256-bit cross products.

use core::cmp::Ordering;

use crate::error::EngineError;
use crate::math::cmp_products;
use crate::position::Position;
use crate::queue::entry::{CutStamp, QueueEntry, Totals};
use crate::units::{Bps, FundingIndex, LotPrice, Side, BPS_ONE};

/// Score of a position without equity: above every other.
pub const INFINITE_SCORE: i128 = i128::MAX;

/// An exact price: `quote / lots` atoms per lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosePrice {
    /// Atoms, negative when the closing side is paid to give its lots away.
    pub quote: i64,
    /// Lots, positive.
    pub lots: u64,
}

/// Everything about a deleveraging that the ranking depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Side of the counterparties.
    pub side: Side,
    /// Oracle price, atoms per lot.
    pub mark: LotPrice,
    /// Price at which counterparties close: at or below the mark for longs, at or
    /// above it for shorts.
    pub close: ClosePrice,
    /// The market's funding index.
    pub funding_index: FundingIndex,
    /// Least profit of a winner at the mark, basis points of its entry.
    pub min_profit_bps: u32,
    /// How much more a position left out may score than the last one cut, basis
    /// points.
    pub rank_tolerance_bps: u32,
    /// Largest part of a counterparty that one pass may close, basis points.
    pub max_close_bps: u32,
    /// Smallest position that may be left open, lots; 0 for none.
    pub least_lots: u32,
    /// First of the queue's passes that counts towards caps, from 1.
    pub epoch: u32,
}

impl Round {
    /// Refuses a close price of no lots or on the losing side of the mark, where
    /// a position solvent at it could be bankrupt at the mark.
    pub fn check(&self) -> Result<(), EngineError> {
        let worth = i64::try_from(self.mark.notional(self.close.lots)?);
        let worth = worth.map_err(|_| EngineError::Overflow)?;
        let sound = match self.side {
            Side::Long => self.close.quote <= worth,
            Side::Short => self.close.quote >= worth,
        };
        if sound && self.close.lots > 0 {
            Ok(())
        } else {
            Err(EngineError::ClosePriceOutOfRange)
        }
    }

    /// The first pass that counts; an entry that was never cut is older.
    #[must_use]
    pub fn first_epoch(&self) -> u32 {
        self.epoch.max(1)
    }

    /// Lots cut from a position in the passes that count.
    #[must_use]
    pub fn lots_cut(&self, stamp: CutStamp) -> u64 {
        if stamp.epoch >= self.first_epoch() {
            u64::from(stamp.lots)
        } else {
            0
        }
    }

    /// Whether a position of the queue may be cut: solvent at the close price and below its cap.
    pub fn may_cut(&self, entry: &QueueEntry) -> Result<bool, EngineError> {
        Ok(self.is_solvent(entry)? && self.cap_left(u64::from(entry.lots), entry.stamp())? > 0)
    }

    /// Whether a position of the queue may be cut once the next pass opens: solvent at the close
    /// price and at its cap.
    pub fn waits_for_pass(&self, entry: &QueueEntry) -> Result<bool, EngineError> {
        Ok(self.is_solvent(entry)? && self.cap_left(u64::from(entry.lots), entry.stamp())? == 0)
    }

    fn is_solvent(&self, entry: &QueueEntry) -> Result<bool, EngineError> {
        let exposure = Exposure::of_entry(entry, self.side, self.funding_index);
        Ok(exposure.class(self)? > Class::Ineligible)
    }

    /// Lots of a position of `lots` that may still be cut before its cap: the cap
    /// is `max_close_bps`, rounded up, of what it held when the passes that count
    /// began. All of them where fewer than `least_lots` would be left.
    pub fn cap_left(&self, lots: u64, stamp: CutStamp) -> Result<u64, EngineError> {
        if stamp.capped_epoch >= self.first_epoch() {
            return Ok(0);
        }
        let cut = self.lots_cut(stamp);
        let base = lots.checked_add(cut).ok_or(EngineError::Overflow)?;
        let cap = Bps::new(self.max_close_bps).ceil_of(base)?;
        // The larger of the two less one of them.
        let left = cap.max(cut).wrapping_sub(cut).min(lots);
        let rest = lots.checked_sub(left).ok_or(EngineError::Overflow)?;
        if left > 0 && rest < u64::from(self.least_lots) {
            return Ok(lots);
        }
        Ok(left)
    }
}

/// A position as the ranking sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Side of the position; lots and entry have no sign.
    pub side: Side,
    /// Lots, positive.
    pub lots: u64,
    /// What the lots were worth at entry, atoms, positive.
    pub entry: u64,
    /// What the lots are worth when the equity is zero, atoms, any sign.
    pub bankruptcy: i128,
    /// Order of joining the queue: the smaller is the older.
    pub sequence: u64,
}

/// Which positions come first, whatever their score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Insolvent at the close price: never cut.
    Ineligible,
    /// Solvent at the close price, but no winner.
    Other,
    /// Solvent and not in loss at the close price, with the least profit at the mark.
    Winner,
}

/// A score as an exact fraction. Scores of one mark only are comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Whether it is below zero.
    pub loss: bool,
    /// Numerator of `s/p` or of `-s*p`.
    pub numerator: u128,
    /// Denominator; 0 for a profit without equity, which is infinite.
    pub denominator: u128,
}

impl Score {
    /// Exactly nothing.
    pub const ZERO: Self = Self {
        loss: false,
        numerator: 0,
        denominator: 1,
    };

    /// Compares two scores of one mark.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let magnitudes = cmp_products(
            self.numerator,
            other.denominator,
            other.numerator,
            self.denominator,
        );
        match (self.loss, other.loss) {
            (false, false) => magnitudes,
            (true, true) => magnitudes.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    /// Whether it is above `last` by more than the tolerance: above
    /// `(1 + tolerance)` times a `last` in profit, or a loss of which
    /// `(1 + tolerance)` times is smaller than the loss of `last`.
    pub fn beats(&self, last: &Self, tolerance_bps: u32) -> Result<bool, EngineError> {
        let one = u128::from(BPS_ONE);
        let more = one.wrapping_add(u128::from(tolerance_bps));
        let times = |number: u128, factor| number.checked_mul(factor).ok_or(EngineError::Overflow);
        let order = match (self.loss, last.loss) {
            (false, true) => return Ok(true),
            (true, false) => return Ok(false),
            (false, false) => cmp_products(
                times(self.numerator, one)?,
                last.denominator,
                times(last.numerator, more)?,
                self.denominator,
            ),
            (true, true) => cmp_products(
                last.numerator,
                times(self.denominator, one)?,
                self.numerator,
                times(last.denominator, more)?,
            ),
        };
        Ok(order == Ordering::Greater)
    }
}

impl Exposure {
    /// A position as of a funding index; its own need not be settled. Errors of
    /// [`Totals::of`].
    pub fn of_position(
        position: &Position,
        funding_index: FundingIndex,
        sequence: u64,
    ) -> Result<Self, EngineError> {
        let side = position.side().ok_or(EngineError::NoPosition)?;
        let totals = Totals::of(position, side)?;
        Ok(Self::of_totals(&totals, side, funding_index, sequence))
    }

    /// A node of a queue of `side` as of a funding index.
    #[must_use]
    pub fn of_entry(entry: &QueueEntry, side: Side, funding_index: FundingIndex) -> Self {
        Self::of_totals(&entry.totals(), side, funding_index, entry.sequence)
    }

    /// The totals of a position as of a funding index.
    #[must_use]
    pub fn of_totals(totals: &Totals, side: Side, index: FundingIndex, sequence: u64) -> Self {
        // 32 by 64 bits, then a term of 64 bits: within 97.
        let funding = i128::from(totals.lots).wrapping_mul(i128::from(index.get()));
        Self {
            side,
            lots: u64::from(totals.lots),
            entry: totals.entry,
            bankruptcy: i128::from(totals.bankruptcy).wrapping_add(funding),
            sequence,
        }
    }

    /// Equity at the mark, atoms; nothing when it is below zero.
    fn equity(&self, worth: u64) -> Result<u128, EngineError> {
        Ok(u128::try_from(self.signed_equity(worth)?).unwrap_or(0))
    }

    /// Equity of lots that are worth so much, atoms.
    fn signed_equity(&self, worth: u64) -> Result<i128, EngineError> {
        let worth = i128::from(worth);
        let equity = match self.side {
            Side::Long => worth.checked_sub(self.bankruptcy),
            Side::Short => self.bankruptcy.checked_sub(worth),
        };
        equity.ok_or(EngineError::Overflow)
    }

    /// Equity at a price, atoms; `None` when it is below zero.
    pub(crate) fn worth(&self, price: LotPrice) -> Result<Option<u64>, EngineError> {
        let equity = self.signed_equity(price.notional(self.lots)?)?;
        if equity < 0 {
            return Ok(None);
        }
        let equity = u64::try_from(equity).map_err(|_| EngineError::Overflow)?;
        Ok(Some(equity))
    }

    /// Whether the mark is beyond the entry in the position's favour.
    const fn gains(&self, worth: u64) -> bool {
        match self.side {
            Side::Long => worth > self.entry,
            Side::Short => worth < self.entry,
        }
    }

    /// The score at the mark. `Overflow` only beyond a funding index of 2^31
    /// atoms per lot.
    pub fn score(&self, mark: LotPrice) -> Result<Score, EngineError> {
        let worth = mark.notional(self.lots)?;
        let change = u128::from(worth.abs_diff(self.entry));
        let equity = self.equity(worth)?;
        let (lots, entry) = (u128::from(self.lots), u128::from(self.entry));
        let loss = !self.gains(worth);
        let (numerator, denominator) = if loss {
            (product(change, equity)?, product(entry, lots)?)
        } else {
            (product(change, lots)?, product(entry, equity)?)
        };
        if numerator == 0 {
            return Ok(Score::ZERO);
        }
        Ok(Score {
            loss,
            numerator,
            denominator,
        })
    }

    /// The class of the position in a round.
    pub fn class(&self, round: &Round) -> Result<Class, EngineError> {
        let close = times(i128::from(round.close.quote), self.lots)?;
        let bankruptcy = times(self.bankruptcy, round.close.lots)?;
        let entry = times(i128::from(self.entry), round.close.lots)?;
        let (solvent, unhurt) = match self.side {
            Side::Long => (close >= bankruptcy, close >= entry),
            Side::Short => (close <= bankruptcy, close <= entry),
        };
        if !solvent {
            return Ok(Class::Ineligible);
        }
        if unhurt && self.has_least_profit(round)? {
            return Ok(Class::Winner);
        }
        Ok(Class::Other)
    }

    /// The class of a position that may be cut whether or not it is solvent at the close price: all of
    /// an account stands behind it, and its cut is as small as that can bear.
    fn class_of_account(&self, round: &Round) -> Result<Class, EngineError> {
        let close = times(i128::from(round.close.quote), self.lots)?;
        let entry = times(i128::from(self.entry), round.close.lots)?;
        let unhurt = match self.side {
            Side::Long => close >= entry,
            Side::Short => close <= entry,
        };
        if unhurt && self.has_least_profit(round)? {
            return Ok(Class::Winner);
        }
        Ok(Class::Other)
    }

    fn has_least_profit(&self, round: &Round) -> Result<bool, EngineError> {
        let worth = round.mark.notional(self.lots)?;
        // 64 by 32 bits each.
        let profit = u128::from(worth.abs_diff(self.entry)).wrapping_mul(u128::from(BPS_ONE));
        let least = u128::from(self.entry).wrapping_mul(u128::from(round.min_profit_bps));
        Ok(self.gains(worth) && profit >= least)
    }

    /// Compares bankruptcy prices, then age: `Greater` ranks before.
    fn compare_ties(&self, other: &Self) -> Result<Ordering, EngineError> {
        let mine = times(self.bankruptcy, other.lots)?;
        let theirs = times(other.bankruptcy, self.lots)?;
        let nearer = match self.side {
            Side::Long => mine.cmp(&theirs),
            Side::Short => theirs.cmp(&mine),
        };
        Ok(nearer.then(other.sequence.cmp(&self.sequence)))
    }
}

/// `total * lots`. `Overflow` from 2^94 atoms or 2^33 lots on.
fn times(total: i128, lots: u64) -> Result<i128, EngineError> {
    if total.unsigned_abs() >> 94 != 0 || lots >> 33 != 0 {
        return Err(EngineError::Overflow);
    }
    Ok(total.wrapping_mul(i128::from(lots)))
}

/// `a * b`, without a check where none is needed.
fn product(a: u128, b: u128) -> Result<u128, EngineError> {
    if (a | b) >> 64 == 0 {
        return Ok(a.wrapping_mul(b));
    }
    a.checked_mul(b).ok_or(EngineError::Overflow)
}

/// A position with what the ranking derives from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The position that was ranked.
    pub exposure: Exposure,
    /// Winner, other, or never to be cut.
    pub class: Class,
    /// Its score at the mark.
    pub score: Score,
}

impl Ranked {
    /// Derives class and score.
    pub fn new(round: &Round, exposure: &Exposure) -> Result<Self, EngineError> {
        Ok(Self {
            exposure: *exposure,
            class: exposure.class(round)?,
            score: exposure.score(round.mark)?,
        })
    }

    /// The same for a leg of a cross account, whose margin is all of the account's equity:
    /// it is never [`Class::Ineligible`], see [`crate::cross`].
    pub fn of_account(round: &Round, exposure: &Exposure) -> Result<Self, EngineError> {
        Ok(Self {
            exposure: *exposure,
            class: exposure.class_of_account(round)?,
            score: exposure.score(round.mark)?,
        })
    }

    /// The total order: class, score, distance to bankruptcy, age. `Greater` is
    /// cut before.
    pub fn compare(&self, other: &Self) -> Result<Ordering, EngineError> {
        let order = self
            .class
            .cmp(&other.class)
            .then_with(|| self.score.compare(&other.score));
        if order != Ordering::Equal {
            return Ok(order);
        }
        self.exposure.compare_ties(&other.exposure)
    }
}

/// The total order of two positions: `Greater` when `a` is cut before `b`.
pub fn compare(round: &Round, a: &Exposure, b: &Exposure) -> Result<Ordering, EngineError> {
    Ranked::new(round, a)?.compare(&Ranked::new(round, b)?)
}

/// The score in units of 2^-32, rounded down; [`INFINITE_SCORE`] when infinite.
/// `Overflow` when it leaves `i128`.
pub fn score_q32(round: &Round, exposure: &Exposure) -> Result<i128, EngineError> {
    let score = exposure.score(round.mark)?;
    if score.denominator == 0 {
        return Ok(INFINITE_SCORE);
    }
    let mark = u128::from(round.mark.get());
    let (numerator, denominator) = if score.loss {
        (score.numerator, score.denominator.checked_mul(mark))
    } else {
        (
            score
                .numerator
                .checked_mul(mark)
                .ok_or(EngineError::Overflow)?,
            Some(score.denominator),
        )
    };
    let denominator = denominator.ok_or(EngineError::Overflow)?;
    let (scaled, exact) = shifted_quotient(numerator, denominator)?;
    let scaled = i128::try_from(scaled).map_err(|_| EngineError::Overflow)?;
    if !score.loss {
        return Ok(scaled);
    }
    let down = scaled.checked_add(i128::from(!exact));
    down.and_then(i128::checked_neg)
        .ok_or(EngineError::Overflow)
}

/// `numerator * 2^32 / denominator` rounded down, and whether it is exact.
fn shifted_quotient(numerator: u128, denominator: u128) -> Result<(u128, bool), EngineError> {
    let whole = numerator
        .checked_div(denominator)
        .ok_or(EngineError::Overflow)?;
    let mut rest = numerator
        .checked_rem(denominator)
        .ok_or(EngineError::Overflow)?;
    if whole >> 95 != 0 {
        return Err(EngineError::Overflow);
    }
    if denominator >> 96 == 0 {
        let rest = rest << 32;
        let digit = rest.checked_div(denominator).ok_or(EngineError::Overflow)?;
        let left = rest.checked_rem(denominator).ok_or(EngineError::Overflow)?;
        return Ok(((whole << 32) | digit, left == 0));
    }
    let mut quotient = whole;
    for _ in 0..32 {
        // Doubling the rest may leave 128 bits; it is then above the denominator.
        let carried = rest >> 127 != 0;
        rest <<= 1;
        quotient <<= 1;
        if carried || rest >= denominator {
            rest = rest.wrapping_sub(denominator);
            quotient |= 1;
        }
    }
    Ok((quotient, rest == 0))
}

/// Indicator of a position that `rank` of `total` others precede: 5 for the first
/// fifth to 1 for the last.
#[must_use]
pub fn light(rank: u32, total: u32) -> u8 {
    let fifth = u64::from(rank)
        .wrapping_mul(5)
        .checked_div(u64::from(total));
    match fifth {
        Some(0) => 5,
        Some(1) => 4,
        Some(2) => 3,
        Some(3) => 2,
        _ => 1,
    }
}
