//! A liquidation restores the account, the largest leg first, and never makes it less healthy.

use ballast_engine::cross::{Account, CrossError, Values};
use ballast_engine::distress::Distress;
use ballast_engine::liquidation::{LiquidationInput, LiquidationPlan, Waterfall};
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, Bps};

use crate::fixture::{legs, pool_for, requirement, some_account, Dice, Market};

struct Case {
    markets: Vec<Market>,
    positions: Vec<Position>,
    pool: Atoms,
}

impl Case {
    /// An account of some legs whose equity is below maintenance and not negative.
    fn new(dice: &mut Dice) -> Self {
        let (markets, positions) = some_account(dice);
        let legs = legs(&markets, &positions);
        let needed = requirement(&legs);
        let equity = i64::try_from(dice.within(0, needed - 1)).unwrap();
        let pool = pool_for(&legs, equity);
        Self {
            markets,
            positions,
            pool,
        }
    }

    fn values(&self, pool: Atoms, positions: &[Position]) -> Values {
        let legs = legs(&self.markets, positions);
        let account = Account { pool, legs: &legs };
        account.values().unwrap()
    }

    /// The account after a take-over of the whole step at the liquidator's price.
    fn liquidated(&self, place: usize) -> Option<(LiquidationPlan, Values)> {
        let legs = legs(&self.markets, &self.positions);
        let account = Account {
            pool: self.pool,
            legs: &legs,
        };
        let values = account.values().unwrap();
        let market = &self.markets[place];
        let buffer = Bps::new(market.params.liquidation_buffer_bps);
        let forced = account.forced(&values, place, buffer, true).unwrap();
        assert_eq!(forced.equity, values.equity);
        let (given, room) = (forced.position, forced.room);
        let input = LiquidationInput {
            position: given,
            mark: market.mark.price,
            params: &market.params,
            slot: 1_000,
            distress: Distress::NONE,
            insurance_available: 0,
        };
        let fall = Waterfall::begin_leg(&input, true, room).unwrap();
        let plan = fall.finish(true).unwrap();
        let (after, payout) = (&plan.position_after, plan.victim_payout);
        let pool = account.pool_after(place, &given, after, payout).unwrap();
        let mut positions = self.positions.clone();
        positions[place] = *after;
        let values = self.values(pool, &positions);
        Some((plan, values))
    }
}

#[test]
fn a_fill_at_the_limit_never_leaves_the_account_less_healthy() {
    let mut dice = Dice(31);
    let (mut restored, mut partial) = (0, 0);
    for _ in 0..20_000 {
        let case = Case::new(&mut dice);
        let before = case.values(case.pool, &case.positions);
        let place = usize::try_from(dice.next()).unwrap_or(0) % case.positions.len();
        let (plan, after) = case.liquidated(place).unwrap();
        assert!(!after.equity.is_negative());
        // An atom less of requirement is what rounding a bracket's margin up costs.
        let (v, w) = (
            i128::from(before.equity.get()),
            i128::from(after.equity.get()),
        );
        let (m, n) = (
            i128::from(before.requirement),
            i128::from(after.requirement),
        );
        assert!(w * m >= v * (n - 1), "{before:?} {after:?} {plan:?}");
        if plan.position_after.is_empty() {
            continue;
        }
        partial += 1;
        // What the ladder did not cap has restored the account, but for the atoms that four legs round up.
        if !plan.ladder_capped {
            let buffer = i128::from(case.markets[place].params.liquidation_buffer_bps);
            assert!(
                (w + 6) * 10_000 >= n * (10_000 + buffer),
                "{plan:?} {after:?}"
            );
            restored += 1;
        }
    }
    assert!(partial > 2_000 && restored > 400, "{partial} {restored}");
}

#[test]
fn a_step_is_the_least_that_restores_the_account() {
    let mut dice = Dice(32);
    let mut least = 0;
    for _ in 0..20_000 {
        let case = Case::new(&mut dice);
        let (plan, _) = case.liquidated(0).unwrap();
        let closed = plan.lots.size();
        let floor = case.markets[0].params.min_position_lots;
        if plan.ladder_capped || plan.position_after.is_empty() || closed <= floor + 1 {
            continue;
        }
        // Without discount, fee and rounding one lot less leaves the account short, at the mark.
        let before = case.values(case.pool, &case.positions);
        let mut positions = case.positions.clone();
        let at = i64::try_from(case.markets[0].mark.price.get()).unwrap();
        let fewer = i64::try_from(closed - 1).unwrap() * -positions[0].lots.get().signum();
        let given = Position {
            margin: Atoms::ZERO,
            ..positions[0].settle(case.markets[0].funding).unwrap()
        };
        let fill = given
            .fill(crate::fixture::lots(fewer), Atoms::new(fewer * at))
            .unwrap();
        positions[0] = fill.position;
        let after = case.values(Atoms::ZERO, &positions).requirement;
        let params = &case.markets[0].params;
        let notional = i128::from(at) * i128::from(closed - 1);
        let rate = i128::from(params.liquidation_discount_bps + params.liquidation_fee_bps);
        let left = i128::from(before.equity.get()) * 10_000 - notional * rate;
        let wanted = i128::from(after) * (10_000 + i128::from(params.liquidation_buffer_bps));
        // What the others need is rounded up to an atom.
        assert!(
            left < wanted + 10_000,
            "{closed} lots were more than it takes"
        );
        least += 1;
    }
    assert!(least > 300, "{least}");
}

#[test]
fn the_largest_leg_comes_first_unless_it_may_not() {
    let mut dice = Dice(33);
    for _ in 0..5_000 {
        let case = Case::new(&mut dice);
        let values = case.values(case.pool, &case.positions);
        let count = case.positions.len();
        let frozen = usize::try_from(dice.next() % 5).unwrap();
        let may = |place: usize| place != frozen;
        let largest = (0..count)
            .filter(|place| may(*place))
            .rev()
            .max_by_key(|place| values.legs[*place].requirement);
        assert_eq!(values.largest_leg(may), largest);
        for place in 0..count {
            let first = Some(place) == largest;
            let order = values.check_leg_order(place, may, false);
            assert_eq!(order, first.then_some(()).ok_or(CrossError::LegOrder));
            let over = values.check_leg_order(place, may, true);
            assert_eq!(over, may(place).then_some(()).ok_or(CrossError::LegOrder));
        }
        assert_eq!(
            values.check_leg_order(count, may, true),
            Err(CrossError::NoLeg)
        );
    }
}
