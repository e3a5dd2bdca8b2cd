//! What an error of the program means for the job that met it.

use core::str::FromStr;

use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;

use crate::evaluate::Task;

/// What the program logs before the trader that a list passed over.
const SKIPPED: &str = "Skipped trader: ";
/// Slots until another price is likely.
pub const PRICE_SLOTS: u64 = 2;
/// Slots until orders that can trade may have come.
pub const BOOK_SLOTS: u64 = 5;
/// Slots until a pause is looked at again.
pub const PAUSE_SLOTS: u64 = 150;

/// What to do about a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: somebody else was first, or it is no longer needed.
    Done,
    /// Read market, lists and traders anew, at the slot of the failure or later, and plan again.
    Refetch {
        /// The trader that the list passed over, which the new one has to name.
        missing: Option<Pubkey>,
    },
    /// Plan again with fewer listed accounts; a list of one needs a session.
    Shorten,
    /// Plan again after so many slots.
    Wait(u64),
    /// The keeper's account cannot take this over: plan again for the book alone, and say so.
    Poor,
    /// Trying again does not help: the keeper is set up wrongly, or an account is corrupt.
    Fatal,
}

impl Verdict {
    /// Its name in the table of `docs/KEEPERS.md`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refetch { .. } => "refetch",
            Self::Shorten => "shorten",
            Self::Wait(_) => "wait",
            Self::Poor => "poor",
            Self::Fatal => "fatal",
        }
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

/// What it means that a transaction needs more compute units than there are. `listed` accounts
/// stood in its list.
#[must_use]
pub const fn out_of_compute(listed: usize) -> Verdict {
    if listed == 0 {
        Verdict::Fatal
    } else {
        Verdict::Shorten
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
        | E::NotBankrupt
        | E::NoTrigger
        | E::TriggerNotReached
        | E::AdlSessionGone
        | E::AdlSessionLive => Verdict::Done,

        E::AdlSkippedCounterparty
        | E::AdlListOutOfOrder
        | E::AdlWrongSide
        | E::AdlForeignAccount
        | E::AdlNothingCut
        | E::BookCanAbsorb
        | E::InsuranceCanPay
        | E::InsuranceCannotPay
        | E::InsuranceCap
        | E::LiquidationSkipsBook
        | E::MakerForeign
        | E::BankruptcyFlagged
        | E::ClosePriceOutOfRange
        | E::AdlSessionUnderWay
        | E::AdlSessionExpired
        | E::AdlSessionIncomplete
        | E::AdlSessionStale
        | E::AdlNotSelected => REFETCH,

        E::PriceStale
        | E::PriceFromFuture
        | E::PriceOlder
        | E::PriceWideConfidence
        | E::PriceDiverged
        | E::PriceNotVerified
        | E::PriceOutOfRange => Verdict::Wait(PRICE_SLOTS),
        E::Paused => Verdict::Wait(PAUSE_SLOTS),
        E::NothingFilled => match task {
            Task::Trigger(_) => Verdict::Wait(BOOK_SLOTS),
            _ => REFETCH,
        },

        E::InsufficientCollateral
        | E::BelowInitialMargin
        | E::PositionTooLarge
        | E::NoFreeSlot
        | E::QueueFull => match task {
            // It is the position's owner who cannot pay.
            Task::Trigger(_) => Verdict::Wait(BOOK_SLOTS),
            _ => Verdict::Poor,
        },

        E::NotAdmin
        | E::NotRiskAuthority
        | E::NotPauseAuthority
        | E::NotProposed
        | E::NotOwner
        | E::NotTraderAuthority
        | E::NotUpgradeAuthority
        | E::AuthorityUnset
        | E::UnknownPauseFlag
        | E::WrongExchange
        | E::WrongCollateralVault
        | E::WrongInsuranceVault
        | E::WrongMint
        | E::WrongTokenProgram
        | E::WrongTokenAccount
        | E::VaultAsCounterparty
        | E::WrongQueue
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
        | E::OracleConfigInvalid
        | E::PriceWrongOwner
        | E::PriceWrongAccount
        | E::PriceInvalidAccount
        | E::PriceWrongFeed
        | E::ZeroAmount
        | E::TraderNotEmpty
        | E::WithdrawalsWait
        | E::Overflow
        | E::SizeOutOfRange
        | E::QuoteOutOfRange
        | E::PositionCorrupt
        | E::ZeroLots
        | E::NotAReduction
        | E::MarginBelowZero
        | E::PriceOutsideBand
        | E::PositionTooSmall
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
        | E::DuplicateClientId
        | E::OrderTooSmall
        | E::OrderExpired
        | E::NothingToReduce
        | E::PostOnlyCrosses
        | E::NotFilled
        | E::SelfTrade
        | E::BookFull
        | E::BookLayout => Verdict::Fatal,
    }
}
