//! How far below the mark a liquidator's price lies: the farther the longer a position has been
//! flagged, and the farther the less equity it has left.

use crate::error::EngineError;
use crate::math::mul_div_floor;
use crate::units::BPS_ONE;

use super::LiquidationInput;

/// The discount's rate now, basis points: what time has made of it or what the depth of the distress
/// makes of it, whichever is more. Between the first and the last discount.
///
/// `equity` is below `maintenance`, both atoms.
pub(super) fn rate_bps(
    input: &LiquidationInput<'_>,
    equity: u64,
    maintenance: u64,
) -> Result<u32, EngineError> {
    let range = u64::from(input.params.liquidation_discount_max_bps)
        .checked_sub(u64::from(input.params.liquidation_discount_bps))
        .ok_or(EngineError::RiskLiquidation)?;
    let risen = by_time(input, range)?.max(by_depth(input, range, equity, maintenance)?);
    u32::try_from(risen)
        .ok()
        .and_then(|risen| input.params.liquidation_discount_bps.checked_add(risen))
        .ok_or(EngineError::Overflow)
}

/// How much of `range` time adds: a straight ramp from the flag, rounded down.
fn by_time(input: &LiquidationInput<'_>, range: u64) -> Result<u64, EngineError> {
    let ramp = input.params.discount_ramp_slots;
    match input.flagged_for() {
        None => Ok(0),
        Some(elapsed) if elapsed >= ramp => Ok(range),
        Some(elapsed) => mul_div_floor(range, elapsed, ramp),
    }
}

/// How much of `range` the depth adds: a straight ramp from an equity of all the maintenance margin
/// down to `discount_full_ratio_bps` of it, ratio and result rounded down. Nothing where that is 0.
fn by_depth(
    input: &LiquidationInput<'_>,
    range: u64,
    equity: u64,
    maintenance: u64,
) -> Result<u64, EngineError> {
    let full = u64::from(input.params.discount_full_ratio_bps);
    if full == 0 || range == 0 {
        return Ok(0);
    }
    let below = |ratio: u64| {
        let below = BPS_ONE.checked_sub(ratio);
        below.ok_or(EngineError::RiskLiquidation)
    };
    let (whole, depth) = (
        below(full)?,
        below(mul_div_floor(equity, BPS_ONE, maintenance)?)?,
    );
    mul_div_floor(range, depth.min(whole), whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distress::Distress;
    use crate::fixtures::risk::sol_market;
    use crate::position::Position;
    use crate::risk::RiskParams;
    use crate::units::LotPrice;

    const FIRST: u32 = 25;
    const LAST: u32 = 75;
    const RAMP: u64 = 150;

    fn rate(full: u16, flagged_for: Option<u64>, equity: u64, maintenance: u64) -> u32 {
        let params = RiskParams {
            liquidation_discount_bps: FIRST,
            liquidation_discount_max_bps: LAST,
            discount_ramp_slots: RAMP,
            discount_full_ratio_bps: full,
            ..sol_market()
        };
        let slot = 10_000_u64;
        let distress = match flagged_for {
            None => Distress::NONE,
            Some(slots) => Distress {
                flagged_slot: slot.wrapping_sub(slots),
                seen_slot: slot,
                ..Distress::NONE
            },
        };
        let input = LiquidationInput {
            position: Position::default(),
            mark: LotPrice::MIN,
            params: &params,
            slot,
            distress,
            insurance_available: 0,
        };
        rate_bps(&input, equity, maintenance).unwrap()
    }

    #[test]
    fn at_maintenance_it_is_the_first_and_at_the_full_ratio_the_last() {
        let at = |equity| rate(5_000, Some(0), equity, 10_000);
        assert_eq!((at(9_999), at(9_900), at(9_899)), (25, 26, 26));
        assert_eq!((at(7_500), at(7_501)), (50, 49));
        assert_eq!((at(5_001), at(5_000), at(4_999), at(0)), (74, 75, 75, 75));
        // Nobody has to flag it first.
        assert_eq!(rate(5_000, None, 7_500, 10_000), 50);
    }

    #[test]
    fn zero_leaves_it_to_time() {
        assert_eq!(
            (rate(0, None, 0, 10_000), rate(0, Some(75), 0, 10_000)),
            (25, 50)
        );
        // Unlike a ramp that is nearly as long.
        assert_eq!(
            (rate(1, None, 0, 10_000), rate(1, None, 5_000, 10_000)),
            (75, 50)
        );
    }

    #[test]
    fn the_ratio_is_rounded_down_so_that_a_lower_equity_is_no_cheaper() {
        assert_eq!(rate(9_950, None, 9_999, 10_000), 26);
        assert_eq!(rate(9_950, None, 99_989, 100_000), 27);
        assert_eq!(rate(9_999, None, 9_999, 10_000), 75);
    }

    #[test]
    fn it_never_falls_as_time_passes_or_equity_is_lost_and_is_the_greater_of_the_two() {
        let maintenance = 997;
        for full in [0, 1, 2_500, 5_000, 9_000, 9_999] {
            for slots in (0..=RAMP + 3).step_by(3) {
                let mut before = 0;
                for equity in (0..maintenance).rev() {
                    let now = rate(full, Some(slots), equity, maintenance);
                    assert!((FIRST..=LAST).contains(&now));
                    assert!(now >= before, "{full} {slots} {equity}");
                    assert!(now <= rate(full, Some(slots + 1), equity, maintenance));
                    let time = rate(0, Some(slots), equity, maintenance);
                    let depth = rate(full, None, equity, maintenance);
                    assert_eq!(now, time.max(depth), "{full} {slots} {equity}");
                    before = now;
                }
                assert!(
                    full == 0 || before == LAST,
                    "with nothing left it is the last"
                );
            }
        }
    }

    #[test]
    fn a_higher_full_ratio_is_never_a_lower_discount() {
        for equity in (0..10_000).step_by(37) {
            let rates = (0..=9_999).step_by(101);
            let mut before = 0;
            for now in rates.map(|full| rate(full, Some(20), equity, 10_000)) {
                assert!(now >= before);
                before = now;
            }
        }
    }
}
