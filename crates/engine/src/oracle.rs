//! Which oracle price may be used for what.
//!
//! | fault | Open | Reduce | RemoveMargin | Funding | Liquidate | Adl |
//! |---|---|---|---|---|---|---|
//! | older than one already used | x | x | x | x | x | x |
//! | dated too far ahead | x | | x | x | x | x |
//! | stale | x | | x | x | x | x |
//! | wide confidence | x | | x | x | x | x |
//! | far from the moving average | x | | x | | x | x |
//!
//! Only a price fit for funding counts as used: one dated far ahead, which still
//! serves to reduce, would make every honest price after it an older one. Funding
//! goes on through a fast market because the price only scales it.

use crate::error::EngineError;
use crate::math::{div_rem, product};
use crate::risk::RiskParams;
use crate::units::{LotPrice, Side, Ticks, BPS_ONE};

/// A price as a market sees it, before any check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OraclePrice {
    /// The price, ticks, rounded down.
    pub price: Ticks,
    /// Half the confidence interval, ticks, rounded up.
    pub confidence: Ticks,
    /// Exponential moving average of the price, ticks, rounded down.
    pub ema: Ticks,
    /// When it was published, unix seconds.
    pub publish_time: i64,
}

/// What a price is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opening, enlarging or flipping a position.
    Open,
    /// Making a position smaller.
    Reduce,
    /// Taking margin out of a position.
    RemoveMargin,
    /// Accruing funding.
    Funding,
    /// Liquidating a position or flagging its bankruptcy.
    Liquidate,
    /// Auto-deleveraging.
    Adl,
}

/// What is wrong with an oracle price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceFault {
    /// Older than the market's limit.
    Stale,
    /// Dated further ahead than the market's age limit.
    FromFuture,
    /// Older than a price already used.
    Older,
    /// The confidence interval is too wide.
    WideConfidence,
    /// Too far from the moving average.
    Diverged,
}

/// A checked price of one lot with its confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The price, atoms per lot.
    pub price: LotPrice,
    /// Half the confidence interval, atoms per lot.
    pub confidence: u64,
}

impl Mark {
    /// The price moved by the confidence against a position on `side`.
    /// `PriceOutOfRange` when that leaves the price range.
    pub fn worsened(&self, side: Side) -> Result<LotPrice, EngineError> {
        let price = self.price.get();
        let worse = match side {
            Side::Long => price.checked_sub(self.confidence),
            Side::Short => price.checked_add(self.confidence),
        };
        LotPrice::new(worse.ok_or(EngineError::PriceOutOfRange)?)
    }
}

impl OraclePrice {
    /// The price of a lot where a tick of one lot is `atoms_per_lot_tick`.
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
        })
    }
}

/// Whether `price` may be used for `action` at `now` (unix seconds), in a market
/// that has already used one published at `last_publish_time`. The first fault of
/// the module's table that blocks the action.
pub fn check(
    action: Action,
    price: &OraclePrice,
    params: &RiskParams,
    last_publish_time: i64,
    now: i64,
) -> Result<(), PriceFault> {
    if price.publish_time < last_publish_time {
        return Err(PriceFault::Older);
    }
    if matches!(action, Action::Reduce) {
        return Ok(());
    }
    let age = i128::from(now).wrapping_sub(i128::from(price.publish_time));
    let max_age = i128::from(params.oracle_max_age_seconds);
    if age < max_age.wrapping_neg() {
        return Err(PriceFault::FromFuture);
    }
    if age > max_age {
        return Err(PriceFault::Stale);
    }
    if exceeds(price.confidence, price.price, params.oracle_max_conf_bps) {
        return Err(PriceFault::WideConfidence);
    }
    let distance = Ticks::new(price.price.get().abs_diff(price.ema.get()));
    let diverged = exceeds(distance, price.ema, params.oracle_max_ema_divergence_bps);
    if diverged && !matches!(action, Action::Funding) {
        return Err(PriceFault::Diverged);
    }
    Ok(())
}

/// Whether `part` is more than `bps` of `whole`.
fn exceeds(part: Ticks, whole: Ticks, bps: u32) -> bool {
    product(part.get(), BPS_ONE) > product(whole.get(), u64::from(bps))
}

/// `mantissa * 10^exponent` quote units in ticks of `tick_nano` billionths of a
/// quote unit, rounded down. `PriceOutOfRange` for a price that is not positive,
/// below one tick, or not representable.
pub fn price_to_ticks(mantissa: i64, exponent: i32, tick_nano: u64) -> Result<Ticks, EngineError> {
    let mantissa = u64::try_from(mantissa).map_err(|_| EngineError::PriceOutOfRange)?;
    let (ticks, _) = to_ticks(mantissa, exponent, tick_nano)?;
    if ticks == 0 {
        return Err(EngineError::PriceOutOfRange);
    }
    Ok(Ticks::new(ticks))
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

    const ALL: [Action; 6] = [
        Action::Open,
        Action::Reduce,
        Action::RemoveMargin,
        Action::Funding,
        Action::Liquidate,
        Action::Adl,
    ];
    const NOW: i64 = 1_000;

    fn params() -> RiskParams {
        RiskParams {
            oracle_max_age_seconds: 30,
            oracle_max_conf_bps: 100,
            oracle_max_ema_divergence_bps: 1_000,
            ..RiskParams::default()
        }
    }

    fn at(price: u64, confidence: u64, ema: u64, publish_time: i64) -> OraclePrice {
        OraclePrice {
            price: Ticks::new(price),
            confidence: Ticks::new(confidence),
            ema: Ticks::new(ema),
            publish_time,
        }
    }

    /// The faults of `price` for each action in the order of the table.
    fn row(price: OraclePrice) -> [Option<PriceFault>; 6] {
        ALL.map(|action| check(action, &price, &params(), NOW - 100, NOW).err())
    }

    #[test]
    fn the_table() {
        assert_eq!(row(at(10_000, 100, 10_000, NOW)), [None; 6]);
        let older = Some(PriceFault::Older);
        assert_eq!(row(at(10_000, 1, 10_000, NOW - 101)), [older; 6]);
        let ahead = Some(PriceFault::FromFuture);
        let but_reduce = |fault| [fault, None, fault, fault, fault, fault];
        assert_eq!(row(at(10_000, 1, 10_000, NOW + 31)), but_reduce(ahead));
        let stale = Some(PriceFault::Stale);
        assert_eq!(row(at(10_000, 1, 10_000, NOW - 31)), but_reduce(stale));
        let wide = Some(PriceFault::WideConfidence);
        assert_eq!(row(at(10_000, 101, 10_000, NOW)), but_reduce(wide));
        let apart = Some(PriceFault::Diverged);
        let but_funding = [apart, None, apart, None, apart, apart];
        assert_eq!(row(at(11_001, 1, 10_000, NOW)), but_funding);
        assert_eq!(row(at(8_999, 1, 10_000, NOW)), but_funding);
    }

    #[test]
    fn what_serves_any_other_action_than_reducing_serves_funding() {
        for price in [10_000, 10_100, 11_001, 8_999] {
            for confidence in [1, 100, 101] {
                for publish_time in [NOW - 101, NOW - 31, NOW, NOW + 31] {
                    let row = row(at(price, confidence, 10_000, publish_time));
                    let others = row.iter().enumerate().filter(|(place, _)| *place != 1);
                    let some = others.clone().any(|(_, fault)| fault.is_none());
                    assert!(!some || row[3].is_none(), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(row(at(11_000, 110, 10_000, NOW - 30)), [None; 6]);
        assert_eq!(row(at(9_000, 90, 10_000, NOW + 30)), [None; 6]);
        assert_eq!(row(at(9_000, 0, 10_000, NOW - 30)), [None; 6]);
        let same = at(10_000, 0, 10_000, NOW);
        assert_eq!(check(Action::Open, &same, &params(), NOW, NOW), Ok(()));
        let extreme = at(u64::MAX, u64::MAX, 1, i64::MIN);
        let fault = check(Action::Open, &extreme, &params(), i64::MIN, i64::MAX);
        assert_eq!(fault, Err(PriceFault::Stale));
    }

    #[test]
    fn prices_become_ticks() {
        // 143.21567890 with a tick of 0.001.
        let ticks = |mantissa, exponent| price_to_ticks(mantissa, exponent, 1_000_000);
        assert_eq!(ticks(14_321_567_890, -8), Ok(Ticks::new(143_215)));
        assert_eq!(ticks(143, 0), Ok(Ticks::new(143_000)));
        assert_eq!(ticks(143_215_678_900_000, -12), Ok(Ticks::new(143_215)));
        let outside = Err(EngineError::PriceOutOfRange);
        assert_eq!(ticks(99_999, -8), outside);
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
        let mark = at(500, 3, 500, NOW).mark(10);
        let worse = |side| mark.and_then(|mark| mark.worsened(side)).map(LotPrice::get);
        assert_eq!(worse(Side::Long), Ok(4_970));
        assert_eq!(worse(Side::Short), Ok(5_030));
        let vague = at(3, 3, 3, NOW).mark(1);
        let worst = vague.and_then(|mark| mark.worsened(Side::Long));
        assert_eq!(worst, Err(EngineError::PriceOutOfRange));
    }
}
