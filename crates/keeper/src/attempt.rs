//! What to do after an attempt.

use ballast_rpc::failure::Failure;
use ballast_state::error::BallastError;
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;

use crate::evaluate::{Job, Task};
use crate::flight::Pause;
use crate::plan::PlanOptions;
use crate::repair::{out_of_compute, repair, Verdict};
use crate::scene::Needs;

/// What an attempt goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The lists to read.
    pub needs: Needs,
    /// How to plan.
    pub options: PlanOptions,
    /// Whether to deleverage over several transactions.
    pub session: bool,
    /// The accounts have to be as of this slot or later; 0 for any.
    pub at_least: u64,
    /// Attempts since the last one that got somewhere.
    pub tries: usize,
}

/// Attempts after which the pool is left out: something about it is not as foreseen.
const TRIES_WITH_POOL: usize = 2;

/// What comes after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing for the time being.
    Over(Pause),
    /// Another one at once.
    Again(Box<Ask>),
}

impl Ask {
    /// The first attempt at a job.
    #[must_use]
    pub fn new(job: &Job, options: PlanOptions) -> Self {
        Self {
            needs: Needs::of(job),
            options,
            session: false,
            at_least: 0,
            tries: 0,
        }
    }

    /// Another attempt, changed. What got somewhere sets `tries` back.
    #[must_use]
    pub fn again(&self, change: impl FnOnce(&mut Self)) -> Step {
        let mut next = Box::new(*self);
        next.tries = next.tries.saturating_add(1);
        change(&mut next);
        Step::Again(next)
    }

    /// Another attempt on accounts of `slot` or later.
    #[must_use]
    pub fn refetched(&self, slot: u64) -> Step {
        self.again(|next| {
            next.at_least = slot;
            next.options.offer_pool &= next.tries < TRIES_WITH_POOL;
        })
    }
}

/// What a refusal means for a job; `listed` accounts stood in its list.
#[must_use]
pub fn verdict(task: Task, failure: &Failure, listed: usize) -> Verdict {
    match &failure.transaction_error {
        TransactionError::InstructionError(_, error) => match error {
            InstructionError::Custom(number) => match BallastError::of_number(*number) {
                Some(error) => repair(task, error, &failure.logs),
                // Anchor's: an account has been closed or replaced meanwhile.
                None => Verdict::Refetch { missing: None },
            },
            InstructionError::ComputationalBudgetExceeded
            | InstructionError::ProgramFailedToComplete => out_of_compute(task, listed),
            _ => Verdict::Fatal,
        },
        // Addresses added to a lookup table count from the next slot on.
        TransactionError::AddressLookupTableNotFound
        | TransactionError::InvalidAddressLookupTableIndex
        | TransactionError::InvalidAddressLookupTableData
        | TransactionError::AccountInUse
        | TransactionError::WouldExceedMaxBlockCostLimit
        | TransactionError::WouldExceedMaxAccountCostLimit
        | TransactionError::ClusterMaintenance => Verdict::Wait(2),
        TransactionError::BlockhashNotFound => Verdict::Refetch { missing: None },
        TransactionError::AlreadyProcessed => Verdict::Done,
        _ => Verdict::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::error::BallastError;

    fn meant(error: TransactionError, listed: usize) -> Verdict {
        let failure = Failure::new(error, Vec::new());
        verdict(Task::Deleverage, &failure, listed)
    }

    fn instruction(error: InstructionError) -> TransactionError {
        TransactionError::InstructionError(2, error)
    }

    #[test]
    fn the_program_s_errors_mean_what_repair_says() {
        let custom = |error: BallastError| instruction(InstructionError::Custom(error.into()));
        assert_eq!(meant(custom(BallastError::NotBankrupt), 3), Verdict::Done);
        assert_eq!(
            meant(custom(BallastError::AdlSkippedCounterparty), 3),
            Verdict::Refetch { missing: None }
        );
        assert_eq!(meant(custom(BallastError::NotOwner), 3), Verdict::Fatal);
    }

    #[test]
    fn after_two_attempts_that_were_not_as_foreseen_the_pool_is_left_out() {
        let job = Job {
            task: Task::Liquidate,
            trader: anchor_lang::prelude::Pubkey::default(),
            lots: 1,
            equity_atoms: 1,
            maintenance_atoms: 2,
            flag_due: false,
            mark_ticks: 1,
            slot: 1,
        };
        let mut ask = Ask::new(&job, PlanOptions::default());
        let mut offers = Vec::new();
        for slot in 5..8 {
            offers.push(ask.options.offer_pool);
            let Step::Again(next) = ask.refetched(slot) else {
                panic!("it is over");
            };
            assert_eq!(next.at_least, slot);
            ask = *next;
        }
        assert_eq!(offers, [true, true, false]);
        let gone = instruction(InstructionError::Custom(
            BallastError::PoolCannotTake.into(),
        ));
        assert_eq!(meant(gone, 3), Verdict::Refetch { missing: None });
    }

    #[test]
    fn the_runtime_s_errors_are_sorted_too() {
        let account_not_initialized = instruction(InstructionError::Custom(3_012));
        assert_eq!(
            meant(account_not_initialized, 0),
            Verdict::Refetch { missing: None }
        );
        let exceeded = || instruction(InstructionError::ComputationalBudgetExceeded);
        assert_eq!(meant(exceeded(), 16), Verdict::Shorten);
        assert_eq!(meant(exceeded(), 1), Verdict::Session);
        let young = TransactionError::InvalidAddressLookupTableIndex;
        assert_eq!(meant(young, 0), Verdict::Wait(2));
        assert_eq!(
            meant(TransactionError::AccountLoadedTwice, 0),
            Verdict::Fatal
        );
    }
}
