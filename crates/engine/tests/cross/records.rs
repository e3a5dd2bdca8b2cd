//! Records: what a node can hold, and which of them flatter.

use ballast_engine::cross::record::{flatters, is_floored, record};
use ballast_engine::cross::{Account, CrossError, Leg, FRESH_SLOTS, SLACK};
use ballast_engine::queue::Totals;
use ballast_engine::units::{Atoms, Side};

use crate::fixture::{legs, pool_for, position, some_market, some_position, Dice};

const MOST: i64 = 1 << 31;

#[test]
fn a_record_is_clamped_to_what_a_node_holds() {
    let mut dice = Dice(41);
    let (mut high, mut low, mut inside) = (0, 0, 0);
    for _ in 0..20_000 {
        let market = some_market(&mut dice);
        let held = some_position(&mut dice, &market);
        let side = held.side().unwrap();
        let size = i128::from(held.size());
        // From far below to far above what its lots can hold.
        let sign = i128::from(dice.signed(1));
        let rest =
            sign * size * i128::from(dice.magnitude(1 << 20, 1 << 34)) + i128::from(dice.signed(9));
        let stored = record(&held, rest).unwrap();
        let totals = Totals::of(&stored, side).unwrap();
        assert_eq!(totals.check_range(), Ok(()));
        let margin = i128::from(stored.margin.get());
        let price = i128::from(totals.bankruptcy) / size;
        let toward = if side == Side::Long { -1 } else { 1 };
        if margin < rest {
            // The account looks poorer than it is.
            assert!(price * toward >= i128::from(MOST) - 2);
            high += 1;
        } else if margin > rest {
            // Its bankruptcy price is beyond every price: the account is worth nothing at any.
            assert!(price * toward <= 2 - i128::from(MOST));
            let q32 =
                i64::try_from((i128::from(totals.bankruptcy) << 32).div_euclid(size)).unwrap();
            assert!(is_floored(side, q32));
            assert_eq!(flatters(&stored, rest, Atoms::ZERO, 10), Ok(false));
            low += 1;
        } else {
            inside += 1;
        }
    }
    assert!(
        high > 500 && low > 500 && inside > 500,
        "{high} {low} {inside}"
    );
}

#[test]
fn a_record_flatters_beyond_a_tenth_of_the_equity_to_the_atom() {
    let held = position(10, 1_000, 500, 0);
    for (rest, equity, stale) in [
        (500, 0, false),
        (499, 0, true),
        (499, 9, true),
        (499, 10, false),
        (400, 1_000, false),
        (399, 1_000, true),
        (499, -1_000, true),
        (600, -5, false),
    ] {
        assert_eq!(
            flatters(&held, rest, Atoms::new(equity), 10),
            Ok(stale),
            "{rest} {equity}"
        );
    }
    assert_eq!(flatters(&held, 499, Atoms::new(1_000), 0), Ok(true));
}

#[test]
fn what_the_own_leg_wins_or_pays_leaves_its_record_right() {
    let mut dice = Dice(42);
    for _ in 0..2_000 {
        let markets = [some_market(&mut dice), some_market(&mut dice)];
        let positions = [
            some_position(&mut dice, &markets[0]),
            some_position(&mut dice, &markets[1]),
        ];
        let first = legs(&markets, &positions);
        let pool = pool_for(&first, dice.signed(1 << 40));
        let account = Account { pool, legs: &first };
        let values = account.values().unwrap();
        let stored = [
            account.recorded(&values, 0).unwrap(),
            account.recorded(&values, 1).unwrap(),
        ];
        // The first market moves: its own record holds, the other's flatters by what was lost.
        let mut moved = markets.clone();
        let at = moved[0].mark.price.get();
        moved[0].mark.price = crate::fixture::price(dice.within(at / 2, at * 2));
        moved[0].funding =
            ballast_engine::units::FundingIndex::new(moved[0].funding.get() + dice.signed(at));
        let second = legs(&moved, &stored);
        let account = Account {
            legs: &second,
            ..account
        };
        let now = account.values().unwrap();
        let more = i128::from(stored[1].margin.get()) - now.rest(1).unwrap();
        let stale = more * 10 > i128::from(now.equity.positive_part());
        let floored = |place: usize| {
            let side = stored[place].side().unwrap();
            let totals = Totals::of(&stored[place], side).unwrap();
            let size = i128::from(totals.lots);
            let q32 = (i128::from(totals.bankruptcy) << 32).div_euclid(size);
            is_floored(side, i64::try_from(q32).unwrap())
        };
        let expected = (stale && !floored(1)).then_some(1);
        assert_eq!(account.flattered(&now, SLACK, 100, |_| false), Ok(expected));
        let check = account.check_records(&now, SLACK, 100, |_| false);
        let refused = expected.map_or(Ok(()), |leg| Err(CrossError::RecordStale { leg }));
        assert_eq!(check, refused);
        assert_eq!(
            account.check_records(&now, SLACK, 100, |leg| leg == 1),
            Ok(())
        );
    }
}

/// Somebody loses to an account of its own in one market, has itself witnessed in another, and wins it back:
/// the leg that was witnessed has to be recorded anew.
#[test]
fn weakness_does_not_outlive_a_write() {
    let mut dice = Dice(43);
    let markets = [some_market(&mut dice), some_market(&mut dice)];
    let positions = [
        some_position(&mut dice, &markets[0]),
        some_position(&mut dice, &markets[1]),
    ];
    let mut held = legs(&markets, &positions);
    let pool = pool_for(&held, 1 << 30);
    let values = Account { pool, legs: &held }.values().unwrap();
    for (place, leg) in held.iter_mut().enumerate() {
        leg.position = record(&leg.position, values.rest(place).unwrap()).unwrap();
    }
    let check = |held: &[Leg<'_>], slot, renewed| {
        let account = Account { pool, legs: held };
        account.check_records(&values, SLACK, slot, |leg| leg == 0 && renewed)
    };
    held[0].recorded_slot = 100;
    assert_eq!(check(&held, 100, false), Ok(()));
    held[0].weak = true;
    let stale = Err(CrossError::RecordStale { leg: 0 });
    assert_eq!(check(&held, 100, false), stale);
    assert_eq!(check(&held, 100 + FRESH_SLOTS, false), stale);
    assert_eq!(check(&held, 100 + FRESH_SLOTS, true), Ok(()));
    assert_eq!(check(&held, 101 + FRESH_SLOTS, false), Ok(()));
}

#[test]
fn a_fresh_record_flatters_beyond_a_hundredth() {
    let held = position(10, 1_000, 500, 0);
    let market =
        crate::fixture::Market::new(ballast_engine::fixtures::risk::sol_market(), 1_000, 0);
    let check = |pool: i64, slot| {
        let leg = Leg {
            recorded_slot: 100,
            ..market.leg(held)
        };
        let account = Account {
            pool: Atoms::new(pool),
            legs: &[leg],
        };
        let values = account.values().unwrap();
        account.flattered(&values, SLACK, slot, |_| false)
    };
    // The record says 500.
    assert_eq!(check(496, 125), Ok(None));
    assert_eq!(check(495, 125), Ok(Some(0)));
    assert_eq!(check(495, 126), Ok(None));
    assert_eq!(check(455, 126), Ok(None));
    assert_eq!(check(454, 126), Ok(Some(0)));
}
