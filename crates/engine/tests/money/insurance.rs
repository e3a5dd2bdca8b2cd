use ballast_engine::insurance::Insurance;
use ballast_engine::risk::RiskParams;
use ballast_engine::window::Window;
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, params};

fn funded(balance: u64) -> Insurance {
    Insurance {
        balance,
        ..Insurance::default()
    }
}

/// A cap of 30% in 900 slots, which are buckets of 300.
fn capped() -> RiskParams {
    RiskParams {
        insurance_window_slots: 900,
        ..params()
    }
}

/// The same, and insurance that paid all of it resumes at 25%.
fn resuming() -> RiskParams {
    RiskParams {
        insurance_resume_bps: 2_500,
        ..capped()
    }
}

/// Pays as much as may be paid at `slot` of `wanted`. How much.
fn pay(insurance: &mut Insurance, params: &RiskParams, slot: u64, wanted: u64) -> u64 {
    let amount = wanted.min(insurance.available(params, slot).unwrap());
    *insurance = insurance.draw(params, slot, amount).unwrap();
    amount
}

#[test]
fn the_cap_counts_what_there_would_be_without_payments() {
    let params = capped();
    let state = funded(1_000);
    assert_eq!(state.available(&params, 5), Ok(300));
    assert_eq!(state.draw(&params, 5, 301), Err(EngineError::InsuranceCap));
    let state = state.draw(&params, 5, 200).unwrap();
    let window = Window {
        bucket: 0,
        sums: [200, 0, 0, 0],
    };
    assert_eq!((state.balance, state.window), (800, window));
    // No level is remembered: what comes in raises the cap with its part.
    assert_eq!(state.available(&params, 899), Ok(100));
    let fed = state.credit(1_000).unwrap();
    assert_eq!(fed.available(&params, 899), Ok(400));
    // In bucket 3 the payment still counts, in bucket 4 it does not.
    assert_eq!(state.available(&params, 1_199), Ok(100));
    assert_eq!(state.available(&params, 1_200), Ok(240));
}

#[test]
fn no_cap_pays_all_at_once() {
    let params = RiskParams {
        insurance_draw_cap_bps: 10_000,
        ..resuming()
    };
    let state = funded(1_000)
        .draw(&params, 0, 900)
        .unwrap()
        .credit(50)
        .unwrap();
    assert_eq!(state.available(&params, 1), Ok(150));
    assert_eq!(state.draw(&params, 1, 151), Err(EngineError::InsuranceCap));
    let spent = state.draw(&params, 1, 150).unwrap();
    assert_eq!((spent.balance, spent.limited), (0, false));
    // The cap that is set afterwards counts what was paid without one.
    assert_eq!(spent.credit(900).unwrap().available(&capped(), 2), Ok(0));
}

#[test]
fn a_cap_lowered_later_stops_it() {
    let state = funded(1_000).draw(&capped(), 0, 250).unwrap();
    let lower = RiskParams {
        insurance_draw_cap_bps: 1_000,
        ..capped()
    };
    assert_eq!(state.available(&lower, 1), Ok(0));
    assert_eq!(state.draw(&lower, 1, 0), Ok(state));
}

#[test]
fn what_nobody_staked_pays_first() {
    let params = RiskParams {
        insurance_draw_cap_bps: 10_000,
        ..params()
    };
    let state = Insurance {
        staked: 600,
        ..funded(1_000)
    };
    let own = state.draw(&params, 0, 400).unwrap();
    assert_eq!((own.balance, own.staked), (600, 600));
    let both = state.draw(&params, 0, 401).unwrap();
    assert_eq!((both.balance, both.staked), (599, 599));
    assert_eq!(both.credit(7).unwrap().staked, 599);
}

#[test]
fn only_a_payment_that_leaves_nothing_limits() {
    let params = resuming();
    let nearly = funded(1_000).draw(&params, 0, 299).unwrap();
    assert!(!nearly.limited && nearly.available(&params, 0) == Ok(1));
    let limited = nearly.draw(&params, 0, 1).unwrap();
    assert!(limited.limited);
    // Money that comes in is not paid out until a quarter covers what was paid.
    let fed = limited.credit(199).unwrap();
    assert_eq!(fed.available(&params, 1), Ok(0));
    let enough = fed.credit(1).unwrap();
    assert_eq!(enough.available(&params, 1), Ok(60));
    // Having resumed, it is limited by the next payment that takes all, and not before.
    let again = enough.draw(&params, 1, 59).unwrap();
    assert!(!again.limited && again.draw(&params, 1, 1).unwrap().limited);
    // Without a level nothing is ever limited.
    assert!(!funded(1_000).draw(&capped(), 0, 300).unwrap().limited);
    let lifted = RiskParams {
        insurance_resume_bps: 0,
        ..params
    };
    assert_eq!(fed.available(&lifted, 1), Ok(59));
}

/// Deficits of 20 come every 100 slots from slot 900 on, after little was paid in each of the first
/// three buckets. Who bears those up to slot 2,100, before the fourth is forgotten: whether insurance.
fn bears(params: &RiskParams) -> Vec<bool> {
    let mut insurance = funded(1_000);
    for slot in [0, 300, 600] {
        assert_eq!(pay(&mut insurance, params, slot, 20), 20);
    }
    assert_eq!(pay(&mut insurance, params, 900, 240), 240);
    let pays = |slot| pay(&mut insurance, params, slot, 20) > 0;
    (900..2_100).step_by(100).map(pays).collect()
}

#[test]
fn payments_and_deleveraging_do_not_take_turns_at_the_edge_of_a_bucket() {
    let turns = |paid: &[bool]| paid.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(turns(&bears(&capped())), 6);
    assert_eq!(bears(&resuming()), vec![false; 12]);
    // With the fourth bucket forgotten there is more to pay than a moment's.
    let mut insurance = funded(1_000).draw(&resuming(), 900, 300).unwrap();
    assert_eq!(pay(&mut insurance, &resuming(), 2_099, 20), 0);
    assert_eq!(pay(&mut insurance, &resuming(), 2_100, 400), 210);
}

/// Every interval of the window's length, by brute force over slots, with payments of all that may be
/// paid and of less, at any offset to the buckets.
#[test]
fn no_interval_of_the_length_pays_more_than_the_cap() {
    for length in [7_u64, 9, 10] {
        for (stride, first) in [1, 2, 3, 5].into_iter().zip(0..) {
            for divisor in [1, 2, 7] {
                let params = RiskParams {
                    insurance_window_slots: length,
                    ..params()
                };
                let mut insurance = funded(100_000);
                let mut paid = vec![0_u64; 80];
                for slot in (first..80).step_by(stride) {
                    let part = insurance.available(&params, slot).unwrap() / divisor;
                    let at = usize::try_from(slot).unwrap();
                    paid[at] = pay(&mut insurance, &params, slot, part);
                    let from = (slot + 1).max(length) - length;
                    let from = usize::try_from(from).unwrap();
                    let sum: u64 = paid[from..=at].iter().sum();
                    let without = insurance.balance + sum;
                    assert!(sum * 10_000 <= 3_000 * without, "{length} {stride} {slot}");
                }
                assert!(paid.iter().sum::<u64>() > 30_000);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// However a deficit is cut up, as much is paid of it.
    #[test]
    fn one_payment_or_many(
        before in 0_u64..400_000, wait in 0_u64..2_000, balance in 0_u64..1_000_000,
        parts in proptest::collection::vec(1_u64..50_000, 1..12), resume in 0_u32..3_000,
    ) {
        let params = RiskParams { insurance_resume_bps: resume, ..capped() };
        let mut insurance = funded(balance);
        pay(&mut insurance, &params, 10, before);
        let (mut many, mut once) = (insurance, insurance);
        let paid: u64 = parts.iter().map(|part| pay(&mut many, &params, 10 + wait, *part)).sum();
        let at_once = pay(&mut once, &params, 10 + wait, parts.iter().sum());
        prop_assert_eq!(paid, at_once);
        prop_assert_eq!(many, once);
    }

    #[test]
    fn every_atom_is_accounted_for(
        cap in 0_u32..=10_000, balance in 0_u64..1_000_000, staked in 0_u64..1_000_000,
        events in proptest::collection::vec((0_u64..400, any::<bool>(), 0_u64..100_000), 1..60),
    ) {
        let params = RiskParams {
            insurance_draw_cap_bps: cap,
            insurance_resume_bps: cap / 2,
            ..capped()
        };
        let mut state = Insurance { staked: staked.min(balance), ..funded(balance) };
        let (mut slot, mut paid, mut credited) = (0, 0, 0);
        for (wait, credit, amount) in events {
            slot += wait;
            let before = state;
            if credit {
                state = state.credit(amount).unwrap();
                credited += amount;
            } else {
                let available = state.available(&params, slot).unwrap();
                let refused = state.draw(&params, slot, available + 1);
                prop_assert_eq!(refused, Err(EngineError::InsuranceCap));
                paid += pay(&mut state, &params, slot, amount);
            }
            prop_assert_eq!(state.balance, balance + credited - paid);
            // Stakes are touched only when nothing else is left.
            let own = state.balance - state.staked;
            prop_assert!(state.staked == before.staked || own == 0);
        }
    }
}
