//! What transactions under way have promised.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::plan::{Fill, Plan};
use anchor_lang::prelude::Pubkey;

/// What one transaction does to what others of this keeper count on, if it lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Promised {
    market: Pubkey,
    /// What the keeper's account takes over.
    fill: Fill,
    /// What insurance pays, atoms.
    insurance: u64,
    /// Whether it takes orders out of the book.
    takes_orders: bool,
}

/// What all transactions under way have promised.
#[derive(Debug, Default)]
pub struct Promises(Mutex<Vec<Promised>>);

impl Promises {
    /// Free collateral promised, atoms.
    pub(super) fn margin(&self) -> u64 {
        let all = self.all();
        all.iter()
            .fold(0, |sum, one| sum.saturating_add(one.fill.margin))
    }

    /// Transactions that take orders out of a book.
    pub(super) fn takers(&self) -> usize {
        self.all().iter().filter(|one| one.takes_orders).count()
    }

    /// What insurance of a market has promised to pay, atoms.
    pub(super) fn insurance(&self, market: &Pubkey) -> u64 {
        let all = self.all();
        let here = all.iter().filter(|one| one.market == *market);
        here.fold(0, |sum, one| sum.saturating_add(one.insurance))
    }

    /// What the keeper's account takes over in a market.
    pub(super) fn fills(&self, market: &Pubkey) -> Vec<Fill> {
        let all = self.all();
        let here = all.iter().filter(|one| one.market == *market);
        here.map(|one| one.fill)
            .filter(|fill| !fill.lots.is_zero())
            .collect()
    }

    /// Promises what a plan for a market does; until the answer is dropped.
    pub(super) fn promise(&self, market: Pubkey, plan: &Plan) -> Promise<'_> {
        let promised = Promised {
            market,
            fill: plan.effect.taken(),
            insurance: plan.effect.insurance_atoms(),
            takes_orders: plan.reads.book.is_some(),
        };
        self.all().push(promised);
        Promise {
            promises: self,
            promised,
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Promised>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a transaction under way has promised; given back when it has ended.
pub(super) struct Promise<'a> {
    promises: &'a Promises,
    promised: Promised,
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let mut all = self.promises.all();
        if let Some(at) = all.iter().position(|one| *one == self.promised) {
            all.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Task;
    use crate::plan::{Effect, Reads};
    use ballast_engine::units::{Atoms, Lots, Side};

    fn plan(effect: Effect, book: Option<Side>) -> Plan {
        Plan {
            task: Task::Liquidate,
            trader: Pubkey::default(),
            instructions: Vec::new(),
            listed: Vec::new(),
            effect,
            reads: Reads { book, queue: None },
        }
    }

    #[test]
    fn what_is_under_way_is_counted_until_it_has_ended() {
        let (here, there) = ([1, 2].map(|it| Pubkey::new_from_array([it; 32]))).into();
        let taken = Fill {
            lots: Lots::new(3).unwrap(),
            quote: Atoms::new(300),
            margin: 75,
        };
        let takes = plan(
            Effect::Liquidation {
                book_lots: 1,
                taken,
                pool_lots: 0,
                income_atoms: 0,
                insurance_atoms: 20,
            },
            Some(Side::Long),
        );
        let cuts = plan(
            Effect::Deleveraging {
                lots: 5,
                of_lots: 5,
                cuts: 1,
                insurance_atoms: 7,
            },
            None,
        );
        let promises = Promises::default();
        let first = promises.promise(here, &takes);
        let second = promises.promise(here, &takes);
        let third = promises.promise(there, &cuts);
        assert_eq!((promises.margin(), promises.takers()), (150, 2));
        assert_eq!(promises.fills(&here), [taken, taken]);
        assert_eq!([here, there].map(|it| promises.insurance(&it)), [40, 7]);
        drop(first);
        drop(third);
        assert_eq!((promises.margin(), promises.takers()), (75, 1));
        assert_eq!([here, there].map(|it| promises.insurance(&it)), [20, 0]);
        drop(second);
        assert!(promises.fills(&here).is_empty() && promises.margin() == 0);
    }
}
