//! Protective steps: a trader lets anybody reduce a position through the book before it is liquidated.
//!
//! A step says below which margin ratio which part of the position stays open. The ratio is that of
//! [`margin_ratio_bps`](crate::price_levels::margin_ratio_bps), equity over maintenance margin, of which a position
//! is liquidated below 10,000 basis points; of a leg it is that of its account,
//! [`Values::ratio_bps`](crate::cross::Values::ratio_bps). A closed lot takes its maintenance margin with it and no more
//! equity than what its fill and the taker's fee cost, so that the ratio of the rest rises.

use core::ops::RangeInclusive;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::units::{Bps, Lots, Side, Ticks, BPS_ONE};

/// Most steps of a position.
pub const MAX_STEPS: usize = 4;

/// Margin ratios that a step may name, basis points of the maintenance margin: above liquidation, up to
/// a hundred times the maintenance margin.
pub const STEP_RATIOS: RangeInclusive<u32> = 10_001..=1_000_000;

/// How far from the mark the worst price of the fills may lie, basis points of the mark. The market's
/// price band holds besides.
pub const STEP_SLIPS: RangeInclusive<u32> = 1..=5_000;

/// Below `ratio_bps`, only `keep_bps` of the position stay open. All zero where there is no step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[cfg_attr(
    feature = "borsh",
    derive(borsh::BorshSerialize, borsh::BorshDeserialize)
)]
pub struct ProtectiveStep {
    /// Equity over maintenance margin below which the step applies, basis points; within
    /// [`STEP_RATIOS`].
    pub ratio_bps: u32,
    /// What stays open of the lots that the position had when its steps were set, basis points below
    /// 10,000; 0 closes it.
    pub keep_bps: u32,
}

/// Checks the steps of a position and how far their fills may lie from the mark: 1 to
/// [`MAX_STEPS`], each of a lower ratio than the one before it, and of which less is kept.
///
/// # Errors
/// `ProtectiveSteps`.
pub fn check_steps(steps: &[ProtectiveStep], slip_bps: u32) -> Result<(), EngineError> {
    let falling = steps.is_sorted_by(|first, next| {
        first.ratio_bps > next.ratio_bps && first.keep_bps > next.keep_bps
    });
    let within = steps
        .iter()
        .all(|step| STEP_RATIOS.contains(&step.ratio_bps) && u64::from(step.keep_bps) < BPS_ONE);
    let count = (1..=MAX_STEPS).contains(&steps.len());
    if count && falling && within && STEP_SLIPS.contains(&slip_bps) {
        Ok(())
    } else {
        Err(EngineError::ProtectiveSteps)
    }
}

/// What the steps of a position ask for at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protective {
    /// The last step reached.
    pub step: ProtectiveStep,
    /// Lots to close.
    pub lots: u64,
}

/// What `steps` ask for of a position of `lots` at this margin ratio, basis points: its own, or of a leg that of
/// the account. The last of those whose ratio it has fallen below counts. `base_lots` are the lots that it had when
/// they were set. What stays open is rounded down. `None` where none is reached, or the position is as small already.
///
/// # Errors
/// `Overflow`.
pub fn protective(
    steps: &[ProtectiveStep],
    base_lots: u64,
    lots: Lots,
    ratio: i64,
) -> Result<Option<Protective>, EngineError> {
    let reached = steps.iter().rfind(|step| ratio < i64::from(step.ratio_bps));
    let Some(step) = reached else {
        return Ok(None);
    };
    let kept = Bps::new(step.keep_bps).floor_of(base_lots)?;
    let lots = lots.size().checked_sub(kept);
    Ok(lots
        .filter(|lots| *lots > 0)
        .map(|lots| Protective { step: *step, lots }))
}

/// Worst price at which a step closes lots of a position on `side`, `slip_bps` of the mark away from it,
/// rounded towards the mark: a long sells at no less, a short buys at no more.
///
/// # Errors
/// `Overflow`.
pub fn worst_price(side: Side, mark: Ticks, slip_bps: u32) -> Result<Ticks, EngineError> {
    let slip = u64::from(slip_bps);
    let ticks = match side {
        Side::Long => {
            let share = BPS_ONE.checked_sub(slip).ok_or(EngineError::Overflow)?;
            mul_div_ceil(mark.get(), share, BPS_ONE)?
        }
        Side::Short => {
            let share = BPS_ONE.checked_add(slip).ok_or(EngineError::Overflow)?;
            mul_div_floor(mark.get(), share, BPS_ONE)?
        }
    };
    Ok(Ticks::new(ticks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::risk::sol_market as params;
    use crate::margin::maintenance_margin;
    use crate::position::Position;
    use crate::price_levels::margin_ratio_bps;
    use crate::units::{Atoms, FundingIndex, LotPrice};

    const STEPS: [ProtectiveStep; 2] = [
        ProtectiveStep {
            ratio_bps: 20_000,
            keep_bps: 5_000,
        },
        ProtectiveStep {
            ratio_bps: 12_000,
            keep_bps: 0,
        },
    ];

    fn long(margin: i64) -> Position {
        Position {
            lots: Lots::new(101).unwrap(),
            entry_quote: Atoms::new(101 * 1_000_000),
            margin: Atoms::new(margin),
            funding_index: FundingIndex::ZERO,
        }
    }

    fn asked(position: &Position, mark: u64) -> Option<Protective> {
        let mark = LotPrice::new(mark).unwrap();
        let ratio = margin_ratio_bps(position, mark, &params()).unwrap()?;
        protective(&STEPS, 101, position.lots, ratio).unwrap()
    }

    #[test]
    fn the_last_step_reached_says_what_stays_open() {
        let mark = LotPrice::new(1_000_000).unwrap();
        let maintenance = maintenance_margin(&params(), 101_000_000).unwrap();
        let at = |bps: u64| {
            let margin = maintenance.checked_mul(bps).unwrap() / BPS_ONE;
            let position = long(i64::try_from(margin).unwrap());
            let ratio = margin_ratio_bps(&position, mark, &params()).unwrap();
            (ratio, asked(&position, 1_000_000))
        };
        assert_eq!(at(20_000), (Some(20_000), None));
        let half = Protective {
            step: STEPS[0],
            lots: 51,
        };
        assert_eq!(at(19_999).1, Some(half));
        assert_eq!(at(12_000).1, Some(half));
        let all = Protective {
            step: STEPS[1],
            lots: 101,
        };
        assert_eq!(at(11_999).1, Some(all));
        assert_eq!(at(0).1, Some(all));
    }

    #[test]
    fn a_position_that_is_as_small_already_is_left() {
        let mut position = long(2_000_000);
        position.lots = Lots::new(50).unwrap();
        position.entry_quote = Atoms::new(50 * 1_010_000);
        let ratio = margin_ratio_bps(&position, LotPrice::new(1_000_000).unwrap(), &params());
        let ratio = ratio.unwrap().unwrap();
        assert!((12_000..20_000).contains(&ratio), "{ratio}");
        assert_eq!(asked(&position, 1_000_000), None);
        assert_eq!(asked(&Position::default(), 1_000_000), None);
    }

    #[test]
    fn steps_fall_from_one_to_the_next_and_stay_above_liquidation() {
        let step = |ratio_bps, keep_bps| ProtectiveStep {
            ratio_bps,
            keep_bps,
        };
        let four = [
            step(1_000_000, 9_999),
            step(30_000, 7_000),
            step(20_000, 10),
            step(10_001, 0),
        ];
        assert_eq!(check_steps(&four, 1), Ok(()));
        assert_eq!(check_steps(&four[..1], 5_000), Ok(()));
        let refused = Err(EngineError::ProtectiveSteps);
        assert_eq!(check_steps(&four, 0), refused);
        assert_eq!(check_steps(&four, 5_001), refused);
        assert_eq!(check_steps(&[], 50), refused);
        for steps in [
            &[step(10_000, 0)][..],
            &[step(1_000_001, 0)],
            &[step(20_000, 10_000)],
            &[step(20_000, 10), step(20_000, 5)],
            &[step(20_000, 10), step(15_000, 10)],
            &[step(15_000, 10), step(20_000, 5)],
            &[four[0], four[1], step(25_000, 50), four[2], four[3]],
        ] {
            assert_eq!(check_steps(steps, 50), refused, "{steps:?}");
        }
    }

    #[test]
    fn the_worst_price_is_rounded_towards_the_mark() {
        let worst = |side, mark| worst_price(side, Ticks::new(mark), 50).unwrap().get();
        assert_eq!(worst(Side::Long, 200_000), 199_000);
        assert_eq!(worst(Side::Long, 201), 200);
        assert_eq!(worst(Side::Long, 199), 199);
        assert_eq!(worst(Side::Short, 200_000), 201_000);
        assert_eq!(worst(Side::Short, 199), 199);
    }
}
