//! A position joins an account and leaves it: nothing is made, and no profit leaves a loss behind.

use ballast_engine::cross::convert::{joined, Left};
use ballast_engine::cross::{Account, CrossError};
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, FundingIndex};

use crate::fixture::{legs, pool_for, position, some_market, some_position, Dice, Market};

#[test]
fn joining_and_leaving_moves_the_margin_and_nothing_else() {
    let mut dice = Dice(101);
    let (mut left, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let count = dice.within(1, 4);
        let markets: Vec<_> = (0..count).map(|_| some_market(&mut dice)).collect();
        let positions: Vec<_> = markets
            .iter()
            .map(|market| some_position(&mut dice, market))
            .collect();
        let all = legs(&markets, &positions);
        let needed = i64::try_from(4 * crate::fixture::requirement(&all)).unwrap();
        let account = Account {
            pool: pool_for(&all, dice.signed(2 * needed.unsigned_abs())),
            legs: &all,
        };
        let before = account.values().unwrap();
        let margin = dice.within(0, needed.unsigned_abs());
        let taken = account.take_out(0, &all[1..], margin);
        let Ok(Left { position, pool }) = taken else {
            assert_eq!(taken, Err(CrossError::BelowInitial));
            refused += 1;
            continue;
        };
        left += 1;
        let rest = Account {
            pool,
            legs: &all[1..],
        };
        // Both sides hold initial margin without their profit, and together what there was.
        assert_eq!(rest.check_opening(), Ok(()));
        assert!(!position.margin.is_negative());
        let equity = position.equity(markets[0].mark.price).unwrap();
        let sum = rest.values().unwrap().equity.try_add(equity).unwrap();
        assert_eq!(sum, before.equity);
        // It joins again, after more funding.
        let mut market = markets[0].clone();
        market.funding = FundingIndex::new(market.funding.get() + dice.signed(9));
        let leg = market.leg(position);
        let pool = joined(pool, &leg).unwrap();
        let settled = position.settle(market.funding).unwrap();
        assert_eq!(pool, rest.pool.try_add(settled.margin).unwrap());
        let mut back = vec![market.leg(Position {
            margin: Atoms::ZERO,
            ..settled
        })];
        back.extend_from_slice(&all[1..]);
        let whole = Account { pool, legs: &back };
        let paid = settled.margin.try_sub(position.margin).unwrap();
        let equity = before.equity.try_add(paid).unwrap();
        assert_eq!(whole.values().unwrap().equity, equity);
        assert_eq!(whole.check_joined(), whole.check_opening());
    }
    assert!(left > 1_000 && refused > 2_000, "{left} {refused}");
}

#[test]
fn the_profit_does_not_leave_while_the_loss_stays() {
    let markets = [
        Market::new(sol_market(), 200_000, 0),
        Market::new(sol_market(), 100_000, 0),
    ];
    // A profit of 10 million and a loss of 10 million; initial margin a million each.
    let positions = [position(100, 100_000, 0, 0), position(200, 150_000, 0, 0)];
    let all = legs(&markets, &positions);
    let with = |pool: i64| Account {
        pool: Atoms::new(pool),
        legs: &all,
    };
    // Healthy, and more than initial margin with its profit; without it the loss has to be covered.
    assert!(with(3_000_000).values().unwrap().is_healthy());
    let refused = Err(CrossError::BelowInitial);
    assert_eq!(with(11_999_999).take_out(0, &all[1..], 1_000_000), refused);
    assert!(with(12_000_000).take_out(0, &all[1..], 1_000_000).is_ok());
    // Nor does it stand by its profit alone.
    assert_eq!(with(12_000_000).take_out(0, &all[1..], 999_999), refused);
    // The loser takes its margin with it.
    assert_eq!(with(11_999_999).take_out(1, &all[..1], 11_000_000), refused);
    assert!(with(12_000_000).take_out(1, &all[..1], 11_000_000).is_ok());
    assert_eq!(with(0).take_out(2, &all, 0), Err(CrossError::NoLeg));
}
