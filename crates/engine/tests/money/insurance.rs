use ballast_engine::insurance::InsuranceState;
use ballast_engine::risk::RiskParams;
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::{cases, params};

fn funded(balance: u64) -> InsuranceState {
    InsuranceState {
        balance,
        ..InsuranceState::default()
    }
}

#[test]
fn a_window_pays_its_share_once() {
    let params = params();
    let state = funded(1_000);
    assert_eq!(state.available(&params, 5), Ok(300));
    assert_eq!(state.draw(&params, 5, 301), Err(EngineError::InsuranceCap));
    let state = state.draw(&params, 5, 200).unwrap();
    assert_eq!(
        state,
        InsuranceState {
            balance: 800,
            window_start_slot: 5,
            window_level: 1_000,
            window_drawn: 200
        }
    );
    // A deposit inside the window does not raise its cap.
    let state = state.credit(10_000).unwrap();
    assert_eq!(state.available(&params, 1_004), Ok(100));
    // The next window starts from the new level.
    assert_eq!(state.available(&params, 1_005), Ok(3_240));
}

#[test]
fn no_cap_pays_all_at_once() {
    let params = RiskParams {
        insurance_draw_cap_bps: 10_000,
        ..params()
    };
    let state = funded(1_000)
        .draw(&params, 0, 900)
        .unwrap()
        .credit(50)
        .unwrap();
    assert_eq!(state.available(&params, 1), Ok(150));
    assert_eq!(state.draw(&params, 1, 151), Err(EngineError::InsuranceCap));
    assert_eq!(state.draw(&params, 1, 150).unwrap().balance, 0);
}

#[test]
fn a_cap_lowered_inside_a_window_stops_it() {
    let state = funded(1_000).draw(&params(), 0, 250).unwrap();
    let lower = RiskParams {
        insurance_draw_cap_bps: 1_000,
        ..params()
    };
    assert_eq!(state.available(&lower, 1), Ok(0));
    assert_eq!(state.draw(&lower, 1, 0), Ok(state));
}

#[test]
fn a_single_atom_is_paid_and_counted() {
    let state = funded(1_000).draw(&params(), 7, 1).unwrap();
    let expected = InsuranceState {
        balance: 999,
        window_start_slot: 7,
        window_level: 1_000,
        window_drawn: 1,
    };
    assert_eq!(state, expected);
    assert_eq!(state.draw(&params(), 8, 1).unwrap().window_drawn, 2);
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn no_window_pays_more_than_its_cap(
        cap in 0_u32..10_000, balance in 0_u64..1_000_000,
        events in proptest::collection::vec((0_u64..400, any::<bool>(), 0_u64..100_000), 1..60),
    ) {
        let params = RiskParams { insurance_draw_cap_bps: cap, ..params() };
        let mut state = funded(balance);
        let mut slot = 0;
        let (mut paid, mut credited) = (0, 0);
        let mut window: Option<(u64, u64, u64)> = None;
        for (wait, credit, amount) in events {
            slot += wait;
            if credit {
                state = state.credit(amount).unwrap();
                credited += amount;
                continue;
            }
            let available = state.available(&params, slot).unwrap();
            let refused = state.draw(&params, slot, available + 1);
            prop_assert_eq!(refused, Err(EngineError::InsuranceCap));
            let amount = amount.min(available);
            if amount == 0 {
                continue;
            }
            let (start, level, drawn) = window
                .filter(|(start, _, _)| slot - start < params.insurance_window_slots)
                .unwrap_or((slot, state.balance, 0));
            window = Some((start, level, drawn + amount));
            prop_assert!((drawn + amount) * 10_000 <= level * u64::from(cap));
            state = state.draw(&params, slot, amount).unwrap();
            paid += amount;
            prop_assert_eq!(state.balance, balance + credited - paid);
        }
    }
}
