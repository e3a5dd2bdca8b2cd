//! Fees that are paid to the treasury, and what keeps them.

use ballast_engine::insurance::{Insurance, VaultTotal};
use ballast_engine::payout::{FeeBucket, PAYOUT_SECONDS};
use ballast_engine::risk::RiskParams;
use ballast_engine::wind_down::MarketMode;
use ballast_engine::EngineError;
use proptest::prelude::*;

use crate::fixture::params;

const NOW: i64 = 1_760_129_400;
const DAY: i64 = PAYOUT_SECONDS;

proptest! {
    /// Whoever asks, however often and when, whatever is earned and spent in between: no day has
    /// more than one payout, none is more than a quarter of what there was, the reserve stays.
    #[test]
    fn no_day_pays_more_than_a_quarter(
        start in 0..10_000_u64,
        reserve in 0..3_000_u64,
        steps in prop::collection::vec((0..DAY / 2, 0..500_u64, 0..500_u64), 1..60),
    ) {
        let params = RiskParams {
            fee_reserve_atoms: reserve,
            ..RiskParams::default()
        };
        let (mut bucket, mut now) = (FeeBucket { atoms: start, paid_at: 0 }, NOW);
        let mut payouts: Vec<i64> = Vec::new();
        for (wait, earned, spent) in steps {
            now += wait;
            bucket.atoms += earned;
            bucket.atoms -= spent.min(bucket.atoms);
            let before = bucket;
            match bucket.pay_out(&params, MarketMode::Active, now) {
                Ok(paid) => {
                    prop_assert!(payouts.iter().all(|then| now - then >= DAY));
                    prop_assert!(paid.atoms > 0 && 4 * paid.atoms <= before.atoms);
                    prop_assert!(paid.left.atoms >= reserve);
                    prop_assert_eq!(paid.left.atoms + paid.atoms, before.atoms);
                    payouts.push(now);
                    bucket = paid.left;
                }
                Err(EngineError::FeesPaidToday) => {
                    prop_assert!(payouts.last().is_some_and(|then| now - then < DAY));
                }
                Err(refusal) => {
                    prop_assert_eq!(refusal, EngineError::FeesReserved);
                    prop_assert!(before.atoms <= reserve || before.atoms < 4);
                }
            }
        }
    }
}

#[test]
fn a_cap_that_has_been_drawn_on_limits_insurance_until_its_payments_are_forgotten() {
    let params = params();
    let full = Insurance {
        balance: 1_000,
        ..Insurance::default()
    };
    assert_eq!(full.has_paid(&params, 5), Ok(false));
    let drawn = full.draw(&params, 5, 1).unwrap();
    // Buckets of 334 slots, four of which count.
    for (slot, counts) in [(5, true), (1_004, true), (1_335, true), (1_336, false)] {
        assert_eq!(drawn.has_paid(&params, slot), Ok(counts), "{slot}");
    }
    let uncapped = RiskParams {
        insurance_draw_cap_bps: 10_000,
        ..params
    };
    assert_eq!(drawn.has_paid(&uncapped, 5), Ok(false));
}

proptest! {
    /// A vault into which the program moves tokens and out of which it does, while others send what
    /// they like: what is stray is what others sent, to the atom, and nothing of a ledger.
    #[test]
    fn stray_is_what_others_sent(
        moves in prop::collection::vec((0..3_u8, 0..1_000_u64), 1..60),
    ) {
        let mut total = VaultTotal::of_atoms(0).unwrap();
        let (mut vault, mut ledger, mut sent) = (0, 0, 0);
        for (kind, atoms) in moves {
            match kind {
                // A gift by the program's own instruction.
                0 => {
                    (vault, ledger) = (vault + atoms, ledger + atoms);
                    total = total.with(atoms).unwrap();
                }
                // Tokens that somebody sends.
                1 => (vault, sent) = (vault + atoms, sent + atoms),
                // Insurance pays or is paid, and the vault is brought level.
                _ => {
                    prop_assert_eq!(total.stray(vault), Ok(sent));
                    ledger = ledger + sent + 500 - atoms.min(ledger + sent + 500);
                    (vault, sent) = (ledger, 0);
                    total = VaultTotal::of_atoms(vault).unwrap();
                }
            }
            prop_assert_eq!(total.stray(vault), Ok(sent));
        }
    }
}

#[test]
fn nothing_is_stray_in_a_vault_of_which_nothing_is_known() {
    let unknown = VaultTotal::default();
    assert_eq!(unknown.stored(), 0);
    assert_eq!(unknown.stray(u64::MAX), Ok(0));
    assert_eq!(unknown.with(5), Ok(unknown));
    let known = VaultTotal::of_atoms(7).unwrap();
    assert_eq!(VaultTotal::of_stored(known.stored()), known);
    assert_eq!((known.stray(7), known.stray(9)), (Ok(0), Ok(2)));
    assert_eq!(known.with(5), VaultTotal::of_atoms(12));
    // Less than the program keeps there is none of its vaults.
    assert_eq!(known.stray(6), Err(EngineError::Unbalanced));
    for beyond in [VaultTotal::of_atoms(u64::MAX), known.with(u64::MAX - 7)] {
        assert_eq!(beyond, Err(EngineError::Overflow));
    }
}
