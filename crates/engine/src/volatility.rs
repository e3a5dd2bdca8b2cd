//! How much of late a market moves more than usual, and by what that multiplies initial margin.
//!
//! Two averages of the squared moves of the recorded price, weighted by time, are kept: over a day and over
//! months. The multiplier goes towards the square root of their ratio, no faster than
//! [`RISE_PPM_PER_HOUR`] and [`FALL_PPM_PER_HOUR`] allow, between one and
//! `RiskParams::margin_multiplier_max_bps`. It scales initial margin only: see
//! [`crate::margin::initial_margin`].
//!
//! # Counting a price
//!
//! A price counts when it was published at least [`COUNTED_SECONDS`] after the last one that did; until then
//! the move waits. So what is recorded within a minute changes nothing, however often and by whom, and who
//! looks after a long silence sees the whole move. Over `dt` seconds in which the price moved by `x`
//! millionths, at most [`MOST_MOVE_PPM`], an average `a` of squared millionths a second becomes
//!
//! ```text
//! a + (x * x - a * dt) / max(dt, min(age, mean))
//! ```
//!
//! `mean` is its half-life by ln 2, `age` the time since the first price: until the market is as old as
//! `mean` it is the plain average of all there was, and no ratio comes of a start at zero. The fast one is
//! rounded up, the slow one down.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::{div_rem, product};
use crate::units::{Ticks, BPS_ONE};

/// Least seconds between two prices that count.
pub const COUNTED_SECONDS: u32 = 60;
/// Most that one move counts for, millionths of the price before it.
pub const MOST_MOVE_PPM: u64 = 200_000;
/// Half-life of the fast average, seconds: 12 hours.
pub const FAST_HALF_LIFE_SECONDS: u64 = 43_200;
/// Half-life of the slow average, seconds: 60 days.
pub const SLOW_HALF_LIFE_SECONDS: u64 = 5_184_000;
/// Most that the multiplier rises in an hour, millionths of the unscaled margin.
pub const RISE_PPM_PER_HOUR: u64 = 250_000;
/// Most that it falls in an hour, millionths of the unscaled margin.
pub const FALL_PPM_PER_HOUR: u64 = 20_000;
/// A multiplier of one.
pub const ONE_PPM: u32 = 1_000_000;
/// Least average that counts, squared millionths a second: about 0.02% an hour. In a market that moves less
/// the noise of its ticks is no volatility.
pub const LEAST_VARIANCE: u64 = 10;

const PPM: u64 = 1_000_000;
const HOUR: u64 = 3_600;
const PPM_PER_BPS: u32 = 100;
/// The averages hold so many bits behind the point.
const FRACTION_BITS: u32 = 16;
/// Half-lives by ln 2, rounded to a second.
const FAST_MEAN_SECONDS: u64 = 62_324;
const SLOW_MEAN_SECONDS: u64 = 7_478_931;

const _: () = {
    assert!(is_mean_of(FAST_MEAN_SECONDS, FAST_HALF_LIFE_SECONDS));
    assert!(is_mean_of(SLOW_MEAN_SECONDS, SLOW_HALF_LIFE_SECONDS));
    // The square of a move and its fraction fit 64 bits.
    assert!(MOST_MOVE_PPM * MOST_MOVE_PPM < 1 << (64 - FRACTION_BITS));
};

/// Whether `mean` is `half_life` by ln 2 to the nearest second.
const fn is_mean_of(mean: u64, half_life: u64) -> bool {
    /// Hundred-millionths.
    const LN_2: u64 = 69_314_718;
    let half_lives = 2_u64.wrapping_mul(half_life).wrapping_mul(100_000_000);
    let twice = 2_u64.wrapping_mul(mean);
    twice.wrapping_sub(1).wrapping_mul(LN_2) < half_lives
        && twice.wrapping_add(1).wrapping_mul(LN_2) > half_lives
}

/// What a market remembers of its moves. All zero before the first price, and where
/// `RiskParams::margin_multiplier_max_bps` has always been 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Volatility {
    /// Average over about a day, squared millionths a second, the last 16 bits behind the point.
    pub fast: u64,
    /// Average over about three months, in the same unit.
    pub slow: u64,
    /// The last price that counted, ticks; 0 before the first.
    pub counted_ticks: u32,
    /// The multiplier, millionths, at least [`ONE_PPM`]; 0 before the first price.
    pub multiplier_ppm: u32,
    /// When that price was published, unix seconds.
    pub counted_at: u32,
    /// When the first was, unix seconds.
    pub since: u32,
}

const _: () = assert!(core::mem::size_of::<Volatility>() == 32);

impl Volatility {
    /// The multiplier of initial margin that is in force where the most is `max_bps`, millionths, at least
    /// [`ONE_PPM`]. One where `max_bps` is 0.
    #[must_use]
    pub fn multiplier(&self, max_bps: u16) -> u32 {
        self.multiplier_ppm.min(most_ppm(max_bps)).max(ONE_PPM)
    }

    /// What is remembered once a price published at `publish_time`, unix seconds, is recorded where the
    /// most is `max_bps`: nothing new where that is 0, or within [`COUNTED_SECONDS`] of the last price that
    /// counted.
    ///
    /// # Errors
    /// `Overflow` for a time outside 32 bits, `PriceOutOfRange` for a price outside them.
    pub fn counted(
        self,
        max_bps: u16,
        price: Ticks,
        publish_time: i64,
    ) -> Result<Self, EngineError> {
        if max_bps == 0 {
            return Ok(self);
        }
        let now = u32::try_from(publish_time).map_err(|_| EngineError::Overflow)?;
        let ticks = u32::try_from(price.get()).map_err(|_| EngineError::PriceOutOfRange)?;
        if self.counted_ticks == 0 {
            return Ok(Self {
                counted_ticks: ticks,
                multiplier_ppm: ONE_PPM,
                counted_at: now,
                since: now,
                ..self
            });
        }
        match now.checked_sub(self.counted_at) {
            Some(apart) if apart >= COUNTED_SECONDS => self.moved(max_bps, ticks, now, apart),
            _ => Ok(self),
        }
    }

    /// Counts the move to `ticks` within the `apart` seconds before `now`.
    #[inline(never)]
    fn moved(self, max_bps: u16, ticks: u32, now: u32, apart: u32) -> Result<Self, EngineError> {
        let squared = squared_move(self.counted_ticks, ticks)?;
        let apart = u64::from(apart);
        // Not before the first price.
        let age = u64::from(now.wrapping_sub(self.since));
        let fast = Average {
            value: self.fast,
            over: age.min(FAST_MEAN_SECONDS).max(apart),
        };
        let slow = Average {
            value: self.slow,
            over: age.min(SLOW_MEAN_SECONDS).max(apart),
        };
        let mut next = Self {
            fast: fast.with(squared, apart, true)?,
            slow: slow.with(squared, apart, false)?,
            counted_ticks: ticks,
            counted_at: now,
            ..self
        };
        let most = most_ppm(max_bps);
        let target = ratio(next.fast, next.slow, max_bps)?;
        next.multiplier_ppm = approached(self.multiplier_ppm, target, apart)?
            .min(most)
            .max(ONE_PPM);
        Ok(next)
    }
}

/// An average and the seconds it is over.
struct Average {
    value: u64,
    over: u64,
}

impl Average {
    /// The average once a move whose square is `squared`, with its fraction, took `apart` seconds, at most
    /// those it is over; rounded up or down.
    fn with(&self, squared: u64, apart: u64, up: bool) -> Result<u64, EngineError> {
        let (gained, lost) = (u128::from(squared), product(self.value, apart));
        let rises = gained >= lost;
        let (change, rest) = div_rem(gained.abs_diff(lost), self.over)?;
        let change = u64::try_from(change).map_err(|_| EngineError::Overflow)?;
        // Away from the old value where it rises and is rounded up, or falls and is rounded down.
        let further = u64::from(rest > 0 && rises == up);
        let change = change.checked_add(further).ok_or(EngineError::Overflow)?;
        let next = if rises {
            self.value.checked_add(change)
        } else {
            self.value.checked_sub(change)
        };
        next.ok_or(EngineError::Overflow)
    }
}

/// The square of the move between two prices, millionths of the first, rounded down and cut at
/// [`MOST_MOVE_PPM`]; with its fraction.
fn squared_move(from: u32, to: u32) -> Result<u64, EngineError> {
    // 32 bits by 20.
    let scaled = u64::from(from.abs_diff(to)).wrapping_mul(PPM);
    let moved = scaled
        .checked_div(u64::from(from))
        .ok_or(EngineError::Overflow)?
        .min(MOST_MOVE_PPM);
    Ok(moved.wrapping_mul(moved) << FRACTION_BITS)
}

/// The square root of `fast / slow`, millionths, rounded down to a basis point; between one and `max_bps`.
fn ratio(fast: u64, slow: u64, max_bps: u16) -> Result<u32, EngineError> {
    let least = LEAST_VARIANCE << FRACTION_BITS;
    let (fast, slow) = (fast.max(least), slow.max(least));
    if fast <= slow {
        return Ok(ONE_PPM);
    }
    let (whole, rest) = divided(fast, slow)?;
    let most = u64::from(max_bps);
    if whole >= BPS_ONE.wrapping_mul(BPS_ONE) {
        return Ok(most_ppm(max_bps));
    }
    // Long division in base 10,000: averages are below 2^46, so that a rest and a digit are within 64 bits.
    let (first, rest) = divided(rest.wrapping_mul(BPS_ONE), slow)?;
    let (second, _) = divided(rest.wrapping_mul(BPS_ONE), slow)?;
    let squared = whole
        .wrapping_mul(BPS_ONE)
        .wrapping_add(first)
        .wrapping_mul(BPS_ONE)
        .wrapping_add(second);
    let bps = u32::try_from(squared.isqrt().min(most)).map_err(|_| EngineError::Overflow)?;
    Ok(bps.wrapping_mul(PPM_PER_BPS).max(ONE_PPM))
}

fn divided(number: u64, divisor: u64) -> Result<(u64, u64), EngineError> {
    number
        .checked_div(divisor)
        .zip(number.checked_rem(divisor))
        .ok_or(EngineError::Overflow)
}

/// `multiplier` on its way to `target` for `apart` seconds, both steps rounded down.
fn approached(multiplier: u32, target: u32, apart: u64) -> Result<u32, EngineError> {
    let rises = target >= multiplier;
    let rate = if rises {
        RISE_PPM_PER_HOUR
    } else {
        FALL_PPM_PER_HOUR
    };
    // 32 bits by 18.
    let step = rate
        .wrapping_mul(apart)
        .checked_div(HOUR)
        .ok_or(EngineError::Overflow)?;
    let step = step.min(u64::from(target.abs_diff(multiplier)));
    let step = u32::try_from(step).map_err(|_| EngineError::Overflow)?;
    let next = if rises {
        multiplier.checked_add(step)
    } else {
        multiplier.checked_sub(step)
    };
    next.ok_or(EngineError::Overflow)
}

/// The most as millionths: 16 bits by 7.
fn most_ppm(max_bps: u16) -> u32 {
    u32::from(max_bps).wrapping_mul(PPM_PER_BPS)
}

#[cfg(test)]
mod tests;
