//! Names and messages of the program's errors.

use ballast::error::BallastError;

macro_rules! errors {
    ($($name:ident),* $(,)?) => {
        /// Every error of the program, in order of number.
        pub const ALL: &[BallastError] = &[$(BallastError::$name),*];

        /// Fails to compile when an error is missing from the list.
        #[cfg(test)]
        fn name_of(error: BallastError) -> &'static str {
            match error {
                $(BallastError::$name => stringify!($name)),*
            }
        }

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

errors! {
    NotAdmin,
    NotRiskAuthority,
    NotPauseAuthority,
    NotProposed,
    NotOwner,
    NotTraderAuthority,
    NotUpgradeAuthority,
    AuthorityUnset,
    Paused,
    UnknownPauseFlag,
    WrongExchange,
    WrongCollateralVault,
    WrongInsuranceVault,
    WrongMint,
    WrongTokenProgram,
    WrongTokenAccount,
    VaultAsCounterparty,
    WrongQueue,
    QueueNotOwned,
    QueueNotWritable,
    QueueNotZeroed,
    QueueTooSmall,
    QueueNotRentExempt,
    QueuesNotDistinct,
    TradersNotDistinct,
    MintExtensionRejected,
    TooManyMarkets,
    MarketNameInvalid,
    UnknownVersion,
    OracleConfigInvalid,
    PriceWrongOwner,
    PriceWrongAccount,
    PriceInvalidAccount,
    PriceWrongFeed,
    PriceNotVerified,
    PriceStale,
    PriceFromFuture,
    PriceWideConfidence,
    PriceDiverged,
    PriceOlder,
    ZeroAmount,
    InsufficientCollateral,
    TraderNotEmpty,
    NoFreeSlot,
    NoPosition,
    BankruptcyFlagged,
    WithdrawalsWait,
    Overflow,
    PriceOutOfRange,
    SizeOutOfRange,
    QuoteOutOfRange,
    PositionCorrupt,
    ZeroLots,
    NotAReduction,
    BelowInitialMargin,
    MarginBelowZero,
    PriceOutsideBand,
    PositionTooSmall,
    PositionTooLarge,
    OpenInterestLimit,
    Healthy,
    LadderInterval,
    InsuranceCannotPay,
    InsuranceCap,
    RiskTiers,
    RiskLadder,
    RiskSizes,
    RiskLiquidation,
    RiskBand,
    RiskFees,
    RiskFunding,
    RiskInsurance,
    RiskOracle,
    RiskAdl,
    RiskReserved,
    QueueFull,
    QueueLayout,
    NodeNotFound,
    DuplicateKey,
    TreeCorrupt,
    WrongSide,
    EntryPriceOutOfRange,
    BankruptcyPriceOutOfRange,
    ClosePriceOutOfRange,
    AdlSkippedCounterparty,
    AdlListOutOfOrder,
    AdlDuplicateCounterparty,
    AdlBankruptInList,
    AdlWrongSide,
    AdlForeignAccount,
    NotBankrupt,
    InsuranceCanPay,
    AdlNothingCut,
    AdlOvershoot,
    ExchangeInvariant,
    MarketInvariant,
    TraderInvariant,
    AdlListTooLong,
    AdlSessionUnderWay,
    AdlSessionGone,
    AdlSessionMismatch,
    AdlSessionExpired,
    AdlSessionIncomplete,
    AdlSessionStale,
    AdlSessionLive,
    AdlNotSelected,
    QueueGrowth,
    QueueTooLarge,
    AdlSessionSize,
    WrongBook,
    BookNotOwned,
    BookNotWritable,
    BookNotZeroed,
    BookTooSmall,
    BookNotRentExempt,
    MakerForeign,
    TooManyMakers,
    NoTrigger,
    OrderNotFound,
    TooManyOrders,
    DuplicateClientId,
    OrderTooSmall,
    OrderExpired,
    NothingToReduce,
    PostOnlyCrosses,
    NotFilled,
    SelfTrade,
    NothingFilled,
    BookFull,
    BookLayout,
    TriggerNotReached,
    LiquidationSkipsBook,
    BookCanAbsorb,
    RiskBook,
}

/// The name of the program error with this number, e.g. 6000.
pub fn error_name(number: u32) -> Option<&'static str> {
    position(number).and_then(|index| NAMES.get(index).copied())
}

/// The program error with this number.
pub fn error_of(number: u32) -> Option<BallastError> {
    position(number).and_then(|index| ALL.get(index).copied())
}

/// The name of the error that a failed transaction reports: the last one its log names, of the
/// program, of Anchor or of another program, otherwise that of the program error `number`.
pub fn reported_name(logs: &[String], number: Option<u32>) -> Option<String> {
    let logged = logs.iter().rev().find_map(|line| {
        let rest = line.split_once("Error Code: ")?.1;
        Some(rest.split_once('.')?.0.to_owned())
    });
    logged.or_else(|| number.and_then(error_name).map(str::to_owned))
}

fn position(number: u32) -> Option<usize> {
    let first = anchor_lang::error::ERROR_CODE_OFFSET;
    usize::try_from(number.checked_sub(first)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_name_and_nothing_else_has() {
        for (error, name) in ALL.iter().zip(NAMES) {
            assert_eq!(error_name(u32::from(*error)), Some(name_of(*error)));
            assert_eq!(name_of(*error), *name);
            assert_eq!(error.name(), *name);
        }
        assert_eq!(error_name(5_999), None);
        let last = u32::from(*ALL.last().unwrap());
        assert_eq!(error_name(last + 1), None);
    }
}
