//! Whose profit a market holds.

use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use ballast_engine::held::{HeldClaim, HeldProfit};
use ballast_state::position_slot::PositionSlot;

/// Trader accounts that one release lists.
pub const MOST_RELEASED: usize = 12;

/// The parts of the traders of a market in the profit that it holds.
#[derive(Clone, Debug, Default)]
pub struct Claims(HashMap<Pubkey, HeldClaim>);

impl Claims {
    /// Takes over what a trader account says of the market, if anything.
    pub fn apply(&mut self, trader: &Pubkey, slot: Option<&PositionSlot>) {
        match slot.map(PositionSlot::held_claim) {
            Some(claim) if claim.shares > 0 => {
                self.0.insert(*trader, claim);
            }
            _ => self.forget(trader),
        }
    }

    /// Forgets a trader whose account is gone.
    pub fn forget(&mut self, trader: &Pubkey) {
        self.0.remove(trader);
    }

    /// Whom a release may free something for, those with most first: what a market is short of stays
    /// of each, so that the others have no more. None whose part is worth nothing.
    #[must_use]
    pub fn candidates(&self, ledger: &HeldProfit) -> Vec<Pubkey> {
        let worth = self.0.iter().map(|(trader, claim)| {
            let atoms = ledger.value(claim).unwrap_or(0);
            (atoms, *trader)
        });
        let mut worth: Vec<_> = worth.filter(|(atoms, _)| *atoms > 0).collect();
        worth.sort_unstable_by(|one, other| other.cmp(one));
        worth.truncate(MOST_RELEASED);
        worth.into_iter().map(|(_, trader)| trader).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    fn slot(shares: u64, epoch: u32) -> PositionSlot {
        PositionSlot {
            held_shares: shares,
            held_epoch: epoch,
            ..PositionSlot::zeroed()
        }
    }

    #[test]
    fn those_with_most_come_first_and_those_with_nothing_not_at_all() {
        let [one, two, three] = [1, 2, 3].map(|number| Pubkey::new_from_array([number; 32]));
        let ledger = HeldProfit {
            atoms: 500,
            shares: 1_000,
            epoch: 4,
            ..HeldProfit::default()
        };
        let mut claims = Claims::default();
        claims.apply(&one, Some(&slot(300, 4)));
        claims.apply(&two, Some(&slot(700, 4)));
        // Of a ledger that ended, and one share, which is worth half an atom.
        claims.apply(&three, Some(&slot(900, 3)));
        assert_eq!(claims.candidates(&ledger), [two, one]);
        claims.apply(&three, Some(&slot(1, 4)));
        assert_eq!(claims.candidates(&ledger), [two, one]);
        claims.apply(&two, Some(&slot(0, 0)));
        claims.apply(&one, None);
        assert!(claims.candidates(&ledger).is_empty());
    }

    #[test]
    fn no_more_are_listed_than_a_transaction_carries() {
        let mut claims = Claims::default();
        for number in 1..=40 {
            let trader = Pubkey::new_from_array([number; 32]);
            claims.apply(&trader, Some(&slot(u64::from(number), 0)));
        }
        let ledger = HeldProfit {
            atoms: 820,
            shares: 820,
            ..HeldProfit::default()
        };
        let candidates = claims.candidates(&ledger);
        assert_eq!(candidates.len(), MOST_RELEASED);
        assert_eq!(candidates[0], Pubkey::new_from_array([40; 32]));
    }
}
