extern crate std;

use std::string::ToString;

use super::*;
use crate::breach::Breach;
use crate::fixtures::risk::{small_market, sol_market, step, tier};

/// Atoms of a unit.
const UNIT: u64 = 1_000_000;

type Change = fn(&mut RiskParams);

/// Passes, with two tiers, one step and room to either side in every field.
fn sound() -> RiskParams {
    let mut params = RiskParams {
        tier_count: 2,
        ladder_count: 1,
        ladder_interval_slots: 10,
        min_position_lots: 1,
        max_position_lots: 1_000,
        max_open_interest_lots: 1_000,
        liquidation_discount_bps: 10,
        liquidation_discount_max_bps: 20,
        liquidation_fee_bps: 5,
        price_band_bps: 100,
        taker_fee_bps: 5,
        insurance_draw_cap_bps: 1_000,
        insurance_window_slots: 1_000,
        oracle_max_age_seconds: 15,
        oracle_max_conf_bps: 100,
        oracle_max_ema_divergence_bps: 1_000,
        ..RiskParams::default()
    };
    params.tiers[0] = tier(100 * UNIT, 700, 350);
    params.tiers[1] = tier(200 * UNIT, 1_000, 500);
    params.ladder[0] = step(5_000, 2_000);
    params.adl.max_close_bps = 1_000;
    params
}

#[track_caller]
fn breach(params: &RiskParams) -> Breach {
    let breach = params.check(Some(UNIT)).unwrap_err();
    assert_eq!(params.validate(UNIT), Err(breach.error));
    breach
}

fn refuses(error: EngineError, breaks: &[Change]) {
    for (number, broken) in breaks.iter().enumerate() {
        let mut params = sound();
        broken(&mut params);
        assert_eq!(params.validate(UNIT), Err(error), "case {number}");
    }
}

fn passes(changes: &[Change]) {
    for (number, change) in changes.iter().enumerate() {
        let mut params = sound();
        change(&mut params);
        assert_eq!(params.check(Some(UNIT)), Ok(()), "case {number}");
    }
}

fn cut<T: TryFrom<i128>>(value: i128) -> Option<T> {
    T::try_from(value).ok()
}

/// Writes a field of the table; `None` where its type does not hold the value.
fn set(params: &mut RiskParams, field: &str, value: i128) -> Option<()> {
    match field {
        "tier_count" => params.tier_count = cut(value)?,
        "tiers[].notional_limit_atoms" => params.tiers[1].notional_limit_atoms = cut(value)?,
        "tiers[].initial_margin_bps" => params.tiers[1].initial_margin_bps = cut(value)?,
        "tiers[].maintenance_margin_bps" => params.tiers[1].maintenance_margin_bps = cut(value)?,
        "ladder_count" => params.ladder_count = cut(value)?,
        "ladder[].above_ratio_bps" => params.ladder[0].above_ratio_bps = cut(value)?,
        "ladder[].close_bps" => params.ladder[0].close_bps = cut(value)?,
        "ladder_interval_slots" => params.ladder_interval_slots = cut(value)?,
        "min_position_lots" => params.min_position_lots = cut(value)?,
        "max_position_lots" => params.max_position_lots = cut(value)?,
        "max_open_interest_lots" => params.max_open_interest_lots = cut(value)?,
        "liquidation_discount_bps" => params.liquidation_discount_bps = cut(value)?,
        "liquidation_discount_max_bps" => params.liquidation_discount_max_bps = cut(value)?,
        "discount_ramp_slots" => params.discount_ramp_slots = cut(value)?,
        "discount_full_ratio_bps" => params.discount_full_ratio_bps = cut(value)?,
        "liquidation_fee_bps" => params.liquidation_fee_bps = cut(value)?,
        "liquidation_buffer_bps" => params.liquidation_buffer_bps = cut(value)?,
        "price_band_bps" => params.price_band_bps = cut(value)?,
        "taker_fee_bps" => params.taker_fee_bps = cut(value)?,
        "maker_fee_bps" => params.maker_fee_bps = cut(value)?,
        "insurance_fee_share_bps" => params.insurance_fee_share_bps = cut(value)?,
        "funding_rate_ppm_per_hour" => params.funding_rate_ppm_per_hour = cut(value)?,
        "max_funding_rate_ppm" => params.max_funding_rate_ppm = cut(value)?,
        "impact_notional_atoms" => params.impact_notional_atoms = cut(value)?,
        "insurance_draw_cap_bps" => params.insurance_draw_cap_bps = cut(value)?,
        "insurance_window_slots" => params.insurance_window_slots = cut(value)?,
        "oracle_max_age_seconds" => params.oracle_max_age_seconds = cut(value)?,
        "oracle_max_conf_bps" => params.oracle_max_conf_bps = cut(value)?,
        "oracle_max_ema_divergence_bps" => params.oracle_max_ema_divergence_bps = cut(value)?,
        "price_age_seconds" => params.price_age_seconds = cut(value)?,
        "divergence_grace_seconds" => params.divergence_grace_seconds = cut(value)?,
        "adl.rank_tolerance_bps" => params.adl.rank_tolerance_bps = cut(value)?,
        "adl.max_close_bps" => params.adl.max_close_bps = cut(value)?,
        "adl.min_profit_bps" => params.adl.min_profit_bps = cut(value)?,
        "adl.grace_slots" => params.adl.grace_slots = cut(value)?,
        "adl.reward_atoms" => params.adl.reward_atoms = cut(value)?,
        "keeper_fee_atoms" => params.keeper_fee_atoms = cut(value)?,
        "book_reward_bps" => params.book_reward_bps = cut(value)?,
        "min_order_atoms" => params.min_order_atoms = cut(value)?,
        "fee_reserve_atoms" => params.fee_reserve_atoms = cut(value)?,
        "insurance_resume_bps" => params.insurance_resume_bps = cut(value)?,
        "stake_income_bps" => params.stake_income_bps = cut(value)?,
        "stake_floor_atoms" => params.stake_floor_atoms = cut(value)?,
        "margin_multiplier_max_bps" => params.margin_multiplier_max_bps = cut(value)?,
        "open_interest_lower_bps" => params.open_interest_lower_bps = cut(value)?,
        "open_interest_upper_bps" => params.open_interest_upper_bps = cut(value)?,
        "oracle_dead_seconds" => params.oracle_dead_seconds = cut(value)?,
        unknown => panic!("{unknown} is not set by this test"),
    }
    Some(())
}

/// What other fields let through less of than the constant does.
const NARROWER: [&str; 11] = [
    "open_interest_lower_bps",
    "insurance_resume_bps",
    "tiers[].notional_limit_atoms",
    "tiers[].initial_margin_bps",
    "tiers[].maintenance_margin_bps",
    "tier_count",
    "ladder_count",
    "min_position_lots",
    "liquidation_discount_bps",
    "liquidation_discount_max_bps",
    "liquidation_fee_bps",
];

#[test]
fn every_field_of_the_table_is_bounded_by_its_constants() {
    for bound in TABLE {
        let unit = match bound.measure {
            Measure::Number => 1,
            Measure::Units => i128::from(UNIT),
        };
        let (least, most) = (
            i128::from(bound.least) * unit,
            i128::from(bound.most) * unit,
        );
        for outside in [least - 1, most + 1] {
            let mut params = sound();
            let held = set(&mut params, bound.field, outside);
            if held.is_none() || (outside == 0 && bound.or_zero) {
                continue;
            }
            let breach = breach(&params);
            assert_eq!(
                (breach.field, breach.value, breach.error),
                (bound.field, outside, bound.error)
            );
        }
        if NARROWER.contains(&bound.field) {
            continue;
        }
        for inside in [least, most] {
            let mut params = sound();
            params.taker_fee_bps = 100;
            params.oracle_max_age_seconds = 30;
            set(&mut params, bound.field, inside).unwrap();
            assert_eq!(params.check(Some(UNIT)), Ok(()), "{bound:?}");
        }
        if bound.or_zero {
            let mut params = sound();
            set(&mut params, bound.field, 0).unwrap();
            assert_eq!(params.check(Some(UNIT)), Ok(()), "{bound:?}");
        }
    }
}

#[test]
fn sound_parameters_pass() {
    for params in [sound(), small_market(), sol_market()] {
        assert_eq!(params.check(Some(UNIT)), Ok(()));
    }
    passes(&[
        |p| {
            p.ladder_count = 0;
            p.ladder = [LadderStep::default(); MAX_LADDER_STEPS];
        },
        |p| p.min_position_lots = 10,
        |p| (p.open_interest_lower_bps, p.open_interest_upper_bps) = (5_000, 5_001),
        |p| (p.open_interest_lower_bps, p.open_interest_upper_bps) = (10_000, 30_000),
        |p| p.tiers[1] = tier(200 * UNIT, 700, 350),
        |p| p.tiers[1] = tier(1_000_000_000 * UNIT, 10_000, 5_000),
    ]);
}

#[test]
fn a_breach_names_the_field_its_value_and_what_is_allowed() {
    let mut params = sound();
    params.tiers[1].initial_margin_bps = 2;
    let said = breach(&params).to_string();
    assert_eq!(
        said,
        "risk.tiers[1].initial_margin_bps is 2, allowed 750 to 10000"
    );
    params = sound();
    params.keeper_fee_atoms = 1 << 60;
    let said = breach(&params).to_string();
    assert_eq!(
        said,
        "risk.keeper_fee_atoms is 1152921504606846976, allowed 0 to 1000000"
    );
    // Nothing can be said of amounts while nobody knows what a unit is.
    assert_eq!(params.check(None), Ok(()));
}

#[test]
fn price_clocks_that_are_zero_are_safe_and_old_limits_are_cut() {
    let mut params = sound();
    params.oracle_max_age_seconds = 30;
    assert_eq!((params.price_age(), params.divergence_grace()), (10, 30));
    params.price_age_seconds = 15;
    params.divergence_grace_seconds = 120;
    params.tiers[0] = tier(100 * UNIT, 612, 306);
    assert_eq!(params.check(Some(UNIT)), Ok(()));
    assert_eq!((params.price_age(), params.divergence_grace()), (15, 120));
    params.oracle_max_age_seconds = 3;
    assert_eq!((params.price_age(), params.oldest_price_age()), (3, 3));
    params.oracle_max_age_seconds = 3_600;
    assert_eq!((params.price_age(), params.oldest_price_age()), (15, 30));
}

#[test]
fn margins_cover_the_gap_of_the_age_of_prices() {
    let least = |age, initial, maintenance| {
        let mut params = sound();
        params.price_age_seconds = age;
        params.tiers[0] = tier(100 * UNIT, initial, maintenance);
        params.check(Some(UNIT)).map_err(|breach| breach.least)
    };
    assert_eq!(
        (gap_bps(4), gap_bps(5), gap_bps(15), gap_bps(16)),
        (177, 177, 306, 306)
    );
    assert_eq!((gap_bps(6), gap_bps(10), gap_bps(14)), (194, 250, 296));
    for (age, gap) in [(0, 250), (5, 177), (10, 250), (15, 306)] {
        assert_eq!(least(age, 2 * gap, gap), Ok(()));
        assert_eq!(least(age, 2 * gap, gap - 1), Err(gap.into()));
        assert_eq!(least(age, 2 * gap - 1, gap), Err((2 * gap).into()));
        assert_eq!(least(age, 2 * gap, gap + 1), Err((2 * gap + 1).into()));
    }
}

#[test]
fn tiers_and_ladder_are_ordered() {
    refuses(
        EngineError::RiskTiers,
        &[
            |p| p.tiers[1].notional_limit_atoms = 100 * UNIT,
            |p| p.tiers[1].notional_limit_atoms = u64::MAX,
            |p| p.tiers[1].maintenance_margin_bps = 349,
            |p| p.tiers[1] = tier(200 * UNIT, 699, 350),
        ],
    );
    refuses(
        EngineError::RiskLadder,
        &[
            |p| {
                p.ladder_count = 2;
                p.ladder[1] = step(5_000, 3_000);
            },
            |p| {
                p.ladder_count = 2;
                p.ladder[1] = step(4_000, 1_999);
            },
        ],
    );
}

#[test]
fn fields_hold_one_another() {
    refuses(
        EngineError::RiskSizes,
        &[
            |p| p.min_position_lots = 11,
            |p| p.max_position_lots = 99,
            |p| {
                p.min_position_lots = 10;
                p.max_open_interest_lots = 9;
            },
        ],
    );
    refuses(
        EngineError::RiskLiquidation,
        &[
            |p| p.liquidation_discount_bps = 21,
            // Half of 350, and of much: 500.
            |p| p.liquidation_discount_max_bps = 171,
            |p| p.liquidation_fee_bps = 156,
            |p| p.liquidation_fee_bps = u32::MAX,
            |p| {
                p.tiers = [
                    tier(100 * UNIT, 10_000, 5_000),
                    tier(200 * UNIT, 10_000, 5_000),
                    RiskTier::default(),
                    RiskTier::default(),
                ];
                p.liquidation_discount_max_bps = 496;
            },
        ],
    );
    passes(&[
        |p| p.liquidation_discount_max_bps = 170,
        |p| p.liquidation_fee_bps = 155,
    ]);
    refuses(
        EngineError::RiskFees,
        &[|p| p.maker_fee_bps = -6, |p| p.maker_fee_bps = i32::MIN],
    );
    refuses(
        EngineError::RiskFunding,
        &[|p| p.funding_rate_ppm_per_hour = i32::MIN],
    );
    refuses(
        EngineError::RiskBook,
        &[|p| {
            p.impact_notional_atoms = 50 * UNIT;
            p.funding_rate_ppm_per_hour = -1;
        }],
    );
    refuses(
        EngineError::RiskTiers,
        &[
            |p| p.open_interest_lower_bps = 1,
            |p| (p.open_interest_lower_bps, p.open_interest_upper_bps) = (5_000, 5_000),
            |p| (p.open_interest_lower_bps, p.open_interest_upper_bps) = (10_001, 20_000),
        ],
    );
    refuses(
        EngineError::RiskOracle,
        &[
            |p| p.oracle_max_age_seconds = u64::MAX,
            |p| {
                p.oracle_max_age_seconds = 5;
                p.price_age_seconds = 6;
            },
        ],
    );
    refuses(
        EngineError::RiskReserved,
        &[
            |p| p.adl._pad = 1,
            |p| p.tier_count = 1,
            |p| p.ladder_count = 0,
        ],
    );
}

#[test]
fn a_liquidation_takes_half_of_the_maintenance_that_was_in_force_at_most() {
    let mut before = sound();
    before.tiers[0] = tier(100 * UNIT, 500, 250);
    let mut after = sound();
    after.tiers[0] = tier(100 * UNIT, 2_000, 1_000);
    after.tiers[1] = tier(200 * UNIT, 2_000, 1_000);
    after.liquidation_discount_max_bps = 120;
    assert_eq!(after.validate_after(&before, UNIT), Ok(()));
    after.liquidation_discount_max_bps = 121;
    assert_eq!(after.validate(UNIT), Ok(()));
    assert_eq!(
        after.validate_after(&before, UNIT),
        Err(EngineError::RiskLiquidation)
    );
    assert_eq!(after.validate_after(&after, UNIT), Ok(()));
    let said = after.check_after(&before).unwrap_err().to_string();
    assert_eq!(
        said,
        "risk.liquidation_discount_max_bps is 121, allowed 0 to 120"
    );
}

#[test]
fn a_liquidation_may_cost_nothing() {
    passes(&[
        |params| params.liquidation_discount_bps = 0,
        |params| params.liquidation_fee_bps = 0,
        |params| {
            (
                params.liquidation_discount_bps,
                params.liquidation_discount_max_bps,
            ) = (0, 0)
        },
    ]);
}
