//! The funding index of a market, and the rate at which it moves.
//!
//! The index moves in whole atoms per lot. What is not yet a whole atom is carried
//! in the market, so every settlement is exact and funding sums to zero.
//!
//! Rates are millionths of the price an hour (ppm); longs pay when they are positive.
//! Without an impact notional the rate is the base rate alone. With one, the market is
//! sampled at every moment:
//!
//! ```text
//! premium = (impact bid + impact ask - 2 * price) * 1,000,000 / (2 * price)   towards zero
//! sample  = base + premium, at most the highest rate either way
//! sample  = 0 while a side of the book is not deep enough for the impact notional
//! ```
//!
//! and every hour of unix time pays the time average of the samples of the hour before it:
//!
//! ```text
//! rate  = (sum of sample * seconds over the hour before) / 3,600              towards zero
//! index = sum of rate * price * seconds / 3,600,000,000
//! ```
//!
//! A sample counts for the seconds it stood, so an order that comes and goes within a
//! second counts for nothing. It counts for an hour at most from when the market was last
//! looked at: what a halt leaves standing is not charged for the whole of it. While trading
//! is paused there is no premium.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::{div_rem, negate, product_signed};
use crate::order::within_band;
use crate::risk::{RiskParams, MAX_FUNDING_RATE_PPM};
use crate::units::{FundingIndex, LotPrice, Side};

/// Seconds of an hour, whose samples make the rate of the next one.
pub const HOUR_SECONDS: u64 = 3_600;
/// Denominator of `FundingState::carry`: millionths times seconds of an hour.
pub const FUNDING_SCALE: u64 = 3_600_000_000;

const MILLION: u64 = 1_000_000;

const _: () = assert!(FUNDING_SCALE == HOUR_SECONDS * MILLION);
const _: () = assert!(core::mem::size_of::<FundingState>() == 48);

/// Cumulative funding of a market, its rate, and the book's prices that make the rate.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FundingState {
    /// Whole atoms per lot; longs pay when it rises.
    pub index: FundingIndex,
    /// What is not yet in the index, in `1 / FUNDING_SCALE` atoms per lot,
    /// `0..FUNDING_SCALE`.
    pub carry: u64,
    /// Unix seconds up to which funding has accrued.
    pub last_timestamp: i64,
    /// Samples of the hour of `last_timestamp` up to it, each times the seconds it stood,
    /// ppm seconds; 0 without an impact notional.
    pub rate_sum: i64,
    /// Rate of the hour of `last_timestamp`, ppm an hour, within
    /// `MAX_FUNDING_RATE_PPM` either way.
    pub rate_ppm: i32,
    /// Average price of the impact notional traded into the bids from the best on, atoms
    /// per lot; 0 when they are not that deep.
    pub impact_bid: u32,
    /// The same of the asks.
    pub impact_ask: u32,
    /// 1 when trading was paused at `last_timestamp`, else 0.
    pub paused: u32,
}

/// Funding rates of a market at a moment, ppm an hour; longs pay when positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FundingRates {
    /// What funding accrues at in this hour.
    pub current_ppm: i32,
    /// What the book and the price say now.
    pub sample_ppm: i32,
    /// What funding accrues at in the next hour if the sample stays as it is till then.
    pub next_ppm: i32,
}

/// What an interval adds to funding.
struct Interval {
    /// Sum of rate * seconds.
    ppm_seconds: i64,
    /// Rate of the hour of its end.
    rate_ppm: i32,
    /// Sum of sample * seconds of the hour of its end.
    rate_sum: i64,
}

impl FundingState {
    /// A market with an empty book whose funding starts at `timestamp`, unix seconds. With
    /// an impact notional nothing accrues in its first hour, and the second pays for
    /// the samples of the part of the first that the market existed.
    #[must_use]
    pub const fn starting(timestamp: i64) -> Self {
        Self {
            index: FundingIndex::ZERO,
            carry: 0,
            last_timestamp: timestamp,
            rate_sum: 0,
            rate_ppm: 0,
            impact_bid: 0,
            impact_ask: 0,
            paused: 0,
        }
    }

    /// Takes over the impact price of one side of the book as it is from `last_timestamp` on;
    /// `None` when it is not deep enough. Accrue up to now first, or the past is sampled at
    /// it.
    #[must_use]
    pub fn with_impact(mut self, side: Side, price: Option<LotPrice>) -> Self {
        match side {
            Side::Long => self.impact_bid = stored(price),
            Side::Short => self.impact_ask = stored(price),
        }
        self
    }

    /// Takes over whether trading is paused from `last_timestamp` on.
    #[must_use]
    pub fn with_pause(mut self, paused: bool) -> Self {
        self.paused = u32::from(paused);
        self
    }

    /// Begins at `now`, unix seconds: nothing is owed for the time before. An earlier `now` changes
    /// nothing.
    #[must_use]
    pub fn begun(&self, now: i64) -> Self {
        Self {
            last_timestamp: now.max(self.last_timestamp),
            ..*self
        }
    }

    /// Accrues from `last_timestamp` to `now` with one `price` and the impact prices held
    /// throughout. Rounds down to whole atoms and carries the rest: at one price and one
    /// book, splitting an interval of an hour anywhere changes nothing; of a longer one only
    /// the first hour is sampled. An earlier or equal `now`
    /// changes nothing. `Overflow` when the index leaves `i64`, and for times before 1970
    /// with an impact notional.
    pub fn accrue(
        &self,
        params: &RiskParams,
        price: LotPrice,
        now: i64,
    ) -> Result<Self, EngineError> {
        if now <= self.last_timestamp {
            return Ok(*self);
        }
        let interval = if params.impact_notional_atoms == 0 {
            self.at_rate(params.funding_rate_ppm_per_hour, now)
        } else {
            self.at_sample(self.sample_ppm(params, price)?, now)
        }?;
        let (whole, carry) = self.increment(interval.ppm_seconds, price)?;
        let index = self
            .index
            .get()
            .checked_add(whole)
            .ok_or(EngineError::Overflow)?;
        Ok(Self {
            index: FundingIndex::new(index),
            carry,
            last_timestamp: now,
            rate_sum: interval.rate_sum,
            rate_ppm: interval.rate_ppm,
            ..*self
        })
    }

    /// The rates at `last_timestamp` and `price`. Errors of `accrue`.
    pub fn rates(&self, params: &RiskParams, price: LotPrice) -> Result<FundingRates, EngineError> {
        let sample_ppm = self.sample_ppm(params, price)?;
        if params.impact_notional_atoms == 0 {
            return Ok(FundingRates {
                current_ppm: sample_ppm,
                sample_ppm,
                next_ppm: sample_ppm,
            });
        }
        let left = seconds_left(unix_seconds(self.last_timestamp)?)?;
        Ok(FundingRates {
            current_ppm: self.rate_ppm,
            sample_ppm,
            next_ppm: hour_average(self.sum_after(sample_ppm, left)?)?,
        })
    }

    /// Base rate and premium at `price`, ppm an hour, clamped to the highest rate; 0 when a
    /// side of the book is not deep enough or its impact price outside the price band, the base
    /// rate while trading is paused. The base rate without an impact notional.
    /// `Overflow` for a highest rate that `RiskParams::validate` refuses.
    pub fn sample_ppm(&self, params: &RiskParams, price: LotPrice) -> Result<i32, EngineError> {
        let base = params.funding_rate_ppm_per_hour;
        if params.impact_notional_atoms == 0 {
            return Ok(base);
        }
        if self.impact_bid == 0 || self.impact_ask == 0 {
            return Ok(0);
        }
        for impact in [self.impact_bid, self.impact_ask] {
            if !within_band(params, price, LotPrice::new(u64::from(impact))?) {
                return Ok(0);
            }
        }
        let highest = i64::from(params.max_funding_rate_ppm);
        let lowest = negate(u64::from(params.max_funding_rate_ppm))?;
        let premium = match self.paused {
            0 => self.premium_ppm(price)?,
            _ => 0,
        };
        let rate = premium
            .checked_add(i64::from(base))
            .ok_or(EngineError::Overflow)?;
        i32::try_from(rate.min(highest).max(lowest)).map_err(|_| EngineError::Overflow)
    }

    /// `Overflow` unless the carry is below one atom, the pause 0 or 1 and the rates within
    /// `MAX_FUNDING_RATE_PPM` either way.
    pub fn invariant(&self) -> Result<(), EngineError> {
        let most = u64::from(MAX_FUNDING_RATE_PPM);
        let sound = self.carry < FUNDING_SCALE
            && self.paused <= 1
            && u64::from(self.rate_ppm.unsigned_abs()) <= most
            && self.rate_sum.unsigned_abs() <= most.wrapping_mul(HOUR_SECONDS);
        if sound {
            Ok(())
        } else {
            Err(EngineError::Overflow)
        }
    }

    /// How far the middle of the impact prices is above `price`, ppm, towards zero.
    fn premium_ppm(&self, price: LotPrice) -> Result<i64, EngineError> {
        // Twice a price is within 33 bits, times a million within 53.
        let middle = u64::from(self.impact_bid).wrapping_add(u64::from(self.impact_ask));
        let twice = price.get().wrapping_mul(2);
        let apart = middle.abs_diff(twice).wrapping_mul(MILLION);
        let magnitude = apart.checked_div(twice).ok_or(EngineError::Overflow)?;
        signed(magnitude, middle < twice)
    }

    /// Up to `now` at one rate.
    fn at_rate(&self, rate_ppm: i32, now: i64) -> Result<Interval, EngineError> {
        let seconds = now
            .checked_sub(self.last_timestamp)
            .ok_or(EngineError::Overflow)?;
        Ok(Interval {
            ppm_seconds: over(rate_ppm, seconds.unsigned_abs())?,
            rate_ppm,
            rate_sum: 0,
        })
    }

    /// Up to `now`, which is later than `last_timestamp`, where the sample stands for an hour and
    /// nothing does afterwards: the hour under way at its own rate, each of the next two at the
    /// average of the one before, all later ones at nothing.
    fn at_sample(&self, sample: i32, now: i64) -> Result<Interval, EngineError> {
        let (from, to) = (unix_seconds(self.last_timestamp)?, unix_seconds(now)?);
        let seconds = to.checked_sub(from).ok_or(EngineError::Overflow)?;
        let left = seconds_left(from)?;
        let Some(after) = seconds.checked_sub(left) else {
            return Ok(Interval {
                ppm_seconds: over(self.rate_ppm, seconds)?,
                rate_ppm: self.rate_ppm,
                rate_sum: self.sum_after(sample, seconds)?,
            });
        };
        let average = hour_average(self.sum_after(sample, left)?)?;
        // What of the sample's hour lies in the next one.
        let sampled = HOUR_SECONDS
            .checked_sub(left)
            .ok_or(EngineError::Overflow)?;
        let last = hour_average(over(sample, sampled)?)?;
        let next = after.min(HOUR_SECONDS);
        let later = after.checked_sub(next).ok_or(EngineError::Overflow)?;
        let ppm_seconds = over(self.rate_ppm, left)?
            .checked_add(over(average, next)?)
            .and_then(|sum| sum.checked_add(over(last, later.min(HOUR_SECONDS)).ok()?))
            .ok_or(EngineError::Overflow)?;
        let (rate_ppm, rate_sum) = match after / HOUR_SECONDS {
            0 => (average, over(sample, after.min(sampled))?),
            1 => (last, 0),
            _ => (0, 0),
        };
        Ok(Interval {
            ppm_seconds,
            rate_ppm,
            rate_sum,
        })
    }

    /// `rate_sum` after so many more seconds of the same hour at `sample`.
    fn sum_after(&self, sample: i32, seconds: u64) -> Result<i64, EngineError> {
        over(sample, seconds)?
            .checked_add(self.rate_sum)
            .ok_or(EngineError::Overflow)
    }

    /// Whole atoms to add to the index, and the carry after.
    fn increment(&self, ppm_seconds: i64, price: LotPrice) -> Result<(i64, u64), EngineError> {
        let price = i64::try_from(price.get()).map_err(|_| EngineError::Overflow)?;
        let total = product_signed(ppm_seconds, price)
            .checked_add(i128::from(self.carry))
            .ok_or(EngineError::Overflow)?;
        // Divided by magnitude: the VM has no signed division.
        let (quotient, rest) = div_rem(total.unsigned_abs(), FUNDING_SCALE)?;
        let quotient = i64::try_from(quotient).map_err(|_| EngineError::Overflow)?;
        if total >= 0 {
            return Ok((quotient, rest));
        }
        let whole = quotient.checked_neg().ok_or(EngineError::Overflow)?;
        if rest == 0 {
            return Ok((whole, 0));
        }
        let whole = whole.checked_sub(1).ok_or(EngineError::Overflow)?;
        let carry = FUNDING_SCALE
            .checked_sub(rest)
            .ok_or(EngineError::Overflow)?;
        Ok((whole, carry))
    }
}

/// A price within 31 bits as it is stored, 0 for none.
fn stored(price: Option<LotPrice>) -> u32 {
    price
        .and_then(|price| u32::try_from(price.get()).ok())
        .unwrap_or(0)
}

/// `rate_ppm * seconds`.
fn over(rate_ppm: i32, seconds: u64) -> Result<i64, EngineError> {
    let seconds = i64::try_from(seconds).map_err(|_| EngineError::Overflow)?;
    seconds
        .checked_mul(i64::from(rate_ppm))
        .ok_or(EngineError::Overflow)
}

fn unix_seconds(timestamp: i64) -> Result<u64, EngineError> {
    u64::try_from(timestamp).map_err(|_| EngineError::Overflow)
}

/// Seconds to the end of the hour, `1..=HOUR_SECONDS`.
fn seconds_left(timestamp: u64) -> Result<u64, EngineError> {
    HOUR_SECONDS
        .checked_sub(timestamp % HOUR_SECONDS)
        .ok_or(EngineError::Overflow)
}

/// The average over an hour of samples that sum to `rate_sum`, towards zero.
fn hour_average(rate_sum: i64) -> Result<i32, EngineError> {
    let average = signed(rate_sum.unsigned_abs() / HOUR_SECONDS, rate_sum < 0)?;
    i32::try_from(average).map_err(|_| EngineError::Overflow)
}

fn signed(magnitude: u64, negative: bool) -> Result<i64, EngineError> {
    if negative {
        negate(magnitude)
    } else {
        i64::try_from(magnitude).map_err(|_| EngineError::Overflow)
    }
}
