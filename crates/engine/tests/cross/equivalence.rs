//! An account with one leg equals an isolated position with the pool as its margin, to the atom, where the
//! payouts of the isolated one are added back to its margin in the same step.

use ballast_engine::adl::{AccountCut, Bankruptcy, Cut, Deleveraging};
use ballast_engine::cross::cut::Bearing;
use ballast_engine::cross::record::record;
use ballast_engine::cross::{Account, CrossError};
use ballast_engine::distress::Distress;
use ballast_engine::health::{health, look};
use ballast_engine::liquidation::{LiquidationInput, Waterfall};
use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, Totals};
use ballast_engine::rank::Exposure;
use ballast_engine::trade::remove_margin;
use ballast_engine::units::{Atoms, Bps, FundingIndex, Side};
use ballast_engine::EngineError;

use crate::fixture::{lots, position, some_market, some_position, Dice, Market};

/// The isolated position, funding settled, and the account with its margin in the pool. The margin is
/// anything from a deficit to several times maintenance.
fn pair(dice: &mut Dice) -> (Market, Position, Position, Atoms) {
    let market = some_market(dice);
    let mut held = some_position(dice, &market);
    let notional = held.notional(market.mark.price).expect("in range");
    let needed = i64::try_from(notional / 20 + 2).expect("in range");
    let leg = market.leg(held).value().expect("in range");
    let around = i64::try_from(-leg.unrealised).expect("in range");
    let margin = around + dice.signed(needed.unsigned_abs());
    held.margin = Atoms::new(margin);
    let isolated = held.settle(market.funding).expect("in range");
    let stored = Position {
        margin: Atoms::new(-7),
        ..held
    };
    (market, isolated, stored, Atoms::new(margin))
}

fn input<'a>(market: &'a Market, position: Position, dice: &mut Dice) -> LiquidationInput<'a> {
    let slot = 10_000;
    LiquidationInput {
        position,
        mark: market.mark.price,
        params: &market.params,
        slot,
        distress: Distress {
            flagged_slot: slot - dice.within(0, 300),
            seen_slot: slot,
            last_step_slot: slot - dice.within(1, 20),
            step_left: u32::try_from(dice.within(0, 50)).expect("few"),
            ..Distress::NONE
        },
        insurance_available: dice.magnitude(1, 1 << 40),
    }
}

#[test]
fn value_health_share_and_node_are_those_of_the_isolated_position() {
    let mut dice = Dice(1);
    let mut bankrupt = 0;
    for _ in 0..20_000 {
        let (market, isolated, stored, pool) = pair(&mut dice);
        let legs = [market.leg(stored)];
        let account = Account { pool, legs: &legs };
        let values = account.values().expect("in range");
        let price = market.mark.price;
        assert_eq!(Ok(values.equity), isolated.equity(price));
        assert_eq!(account.with_share(&values, 0), Ok(isolated));
        assert_eq!(account.with_everything(&values, 0), Ok(isolated));
        let found = health(&isolated, price, &market.params).expect("in range");
        assert_eq!(values.health(), found);
        let buffer = Bps::new(market.params.liquidation_buffer_bps);
        assert_eq!(
            values.look(0, buffer, true),
            look(&isolated, price, &market.params, true).map_err(CrossError::from)
        );
        bankrupt += u64::from(values.equity.is_negative());
        // The node of the record is that of the isolated position with its margin.
        let recorded = record(&legs[0].position, values.rest(0).expect("a leg")).expect("in range");
        let side = isolated.side().expect("lots");
        assert_eq!(Totals::of(&recorded, side), Totals::of(&isolated, side));
        let (of, sequence) = (Exposure::of_position, 5);
        assert_eq!(
            of(&recorded, market.funding, sequence),
            of(&isolated, market.funding, sequence)
        );
    }
    assert!(bankrupt > 5_000, "{bankrupt} bankrupt");
}

#[test]
fn a_liquidation_closes_the_same_lots_at_the_same_price() {
    let mut dice = Dice(2);
    let (mut partial, mut whole) = (0, 0);
    for _ in 0..20_000 {
        let (market, isolated, stored, pool) = pair(&mut dice);
        let legs = [market.leg(stored)];
        let account = Account { pool, legs: &legs };
        let values = account.values().expect("in range");
        let buffer = Bps::new(market.params.liquidation_buffer_bps);
        let forced = account.forced(&values, 0, buffer, true).expect("a leg");
        let (given, room) = (forced.position, forced.room);
        let found = look(&isolated, market.mark.price, &market.params, true);
        assert_eq!(Ok(forced.look), found);
        let input = input(&market, given, &mut dice);
        let by_itself = LiquidationInput {
            position: isolated,
            ..input
        };
        let (alone, leg) = (
            Waterfall::begin(&by_itself, true),
            Waterfall::begin_leg(&input, true, room),
        );
        let (mut alone, mut leg) = match (alone, leg) {
            (Ok(alone), Ok(leg)) => (alone, leg),
            (alone, leg) => {
                assert_eq!(alone.map(|_| ()), leg.map(|_| ()));
                continue;
            }
        };
        // The book takes some at the mark.
        let some = dice.within(0, alone.left().expect("in range") / 2);
        if some > 0 && alone.meets(market.mark.price) {
            alone.take(some, market.mark.price).expect("in range");
            leg.take(some, market.mark.price).expect("in range");
        }
        let (alone, leg) = (alone.finish(true), leg.finish(true));
        assert_eq!(alone, leg);
        let Ok(plan) = leg else { continue };
        let (after, payout) = (plan.position_after, plan.victim_payout);
        let pool = account.pool_after(0, &given, &after, payout);
        let back = isolated_after(&after, payout);
        assert_eq!(pool, Ok(back));
        if after.is_empty() {
            whole += 1;
        } else if !plan.lots.is_zero() {
            partial += 1;
        }
    }
    assert!(partial > 1_000 && whole > 1_000, "{partial} {whole}");
}

/// The isolated margin with what was paid out added back.
fn isolated_after(after: &Position, payout: Atoms) -> Atoms {
    after.margin.try_add(payout).expect("in range")
}

#[test]
fn fills_move_the_pool_as_they_move_margin_and_payout() {
    let mut dice = Dice(3);
    let mut closed = 0;
    for _ in 0..2_000 {
        let (market, mut isolated, stored, mut pool) = pair(&mut dice);
        let mut market = market;
        let mut held = stored;
        for _ in 0..20 {
            let size = i64::try_from(dice.magnitude(1, 2_000_000)).expect("small");
            let size = if dice.once_in(3) {
                -isolated.lots.get()
            } else if dice.once_in(2) {
                size
            } else {
                -size
            };
            if size == 0 {
                continue;
            }
            let at = market.mark.price.get();
            market.funding = FundingIndex::new(market.funding.get() + dice.signed(5));
            let traded = dice.within(at * 9 / 10, at * 11 / 10).max(1);
            let quote = Atoms::new(size * i64::try_from(traded).expect("small"));
            let settled = isolated.settle(market.funding).expect("in range");
            let fill = settled.fill(lots(size), quote).expect("in range");
            isolated = fill.position;
            isolated.margin = isolated_after(&fill.position, fill.payout().expect("in range"));
            let legs = [market.leg(held)];
            let account = Account { pool, legs: &legs };
            let filled = account.fill(0, lots(size), quote).expect("in range");
            (held, pool) = (filled.position, filled.pool);
            assert_eq!(pool, isolated.margin);
            assert_eq!(held.entry_quote, isolated.entry_quote);
            assert_eq!(held.lots, isolated.lots);
            assert_eq!(filled.realized, fill.realized);
            closed += u64::from(held.is_empty());
        }
    }
    assert!(closed > 1_000, "{closed}");
}

#[test]
fn with_its_profit_counted_it_opens_exactly_where_the_isolated_position_does() {
    let mut dice = Dice(4);
    let (mut enough, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let (mut market, mut isolated, mut stored, mut pool) = pair(&mut dice);
        market.weight_bps = 10_000;
        market.mark.confidence = dice.within(0, market.mark.price.get() / 100);
        market.mark.scale.multiplier_ppm =
            u32::try_from(dice.within(1_000_000, 3_000_000)).unwrap();
        // A margin around initial margin.
        let more = dice.within(0, isolated.notional(market.mark.price).unwrap() / 4);
        pool = pool.try_add_unsigned(more).unwrap();
        isolated.margin = isolated.margin.try_add_unsigned(more).unwrap();
        stored.margin = pool;
        let amount = dice.within(1, 1_000);
        let taken = remove_margin(&market.params, &market.mark, &isolated, Atoms::ZERO, amount);
        let legs = [market.leg(stored)];
        let account = Account {
            pool: pool.try_sub_unsigned(amount).unwrap(),
            legs: &legs,
        };
        match taken {
            // A margin of an isolated position is never taken below nothing, whatever its profit.
            Err(EngineError::MarginBelowZero) => {}
            Err(EngineError::BelowInitialMargin) => {
                assert_eq!(account.check_opening(), Err(CrossError::BelowInitial));
                refused += 1;
            }
            taken => {
                assert_eq!(taken.map(|_| ()), Ok(()));
                assert_eq!(account.check_opening(), Ok(()));
                enough += 1;
            }
        }
    }
    assert!(enough > 1_000 && refused > 1_000, "{enough} {refused}");
}

fn bankruptcy<'a>(market: &'a Market, position: Position, insurance: u64) -> Bankruptcy<'a> {
    Bankruptcy {
        position,
        mark: market.mark.price,
        funding_index: market.funding,
        insurance_available: insurance,
        past_grace: true,
        taker: None,
        max_lots: position.size().max(1),
        least_lots: market.params.min_position_lots,
        params: &market.params.adl,
        epoch: 1,
        passes: 1,
    }
}

#[test]
fn a_bankruptcy_closes_at_the_same_price_and_a_counterparty_is_cut_alike() {
    let mut dice = Dice(5);
    let (mut cuts, mut whole) = (0, 0);
    while cuts < 5_000 {
        let (market, isolated, stored, pool) = pair(&mut dice);
        let legs = [market.leg(stored)];
        let account = Account { pool, legs: &legs };
        let values = account.values().unwrap();
        let share = account.with_share(&values, 0).unwrap();
        let insurance = dice.magnitude(1, 1 << 30);
        let alone = Deleveraging::begin(&bankruptcy(&market, isolated, insurance));
        let leg = Deleveraging::begin(&bankruptcy(&market, share, insurance));
        let (mut alone, mut leg) = match (alone, leg) {
            (Ok(alone), Ok(leg)) => (alone, leg),
            (alone, leg) => {
                assert_eq!(alone.map(|_| ()), leg.map(|_| ()));
                continue;
            }
        };
        assert_eq!(alone.round(), leg.round());
        let round = *leg.round();
        // A counterparty whose requirement bears the whole loss.
        let size = i64::try_from(dice.magnitude(1, 2_000_000)).unwrap();
        let sign = if round.side == Side::Long { 1 } else { -1 };
        let at = market.mark.price.get();
        let entry = dice.within((at / 2).max(1), at * 3 / 2);
        let other = position(sign * size, entry, 0, market.funding.get() - dice.signed(5));
        let equity = i64::try_from(other.notional(market.mark.price).unwrap()).unwrap();
        let legs = [market.leg(other)];
        let pool = crate::fixture::pool_for(&legs, equity);
        let account = Account { pool, legs: &legs };
        let values = account.values().unwrap();
        let counterparty = account.counterparty(&values, 0).unwrap();
        let isolated = Position {
            margin: pool,
            ..other
        };
        let stamp = CutStamp::default();
        let one = alone.cut(&isolated, 9, stamp).unwrap();
        let two = leg
            .cut_account(&counterparty, Bearing::Maintenance, 9, stamp)
            .unwrap();
        let Cut::Done(one) = one else { continue };
        let AccountCut::Done { done, shortened } = two else {
            panic!("{two:?}");
        };
        if shortened {
            continue;
        }
        assert_eq!(one, done);
        let after =
            account.pool_after(0, &counterparty.position, &done.position_after, done.payout);
        assert_eq!(after, Ok(isolated_after(&one.position_after, one.payout)));
        let (alone, leg) = (alone.bankrupt_after(), leg.bankrupt_after());
        assert_eq!(alone, leg);
        whole += u64::from(alone.is_ok_and(|left| left.is_empty()));
        cuts += 1;
    }
    assert!(whole > 100, "{whole}");
}
