//! From what a record says to what an account above maintenance holds at least.
//!
//! With `K` the largest way that marks and funding have gone since the record, in units of maintenance,
//! `slack` the part by which a record may flatter, `V^` the equity by record and `m` the leg's maintenance:
//!
//! ```text
//! V >= max( (V^ + K m) / ((1+K)(1+slack)),  m )
//! ```
//!
//! An affine map, monotone in `V^`, so that it maps the best of a subtree too. `A` and `B` are rounded
//! down: an error ranks the account higher, never lower.

use crate::error::EngineError;
use crate::math::{div_rem, product};
use crate::units::{LotPrice, Side, BPS_ONE};

use super::record::is_floored;

/// One in millionths.
const ONE_PPM: u64 = 1_000_000;
/// A way of which nothing is known.
pub const ENDLESS_PPM: u32 = u32::MAX;
const ONE_Q32: u64 = 1 << 32;
const LOW_32: u64 = 0xffff_ffff;

/// What a way of `K` makes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// `1 / ((1+K)(1+slack))` in units of 2^-32, rounded down, at most one.
    a: u64,
    /// `K` times that, likewise.
    b: u64,
}

impl Drift {
    /// The record as it stands.
    pub const NONE: Self = Self { a: ONE_Q32, b: 0 };

    /// A way of `kappa_ppm` millionths and a slack in per cent, at most 100. `Overflow` beyond.
    pub fn new(kappa_ppm: u32, slack_percent: u64) -> Result<Self, EngineError> {
        if slack_percent > 100 {
            return Err(EngineError::Overflow);
        }
        if kappa_ppm == ENDLESS_PPM {
            return Ok(Self { a: 0, b: 0 });
        }
        let kappa = u64::from(kappa_ppm);
        // 33 by 8 bits.
        let divisor = ONE_PPM
            .wrapping_add(kappa)
            .wrapping_mul(slack_percent.wrapping_add(100));
        // 2^32 times 10^8 is below 2^59.
        let scaled = ONE_Q32.wrapping_mul(ONE_PPM).wrapping_mul(100);
        let a = scaled.checked_div(divisor).ok_or(EngineError::Overflow)?;
        Ok(Self {
            a,
            // 32 by 32 bits.
            b: a.wrapping_mul(kappa).checked_div(ONE_PPM).unwrap_or(0),
        })
    }

    /// `(A x + B m) >> 32`, each part rounded down, at least `m`.
    #[inline(always)]
    #[must_use]
    const fn bound(&self, recorded: u64, least: u64) -> u64 {
        let mapped = scaled(recorded, self.a).wrapping_add(scaled(least, self.b));
        if mapped > least {
            mapped
        } else {
            least
        }
    }

    /// The least equity of an account above maintenance whose record says `recorded` atoms and whose
    /// leg needs `requirement`, both atoms.
    #[must_use]
    pub const fn least_equity(&self, recorded: u64, requirement: u64) -> u64 {
        self.bound(recorded, requirement)
    }
}

/// `number * factor >> 32` for a factor of at most 2^32: no wrap.
#[inline(always)]
const fn scaled(number: u64, factor: u64) -> u64 {
    let high = (number >> 32).wrapping_mul(factor);
    let low = (number & LOW_32).wrapping_mul(factor);
    high.wrapping_add(low >> 32)
}

/// [`Drift`] at one mark: from a node's bankruptcy price to the nearest that its account's can be.
#[derive(Clone, Copy, Debug)]
pub struct PriceMap {
    side: Side,
    /// Mark less the funding index, 2^-32 atoms a lot.
    pivot_q32: i64,
    /// Maintenance a lot at the first bracket's rate, 2^-32 atoms, rounded down.
    least_q32: u64,
    /// Of this, what `B` makes.
    lift_q32: u64,
    a: u64,
}

impl PriceMap {
    /// For nodes of `side` at a mark and its pivot, the mark less the funding index in units of 2^-32.
    pub fn new(
        drift: &Drift,
        side: Side,
        mark: LotPrice,
        pivot_q32: i64,
        maintenance_bps: u32,
    ) -> Result<Self, EngineError> {
        // 31 bits moved by 32, then 14 more.
        let mark_q32 = mark.get() << 32;
        let (least, _) = div_rem(product(mark_q32, u64::from(maintenance_bps)), BPS_ONE)?;
        let least = u64::try_from(least).map_err(|_| EngineError::Overflow)?;
        Ok(Self {
            side,
            pivot_q32,
            least_q32: least,
            lift_q32: scaled(least, drift.b),
            a: drift.a,
        })
    }

    /// The bankruptcy price nearest to the mark that the account behind a record can have.
    #[inline(always)]
    #[must_use]
    pub const fn nearest(&self, bankruptcy_q32: i64) -> i64 {
        let distance = if is_floored(self.side, bankruptcy_q32) {
            0
        } else {
            match self.side {
                // A long's price is rounded down: one more is not below it.
                Side::Long if bankruptcy_q32 < self.pivot_q32 => {
                    self.pivot_q32.abs_diff(bankruptcy_q32.wrapping_add(1))
                }
                Side::Short if bankruptcy_q32 > self.pivot_q32 => {
                    bankruptcy_q32.abs_diff(self.pivot_q32)
                }
                _ => 0,
            }
        };
        let mapped = scaled(distance, self.a).wrapping_add(self.lift_q32);
        let distance = if mapped > self.least_q32 {
            mapped
        } else {
            self.least_q32
        };
        // Beyond the range of prices the end of it is nearer, which admits more.
        match self.side {
            Side::Long => match self.pivot_q32.checked_sub_unsigned(distance) {
                Some(price) => price,
                None => i64::MIN,
            },
            Side::Short => match self.pivot_q32.checked_add_unsigned(distance) {
                Some(price) => price,
                None => i64::MAX,
            },
        }
    }
}
