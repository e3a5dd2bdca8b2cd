//! Whether two sources price the same asset.
//!
//! A market's source is replaced only where both have agreed while the change waited. Anybody shows
//! both prices, whichever fit ones it likes, so what one look proves is bounded from both sides:
//!
//! - They agree where they differ by at most [`AGREEING_BPS`]. Confidence gives nothing: a vague price
//!   agrees with whatever is near it.
//! - Apart they are only where both were published at the same time, to [`APART_SECONDS`], and differ
//!   by more than [`AGREEING_BPS`] and both confidences: so an old price of one and a new price of the
//!   other do not speak against them. One such look is enough.
//!
//! What is neither says nothing.

use super::{exceeds, Action, Known, Now, OraclePrice, PriceClock, PriceFault};
use crate::risk::RiskParams;
use crate::units::Ticks;

/// Most that two prices of the same asset differ by, basis points of the first: about twice what 98.5%
/// of the one-second moves of the largest crash stay below (docs/RISK_BOUNDS.md, the gap).
pub const AGREEING_BPS: u32 = 150;
/// Most seconds between the publications of two prices that agree.
pub const AGREEING_SECONDS: u64 = 10;
/// Most seconds between the publications of two prices that are apart.
pub const APART_SECONDS: u64 = 1;
/// What two prices say of their sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They price the same.
    Agree,
    /// They do not.
    Apart,
    /// Nothing: they differ, and their times or their confidence may be why.
    Undecided,
}

/// What the prices of the market's own source and of another say of both at `now`, under the
/// market's parameters. Each has to be fit to open positions, but for its distance from its average.
///
/// # Errors
/// What is wrong with either.
pub fn compare(
    params: &RiskParams,
    own: &OraclePrice,
    other: &OraclePrice,
    now: Now,
) -> Result<Comparison, PriceFault> {
    for price in [own, other] {
        let known = Known {
            params,
            last: Ticks::new(0),
            last_publish_time: price.publish_time,
            clock: PriceClock::default(),
            now,
            stopped: true,
        };
        known.judge(Action::Open, price)?;
    }
    let seconds = own.publish_time.abs_diff(other.publish_time);
    // Both are rounded down to a tick.
    let difference = own.price.get().abs_diff(other.price.get());
    let difference = difference.max(1).wrapping_sub(1);
    let vague = own.confidence.get().checked_add(other.confidence.get());
    let beyond = difference.checked_sub(vague.unwrap_or(u64::MAX));
    let differ = |ticks| exceeds(Ticks::new(ticks), own.price, AGREEING_BPS);
    Ok(match beyond {
        _ if !differ(difference) && seconds <= AGREEING_SECONDS => Comparison::Agree,
        Some(beyond) if differ(beyond) && seconds <= APART_SECONDS => Comparison::Apart,
        _ => Comparison::Undecided,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now {
        slot: 50,
        unix_timestamp: 1_000,
    };

    fn params() -> RiskParams {
        RiskParams {
            oracle_max_age_seconds: 30,
            oracle_max_conf_bps: 100,
            oracle_max_ema_divergence_bps: 1_000,
            ..RiskParams::default()
        }
    }

    fn at(price: u64, confidence: u64, seconds_ago: i64) -> OraclePrice {
        OraclePrice {
            price: Ticks::new(price),
            confidence: Ticks::new(confidence),
            ema: Ticks::new(price),
            publish_time: NOW.unix_timestamp.wrapping_sub(seconds_ago),
            below_tick: false,
        }
    }

    fn compared(own: OraclePrice, other: OraclePrice) -> Result<Comparison, PriceFault> {
        compare(&params(), &own, &other, NOW)
    }

    #[test]
    fn a_pair_agrees_within_the_band_whatever_the_confidence_says() {
        use Comparison::{Agree, Apart, Undecided};
        let own = at(100_000, 0, 0);
        for (price, confidence, said) in [
            (100_000, 0, Agree),
            (101_501, 0, Agree),
            (98_499, 0, Agree),
            (101_502, 0, Apart),
            (98_498, 0, Apart),
            (101_502, 1, Undecided),
            (102_501, 1_000, Undecided),
            (102_502, 1_000, Apart),
        ] {
            assert_eq!(compared(own, at(price, confidence, 0)), Ok(said), "{price}");
        }
    }

    #[test]
    fn an_old_price_beside_a_new_one_speaks_against_nobody() {
        use Comparison::{Agree, Apart, Undecided};
        for (ago, near, far) in [
            (0, Agree, Apart),
            (1, Agree, Apart),
            (2, Agree, Undecided),
            (10, Agree, Undecided),
        ] {
            let own = at(100_000, 0, 0);
            assert_eq!(compared(own, at(100_100, 0, ago)), Ok(near), "{ago}");
            assert_eq!(compared(own, at(150_000, 0, ago)), Ok(far), "{ago}");
            assert_eq!(compared(at(150_000, 0, ago), own), Ok(far), "{ago}");
        }
        // One ahead of the clock, the other as old as may be.
        assert_eq!(
            compared(at(100_000, 0, -1), at(100_000, 0, 10)),
            Ok(Undecided)
        );
    }

    #[test]
    fn unfit_prices_say_nothing() {
        let good = at(100_000, 0, 0);
        let small = OraclePrice {
            below_tick: true,
            ..at(1, 0, 0)
        };
        for (bad, fault) in [
            (at(100_000, 0, 11), PriceFault::Stale),
            (at(100_000, 0, -31), PriceFault::FromFuture),
            (at(100_000, 1_002, 0), PriceFault::WideConfidence),
            (small, PriceFault::BelowTick),
        ] {
            assert_eq!(compared(bad, good), Err(fault));
            assert_eq!(compared(good, bad), Err(fault));
        }
        // Far from its average is no fault here.
        let wild = OraclePrice {
            ema: Ticks::new(50_000),
            ..good
        };
        assert_eq!(compared(wild, good), Ok(Comparison::Agree));
    }

    #[test]
    fn coarse_prices_are_apart_by_more_than_a_tick() {
        assert_eq!(compared(at(3, 0, 0), at(4, 0, 0)), Ok(Comparison::Agree));
        assert_eq!(compared(at(3, 0, 0), at(5, 0, 0)), Ok(Comparison::Apart));
    }
}
