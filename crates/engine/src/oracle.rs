//! Which oracle price may be used for what.
//!
//! | fault | Open | Reduce | RemoveMargin | Funding | Flag | Force |
//! |---|---|---|---|---|---|---|
//! | older than one already used | x | x | x | x | x | x |
//! | dated too far ahead | x | | x | x | x | x |
//! | stale | x | | x | x | x | x |
//! | wide confidence | x | | x | x | x | x |
//! | below one tick | x | | x | | | |
//! | far from the moving average | | | x | | | x |
//!
//! A price is stale beyond [`RiskParams::price_age`]. Funding takes one up to
//! [`RiskParams::oldest_price_age`], and so do `Flag` and `Force` of a position that was flagged in an earlier
//! slot at a price published earlier: two prices then speak against it.
//!
//! A price below one tick counts as one, so that who is in such a market gets out. A confidence is
//! wide beyond [`RiskParams::oracle_max_conf_bps`] of the price and one tick, to which it is rounded up.
//!
//! A price far from its average blocks only until the market has recorded such prices for
//! [`RiskParams::divergence_grace`]. Until then trades may not raise open interest, and who opens
//! holds its margin at the average too: [`Mark::average`].
//!
//! Only a price fit for funding counts as used: one dated far ahead, which still
//! serves to reduce, would make every honest price after it an older one. Funding
//! goes on through a fast market because the price only scales it.

mod clock;
mod source;

use crate::error::EngineError;
use crate::margin::MarginScale;
use crate::math::{div_rem, product};
use crate::risk::RiskParams;
use crate::units::{LotPrice, Side, Ticks, BPS_ONE};

pub use clock::{Judged, Known, Now, PriceClock, MOST_COUNTED_SECONDS};
pub use source::{compare, Comparison, AGREEING_BPS, AGREEING_SECONDS, APART_SECONDS};

/// Most seconds that a price may lie ahead of the cluster's clock, which drifts.
pub const MAX_AHEAD_SECONDS: u64 = 30;

/// A price as a market sees it, before any check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OraclePrice {
    /// The price, ticks, rounded down, at least one.
    pub price: Ticks,
    /// Half the confidence interval, ticks, rounded up.
    pub confidence: Ticks,
    /// Exponential moving average of the price, ticks, rounded down; at least one where it is a
    /// price.
    pub ema: Ticks,
    /// When it was published, unix seconds.
    pub publish_time: i64,
    /// Whether it is below one tick, and counts as one.
    pub below_tick: bool,
}

/// What a price is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opening, enlarging or flipping a position; any trade in the book.
    Open,
    /// Making a position smaller.
    Reduce,
    /// Taking margin out of a position.
    RemoveMargin,
    /// Accruing funding.
    Funding,
    /// Recording how a position stands.
    Flag {
        /// Slot since which it has been flagged below maintenance; 0 when it is not.
        flagged_slot: u64,
    },
    /// Liquidating or deleveraging a position, or executing its trigger.
    Force {
        /// Slot since which it has been flagged below maintenance; 0 when it is not.
        flagged_slot: u64,
    },
}

impl Action {
    /// [`Self::Flag`] of a position without a flag.
    pub const FLAG: Self = Self::Flag { flagged_slot: 0 };
    /// [`Self::Force`] of a position without a flag.
    pub const FORCE: Self = Self::Force { flagged_slot: 0 };
}

/// What is wrong with an oracle price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceFault {
    /// Older than the market's limit for the action.
    Stale,
    /// Dated further ahead than [`MAX_AHEAD_SECONDS`].
    FromFuture,
    /// Older than a price already used.
    Older,
    /// The confidence interval is too wide.
    WideConfidence,
    /// Too far from the moving average, and not for long enough.
    Diverged,
    /// Below one tick.
    BelowTick,
}

impl From<PriceFault> for EngineError {
    fn from(fault: PriceFault) -> Self {
        match fault {
            PriceFault::Stale => Self::PriceStale,
            PriceFault::FromFuture => Self::PriceFromFuture,
            PriceFault::Older => Self::PriceOlder,
            PriceFault::WideConfidence => Self::PriceWideConfidence,
            PriceFault::Diverged => Self::PriceDiverged,
            PriceFault::BelowTick => Self::PriceOutOfRange,
        }
    }
}

/// A checked price of one lot with its confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The price, atoms per lot.
    pub price: LotPrice,
    /// Half the confidence interval, atoms per lot.
    pub confidence: u64,
    /// The price's moving average while the price is far from it and has not been for long
    /// enough, atoms per lot. Trades then raise no open interest, and who opens holds its margin
    /// at the average too.
    pub average: Option<LotPrice>,
    /// What initial margin is scaled by while the price stands.
    pub scale: MarginScale,
}

impl Mark {
    /// The price moved by the confidence against a position on `side`, and to the average where
    /// that is worse; at least one atom. `PriceOutOfRange` beyond the highest price.
    pub fn worsened(&self, side: Side) -> Result<LotPrice, EngineError> {
        let price = self.price.get();
        let worse = match side {
            Side::Long => Some(
                price
                    .max(self.confidence)
                    .wrapping_sub(self.confidence)
                    .max(1),
            ),
            Side::Short => price.checked_add(self.confidence),
        };
        let worse = LotPrice::new(worse.ok_or(EngineError::PriceOutOfRange)?)?;
        Ok(self.against(side, worse))
    }

    /// The price, or the average where that is worse for a position on `side`.
    #[must_use]
    pub fn unworsened(&self, side: Side) -> LotPrice {
        self.against(side, self.price)
    }

    fn against(&self, side: Side, price: LotPrice) -> LotPrice {
        match (self.average, side) {
            (None, _) => price,
            (Some(average), Side::Long) => price.min(average),
            (Some(average), Side::Short) => price.max(average),
        }
    }
}

impl OraclePrice {
    /// The price of a lot where a tick of one lot is `atoms_per_lot_tick`.
    /// Initial margin is not scaled: that is the market's to say.
    /// `PriceOutOfRange` outside `1..=MAX_LOT_PRICE`.
    pub fn mark(&self, atoms_per_lot_tick: u64) -> Result<Mark, EngineError> {
        let confidence = self
            .confidence
            .get()
            .checked_mul(atoms_per_lot_tick)
            .ok_or(EngineError::PriceOutOfRange)?;
        Ok(Mark {
            price: self.price.lot_price(atoms_per_lot_tick)?,
            confidence,
            average: None,
            scale: MarginScale::NONE,
        })
    }

    /// The moving average of a lot, brought within `1..=MAX_LOT_PRICE`.
    #[must_use]
    pub fn average(&self, atoms_per_lot_tick: u64) -> LotPrice {
        let ema = Ticks::new(self.ema.get().max(1));
        ema.lot_price(atoms_per_lot_tick).unwrap_or(LotPrice::MAX)
    }

    /// Whether it is farther from its moving average than `params` allow.
    #[must_use]
    pub fn is_diverged(&self, params: &RiskParams) -> bool {
        let distance = Ticks::new(self.price.get().abs_diff(self.ema.get()));
        exceeds(distance, self.ema, params.oracle_max_ema_divergence_bps)
    }
}

/// Whether `part` is more than `bps` of `whole`.
fn exceeds(part: Ticks, whole: Ticks, bps: u32) -> bool {
    product(part.get(), BPS_ONE) > product(whole.get(), u64::from(bps))
}

/// `mantissa * 10^exponent` quote units in ticks of `tick_nano` billionths of a
/// quote unit, rounded down, and whether it is below one tick, which then is what it
/// counts as. `PriceOutOfRange` for a price that is not positive or not representable.
pub fn price_to_ticks(
    mantissa: i64,
    exponent: i32,
    tick_nano: u64,
) -> Result<(Ticks, bool), EngineError> {
    let mantissa = u64::try_from(mantissa).map_err(|_| EngineError::PriceOutOfRange)?;
    if mantissa == 0 {
        return Err(EngineError::PriceOutOfRange);
    }
    let (ticks, _) = to_ticks(mantissa, exponent, tick_nano)?;
    Ok((Ticks::new(ticks.max(1)), ticks == 0))
}

/// Like `price_to_ticks`, rounded up and possibly zero: for a confidence.
pub fn confidence_to_ticks(
    mantissa: u64,
    exponent: i32,
    tick_nano: u64,
) -> Result<Ticks, EngineError> {
    let (ticks, exact) = to_ticks(mantissa, exponent, tick_nano)?;
    ticks
        .checked_add(u64::from(!exact))
        .map(Ticks::new)
        .ok_or(EngineError::PriceOutOfRange)
}

/// Ticks rounded down and whether that is exact.
fn to_ticks(mantissa: u64, exponent: i32, tick_nano: u64) -> Result<(u64, bool), EngineError> {
    let out_of_range = EngineError::PriceOutOfRange;
    let shift = exponent.checked_add(9).ok_or(out_of_range)?;
    let power = 10_u64
        .checked_pow(shift.unsigned_abs())
        .ok_or(out_of_range)?;
    let (number, divisor) = if shift < 0 {
        let divisor = tick_nano.checked_mul(power).ok_or(out_of_range)?;
        (u128::from(mantissa), divisor)
    } else {
        (product(mantissa, power), tick_nano)
    };
    let (ticks, rest) = div_rem(number, divisor).map_err(|_| out_of_range)?;
    let ticks = u64::try_from(ticks).map_err(|_| out_of_range)?;
    Ok((ticks, rest == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MAX_LOT_PRICE;

    fn at(price: u64, confidence: u64) -> OraclePrice {
        OraclePrice {
            price: Ticks::new(price),
            confidence: Ticks::new(confidence),
            ema: Ticks::new(price),
            publish_time: 0,
            below_tick: false,
        }
    }

    #[test]
    fn prices_become_ticks() {
        // 143.21567890 with a tick of 0.001.
        let ticks = |mantissa, exponent| price_to_ticks(mantissa, exponent, 1_000_000);
        let whole = |ticks| Ok((Ticks::new(ticks), false));
        assert_eq!(ticks(14_321_567_890, -8), whole(143_215));
        assert_eq!(ticks(143, 0), whole(143_000));
        assert_eq!(ticks(143_215_678_900_000, -12), whole(143_215));
        let outside = Err(EngineError::PriceOutOfRange);
        assert_eq!(ticks(100_000, -8), whole(1));
        assert_eq!(ticks(99_999, -8), Ok((Ticks::new(1), true)));
        assert_eq!(ticks(1, -8), Ok((Ticks::new(1), true)));
        assert_eq!(ticks(0, -8), outside);
        assert_eq!(ticks(-5, -8), outside);
        assert_eq!(ticks(i64::MAX, 10), outside);
        assert_eq!(ticks(1, i32::MAX), outside);
        assert_eq!(ticks(1, i32::MIN), outside);
        assert_eq!(price_to_ticks(1, 0, 0), outside);
        let up = |mantissa| confidence_to_ticks(mantissa, -8, 1_000_000);
        assert_eq!(up(100_001), Ok(Ticks::new(2)));
        assert_eq!(up(100_000), Ok(Ticks::new(1)));
        assert_eq!(up(0), Ok(Ticks::new(0)));
    }

    #[test]
    fn the_mark_worsens_against_the_position() {
        let mark = at(500, 3).mark(10);
        let worse = |side| mark.and_then(|mark| mark.worsened(side)).map(LotPrice::get);
        assert_eq!(worse(Side::Long), Ok(4_970));
        assert_eq!(worse(Side::Short), Ok(5_030));
        for confidence in [3, 4] {
            let vague = at(3, confidence).mark(1);
            let worst = vague.and_then(|mark| mark.worsened(Side::Long));
            assert_eq!(worst, Ok(LotPrice::MIN));
        }
        let highest = at(MAX_LOT_PRICE, 1).mark(1);
        let worst = highest.and_then(|mark| mark.worsened(Side::Short));
        assert_eq!(worst, Err(EngineError::PriceOutOfRange));
    }

    #[test]
    fn an_average_that_counts_worsens_the_mark_for_one_side() {
        let mut mark = at(500, 3).mark(10).unwrap();
        mark.average = Some(at(600, 0).average(10));
        let worse = |side| mark.worsened(side).map(LotPrice::get);
        assert_eq!(worse(Side::Long), Ok(4_970));
        assert_eq!(worse(Side::Short), Ok(6_000));
        assert_eq!(mark.unworsened(Side::Long).get(), 5_000);
        assert_eq!(mark.unworsened(Side::Short).get(), 6_000);
        assert_eq!(at(0, 0).average(10).get(), 10);
        assert_eq!(at(u64::MAX, 0).average(10), LotPrice::MAX);
    }
}
