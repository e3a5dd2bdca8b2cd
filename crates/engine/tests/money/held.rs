use ballast_engine::held::{taken_out, HeldClaim, HeldProfit, TakenOut};
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::cases;

const NOW: u64 = 70;
const LATER: u64 = 71;

fn held(parts: &[u64]) -> (HeldProfit, Vec<HeldClaim>) {
    let mut ledger = HeldProfit::default();
    let claims = parts.iter().map(|atoms| {
        let (after, claim) = ledger.hold(&HeldClaim::default(), *atoms, NOW).unwrap();
        ledger = after;
        claim
    });
    let claims = claims.collect();
    (ledger, claims)
}

#[test]
fn what_was_put_in_comes_out_first() {
    let taken = |profit, paid_in| TakenOut { profit, paid_in };
    assert_eq!(taken_out(1_000, 400), taken(0, 600));
    assert_eq!(taken_out(1_000, 1_000), taken(0, 0));
    assert_eq!(taken_out(1_000, 1_001), taken(1, 0));
    assert_eq!(taken_out(0, 7), taken(7, 0));
}

#[test]
fn a_slot_holds_as_much_as_is_missing_however_it_closes() {
    let (ledger, claims) = held(&[300]);
    let none = HeldClaim::default();
    assert_eq!(ledger.due(&none, 500, 400), Ok(400));
    assert_eq!(ledger.due(&none, 300, 400), Ok(300));
    assert_eq!(ledger.due(&claims[0], 500, 400), Ok(100));
    assert_eq!(ledger.due(&claims[0], 500, 300), Ok(0));
    assert_eq!(ledger.due(&claims[0], 500, 0), Ok(0));
}

#[test]
fn a_deficit_takes_from_all_alike() {
    let (ledger, claims) = held(&[600, 300]);
    let (ledger, rest) = ledger.pay(300).unwrap();
    assert_eq!((ledger.atoms, ledger.shares, rest), (600, 900, 0));
    let values: Vec<_> = claims.iter().map(|claim| ledger.value(claim)).collect();
    assert_eq!(values, [Ok(400), Ok(200)]);
    // Who comes later has not lost anything.
    let (ledger, late) = ledger.hold(&HeldClaim::default(), 100, NOW).unwrap();
    assert_eq!(ledger.value(&late), Ok(100));
    assert_eq!(ledger.value(&claims[0]), Ok(400));
    assert_eq!(ledger.pay(701), Err(EngineError::Overflow));
}

#[test]
fn a_ledger_that_is_eaten_up_ends_and_its_claims_are_worth_nothing() {
    let (ledger, claims) = held(&[2_048_000]);
    let (left, rest) = ledger.pay(2_046_000).unwrap();
    assert_eq!((left.atoms, left.epoch, rest), (2_000, 0, 0));
    // An atom less than a thousandth.
    let (ended, rest) = left.pay(1).unwrap();
    assert_eq!((ended.atoms, ended.shares, ended.epoch), (0, 0, 1));
    assert_eq!(rest, 1_999);
    assert_eq!(ended.value(&claims[0]), Ok(0));
    let (next, mine) = ended.hold(&claims[0], 10, NOW).unwrap();
    assert_eq!((next.value(&mine), mine.shares), (Ok(10), 10));
    assert_eq!(
        ended.release(&claims[0], 0, LATER),
        Ok((ended, HeldClaim::default(), 0))
    );
}

#[test]
fn the_last_ledger_keeps_what_would_end_it() {
    let (mut ledger, _) = held(&[10_240]);
    ledger.epoch = u32::MAX;
    assert_eq!(ledger.available(), 10_230);
    assert!(ledger.pay(10_230).is_ok());
    assert_eq!(ledger.pay(10_231), Err(EngineError::Overflow));
}

#[test]
fn what_the_market_is_not_short_of_is_released() {
    let (ledger, claims) = held(&[600, 300]);
    let (ledger, none, atoms) = ledger.release(&claims[0], 0, LATER).unwrap();
    assert_eq!((none, atoms), (HeldClaim::default(), 600));
    // Short of 100 of the 300 that are left.
    let (ledger, left, atoms) = ledger.release(&claims[1], 100, LATER).unwrap();
    assert_eq!((ledger.atoms, left.shares, atoms), (100, 100, 200));
    assert_eq!(ledger.release(&left, 100, LATER), Ok((ledger, left, 0)));
    assert_eq!(
        ledger.release(&left, u64::MAX, LATER),
        Ok((ledger, left, 0))
    );
}

#[test]
fn nobody_leaves_the_deficit_to_others_by_releasing_first_or_again() {
    let (ledger, claims) = held(&[500, 500]);
    let (ledger, left, atoms) = ledger.release(&claims[0], 400, LATER).unwrap();
    assert_eq!((left.shares, atoms), (400, 100));
    assert_eq!(ledger.release(&left, 400, LATER), Ok((ledger, left, 0)));
    let (ledger, other, atoms) = ledger.release(&claims[1], 400, LATER).unwrap();
    assert_eq!((other.shares, atoms), (400, 100));
    let (ledger, _) = ledger.pay(400).unwrap();
    assert_eq!(
        (ledger.value(&left), ledger.value(&other)),
        (Ok(200), Ok(200))
    );
}

#[test]
fn a_price_recorded_first_in_a_later_slot_releases() {
    let (ledger, claims) = held(&[1]);
    assert_eq!(claims[0].slot, NOW);
    for recorded in [NOW - 1, NOW] {
        let released = ledger.release(&claims[0], 0, recorded);
        assert_eq!(released, Ok((ledger, claims[0], 0)));
    }
    let released = ledger.release(&claims[0], 0, LATER).unwrap();
    assert_eq!((released.1, released.2), (HeldClaim::default(), 1));
}

#[test]
fn holding_more_for_one_puts_off_nobody_else() {
    let (ledger, claims) = held(&[10, 10]);
    let (ledger, claim) = ledger.hold(&claims[1], 5, LATER).unwrap();
    assert_eq!(ledger.release(&claim, 0, LATER), Ok((ledger, claim, 0)));
    let (_, _, atoms) = ledger.release(&claims[0], 0, LATER).unwrap();
    assert_eq!(atoms, 10);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold(usize, u64),
    Pay(u64),
    Release(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![0..20_u64, 0..1_000_000_u64, 0..1_u64 << 40];
    prop_oneof![
        (0..4_usize, amount.clone()).prop_map(|(who, atoms)| Step::Hold(who, atoms)),
        amount.clone().prop_map(Step::Pay),
        (0..4_usize, amount).prop_map(|(who, shortfall)| Step::Release(who, shortfall)),
    ]
}

proptest! {
    #![proptest_config(cases(500))]

    /// Every atom that was held is paid, released, given to insurance or still there, and nobody's
    /// claim ever counts more than it was.
    #[test]
    fn nobody_gets_more_than_was_held_for_it(steps in prop::collection::vec(step(), 1..60)) {
        let (mut ledger, mut claims) = (HeldProfit::default(), [HeldClaim::default(); 4]);
        let (mut put, mut got) = ([0_u64; 4], [0_u64; 4]);
        let mut left = 0_u64;
        for step in steps {
            let before = ledger;
            match step {
                Step::Hold(_, 0) => {}
                Step::Hold(who, atoms) => {
                    let stale = claims[who].epoch != ledger.epoch;
                    let worth = ledger.value(&claims[who]).unwrap();
                    (ledger, claims[who]) = ledger.hold(&claims[who], atoms, NOW).unwrap();
                    let now = ledger.value(&claims[who]).unwrap();
                    prop_assert!(now <= worth + atoms && now + 1 >= worth + atoms);
                    if stale {
                        put[who] = got[who];
                    }
                    put[who] += atoms;
                    left += atoms;
                }
                Step::Pay(atoms) => {
                    let atoms = atoms.min(ledger.available());
                    let (after, rest) = ledger.pay(atoms).unwrap();
                    ledger = after;
                    left -= atoms + rest;
                }
                Step::Release(who, shortfall) => {
                    let worth = ledger.value(&claims[who]).unwrap();
                    let (after, claim, atoms) = ledger.release(&claims[who], shortfall, LATER).unwrap();
                    prop_assert!(atoms <= worth);
                    prop_assert!(after.atoms >= shortfall.min(before.atoms));
                    (ledger, claims[who]) = (after, claim);
                    got[who] += atoms;
                    left -= atoms;
                }
            }
            prop_assert_eq!(ledger.atoms, left);
            prop_assert_eq!(ledger.invariant(), Ok(()));
            let values = claims.map(|claim| ledger.value(&claim).unwrap());
            prop_assert!(values.iter().sum::<u64>() <= ledger.atoms);
            for who in 0..4 {
                prop_assert!(got[who] <= put[who], "{} got {:?} of {:?}", who, got, put);
            }
        }
    }
}
