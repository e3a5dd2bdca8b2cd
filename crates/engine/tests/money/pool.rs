//! What a pool takes over, against every number of lots tried one by one.

use ballast_engine::liquidation::{plan, LiquidationInput, LiquidationPlan, Waterfall};
use ballast_engine::pool::{back, enlarged, Offer, PoolMode, PoolParams, PoolTaker};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::{Atoms, Side};
use ballast_engine::volatility::ONE_PPM;
use ballast_engine::window::Window;
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, lots, mark, params, position, price};
use crate::liquidation::{any_side, below_maintenance, input, with_equity};

fn any_mode() -> impl Strategy<Value = PoolMode> {
    prop_oneof![
        4 => Just(PoolMode::Open),
        1 => Just(PoolMode::NoTakes),
        1 => Just(PoolMode::WindDown)
    ]
}

prop_compose! {
    fn any_pool()(
        cap_bps in 100_u32..=10_000, margin_bps in 1_000_u32..=20_000, first in 0_u32..80,
        range in 0_u32..80, take_cap_bps in 100_u32..=20_000,
    ) -> PoolParams {
        PoolParams {
            cap_bps,
            margin_bps,
            reserve_first_bps: first,
            reserve_last_bps: first + range,
            take_cap_bps,
            ..PoolParams::DEFAULT
        }
    }
}

prop_compose! {
    /// Lots of an offer: left of the step, of the position and before; discount and whether
    /// insurance pays.
    fn any_offer()(
        side in any_side(), lots in 1_u64..60, rest in 0_u64..60, before in 0_u64..30,
        discount_bps in 0_u32..160, rescue in any::<bool>(), least in 1_u64..20,
    ) -> (Offer, u64) {
        // A step leaves nothing or a least position.
        let held = if rest < least { lots } else { lots + rest };
        let discount_bps = if rescue { 0 } else { discount_bps };
        let whole = held + before;
        (Offer { side, lots, held, whole, discount_bps, rescue }, least)
    }
}

/// A pool that holds `signed` lots entered at the mark of 1,000.
fn taker(params: &PoolParams, signed: i64, low: u64) -> PoolTaker<'_> {
    PoolTaker {
        params,
        mode: PoolMode::Open,
        low,
        position: position(signed, 1_000, 1_000 * signed.abs()),
        taken: 0,
        fallen: false,
        has_room: true,
        multiplier_ppm: ONE_PPM,
    }
}

/// Lots of `y` that make the pool's position smaller, and what the rest adds up to behind it.
fn parts(pool: &PoolTaker<'_>, offer: &Offer, y: u64) -> (u64, u64) {
    let (size, side) = (pool.position.size(), pool.position.side());
    if side == Some(offer.side) {
        (0, size + y)
    } else {
        (size.min(y), y - size.min(y))
    }
}

/// Whether a pool may take `y` lots, rule by rule.
fn may_take(pool: &PoolTaker<'_>, risk: &RiskParams, at: u64, offer: &Offer, y: u64) -> bool {
    let least = risk.min_position_lots;
    let leaves = y == offer.lots || offer.held >= y + least;
    let worth_it = y >= least || y == offer.held;
    let (reducing, after) = parts(pool, offer, y);
    let enlarging = y - reducing;
    if y == 0 || !leaves || !worth_it || enlarging == 0 {
        return y == 0 || (leaves && worth_it);
    }
    let p = pool.params;
    let (first, last) = (p.reserve_first_bps, p.reserve_last_bps);
    let used = match offer.discount_bps {
        _ if offer.rescue => 10_000,
        d if d < first => 0,
        d if d >= last => 10_000,
        d => u128::from((d - first) * 10_000 / (last - first)),
    };
    let wide = u128::from;
    let low = wide(pool.low);
    let notional = wide(after * at);
    let cap = low * wide(p.cap_bps.into()) * used / 100_000_000;
    let behind = after - enlarging;
    let limit = risk
        .active_tiers()
        .unwrap()
        .last()
        .unwrap()
        .notional_limit_atoms;
    pool.mode == PoolMode::Open
        && !pool.fallen
        && (pool.has_room || behind > 0)
        && used > 0
        && notional * wide(pool.multiplier_ppm.into()) <= cap * 1_000_000
        && wide(pool.taken + enlarging * at) * 10_000 <= low * wide(p.take_cap_bps.into())
        && after <= risk.max_position_lots
        && after * at <= limit
        && (after >= least || offer.whole < least)
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn a_pool_takes_the_most_that_every_rule_allows(
        params in any_pool(), (offer, least) in any_offer(), signed in -60_i64..60, low in 0_u64..400_000,
        mode in any_mode(), taken in 0_u64..100_000, fallen in prop::bool::weighted(0.1),
        has_room in prop::bool::weighted(0.9), largest in 20_u64..200,
        multiplier_ppm in prop_oneof![Just(ONE_PPM), ONE_PPM..=5_000_000],
    ) {
        let risk = RiskParams {
            min_position_lots: least,
            max_position_lots: largest,
            ..crate::fixture::params()
        };
        let pool = PoolTaker { mode, taken, fallen, has_room, multiplier_ppm, ..taker(&params, signed, low) };
        let take = pool.take(&risk, price(1_000), &offer).unwrap();
        let most = (0..=offer.lots).rev().find(|y| may_take(&pool, &risk, 1_000, &offer, *y));
        prop_assert_eq!(take, most.unwrap());
        let (reducing, after) = parts(&pool, &offer, take);
        let taken = i64::try_from(take).unwrap();
        let signed_after = if offer.side == Side::Long { signed + taken } else { signed - taken };
        prop_assert_eq!(enlarged(lots(signed), lots(signed_after)), take - reducing);
        // Never beyond the cap, by whatever way.
        if take > reducing {
            let cap = u128::from(low) * u128::from(params.cap_bps) * 100;
            prop_assert!(u128::from(after * 1_000) * u128::from(multiplier_ppm) <= cap);
        }
    }

    /// In whatever order lots are offered: what enlarged the position within any window is no more
    /// than the cap of it, and the position never more than its own.
    #[test]
    fn no_window_sees_more_than_its_cap(
        params in any_pool(), length in 3_u64..40,
        steps in proptest::collection::vec((0_u64..6, any_side(), 1_u64..40), 1..30),
    ) {
        let risk = RiskParams { min_position_lots: 1, ..crate::fixture::params() };
        let low = 40_000;
        let (mut window, mut signed, mut slot) = (Window::default(), 0_i64, 100);
        let mut entered: Vec<(u64, u64)> = Vec::new();
        for (wait, side, count) in steps {
            slot += wait;
            window = window.rolled(slot, length).unwrap();
            let pool = PoolTaker { taken: window.total().unwrap(), ..taker(&params, signed, low) };
            let offer = Offer {
                side, lots: count, held: count, whole: count, discount_bps: 200, rescue: false,
            };
            let take = pool.take(&risk, price(1_000), &offer).unwrap();
            let before = lots(signed);
            let signed_take = i64::try_from(take).unwrap();
            signed += if side == Side::Long { signed_take } else { -signed_take };
            let grown = enlarged(before, lots(signed));
            window = window.with(grown * 1_000).unwrap();
            entered.push((slot, grown * 1_000));
            let lately = entered.iter().filter(|(at, _)| slot - at < length);
            let sum: u64 = lately.map(|(_, atoms)| atoms).sum();
            prop_assert!(sum * 10_000 <= low * u64::from(params.take_cap_bps));
            if grown > 0 {
                let notional = signed.unsigned_abs() * 1_000;
                prop_assert!(notional * 10_000 <= low * u64::from(params.cap_bps));
            }
        }
    }
}

/// What a pool in the liquidator's place makes of a liquidation without a book, and what it becomes;
/// `None` where it takes nothing.
fn into_pool(
    input: &LiquidationInput<'_>,
    pool: &PoolTaker<'_>,
    free: i64,
    insurance_alone: u64,
) -> Option<(LiquidationPlan, Position, i64)> {
    let waterfall = Waterfall::begin(input, true).unwrap();
    let take = pool
        .take(input.params, input.mark, &waterfall.offer().unwrap())
        .unwrap();
    let premium_bps = pool.params.premium_bps;
    let pooled = waterfall.into_pool(take, premium_bps, insurance_alone);
    let plan = pooled.finish(true).unwrap();
    assert_eq!(plan.lots.size(), take);
    // The victim fares as it does with a liquidator who takes as much.
    let bounded = waterfall.bounded(take).finish(true).unwrap();
    assert_eq!(
        LiquidationPlan {
            premium_atoms: 0,
            ..plan
        },
        bounded
    );
    let Some(fill) = plan.liquidator_fill().unwrap() else {
        let refused = match pool_may_not(&waterfall) {
            true => EngineError::InsuranceCannotPay,
            false => EngineError::PoolCannotTake,
        };
        assert_eq!(pooled.nothing_closed(), refused);
        return None;
    };
    let now = mark(input.mark.get(), 0);
    let whole = input.position.size();
    let party = back(
        pool.params,
        input.params,
        &now,
        pool.position,
        Atoms::new(free),
        fill,
        whole,
    );
    let party = party.unwrap();
    let premium = i64::try_from(plan.premium_atoms).unwrap();
    Some((plan, party.position, party.free.get() + premium))
}

fn pool_may_not(waterfall: &Waterfall<'_>) -> bool {
    let offer = waterfall.offer().unwrap();
    offer.rescue && offer.lots == 0
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// At the mark the pool is worth the discount more than before, never less.
    #[test]
    fn a_take_earns_the_discount_and_leaves_the_victim_no_worse(
        (risk, victim, at) in below_maintenance(300, 1 << 24), params in any_pool(),
        signed in -300_i64..300, depth in 1_u64..40,
    ) {
        let size = i64::try_from(signed.unsigned_abs() * at).unwrap();
        let held = position(signed, at, size);
        let free = victim.notional(price(at)).unwrap() * depth / 4;
        let low = free + size.unsigned_abs();
        let pool = PoolTaker { position: held, ..taker(&params, 0, low) };
        let input = input(&risk, victim, at);
        let free = i64::try_from(free).unwrap();
        if let Some((done, after, free_after)) = into_pool(&input, &pool, free, 0) {
            let worth = after.equity(price(at)).unwrap().get() + free_after;
            let earned = i64::try_from(done.discount_atoms).unwrap();
            prop_assert_eq!(worth, free + size + earned);
            prop_assert!(free_after >= 0 && done.premium_atoms == 0);
            let cap = u128::from(low) * u128::from(params.cap_bps) / 10_000;
            let notional = u128::from(after.notional(price(at)).unwrap());
            let grew = after.size() > held.size() || after.side() != held.side();
            prop_assert!(!grew || notional <= cap);
            // A liquidator of the whole step would have charged no less a lot.
            let alone = plan(&input).unwrap();
            prop_assert!(done.discount_atoms * alone.lots.size() <= alone.discount_atoms * done.lots.size());
        }
    }

    /// Insurance pays the deficit of a bankrupt and what is left of the premium; the pool nothing.
    #[test]
    fn a_pool_pays_no_deficit(
        side in any_side(), size in 5_u64..300, at in 100_u64..1 << 20, raw in any::<u64>(),
        params in any_pool(), covered in 0_u64..3, more in 0_u64..1_000,
        premium_bps in 0_u32..50,
    ) {
        let deficit = raw % (size * at / 10 + 1) + 1;
        let victim = with_equity(side, size, at, at, -i64::try_from(deficit).unwrap());
        let available = if covered == 0 { deficit - 1 } else { deficit + more };
        let risk = crate::fixture::params();
        let input = LiquidationInput { insurance_available: available, ..input(&risk, victim, at) };
        let params = PoolParams { premium_bps, take_cap_bps: 10_000, cap_bps: 10_000, ..params };
        let low = 2 * size * at;
        let free = i64::try_from(low).unwrap();
        let pool = taker(&params, 0, low);
        let taken = into_pool(&input, &pool, free, available);
        prop_assert_eq!(taken.is_none(), covered == 0);
        if let Some((done, after, free_after)) = taken {
            prop_assert_eq!(done.insurance_paid_atoms, deficit);
            prop_assert_eq!(done.victim_payout.get(), 0);
            let premium = (size * at * u64::from(premium_bps) / 10_000).min(more);
            prop_assert_eq!(done.premium_atoms, premium);
            let worth = after.equity(price(at)).unwrap().get() + free_after;
            prop_assert_eq!(worth, free + i64::try_from(premium).unwrap());
        }
    }
}

#[test]
fn the_reservation_price_rises_with_the_position() {
    let risk = params();
    let params = PoolParams {
        cap_bps: 10_000,
        reserve_first_bps: 20,
        reserve_last_bps: 60,
        ..PoolParams::DEFAULT
    };
    // Worth a hundred lots at the mark.
    let pool = taker(&params, 0, 100_000);
    let taken = |pool: &PoolTaker<'_>, side, discount_bps| {
        let offer = Offer {
            side,
            lots: 200,
            held: 300,
            whole: 300,
            discount_bps,
            rescue: false,
        };
        pool.take(&risk, price(1_000), &offer).unwrap()
    };
    let by_discount = [0, 19, 20, 21, 22, 40, 50, 59, 60, 100];
    let long = by_discount.map(|bps| taken(&pool, Side::Long, bps));
    assert_eq!(long, [0, 0, 0, 0, 5, 50, 75, 97, 100, 100]);
    let holding = taker(&params, 30, 100_000);
    let more = by_discount.map(|bps| taken(&holding, Side::Long, bps));
    assert_eq!(more, [0, 0, 0, 0, 0, 20, 45, 67, 70, 70]);
    // What makes the position smaller needs no discount; beyond it the same prices hold.
    let other = by_discount.map(|bps| taken(&holding, Side::Short, bps));
    assert_eq!(other, [30, 30, 30, 30, 35, 80, 105, 127, 130, 130]);
}

#[test]
fn a_pool_with_negative_equity_takes_nothing() {
    let risk = params();
    let offer = Offer {
        side: Side::Short,
        lots: 20,
        held: 20,
        whole: 20,
        discount_bps: 100,
        rescue: false,
    };
    let lots = |margin| {
        let pool = PoolTaker {
            position: position(20, 1_010, margin),
            ..taker(&PoolParams::DEFAULT, 0, 100_000)
        };
        pool.take(&risk, price(1_000), &offer).unwrap()
    };
    assert_eq!((lots(200), lots(199)), (20, 0));
}

#[test]
fn margin_is_what_the_pool_wants_or_has_and_no_less_than_initial_margin() {
    let risk = params();
    let margin = |margin_bps, free, signed| {
        let params = PoolParams {
            margin_bps,
            ..PoolParams::DEFAULT
        };
        let pool = taker(&params, 0, 0);
        let fill = (lots(signed), Atoms::new(signed * 990));
        let party = back(
            pool.params,
            &risk,
            &mark(1_000, 0),
            pool.position,
            Atoms::new(free),
            fill,
            20,
        );
        party.map(|party| (party.position.margin.get(), party.free.get()))
    };
    // 20 lots bought at 990: 200 of profit and 5 % of initial margin at the mark.
    assert_eq!(margin(10_000, 50_000, 20), Ok((19_800, 30_200)));
    assert_eq!(margin(1_000, 50_000, 20), Ok((1_800, 48_200)));
    assert_eq!(margin(10_000, 9_000, 20), Ok((9_000, 0)));
    let poor = Err(EngineError::InsufficientCollateral);
    assert_eq!(
        (margin(10_000, 800, 20), margin(10_000, 799, 20)),
        (Ok((800, 0)), poor)
    );
}
