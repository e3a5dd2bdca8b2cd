//! No bytes make a call panic: whole requests with accounts cut off or altered, and noise.

use ballast_wasm::{BACKSTOP, TRADING};
use proptest::prelude::*;

use crate::requests::{all, answer, calls};

const COUNT: usize = TRADING.len() + BACKSTOP.len();

/// Requests of every call, built once.
fn requests() -> &'static [(&'static str, Vec<u8>)] {
    static REQUESTS: std::sync::OnceLock<Vec<(&'static str, Vec<u8>)>> = std::sync::OnceLock::new();
    REQUESTS.get_or_init(|| all().bytes())
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

#[test]
fn every_call_is_tried() {
    let tried: Vec<_> = requests().iter().map(|(name, _)| *name).collect();
    let known: Vec<_> = calls().map(|(name, _)| *name).collect();
    assert_eq!(tried, known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn noise_is_answered(call in 0..COUNT, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(is_json(&answer(requests()[call].0, &bytes)));
    }

    #[test]
    fn a_request_cut_off_is_answered(call in 0..COUNT, at in any::<prop::sample::Index>()) {
        let (name, whole) = &requests()[call];
        let text = answer(name, &whole[..at.index(whole.len())]);
        prop_assert!(text.starts_with("{\"error\":"), "{}", text);
    }

    /// Most of the altered bytes lie inside accounts.
    #[test]
    fn altered_accounts_are_answered(
        call in 0..COUNT,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let (name, whole) = &requests()[call];
        let mut bytes = whole.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        prop_assert!(is_json(&answer(name, &bytes)));
    }
}
