use core::cmp::Ordering;

use ballast_engine::distress::Distress;
use ballast_engine::liquidation::{
    health, need, plan, Distance, Health, LiquidationInput, LiquidationPlan, Need,
};
use ballast_engine::margin::maintenance_margin;
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Atoms, LotPrice, Side, BPS_ONE, MAX_LOTS, MAX_LOT_PRICE};
use ballast_engine::EngineError;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use crate::fixture::{any_magnitude, any_params, cases, params, position, price};
use crate::margin::exact;

pub fn input(params: &RiskParams, position: Position, mark: u64) -> LiquidationInput<'_> {
    LiquidationInput {
        position,
        mark: price(mark),
        params,
        slot: 1_000,
        distress: Distress::NONE,
        insurance_available: 0,
    }
}

pub fn without_ladder(params: RiskParams) -> RiskParams {
    RiskParams {
        ladder_count: 0,
        ladder: Default::default(),
        ..params
    }
}

/// A position below maintenance with `equity` at `mark`.
pub fn with_equity(side: Side, size: u64, entry: u64, mark: u64, equity: i64) -> Position {
    let sign = if side == Side::Long { 1 } else { -1 };
    let size = sign * i64::try_from(size).unwrap();
    let empty_handed = position(size, entry, 0);
    let pnl = empty_handed.pnl(price(mark)).unwrap().get();
    position(size, entry, equity - pnl)
}

pub fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

prop_compose! {
    /// Parameters, a position of up to `most` lots with equity anywhere from zero
    /// to just below maintenance, and the mark.
    pub fn below_maintenance(most: u64, highest: u64)(
        params in any_params(), side in any_side(), size in any_magnitude(most),
        entry in any_magnitude(highest), mark in any_magnitude(highest), raw in any::<u64>(),
    ) -> (RiskParams, Position, u64) {
        let required = maintenance_margin(&params, size * mark).unwrap();
        let equity = i64::try_from(raw % required).unwrap();
        (params, with_equity(side, size, entry, mark, equity), mark)
    }
}

/// Whether closing `closed` lots restores maintenance and buffer, in rationals.
fn restores(
    params: &RiskParams,
    position: &Position,
    mark: u64,
    closed: u64,
    discount: u32,
) -> bool {
    let ten_thousand = BigInt::from(BPS_ONE);
    let equity = BigInt::from(position.equity(price(mark)).unwrap().get());
    let rate = discount + params.liquidation_fee_bps;
    let charges = BigRational::new(BigInt::from(closed * mark) * rate, ten_thousand.clone());
    let buffer = BigRational::new(
        BigInt::from(BPS_ONE + u64::from(params.liquidation_buffer_bps)),
        ten_thousand,
    );
    let required = exact(params, (position.size() - closed) * mark, false) * buffer;
    BigRational::from(equity) - charges >= required
}

fn closed(plan: &LiquidationPlan) -> u64 {
    plan.lots.size()
}

/// What every liquidation keeps, whatever its size.
fn check_plan(input: &LiquidationInput<'_>, plan: &LiquidationPlan) -> Result<(), TestCaseError> {
    let (before, after) = (input.position, plan.position_after);
    let equity = plan.equity_before.get();
    after.invariant().unwrap();
    prop_assert_eq!(plan.lots.side(), before.side().map(Side::opposite));
    prop_assert_eq!(after.lots.get(), before.lots.get() + plan.lots.get());
    prop_assert!(!plan.victim_payout.is_negative());
    let charged = i64::try_from(plan.discount_atoms + plan.insurance_fee_atoms).unwrap();
    let paid = i64::try_from(plan.insurance_paid_atoms).unwrap();
    let left = after.equity(input.mark).unwrap().get();
    prop_assert_eq!(left + plan.victim_payout.get(), equity - charged + paid);
    prop_assert!(left >= 0);
    prop_assert!(after.is_empty() || plan.victim_payout.get() == 0);
    // The liquidator trades at the mark less the discount, inside the price range.
    let (lots, quote) = plan.liquidator_fill().unwrap().unwrap();
    let value = i128::from(lots.get()) * i128::from(input.mark.get());
    prop_assert_eq!(
        value - i128::from(quote.get()),
        i128::from(plan.discount_atoms)
    );
    Position::default()
        .fill(lots, quote)
        .unwrap()
        .position
        .invariant()
        .unwrap();
    // Ratio of the rest to its exact maintenance is no worse.
    if equity >= 0 && !after.is_empty() {
        let old = exact(input.params, before.notional(input.mark).unwrap(), false);
        let new = exact(input.params, after.notional(input.mark).unwrap(), false);
        prop_assert!(
            BigRational::from(BigInt::from(left)) * old
                >= BigRational::from(BigInt::from(equity)) * new
        );
    }
    // Nothing but the fee leaves free + margin - entry beside the quote.
    let sum = |at: &Position| i128::from(at.margin.get()) - i128::from(at.entry_quote.get());
    let change = sum(&after) + i128::from(plan.victim_payout.get()) - sum(&before);
    let fee = i128::from(plan.insurance_fee_atoms) - i128::from(paid);
    prop_assert_eq!(change, -i128::from(plan.quote.get()) - fee);
    Ok(())
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn size_is_the_least_that_restores((params, position, mark) in below_maintenance(120, MAX_LOT_PRICE)) {
        let params = without_ladder(params);
        let input = input(&params, position, mark);
        let plan = plan(&input).unwrap();
        let size = position.size();
        let restored = |lots: &u64| restores(&params, &position, mark, *lots, params.liquidation_discount_bps);
        let least = (1..=size).find(restored).unwrap_or(size);
        let smallest = params.min_position_lots;
        let step = least.max(smallest.min(size));
        let small_rest = size - step < smallest;
        prop_assert_eq!(closed(&plan), if small_rest { size } else { step });
        // Once enough, more is enough as well: the least is well defined.
        prop_assert!((least + 1..=size).all(|lots| !restored(&least) || restored(&lots)));
        prop_assert!(!plan.ladder_capped);
        check_plan(&input, &plan)?;
        prop_assert_eq!(health(&plan.position_after, price(mark), &params), Ok(Health::Healthy));
    }

    #[test]
    fn size_is_the_least_at_every_magnitude(
        (params, position, mark) in below_maintenance(MAX_LOTS, MAX_LOT_PRICE),
    ) {
        let params = without_ladder(params);
        let discount = params.liquidation_discount_bps;
        let lots = closed(&plan(&input(&params, position, mark)).unwrap());
        let size = position.size();
        let enough = restores(&params, &position, mark, lots, discount);
        let fewer = restores(&params, &position, mark, lots - 1, discount);
        if lots < size {
            prop_assert!(enough && (!fewer || lots == params.min_position_lots));
        } else {
            // All of it: the rest of anything enough would be too small to keep.
            let least_kept = size
                .checked_sub(params.min_position_lots)
                .filter(|lots| *lots >= params.min_position_lots);
            prop_assert!(least_kept.is_none_or(|lots| !restores(&params, &position, mark, lots, discount)));
        }
    }

    #[test]
    fn charges_never_bankrupt_nor_worsen(
        (params, position, mark) in below_maintenance(MAX_LOTS, MAX_LOT_PRICE >> 1), waited in 0_u64..200,
        full in 0_u16..10_000,
    ) {
        let params = RiskParams { discount_full_ratio_bps: full, ..params };
        let mut input = input(&params, position, mark);
        input.distress.flagged_slot = input.slot - waited;
        input.distress.seen_slot = input.slot;
        let plan = plan(&input).unwrap();
        check_plan(&input, &plan)?;
        let share = i128::from(plan.equity_before.get()) * i128::from(closed(&plan)) / i128::from(position.size());
        prop_assert!(i128::from(plan.discount_atoms + plan.insurance_fee_atoms) <= share);
        if plan.ladder_capped {
            let ratio = i128::from(plan.equity_before.get()) * 10_000;
            let maintenance = i128::from(plan.maintenance_before);
            let most = if ratio > maintenance * 6_666 { 2_000 } else { 5_000 };
            prop_assert!(ratio > maintenance * 3_333);
            let step = (position.size() * most).div_ceil(10_000);
            prop_assert_eq!(closed(&plan), step.max(params.min_position_lots));
        } else {
            prop_assert_eq!(health(&plan.position_after, price(mark), &params), Ok(Health::Healthy));
        }
    }

    #[test]
    fn repeated_steps_end((params, mut position, mark) in below_maintenance(MAX_LOTS, MAX_LOT_PRICE)) {
        let mut slot = 1_000;
        for step in 0.. {
            prop_assert!(step < 200, "still liquidating");
            let mut input = input(&params, position, mark);
            input.slot = slot;
            if step > 0 {
                input.distress.last_step_slot = slot - params.ladder_interval_slots;
            }
            match plan(&input) {
                Ok(plan) => {
                    check_plan(&input, &plan)?;
                    position = plan.position_after;
                }
                Err(error) => {
                    let closed = position.is_empty() && error == EngineError::NoPosition;
                    let restored = error == EngineError::Healthy
                        && health(&position, price(mark), &params) == Ok(Health::Healthy);
                    prop_assert!(closed || restored, "{:?}", error);
                    break;
                }
            }
            slot += params.ladder_interval_slots;
        }
    }

    #[test]
    fn bankruptcy_is_paid_exactly_or_refused(
        side in any_side(), size in any_magnitude(1 << 20), entry in any_magnitude(1 << 30),
        mark in any_magnitude(1 << 30), deficit in any_magnitude(1 << 40), missing in 0_u64..2,
    ) {
        let params = params();
        let owed = -i64::try_from(deficit).unwrap();
        let position = with_equity(side, size, entry, mark, owed);
        let mut input = input(&params, position, mark);
        prop_assert_eq!(health(&position, input.mark, &params), Ok(Health::Bankrupt { deficit }));
        input.insurance_available = deficit - missing;
        // Neither the ladder nor its interval holds a bankruptcy up.
        input.distress.last_step_slot = input.slot;
        match plan(&input) {
            Ok(plan) => {
                prop_assert_eq!(missing, 0);
                prop_assert_eq!(plan.insurance_paid_atoms, deficit);
                prop_assert_eq!((plan.discount_atoms, plan.insurance_fee_atoms), (0, 0));
                prop_assert_eq!(plan.victim_payout.get(), 0);
                prop_assert!(plan.position_after.is_empty());
                check_plan(&input, &plan)?;
            }
            Err(error) => {
                prop_assert_eq!(missing, 1);
                prop_assert_eq!(error, EngineError::InsuranceCannotPay);
            }
        }
    }
}

#[test]
fn a_worked_example() {
    // 1,000 long at a mark of 10,000: maintenance is 250,000.
    let params = without_ladder(params());
    let position = with_equity(Side::Long, 1_000, 10_500, 10_000, 190_000);
    let plan = plan(&input(&params, position, 10_000)).unwrap();
    // n with 190,000 - 125 n >= 1.1 * 250 * (1,000 - n): n >= 85,000 / 150.
    assert_eq!(closed(&plan), 567);
    assert_eq!(
        (plan.discount_atoms, plan.insurance_fee_atoms),
        (56_700, 14_175)
    );
    assert_eq!(plan.quote.get(), -5_613_300);
    assert_eq!(
        plan.position_after.equity(price(10_000)).unwrap().get(),
        119_125
    );
    assert_eq!(maintenance_margin(&params, 4_330_000), Ok(108_250));
    // Calling again finds a healthy position: nobody can liquidate in chunks.
    let again = input(&params, plan.position_after, 10_000);
    assert_eq!(super::liquidation::plan(&again), Err(EngineError::Healthy));
}

#[test]
fn the_ladder_limits_and_paces_steps() {
    let params = params();
    let at = |equity| with_equity(Side::Short, 1_001, 9_000, 10_000, equity);
    // Maintenance 250,250: the steps end at 6,666 and 3,333 ten-thousandths of it.
    let size = |equity| closed(&plan(&input(&params, at(equity), 10_000)).unwrap());
    assert_eq!(size(166_817), 201);
    assert_eq!(size(166_816), 501);
    assert_eq!(size(83_409), 501);
    assert_eq!(size(83_408), 1_001);
    // At a step's ratio itself the next one applies.
    let edge = with_equity(Side::Long, 1_000, 10_000, 10_000, 166_650);
    let edge = plan(&input(&params, edge, 10_000)).unwrap();
    assert_eq!((closed(&edge), edge.ladder_capped), (500, true));
    let mut soon = input(&params, at(166_817), 10_000);
    soon.distress.last_step_slot = soon.slot - 9;
    assert_eq!(plan(&soon), Err(EngineError::LadderInterval));
    soon.distress.last_step_slot = soon.slot - 10;
    assert!(plan(&soon).is_ok());
    // The last step, which closes everything, waits for nothing.
    let mut last = input(&params, at(83_408), 10_000);
    last.distress.last_step_slot = last.slot;
    assert!(plan(&last).is_ok());
}

/// A step that closes everything is no limit, so that neither its interval nor what is left of
/// a step before it holds anything up.
#[test]
fn a_step_of_the_whole_position_waits_for_nothing() {
    let mut params = params();
    params.ladder[1].close_bps = 10_000;
    params.check(None).unwrap();
    let position = with_equity(Side::Long, 1_000, 10_000, 10_000, 166_000);
    let soon = |step_left| LiquidationInput {
        distress: Distress {
            last_step_slot: 1_000,
            step_left,
            ..Distress::NONE
        },
        ..input(&params, position, 10_000)
    };
    for step_left in [0, 7] {
        let plan = plan(&soon(step_left)).unwrap();
        // n with 166,000 - 125 n >= 1.1 * 250 * (1,000 - n).
        assert_eq!(closed(&plan), 727);
        assert!(!plan.follow_up && !plan.ladder_capped);
    }
    // One that leaves a ten-thousandth is one.
    params.ladder[1].close_bps = 9_999;
    let soon = LiquidationInput {
        distress: Distress {
            last_step_slot: 1_000,
            ..Distress::NONE
        },
        ..input(&params, position, 10_000)
    };
    assert_eq!(plan(&soon), Err(EngineError::LadderInterval));
}

/// Only what goes on with an unfinished step of the ladder is a follow-up.
#[test]
fn without_a_ladder_limit_nothing_follows_up() {
    let params = params();
    let unfinished = |position| LiquidationInput {
        distress: Distress {
            last_step_slot: 1_000,
            step_left: 7,
            ..Distress::NONE
        },
        ..input(&params, position, 10_000)
    };
    let equity = |equity| with_equity(Side::Short, 1_000, 10_000, 10_000, equity);
    let limited = plan(&unfinished(equity(200_000))).unwrap();
    assert_eq!((closed(&limited), limited.follow_up), (7, true));
    // Below the last step's ratio.
    let all = plan(&unfinished(equity(83_000))).unwrap();
    assert_eq!((all.ladder_capped, all.follow_up), (false, false));
    assert!(closed(&all) > 7);
    let bankrupt = LiquidationInput {
        insurance_available: 1,
        ..unfinished(equity(-1))
    };
    let bankrupt = plan(&bankrupt).unwrap();
    assert_eq!((closed(&bankrupt), bankrupt.follow_up), (1_000, false));
}

#[test]
fn a_rest_below_the_smallest_position_closes_too() {
    let params = params();
    let plan = plan(&input(
        &params,
        with_equity(Side::Long, 5, 10_000, 10_000, 1_240),
        10_000,
    ))
    .unwrap();
    assert_eq!(closed(&plan), 5);
    assert_eq!(plan.victim_payout.get(), 1_240 - 500 - 125);
}

#[test]
fn the_discount_ramps_from_the_flag() {
    let params = RiskParams {
        liquidation_discount_max_bps: 200,
        ..without_ladder(params())
    };
    let position = with_equity(Side::Long, 1_000, 10_000, 10_000, 249_999);
    let per_lot = |flagged, slot| {
        let mut input = input(&params, position, 10_000);
        (input.distress.flagged_slot, input.slot) = (flagged, slot);
        input.distress.seen_slot = slot;
        let plan = plan(&input).unwrap();
        plan.discount_atoms / closed(&plan)
    };
    assert_eq!(per_lot(0, 500), 100);
    assert_eq!(per_lot(500, 500), 100);
    assert_eq!(per_lot(500, 550), 150);
    assert_eq!(per_lot(500, 599), 199);
    assert_eq!(per_lot(500, 600), 200);
    assert_eq!(per_lot(500, u64::MAX), 200);
    assert_eq!(per_lot(501, 500), 100);
}

#[test]
fn no_ramp_is_the_highest_discount_from_the_flag() {
    let params = RiskParams {
        liquidation_discount_max_bps: 200,
        discount_ramp_slots: 0,
        ..without_ladder(params())
    };
    let position = with_equity(Side::Long, 1_000, 10_000, 10_000, 249_999);
    let mut input = input(&params, position, 10_000);
    let unflagged = plan(&input).unwrap();
    assert_eq!(unflagged.discount_atoms, 100 * closed(&unflagged));
    input.distress.flagged_slot = input.slot;
    let flagged = plan(&input).unwrap();
    assert_eq!(flagged.discount_atoms, 200 * closed(&flagged));
}

#[test]
fn the_cheapest_lot_cannot_be_given_away() {
    let params = without_ladder(params());
    let position = with_equity(Side::Long, 1_000, 3, 1, 10);
    let plan = plan(&input(&params, position, 1)).unwrap();
    assert_eq!(
        (plan.discount_atoms, plan.quote.get()),
        (0, -i64::try_from(closed(&plan)).unwrap())
    );
    let dearest = LotPrice::MAX.get();
    let short = with_equity(Side::Short, 10, dearest - 9, dearest, 5_000);
    let plan = super::liquidation::plan(&input(&params, short, dearest)).unwrap();
    assert_eq!(plan.discount_atoms, 0);
}

#[test]
fn the_healthy_and_the_empty_are_left_alone() {
    let params = params();
    let position = with_equity(Side::Long, 1_000, 10_000, 10_000, 250_000);
    assert_eq!(
        plan(&input(&params, position, 10_000)),
        Err(EngineError::Healthy)
    );
    let empty = input(&params, Position::default(), 10_000);
    assert_eq!(plan(&empty), Err(EngineError::NoPosition));
    assert_eq!(
        health(&empty.position, empty.mark, &params),
        Ok(Health::Healthy)
    );
    let zero = with_equity(Side::Long, 1_000, 10_000, 10_000, 0);
    let plan = plan(&input(&params, zero, 10_000)).unwrap();
    assert_eq!(
        (closed(&plan), plan.discount_atoms, plan.insurance_fee_atoms),
        (1_000, 0, 0)
    );
}

#[test]
fn what_a_position_needs_follows_its_health_insurance_and_the_grace_period() {
    let mut params = params();
    params.adl.grace_slots = 50;
    let at = |equity| with_equity(Side::Long, 1_000, 10_000, 10_000, equity);
    let needed = |equity, insurance_available, distress| {
        need(&LiquidationInput {
            insurance_available,
            distress,
            ..input(&params, at(equity), 10_000)
        })
    };
    let flagged = |bankrupt_slot| Distress {
        bankrupt_slot,
        ..Distress::NONE
    };
    let stepped = Distress {
        last_step_slot: 999,
        ..Distress::NONE
    };
    assert_eq!(needed(250_000, 0, Distress::NONE), Ok(Need::Nothing));
    assert_eq!(needed(249_999, 0, Distress::NONE), Ok(Need::Liquidate));
    assert_eq!(needed(249_999, 0, stepped), Ok(Need::Wait));
    assert_eq!(needed(-10, 10, flagged(950)), Ok(Need::Liquidate));
    assert_eq!(needed(-10, 10, flagged(949)), Ok(Need::Deleverage));
    assert_eq!(needed(-10, 9, Distress::NONE), Ok(Need::Deleverage));
}

#[test]
fn the_lower_margin_ratio_comes_first_exactly() {
    let distance = |equity, maintenance| Distance {
        equity: Atoms::new(equity),
        maintenance,
    };
    for (worse, better) in [
        (distance(-1, 100), distance(0, 1)),
        (distance(-2, 100), distance(-1, 100)),
        (distance(-1, 1), distance(-1_000, 100_000)),
        // Equal in basis points.
        (
            distance(1_000_000, 3_000_001),
            distance(1_000_000, 3_000_000),
        ),
        (distance(i64::MIN, 1), distance(i64::MAX, u64::MAX)),
    ] {
        assert_eq!(worse.worse_first(&better), Ordering::Less);
        assert_eq!(better.worse_first(&worse), Ordering::Greater);
    }
    let same = distance(2, 4).worse_first(&distance(1, 2));
    assert_eq!(same, Ordering::Equal);
}
