//! The funding index of a market.
//!
//! The index moves in whole atoms per lot. What is not yet a whole atom is carried
//! in the market, so every settlement is exact and funding sums to zero.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::div_rem;
use crate::units::{FundingIndex, LotPrice};

/// Denominator of `FundingState::carry`: millionths times seconds of an hour.
pub const FUNDING_SCALE: u64 = 3_600_000_000;

/// Cumulative funding of a market.
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
}

impl FundingState {
    /// A market whose funding starts at `timestamp`, unix seconds.
    #[must_use]
    pub const fn starting(timestamp: i64) -> Self {
        Self {
            index: FundingIndex::ZERO,
            carry: 0,
            last_timestamp: timestamp,
        }
    }

    /// Accrues from `last_timestamp` to `now` at `rate_ppm` millionths of `price`
    /// an hour. Rounds down to whole atoms and carries the rest: at one price,
    /// splitting the interval changes nothing. An earlier or equal `now` changes
    /// nothing. `Overflow` when the index leaves `i64`.
    pub fn accrue(&self, rate_ppm: i32, price: LotPrice, now: i64) -> Result<Self, EngineError> {
        if now <= self.last_timestamp {
            return Ok(*self);
        }
        let (whole, carry) = self.increment(rate_ppm, price, now)?;
        let index = self
            .index
            .get()
            .checked_add(whole)
            .ok_or(EngineError::Overflow)?;
        Ok(Self {
            index: FundingIndex::new(index),
            carry,
            last_timestamp: now,
        })
    }

    fn increment(
        &self,
        rate_ppm: i32,
        price: LotPrice,
        now: i64,
    ) -> Result<(i64, u64), EngineError> {
        let elapsed = i128::from(now)
            .checked_sub(i128::from(self.last_timestamp))
            .ok_or(EngineError::Overflow)?;
        let total = i128::from(rate_ppm)
            .checked_mul(i128::from(price.get()))
            .and_then(|second| second.checked_mul(elapsed))
            .and_then(|sum| sum.checked_add(i128::from(self.carry)))
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

    /// `Overflow` unless the carry is below one atom.
    pub fn invariant(&self) -> Result<(), EngineError> {
        if self.carry < FUNDING_SCALE {
            Ok(())
        } else {
            Err(EngineError::Overflow)
        }
    }
}
