#![allow(clippy::arithmetic_side_effects)]

use super::*;

fn written_off(atoms: u64, claims: u64) -> WriteOff {
    WriteOff { atoms, claims }
}

#[test]
fn every_claim_gets_its_part_and_the_rest_is_insurances_with_the_last() {
    // 70 for claims of 100: three of 33 get 23 each, one of 1 nothing.
    let all = written_off(30, 100);
    let mut end = WindDown::default();
    for (claim, atoms, to_insurance, uncovered) in [
        (33, 23, 0, 20),
        (1, 0, 0, 19),
        (33, 23, 0, 9),
        (33, 23, 1, 0),
    ] {
        let paid = all.pay(&end, claim).unwrap();
        assert_eq!((paid.atoms, paid.to_insurance), (atoms, to_insurance));
        end = paid.wind_down;
        assert_eq!(all.uncovered(&end), Ok(uncovered));
    }
    // A position that is worth nothing may come after it, and no claim that was not counted.
    let paid = all.pay(&end, 0).unwrap();
    assert_eq!((paid.atoms, paid.to_insurance), (0, 0));
    assert_eq!(all.pay(&end, 1), Err(EngineError::Overflow));
}

#[test]
fn where_more_was_written_off_than_is_claimed_nobody_gets_anything() {
    let all = written_off(120, 100);
    assert_eq!(all.covered(), 0);
    let paid = all.pay(&WindDown::default(), 100).unwrap();
    assert_eq!((paid.atoms, paid.to_insurance), (0, 0));
    assert_eq!(all.uncovered(&paid.wind_down), Ok(20));
    assert_eq!(
        written_off(5, 0)
            .pay(&WindDown::default(), 0)
            .map(|paid| paid.atoms),
        Ok(0)
    );
}

#[test]
fn what_was_written_off_adds_up_and_may_be_made_good() {
    let none = WriteOff::default();
    assert!(!none.is_any());
    assert_eq!(none.uncovered(&WindDown::default()), Ok(0));
    let some = none.with(7).unwrap().with(5).unwrap();
    assert_eq!((some.atoms, some.is_any()), (12, true));
    assert_eq!(some.made_good(12), Ok(none));
    assert_eq!(some.made_good(13), Err(EngineError::Overflow));
    assert_eq!(some.with(u64::MAX), Err(EngineError::Overflow));
}
