//! What an account must hold to open, to reduce and to have its orders filled.

use ballast_engine::cross::checks::is_deep;
use ballast_engine::cross::{Account, CrossError, Leg};
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::units::{Atoms, Bps};

use crate::fixture::{lots, position, price, some_market, some_position, Dice, Market};

fn account<'a>(pool: i64, legs: &'a [Leg<'a>]) -> Account<'a> {
    Account {
        pool: Atoms::new(pool),
        legs,
    }
}

/// Two markets at 200,000 and 100,000 atoms a lot, initial 5%, maintenance 2.5%.
fn markets() -> [Market; 2] {
    [
        Market::new(sol_market(), 200_000, 0),
        Market::new(sol_market(), 100_000, 0),
    ]
}

#[test]
fn profit_does_not_open_and_a_loss_counts_whole() {
    let [a, b] = markets();
    // A profit of 10 million in one, a loss of 4 million in the other; both need a million.
    let winner = position(100, 100_000, 0, 0);
    let loser = position(200, 120_000, 0, 0);
    let legs = [a.leg(winner), b.leg(loser)];
    let opening = account(6_000_000, &legs).opening().unwrap();
    assert_eq!(
        (opening.equity, opening.requirement),
        (2_000_000, 2_000_000)
    );
    assert_eq!(account(6_000_000, &legs).check_opening(), Ok(()));
    let less = account(5_999_999, &legs);
    assert_eq!(less.check_opening(), Err(CrossError::BelowInitial));
    // It is healthy by far.
    let healthy = |account: &Account| account.values().unwrap().is_healthy();
    assert!(healthy(&less) && healthy(&account(-5_000_000, &legs)));
    assert!(!healthy(&account(-5_000_001, &legs)));
}

#[test]
fn confidence_and_volatility_are_counted_for_every_leg() {
    let [mut a, b] = markets();
    let legs = [
        a.leg(position(100, 200_000, 0, 0)),
        b.leg(position(-200, 100_000, 0, 0)),
    ];
    assert_eq!(account(2_000_000, &legs).check_opening(), Ok(()));
    a.mark.confidence = 10;
    let legs = [
        a.leg(position(100, 200_000, 0, 0)),
        b.leg(position(-200, 100_000, 0, 0)),
    ];
    // A long at a worse price lacks 10 atoms a lot; its margin is that of the mark.
    assert_eq!(account(2_001_000, &legs).check_opening(), Ok(()));
    let refused = Err(CrossError::BelowInitial);
    assert_eq!(account(2_000_999, &legs).check_opening(), refused);
    a.mark.confidence = 0;
    a.mark.scale.multiplier_ppm = 1_500_000;
    let legs = [
        a.leg(position(100, 200_000, 0, 0)),
        b.leg(position(-200, 100_000, 0, 0)),
    ];
    assert_eq!(account(2_500_000, &legs).check_opening(), Ok(()));
    assert_eq!(account(2_499_999, &legs).check_opening(), refused);
}

#[test]
fn a_reduction_never_leaves_it_less_healthy() {
    let mut dice = Dice(51);
    let (mut stands, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let market = some_market(&mut dice);
        let held = some_position(&mut dice, &market);
        let legs = [market.leg(held)];
        let needed = crate::fixture::requirement(&legs);
        let equity = i64::try_from(dice.within(0, 2 * needed)).unwrap() - dice.signed(needed);
        let pool = crate::fixture::pool_for(&legs, equity);
        let before = Account { pool, legs: &legs };
        let values = before.values().unwrap();
        let part = i64::try_from(dice.within(1, held.size())).unwrap();
        let fill = part * -held.lots.get().signum();
        let at = market.mark.price.get();
        let traded = i64::try_from(dice.within(at * 95 / 100, at * 105 / 100).max(1)).unwrap();
        let filled = before
            .fill(0, lots(fill), Atoms::new(fill * traded))
            .unwrap();
        let legs = [market.leg(filled.position)];
        let after = Account {
            pool: filled.pool,
            legs: &legs,
        };
        let now = after.values().unwrap();
        let (v, w) = (
            i128::from(values.equity.get()),
            i128::from(now.equity.get()),
        );
        let (m, n) = (i128::from(values.requirement), i128::from(now.requirement));
        let may = w >= n || w * m >= v * n;
        let found = after.check_reduction(&values, false);
        assert_eq!(found, may.then_some(()).ok_or(CrossError::LessHealthy));
        stands += u64::from(may);
        refused += u64::from(!may);
    }
    assert!(stands > 2_000 && refused > 2_000, "{stands} {refused}");
}

#[test]
fn a_reduction_far_from_the_mark_needs_what_opening_needs() {
    let limit = Bps::new(75);
    let deep = |lots_: i64, quote| is_deep(lots(lots_), Atoms::new(quote), price(200_000), limit);
    // 100 lots are worth 20 million, of which 75 bps are 150,000.
    assert_eq!(deep(-100, -19_850_000), Ok(false));
    assert_eq!(deep(-100, -19_849_999), Ok(true));
    assert_eq!(deep(100, 20_150_000), Ok(false));
    assert_eq!(deep(100, 20_150_001), Ok(true));
    assert_eq!(deep(-100, -25_000_000), Ok(false));
    assert_eq!(deep(100, 15_000_000), Ok(false));

    // Profit of a pumped market lets nobody give the lots of another away.
    let [a, b] = markets();
    let legs = [
        a.leg(position(100, 100_000, 0, 0)),
        b.leg(position(200, 100_000, 0, 0)),
    ];
    let before = account(0, &legs);
    let values = before.values().unwrap();
    let given_away = before.fill(1, lots(-100), Atoms::new(-9_500_000)).unwrap();
    let legs = [
        a.leg(position(100, 100_000, 0, 0)),
        b.leg(given_away.position),
    ];
    let after = Account {
        pool: given_away.pool,
        legs: &legs,
    };
    assert_eq!(after.check_reduction(&values, false), Ok(()));
    let worse = is_deep(lots(-100), Atoms::new(-9_500_000), price(100_000), limit);
    assert_eq!(worse, Ok(true));
    let refused = after.check_reduction(&values, true);
    assert_eq!(refused, Err(CrossError::BelowInitial));
}

#[test]
fn an_account_has_four_legs_at_most() {
    let market = markets()[0].clone();
    let leg = market.leg(position(1, 200_000, 0, 0));
    assert!(account(0, &[leg; 4]).values().is_ok());
    let five = account(0, &[leg; 5]).values();
    assert_eq!(five, Err(CrossError::TooManyLegs));
}
