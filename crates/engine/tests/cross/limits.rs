//! How much of a market's insurance legs of cross accounts get, and how many lots they hold.

use ballast_engine::cross::limits::{check_interest, DRAW_CAP_BPS};
use ballast_engine::cross::{CrossDraws, CrossError};
use ballast_engine::fixtures::risk::sol_market;
use ballast_engine::insurance::Insurance;
use ballast_engine::risk::RiskParams;

use crate::fixture::Dice;

fn market(draw_cap_bps: u32, window: u64) -> RiskParams {
    RiskParams {
        insurance_draw_cap_bps: draw_cap_bps,
        insurance_resume_bps: 0,
        insurance_window_slots: window,
        ..sol_market()
    }
}

/// A million of insurance pays 500,000 in its window: legs of cross accounts get 125,000 of it, in whatever
/// pieces they ask, and isolated positions what is left of all.
#[test]
fn pairs_of_accounts_get_a_quarter_of_what_insurance_pays_at_all() {
    let params = market(5_000, 9_000);
    let mut dice = Dice(801);
    for _ in 0..300 {
        let mut insurance = Insurance {
            balance: 1_000_000,
            ..Insurance::default()
        };
        let (mut draws, mut crossed, mut alone) = (CrossDraws::default(), 0, 0);
        for step in 0..60 {
            let slot = 9_000 + step * dice.within(0, 40);
            let available = insurance.available(&params, slot).unwrap();
            let asked = dice.within(1, 30_000);
            if dice.once_in(3) {
                let paid = asked.min(available);
                insurance = insurance.draw(&params, slot, paid).unwrap();
                alone += paid;
                continue;
            }
            let cover = draws.cover(DRAW_CAP_BPS, &insurance, &params, available, slot);
            let paid = asked.min(cover.unwrap());
            insurance = insurance.draw(&params, slot, paid).unwrap();
            draws = draws.with(&params, slot, paid).unwrap();
            crossed += paid;
        }
        assert!(crossed <= 125_000 && crossed + alone <= 500_000);
        let left = draws.cover(DRAW_CAP_BPS, &insurance, &params, 1_000_000, 11_400);
        assert_eq!(left, Ok(125_000 - crossed));
        // Once the window has passed there is a quarter again.
        let later = draws.cover(DRAW_CAP_BPS, &insurance, &params, 1_000_000, 40_000);
        assert_eq!(later, Ok(insurance.balance / 2 / 4));
    }
}

#[test]
fn a_cap_of_one_is_none_and_one_of_nothing_pays_nothing() {
    let (params, insurance) = (market(10_000, 300), Insurance::default());
    let draws = CrossDraws::default();
    let insurance = Insurance {
        balance: 77,
        ..insurance
    };
    let cover = |cap| draws.cover(cap, &insurance, &params, 99, 1).unwrap();
    assert_eq!((cover(10_000), cover(0), cover(2_500)), (99, 0, 19));
}

/// A window that changes its length forgets nothing that still counts.
#[test]
fn what_was_paid_counts_also_where_the_window_changes() {
    let draws = CrossDraws::default();
    let draws = draws.with(&market(5_000, 9_000), 90_000, 1_000).unwrap();
    for window in [150, 300, 9_000, 1_512_000] {
        let now = draws.at(&market(5_000, window), 90_010).unwrap();
        assert_eq!(now.window.total(), Ok(1_000));
        assert_eq!(now.length, window);
        let then = now.at(&market(5_000, window), 90_010 + 2 * window);
        assert_eq!(then.unwrap().window.total(), Ok(0));
    }
}

#[test]
fn legs_of_a_side_hold_their_lots_at_most_and_may_always_get_fewer() {
    let check = |before, lots| check_interest(1_000, before, lots);
    assert_eq!(check(0, 1_000), Ok(()));
    assert_eq!(check(0, 1_001), Err(CrossError::InterestLimit));
    assert_eq!(check(1_500, 1_501), Err(CrossError::InterestLimit));
    assert_eq!((check(1_500, 1_400), check(1_500, 1_500)), (Ok(()), Ok(())));
}
