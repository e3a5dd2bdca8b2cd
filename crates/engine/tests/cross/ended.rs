//! Legs of a market that has ended leave with their share, whoever asks and in whatever order.

use ballast_engine::cross::convert::Left;
use ballast_engine::cross::{Account, CrossError};
use ballast_engine::distress::Distress;
use ballast_engine::health::Health;
use ballast_engine::units::Atoms;

use crate::fixture::{legs, pool_for, requirement, some_account, Dice};

#[test]
fn a_leg_parts_with_its_share_and_the_last_leaves_nothing() {
    let mut dice = Dice(811);
    let (mut bankrupt, mut several) = (0, 0);
    for _ in 0..20_000 {
        let (markets, positions) = some_account(&mut dice);
        let (mut markets, mut positions) = (markets, positions);
        let all = legs(&markets, &positions);
        let needed = requirement(&all);
        let equity = dice.signed(2 * needed);
        let mut pool = pool_for(&all, equity);
        bankrupt += u64::from(equity < 0);
        several += u64::from(positions.len() > 1);
        let mut paid = 0;
        while !positions.is_empty() {
            let all = legs(&markets, &positions);
            let account = Account { pool, legs: &all };
            let before = account.values().unwrap();
            let place = usize::try_from(dice.next()).unwrap() % positions.len();
            let Left {
                position,
                pool: left,
            } = account.part(&before, place).unwrap();
            let mark = markets[place].mark.price;
            let worth = position.equity(mark).unwrap();
            assert_eq!(Ok(worth), before.share(place));
            assert_eq!(position.funding_index, markets[place].funding);
            paid += worth.get();
            let index = place;
            positions.remove(index);
            markets.remove(index);
            pool = left;
            let all = legs(&markets, &positions);
            let rest = Account { pool, legs: &all };
            let after = rest.values().unwrap();
            let sum = after.equity.try_add(worth).unwrap();
            assert_eq!(sum, before.equity, "nothing is made");
            // As healthy as before but for an atom of the share.
            let [v, w] = [before, after].map(|values| i128::from(values.equity.get()));
            let [m, n] = [before, after].map(|values| i128::from(values.requirement));
            assert!((w * m - v * n).abs() <= m, "{before:?} {after:?}");
        }
        assert_eq!((pool, paid), (Atoms::ZERO, equity));
    }
    assert!(bankrupt > 5_000 && several > 5_000, "{bankrupt} {several}");
}

#[test]
fn nobody_parts_with_a_leg_that_is_not_there() {
    let account = Account {
        pool: Atoms::ZERO,
        legs: &[],
    };
    let values = account.values().unwrap();
    assert_eq!(account.part(&values, 0), Err(CrossError::NoLeg));
}

/// Ten minutes beyond the grace period, as far as somebody looked.
#[test]
fn a_round_takes_records_as_they_stand_only_after_a_long_wait() {
    let mut distress = Distress::NONE;
    let bankrupt = Health::Bankrupt { deficit: 5 };
    for slot in (1_000..=2_700).step_by(50) {
        distress = distress.recorded(bankrupt, slot);
    }
    assert!(!distress.takes_records(200, 2_700));
    assert!(distress.takes_records(199, 2_700));
    assert!(distress.takes_records(200, 2_701));
    assert!(!Distress::NONE.takes_records(0, u64::MAX));
    assert!(!distress.takes_records(u64::MAX, u64::MAX));
    // Nobody looked for long: the wait does not count.
    let alone = Distress::NONE.recorded(bankrupt, 1_000);
    assert!(!alone.takes_records(200, 2_701));
}
