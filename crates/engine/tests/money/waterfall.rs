//! A liquidation that descends through the book.

use ballast_engine::distress::Distress;
use ballast_engine::liquidation::{plan, LiquidationInput, LiquidationPlan, Waterfall};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{LotPrice, Side};
use ballast_engine::EngineError;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use crate::fixture::{cases, price};
use crate::liquidation::{any_side, below_maintenance, input, with_equity, without_ladder};

/// Distance from the mark in basis points, lots.
type Offer = (i64, u64);

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    proptest::collection::vec((-500_i64..300, 1_u64..60), 0..8)
}

/// Prices of the offers around the mark, the best for the victim first.
fn ladder(offers: &[Offer], mark: u64, side: Side) -> Vec<(LotPrice, u64)> {
    let sign = if side == Side::Long { 1 } else { -1 };
    let mark = i64::try_from(mark).unwrap();
    let mut ladder: Vec<(LotPrice, u64)> = offers
        .iter()
        .map(|(bps, lots)| {
            let at = (mark + sign * mark * bps / 10_000).clamp(1, i64::from(i32::MAX));
            (price(u64::try_from(at).unwrap()), *lots)
        })
        .collect();
    ladder.sort_by_key(|(price, _)| *price);
    if side == Side::Long {
        ladder.reverse();
    }
    ladder
}

/// Descends; the concluded plan and what the book took, price by price.
fn descend<'a>(
    input: &LiquidationInput<'a>,
    ladder: &[(LotPrice, u64)],
    take_over: bool,
) -> (Waterfall<'a>, Vec<(LotPrice, u64)>, LiquidationPlan) {
    let mut waterfall = Waterfall::begin(input, take_over).unwrap();
    let mut taken = Vec::new();
    for (price, lots) in ladder {
        let lots = (*lots).min(waterfall.left().unwrap());
        if lots == 0 || !waterfall.meets(*price) {
            break;
        }
        waterfall.take(lots, *price).unwrap();
        taken.push((*price, lots));
    }
    let plan = waterfall.finish(true).unwrap();
    (waterfall, taken, plan)
}

fn ratio(a: i128, b: i128) -> BigRational {
    BigRational::new(BigInt::from(a), BigInt::from(b))
}

/// `free + margin - entry` of the victim, its payout free.
fn wealth(position: &Position, free: i64) -> i128 {
    i128::from(free) + i128::from(position.margin.get()) - i128::from(position.entry_quote.get())
}

/// What holds whatever the book offers.
fn check(input: &LiquidationInput<'_>, plan: &LiquidationPlan) -> Result<(), TestCaseError> {
    let (before, after) = (&input.position, &plan.position_after);
    after.invariant().unwrap();
    prop_assert!(!plan.victim_payout.is_negative());
    let change = wealth(after, plan.victim_payout.get()) - wealth(before, 0);
    let charges = i128::from(plan.insurance_fee_atoms) + i128::from(plan.reward_atoms)
        - i128::from(plan.insurance_paid_atoms);
    prop_assert_eq!(change, -i128::from(plan.quote.get()) - charges);
    let taken_over = plan
        .liquidator_fill()
        .unwrap()
        .map_or(0, |(lots, _)| lots.get());
    prop_assert_eq!(plan.lots.get() - plan.book_lots.get(), -taken_over);
    Ok(())
}

/// What closing cost the victim against the mark, insurance not counted.
fn cost(input: &LiquidationInput<'_>, plan: &LiquidationPlan) -> i128 {
    let left = plan.position_after.equity(input.mark).unwrap().get();
    i128::from(plan.equity_before.get()) - i128::from(left) - i128::from(plan.victim_payout.get())
        + i128::from(plan.insurance_paid_atoms)
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn the_victim_never_gets_less_than_from_the_liquidator(
        (params, position, mark) in below_maintenance(300, 1 << 24), offers in offers(),
        take_over in any::<bool>(), reward_bps in 0_u32..200,
    ) {
        let params = RiskParams { book_reward_bps: reward_bps, ..params };
        let input = input(&params, position, mark);
        let alone = plan(&input).unwrap();
        let ladder = ladder(&offers, mark, position.side().unwrap());
        let (_, taken, done) = descend(&input, &ladder, take_over);
        check(&input, &done)?;
        let (closed, whole) = (done.lots.size(), alone.lots.size());
        prop_assert!(closed <= whole);
        prop_assert_eq!(done.step_left, whole - closed);
        prop_assert_eq!(done.insurance_paid_atoms, 0);
        let most = i128::from(alone.discount_atoms + alone.insurance_fee_atoms) * i128::from(closed);
        prop_assert!(cost(&input, &done) * i128::from(whole) <= most);
        let left = done.position_after.equity(input.mark).unwrap();
        prop_assert!(!left.is_negative());
        // The reward is a share of what the book took, and nothing where it took nothing.
        let notional: u64 = taken.iter().map(|(price, lots)| price.get() * lots).sum();
        prop_assert!(u128::from(done.reward_atoms) * 10_000 <= u128::from(notional) * u128::from(reward_bps));
        // The rest is no nearer to liquidation than before.
        if closed > 0 && !done.position_after.is_empty() {
            let size = i128::from(position.size());
            let per_lot = |equity: i64, size: i128| ratio(i128::from(equity), size);
            let after = i128::from(done.position_after.size());
            prop_assert!(per_lot(left.get(), after) >= per_lot(done.equity_before.get(), size));
        }
    }

    #[test]
    fn the_book_takes_exactly_what_is_no_worse(
        (params, position, mark) in below_maintenance(300, 1 << 24), at in -600_i64..600,
    ) {
        let input = input(&params, position, mark);
        let alone = plan(&input).unwrap();
        let side = position.side().unwrap();
        let waterfall = Waterfall::begin(&input, true).unwrap();
        let (offer, _) = ladder(&[(at, 1)], mark, side)[0];
        // The liquidator's price of a lot, exactly.
        let sign = if side == Side::Long { 1 } else { -1 };
        let quote = i128::from(alone.quote.get()) * -sign;
        let own = ratio(quote, i128::from(alone.lots.size()));
        let offered = ratio(i128::from(offer.get()), 1);
        let met = if side == Side::Long { offered >= own } else { offered <= own };
        prop_assert_eq!(waterfall.meets(offer), met);
    }

    #[test]
    fn insurance_pays_only_what_the_book_did_not_improve(
        side in any_side(), size in 1_u64..300, mark in 1_u64..1 << 24, raw in any::<u64>(),
        offers in offers(), params in crate::fixture::any_params(),
    ) {
        let deficit = raw % (size * mark) + 1;
        let position = with_equity(side, size, mark, mark, -i64::try_from(deficit).unwrap());
        let input = LiquidationInput { insurance_available: deficit, ..input(&params, position, mark) };
        let (_, taken, done) = descend(&input, &ladder(&offers, mark, side), true);
        check(&input, &done)?;
        prop_assert!(done.position_after.is_empty());
        let gained: u64 = taken.iter().map(|(price, lots)| price.get().abs_diff(mark) * lots).sum();
        prop_assert_eq!(done.insurance_paid_atoms, deficit.saturating_sub(gained));
        prop_assert_eq!(done.victim_payout.positive_part(), gained.saturating_sub(deficit));
        prop_assert_eq!((done.reward_atoms, done.insurance_fee_atoms), (0, 0));
    }

    #[test]
    fn without_insurance_the_book_closes_only_what_costs_nobody_anything(
        side in any_side(), size in 1_u64..300, mark in 1_u64..1 << 24, raw in any::<u64>(),
        offers in offers(), take_over in any::<bool>(), params in crate::fixture::any_params(),
    ) {
        let deficit = raw % (size * mark / 40 + 1) + 1;
        let position = with_equity(side, size, mark, mark, -i64::try_from(deficit).unwrap());
        let input = LiquidationInput { insurance_available: deficit - 1, ..input(&params, position, mark) };
        let ladder = ladder(&offers, mark, side);
        let (waterfall, taken, done) = descend(&input, &ladder, take_over);
        check(&input, &done)?;
        prop_assert_eq!(done.insurance_paid_atoms, 0);
        prop_assert_eq!(done.lots, done.book_lots);
        // Every price taken covers what a lot owes; the next best does not.
        for (price, _) in &taken {
            prop_assert!(position.is_solvent_at(*price));
        }
        if waterfall.left().unwrap() > 0 {
            let next = ladder.iter().find(|(price, _)| !waterfall.meets(*price));
            prop_assert!(next.is_none_or(|(price, _)| !position.is_solvent_at(*price)));
        }
        // The deficit at the mark only shrinks.
        prop_assert!(cost(&input, &done) <= 0);
        if done.lots.is_zero() {
            let why = if take_over { EngineError::InsuranceCannotPay } else { EngineError::NothingFilled };
            prop_assert_eq!(waterfall.nothing_closed(), why);
        }
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// Whoever closes some of the lots, at whatever point the list ends: what is left stands no
    /// worse per lot, and its deficit is at most its share, rounded up.
    #[test]
    fn no_partial_close_moves_the_bankruptcy_price_away_from_the_mark(
        side in any_side(), size in 2_u64..300, mark in 100_u64..1 << 24, raw in any::<u64>(),
        equity in prop_oneof![Just(0_i64), -1_000_i64..200], insured in 0_u64..12_000,
        offers in offers(), take_over in any::<bool>(), ended in any::<bool>(),
        params in crate::fixture::any_params(),
    ) {
        // Per mille of the notional, and what insurance has, basis points of the deficit.
        let worth = i64::try_from(size * mark).unwrap();
        let jitter = i64::try_from(raw % 97).unwrap();
        let position = with_equity(side, size, mark, mark, worth / 1_000 * equity / 10 - jitter);
        let owed = position.equity(price(mark)).unwrap().get();
        let deficit = owed.min(0).unsigned_abs();
        let available = u64::try_from(u128::from(deficit) * u128::from(insured) / 10_000).unwrap();
        let input = LiquidationInput { insurance_available: available, ..input(&params, position, mark) };
        let Ok(mut waterfall) = Waterfall::begin(&input, take_over) else { return Ok(()) };
        for (price, lots) in ladder(&offers, mark, side) {
            let lots = lots.min(waterfall.left().unwrap());
            if lots > 0 && waterfall.meets(price) {
                waterfall.take(lots, price).unwrap();
            }
        }
        let done = waterfall.finish(!ended).unwrap();
        check(&input, &done)?;
        let (closed, left) = (done.lots.size(), done.position_after.size());
        prop_assert!(done.insurance_paid_atoms <= available);
        let share = u128::from(deficit.min(available)) * u128::from(closed) / u128::from(size);
        prop_assert!(u128::from(done.insurance_paid_atoms) <= share);
        if left == 0 || closed == 0 {
            return Ok(());
        }
        let after = done.position_after.equity(input.mark).unwrap().get();
        if owed >= 0 {
            prop_assert!(i128::from(after) * i128::from(size) >= i128::from(owed) * i128::from(left));
        } else {
            let most = (u128::from(deficit) * u128::from(left)).div_ceil(u128::from(size));
            prop_assert!(u128::from(after.min(0).unsigned_abs()) <= most);
        }
    }
}

#[test]
fn a_list_that_ends_early_draws_the_share_of_what_it_closed() {
    let params = without_ladder(crate::fixture::params());
    for side in [Side::Long, Side::Short] {
        // 1,000 lots lack 500; one is left.
        let position = with_equity(side, 1_000, 10_000, 10_000, -500);
        let input = LiquidationInput {
            insurance_available: 500,
            ..input(&params, position, 10_000)
        };
        let mut waterfall = Waterfall::begin(&input, true).unwrap();
        waterfall.take(999, price(10_000)).unwrap();
        let done = waterfall.finish(false).unwrap();
        assert_eq!((done.lots.size(), done.insurance_paid_atoms), (999, 499));
        let left = done.position_after.equity(input.mark).unwrap();
        assert_eq!(left.get(), -1);
    }
}

/// 567 lots are to close at 10,000: discount and fee of 56,700 and 14,175 on all of them.
fn step_of_567(params: &RiskParams) -> LiquidationInput<'_> {
    let position = with_equity(Side::Long, 1_000, 10_500, 10_000, 190_000);
    input(params, position, 10_000)
}

/// The discount belongs to what is taken over, the fee to all that is closed, both rounded down.
#[test]
fn with_the_book_discount_and_fee_are_the_parts_of_the_lots_they_belong_to() {
    let params = without_ladder(crate::fixture::params());
    let params = RiskParams {
        book_reward_bps: 0,
        // 0.03% and 1.03%: neither is a whole atom a lot at a mark of 9,999.
        liquidation_fee_bps: 3,
        liquidation_discount_bps: 103,
        liquidation_discount_max_bps: 103,
        ..params
    };
    for side in [Side::Long, Side::Short] {
        let position = with_equity(side, 1_000, 9_999, 9_999, 190_000);
        let input = input(&params, position, 9_999);
        let alone = plan(&input).unwrap();
        let (whole, discount, fee) = (
            alone.lots.size(),
            alone.discount_atoms,
            alone.insurance_fee_atoms,
        );
        let mut rounded = (0, 0);
        for taken in [1, 2, 3, 50, 101, whole - 1] {
            let mut waterfall = Waterfall::begin(&input, true).unwrap();
            waterfall.take(taken, price(9_999)).unwrap();
            let done = waterfall.finish(true).unwrap();
            let left = whole - taken;
            assert_eq!(done.discount_atoms, discount * left / whole);
            assert_eq!(done.insurance_fee_atoms, fee);
            rounded.0 += u64::from(discount * left % whole > 0);
            // Without the liquidator only the book's lots pay the fee.
            let mut waterfall = Waterfall::begin(&input, false).unwrap();
            waterfall.take(taken, price(9_999)).unwrap();
            let done = waterfall.finish(true).unwrap();
            assert_eq!(done.discount_atoms, 0);
            assert_eq!(done.insurance_fee_atoms, fee * taken / whole);
            rounded.1 += u64::from(fee * taken % whole > 0);
        }
        assert!(rounded.0 > 3 && rounded.1 > 3, "{rounded:?}");
    }
}

#[test]
fn rewards_of_several_orders_add_up() {
    let params = RiskParams {
        book_reward_bps: 10,
        ..without_ladder(crate::fixture::params())
    };
    let input = step_of_567(&params);
    let mut waterfall = Waterfall::begin(&input, true).unwrap();
    // 0.1% of 100 lots at 10,000 and of 50 at 9,960; then 10 at the liquidator's own price.
    waterfall.take(100, price(10_000)).unwrap();
    assert_eq!(waterfall.finish(true).unwrap().reward_atoms, 1_000);
    waterfall.take(50, price(9_960)).unwrap();
    assert_eq!(waterfall.finish(true).unwrap().reward_atoms, 1_498);
    waterfall.take(10, price(9_900)).unwrap();
    let done = waterfall.finish(true).unwrap();
    assert_eq!((done.reward_atoms, done.book_lots.size()), (1_498, 160));
    assert_eq!(done.book_quote.get(), -(1_000_000 + 498_000 + 99_000));
}

/// With negative equity no step limits anything, so that none is left unfinished.
#[test]
fn a_bankrupt_leaves_no_step_behind() {
    let params = crate::fixture::params();
    for side in [Side::Long, Side::Short] {
        let input = input(
            &params,
            with_equity(side, 1_000, 10_000, 10_000, -1),
            10_000,
        );
        let mut waterfall = Waterfall::begin(&input, false).unwrap();
        assert_eq!(waterfall.finish(true).unwrap().step_left, 0);
        let better = if side == Side::Long { 10_001 } else { 9_999 };
        waterfall.take(400, price(better)).unwrap();
        let done = waterfall.finish(true).unwrap();
        assert_eq!((done.lots.size(), done.step_left), (400, 0));
        assert_eq!(waterfall.left(), Ok(600));
    }
}

#[test]
fn an_unfinished_step_goes_on_within_the_interval_and_no_further() {
    let params = crate::fixture::params();
    // 1,000 lots at 100,000: maintenance 2.5% of 50 million and 5% of the rest; equity at 70% of it.
    let position = with_equity(Side::Long, 1_000, 100_000, 100_000, 2_625_000);
    let first = input(&params, position, 100_000);
    let mut waterfall = Waterfall::begin(&first, false).unwrap();
    assert_eq!(waterfall.left(), Ok(200));
    waterfall.take(150, price(100_000)).unwrap();
    let begun = waterfall.finish(true).unwrap();
    assert_eq!((begun.step_left, begun.follow_up), (50, false));

    let second = LiquidationInput {
        position: begun.position_after,
        distress: Distress {
            last_step_slot: first.slot,
            step_left: 50,
            ..Distress::NONE
        },
        ..first
    };
    let mut waterfall = Waterfall::begin(&second, false).unwrap();
    assert_eq!(waterfall.left(), Ok(50));
    waterfall.take(50, price(100_000)).unwrap();
    let over = waterfall.finish(true).unwrap();
    assert_eq!((over.step_left, over.follow_up), (0, true));

    let third = LiquidationInput {
        position: over.position_after,
        distress: Distress {
            step_left: 0,
            ..second.distress
        },
        ..second
    };
    assert_eq!(
        Waterfall::begin(&third, false).err(),
        Some(EngineError::LadderInterval)
    );
}

#[test]
fn a_better_order_is_passed_over_only_after_the_ramp() {
    let params = without_ladder(crate::fixture::params());
    let position = with_equity(Side::Short, 100, 100_000, 100_000, 100_000);
    let at = |flagged_slot, slot| {
        let input = LiquidationInput {
            distress: Distress {
                flagged_slot,
                seen_slot: slot,
                ..Distress::NONE
            },
            slot,
            ..input(&params, position, 100_000)
        };
        let waterfall = Waterfall::begin(&input, true).unwrap();
        (waterfall.finish(false).unwrap(), waterfall.nothing_closed())
    };
    for (flagged, slot) in [(0, 5_000), (1_000, 1_000), (1_000, 1_100)] {
        let (plan, why) = at(flagged, slot);
        assert!(plan.lots.is_zero());
        assert_eq!(why, EngineError::LiquidationSkipsBook);
    }
    let (plan, _) = at(1_000, 1_101);
    assert_eq!(plan.lots.size(), 100);
}

/// The book takes part down to the liquidator's price, which the depth of the distress moves at once.
#[test]
fn the_book_is_asked_down_to_the_price_that_the_depth_makes() {
    let params = RiskParams {
        liquidation_discount_bps: 50,
        liquidation_discount_max_bps: 100,
        discount_full_ratio_bps: 5_000,
        ..without_ladder(crate::fixture::params())
    };
    // Maintenance is 250,000; below half of the last discount's worth the equity cuts it.
    for (equity, discount) in [(249_999, 50), (187_500, 75), (125_000, 100), (50_000, 50)] {
        for (side, better) in [(Side::Long, 1), (Side::Short, -1)] {
            let position = with_equity(side, 1_000, 10_000, 10_000, equity);
            let input = input(&params, position, 10_000);
            let waterfall = Waterfall::begin(&input, true).unwrap();
            let worst = 10_000 - better * discount;
            let meets = |at: i64| waterfall.meets(price(u64::try_from(at).unwrap()));
            assert!(meets(worst) && !meets(worst - better), "{equity} {side:?}");
            let done = plan(&input).unwrap();
            let taken = u64::try_from(discount).unwrap() * done.lots.size();
            assert_eq!(done.discount_atoms, taken);
        }
    }
}
