//! What an error of the program means for the job that met it.

use core::str::FromStr;

use anchor_lang::prelude::Pubkey;
use ballast_state::error::BallastError;

use crate::evaluate::Task;

/// What the program logs before the trader that a list passed over.
const SKIPPED: &str = "Skipped trader: ";
/// A list of this many counterparties leaves the walk of the queue most of a transaction's compute.
const SESSION_LIST: usize = 4;
/// Slots until another price is likely.
pub const PRICE_SLOTS: u64 = 2;
/// Slots until orders that can trade may have come.
pub const BOOK_SLOTS: u64 = 5;
/// Slots until a pause is looked at again.
pub const PAUSE_SLOTS: u64 = 150;

/// What to do about a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// Nothing: somebody else was first, or it is no longer needed.
    Done,
    /// Nothing, now or later: the position has ended that it is about.
    Ended,
    /// Read market, lists and traders anew, at the slot of the failure or later, and plan again.
    Refetch {
        /// The trader that the list passed over, which the new one has to name.
        missing: Option<Pubkey>,
    },
    /// The same, with the board: marks are recorded first.
    Record,
    /// Plan again with half as many listed accounts.
    Shorten,
    /// Deleverage by a session: the proof does not fit one transaction.
    Session,
    /// Plan again after so many slots.
    Wait(u64),
    /// The keeper's account cannot take this over: plan again with a more careful
    /// [`TakeOver`](crate::plan::TakeOver), and say so.
    Poor,
    /// Trying again does not help: the keeper is set up wrongly, or an account is corrupt.
    Fatal,
}

impl Verdict {
    /// Its name in the table of `docs/KEEPERS.md`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What an error means, with the transaction's log lines.
#[must_use]
pub fn repair(task: Task, error: BallastError, logs: &[String]) -> Verdict {
    match verdict(task, error) {
        Verdict::Refetch { .. } => Verdict::Refetch {
            missing: skipped(logs),
        },
        verdict => verdict,
    }
}

/// The program's error of this name.
#[must_use]
pub fn named(name: &str) -> Option<BallastError> {
    BallastError::ALL
        .iter()
        .copied()
        .find(|error| error.name() == name)
}

/// What it means that a transaction needs more compute units than there are. `listed` accounts
/// stood in its list.
#[must_use]
pub const fn out_of_compute(task: Task, listed: usize) -> Verdict {
    match task {
        Task::Deleverage if listed <= SESSION_LIST => Verdict::Session,
        _ if listed > 1 => Verdict::Shorten,
        _ => Verdict::Fatal,
    }
}

/// The trader that the program names as passed over.
fn skipped(logs: &[String]) -> Option<Pubkey> {
    let mut named = logs.iter().filter_map(|line| line.split_once(SKIPPED));
    named
        .next_back()
        .and_then(|(_, key)| Pubkey::from_str(key.trim()).ok())
}

const REFETCH: Verdict = Verdict::Refetch { missing: None };

/// Every error of the program, sorted. An arm is a row of the table in `docs/KEEPERS.md`.
const fn verdict(task: Task, error: BallastError) -> Verdict {
    use BallastError as E;
    match error {
        E::NoPosition
        | E::Healthy
        | E::LadderInterval
        | E::UnwindTooEarly
        | E::NothingToSync
        | E::NotBankrupt
        | E::NoTrigger
        | E::TriggerNotReached
        | E::ProtectionNotReached
        | E::AdlSessionGone
        | E::AdlSessionLive
        | E::MarketEnded
        | E::MarketTrades
        | E::MarketNotEmpty
        | E::NothingToCount
        | E::OracleAlive
        | E::EndNotDue => Verdict::Done,
        E::ProtectionEnded => Verdict::Ended,

        E::AdlSkippedCounterparty
        | E::AdlListOutOfOrder
        | E::AdlForeignAccount
        | E::AdlNothingCut
        | E::BookCanAbsorb
        | E::InsuranceCanPay
        | E::InsuranceCannotPay
        | E::InsuranceCap
        | E::PoolCannotTake
        | E::LiquidationSkipsBook
        | E::PositionTooSmall
        | E::MakerForeign
        | E::ClosePriceOutOfRange
        | E::AdlSessionUnderWay
        | E::AdlSessionExpired
        | E::AdlSessionIncomplete
        | E::AdlSessionStale
        | E::AdlNotSelected
        | E::MarketInsolvent
        | E::CounterpartyCanBeCut
        | E::NotFarthestBankrupt
        | E::ClaimsNotCounted
        | E::AdlStaleCounterparty
        | E::WrongBoard
        | E::CrossQueueMissing
        | E::CrossRecordStale
        | E::CrossLegOrder
        | E::CrossRanked
        | E::CrossLegsOpen => REFETCH,
        E::CrossMarkStale => Verdict::Record,

        E::PriceStale
        | E::PriceFromFuture
        | E::PriceOlder
        | E::PriceWideConfidence
        | E::PriceDiverged
        | E::PriceNotVerified
        | E::PriceOutOfRange => Verdict::Wait(PRICE_SLOTS),
        E::Paused => Verdict::Wait(PAUSE_SLOTS),
        E::NothingFilled => match task.is_wished() {
            true => Verdict::Wait(BOOK_SLOTS),
            false => REFETCH,
        },

        E::InsufficientCollateral
        | E::BelowInitialMargin
        | E::PositionTooLarge
        | E::NoFreeSlot
        | E::CrossLegThere
        | E::QueueFull => match task.is_wished() {
            // It is the position's owner who cannot pay, or the pool.
            true => Verdict::Wait(BOOK_SLOTS),
            false => Verdict::Poor,
        },
        // The fills of a leg are what its account may not stand, or what the market cannot pay out.
        E::CrossBelowInitial | E::ProfitIsHeld => match task.is_wished() {
            true => Verdict::Wait(BOOK_SLOTS),
            false => Verdict::Fatal,
        },

        E::NotAdmin
        | E::NotRiskAuthority
        | E::NotGuardian
        | E::NotProposed
        | E::NotOwner
        | E::NotTraderAuthority
        | E::DelegateMayNotBlockTrade
        | E::NotUpgradeAuthority
        | E::AuthorityUnset
        | E::UnknownPauseFlag
        | E::PauseTooLong
        | E::TooManyPauses
        | E::WrongExchange
        | E::WrongCollateralVault
        | E::WrongInsuranceVault
        | E::WrongMint
        | E::WrongTokenProgram
        | E::WrongTokenAccount
        | E::VaultAsCounterparty
        | E::WrongQueue
        | E::QueuesMissing
        | E::QueueNotOwned
        | E::QueueNotWritable
        | E::QueueNotZeroed
        | E::QueueTooSmall
        | E::QueueNotRentExempt
        | E::QueuesNotDistinct
        | E::TradersNotDistinct
        | E::MintExtensionRejected
        | E::TooManyMarkets
        | E::MarketNameInvalid
        | E::UnknownVersion
        | E::AccountOutdated
        | E::OracleConfigInvalid
        | E::PriceWrongOwner
        | E::PriceWrongAccount
        | E::PriceInvalidAccount
        | E::PriceWrongFeed
        | E::ZeroAmount
        | E::TraderNotEmpty
        | E::ProtectiveSteps
        | E::WrongProtection
        | E::ProfitNotDue
        | E::FeesPaidToday
        | E::FeesReserved
        | E::InsuranceDrawn
        | E::WrongTreasury
        | E::InsuranceRestNotDue
        | E::InsuranceNotLevel
        | E::Overflow
        | E::SizeOutOfRange
        | E::QuoteOutOfRange
        | E::PositionCorrupt
        | E::ZeroLots
        | E::NotAReduction
        | E::MarginBelowZero
        | E::PriceOutsideBand
        | E::OpenInterestLimit
        | E::RiskTiers
        | E::RiskLadder
        | E::RiskSizes
        | E::RiskLiquidation
        | E::RiskBand
        | E::RiskFees
        | E::RiskFunding
        | E::RiskInsurance
        | E::RiskOracle
        | E::RiskAdl
        | E::RiskReserved
        | E::RiskBook
        | E::Unbalanced
        | E::QueueLayout
        | E::NodeNotFound
        | E::DuplicateKey
        | E::TreeCorrupt
        | E::WrongSide
        | E::EntryPriceOutOfRange
        | E::BankruptcyPriceOutOfRange
        | E::AdlDuplicateCounterparty
        | E::AdlBankruptInList
        | E::AdlOvershoot
        | E::AdlWrongSide
        | E::AdlListTooLong
        | E::AdlSessionMismatch
        | E::AdlSessionSize
        | E::ExchangeInvariant
        | E::MarketInvariant
        | E::TraderInvariant
        | E::QueueGrowth
        | E::QueueTooLarge
        | E::WrongBook
        | E::BookNotOwned
        | E::BookNotWritable
        | E::BookNotZeroed
        | E::BookTooSmall
        | E::BookNotRentExempt
        | E::TooManyMakers
        | E::OrderNotFound
        | E::TooManyOrders
        | E::TooManyReduceOnly
        | E::ExpiryTooFar
        | E::TriggerNeverFills
        | E::DuplicateClientId
        | E::OrderTooSmall
        | E::OrderExpired
        | E::NothingToReduce
        | E::PostOnlyCrosses
        | E::NotFilled
        | E::SelfTrade
        | E::BookFull
        | E::BookLayout
        | E::MarketReduceOnly
        | E::MarginAfterWriteOff
        | E::InsuranceLimited
        | E::StakeFloor
        | E::ExitTooLittle
        | E::WrongStakes
        | E::StakesInvariant
        | E::WrongPool
        | E::PoolClosed
        | E::DepositTooSmall
        | E::WrongFund
        | E::SharesLeft
        | E::PoolInvariant
        | E::PoolHasPosition
        | E::PoolUnhealthy
        | E::NothingPayable
        | E::PoolNotSpent
        | E::PoolParams
        | E::FundFull
        | E::FundSpent
        | E::SharesMissing
        | E::RequestMissing
        | E::RequestTooEarly
        | E::RequestLapsed
        | E::WrongRentPayer
        | E::StagedMismatch
        | E::StagedTooEarly
        | E::StagedExpired
        | E::StagedStale
        | E::StagedExists
        | E::MayNotCancel
        | E::DelayOutOfRange
        | E::DelayNotRaised
        | E::OracleUnits
        | E::OracleUnchanged
        | E::OraclesUndecided
        | E::OraclesApart
        | E::OracleNotWitnessed
        | E::MarketEnding
        | E::MarketNotReduceOnly
        | E::LongPauseInvalid
        | E::DurableNonce
        | E::WrongInstructionsSysvar
        | E::CrossDisabled
        | E::CrossEnabledAlready
        | E::CrossTolerance
        | E::CrossLimits
        | E::BoardFull
        | E::BoardLayout
        | E::WrongCrossQueue
        | E::CrossMarkFrozen
        | E::CrossTooManyLegs
        | E::CrossHasOrders
        | E::CrossDepositStays => Verdict::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::trigger::TriggerKind;

    /// Calls that are not about what a liquidation, flag or round closes.
    const OTHER: [Task; 6] = [
        Task::Trigger(TriggerKind::StopLoss),
        Task::Protection,
        Task::TriggerLeg(TriggerKind::StopLoss),
        Task::ProtectLeg,
        Task::UnwindPool,
        Task::SyncPool,
    ];
    const TABLE: &str = include_str!("../../../docs/KEEPERS.md");

    /// Cells of the rows of the table under `heading`.
    fn rows(heading: &str) -> Vec<Vec<&'static str>> {
        let (_, section) = TABLE.split_once(heading).unwrap();
        let lines = section.lines().skip_while(|line| !line.starts_with('|'));
        let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
        rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }

    /// The errors named in a cell.
    fn names(cell: &str) -> Vec<BallastError> {
        let names = cell.split('`').skip(1).step_by(2);
        names
            .map(|name| named(name).unwrap_or_else(|| panic!("{name} is not an error")))
            .collect()
    }

    #[test]
    fn the_table_of_the_documentation_says_what_the_keeper_does() {
        let mut seen = Vec::new();
        for row in rows("### Errors of the program") {
            for error in names(row[0]) {
                let verdict = repair(Task::Liquidate, error, &[]).name();
                assert_eq!(verdict, row[1], "{}", error.name());
                seen.push(u32::from(error));
            }
        }
        seen.sort_unstable();
        let all: Vec<u32> = BallastError::ALL
            .iter()
            .map(|error| u32::from(*error))
            .collect();
        assert_eq!(seen, all, "every error once");
    }

    #[test]
    fn the_table_names_every_error_that_means_something_else_to_other_calls() {
        let mut named = Vec::new();
        for row in rows(
            "### Other in `execute_trigger`, `execute_protection`, `unwind_pool` and `sync_pool`",
        ) {
            for error in names(row[0]) {
                for task in OTHER {
                    assert_eq!(repair(task, error, &[]).name(), row[1]);
                }
                named.push(u32::from(error));
            }
        }
        let other = BallastError::ALL.iter().filter(|error| {
            repair(OTHER[0], **error, &[]) != repair(Task::Liquidate, **error, &[])
        });
        let other: Vec<u32> = other.map(|error| u32::from(*error)).collect();
        named.sort_unstable();
        assert_eq!(named, other);
    }

    #[test]
    fn the_log_names_who_was_passed_over() {
        let trader = Pubkey::new_from_array([9; 32]);
        let logs = [
            "Program log: Instruction: AutoDeleverage".to_owned(),
            format!("Program log: Skipped trader: {trader}"),
            "Program log: AnchorError thrown".to_owned(),
        ];
        let error = BallastError::AdlSkippedCounterparty;
        let missing = |logs: &[String]| repair(Task::Deleverage, error, logs);
        assert_eq!(
            missing(&logs),
            Verdict::Refetch {
                missing: Some(trader)
            }
        );
        assert_eq!(missing(&logs[..1]), Verdict::Refetch { missing: None });
        let garbled = ["Skipped trader: nobody".to_owned()];
        assert_eq!(missing(&garbled), Verdict::Refetch { missing: None });
    }

    #[test]
    fn too_much_to_compute_shortens_the_list_until_a_session_is_needed() {
        let verdicts = |task| [16, 4, 1, 0].map(|listed| out_of_compute(task, listed));
        let (shorten, session, fatal) = (Verdict::Shorten, Verdict::Session, Verdict::Fatal);
        assert_eq!(
            verdicts(Task::Deleverage),
            [shorten, session, session, session]
        );
        assert_eq!(verdicts(Task::Liquidate), [shorten, shorten, fatal, fatal]);
    }
}
