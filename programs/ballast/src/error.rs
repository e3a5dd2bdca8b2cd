//! Every error of the program. The enum is append-only: the numbers are part of the interface.

use anchor_lang::prelude::*;
use ballast_engine::EngineError;

/// What the program refuses, and the remedy.
#[error_code]
pub enum BallastError {
    // --- authority ---
    #[msg("The signer is not the exchange's admin; sign with the admin key")]
    NotAdmin,
    #[msg("The signer is not the risk authority; sign with the risk authority key")]
    NotRiskAuthority,
    #[msg("The signer is neither the pause authority nor the admin")]
    NotPauseAuthority,
    #[msg("The signer was not proposed for this role; the admin must propose it first")]
    NotProposed,
    #[msg("The signer is not the owner of the trader account")]
    NotOwner,
    #[msg("The signer is neither the owner nor the delegate of the trader account")]
    NotTraderAuthority,
    #[msg("The exchange of an upgradeable program is created by its upgrade authority: sign as admin with that key and pass the program data account")]
    NotUpgradeAuthority,
    #[msg("An authority may not be the default key")]
    AuthorityUnset,
    #[msg("This action is paused by the exchange; try again when the flag is lifted")]
    Paused,
    #[msg("The pause flags contain a bit without a meaning")]
    UnknownPauseFlag,

    // --- accounts ---
    #[msg("The exchange account is not the program's exchange")]
    WrongExchange,
    #[msg("The collateral vault is not the exchange's vault")]
    WrongCollateralVault,
    #[msg("The insurance vault is not the market's vault")]
    WrongInsuranceVault,
    #[msg("The mint is not the exchange's collateral mint")]
    WrongMint,
    #[msg("The token program does not own the collateral mint")]
    WrongTokenProgram,
    #[msg("The token account does not hold the collateral mint")]
    WrongTokenAccount,
    #[msg("The token account is a vault of the exchange; name an account outside it")]
    VaultAsCounterparty,
    #[msg("The queue account is not the market's queue of that side")]
    WrongQueue,
    #[msg("The queue account is not owned by the program")]
    QueueNotOwned,
    #[msg("The queue account must be writable")]
    QueueNotWritable,
    #[msg("The queue account must be handed over with every byte zero")]
    QueueNotZeroed,
    #[msg("The queue account is too small; allocate the header and at least the minimum of nodes")]
    QueueTooSmall,
    #[msg("The queue account is not rent exempt; fund it first")]
    QueueNotRentExempt,
    #[msg("The two queue accounts must be distinct")]
    QueuesNotDistinct,
    #[msg("The two trader accounts must be distinct")]
    TradersNotDistinct,
    #[msg("The mint has a Token-2022 extension that can change balances or stop transfers")]
    MintExtensionRejected,
    #[msg("The exchange already counts the largest number of markets")]
    TooManyMarkets,
    #[msg("The market name must be 1 to 16 bytes of printable ASCII, padded with zeros")]
    MarketNameInvalid,
    #[msg("The layout version is not one this program reads")]
    UnknownVersion,

    // --- oracle ---
    #[msg("The oracle configuration is invalid: known kind, non-zero feed or account, tick, lot and tick value")]
    OracleConfigInvalid,
    #[msg("The price account is not owned by the oracle program")]
    PriceWrongOwner,
    #[msg("The price account is not the one stored in the market")]
    PriceWrongAccount,
    #[msg("The price account is not a price of the expected layout")]
    PriceInvalidAccount,
    #[msg("The price account is of another feed than the market's")]
    PriceWrongFeed,
    #[msg("The price update is only partially verified; post it with full verification")]
    PriceNotVerified,
    #[msg("The price is too old; post a newer one")]
    PriceStale,
    #[msg("The price is from the future; check the feed")]
    PriceFromFuture,
    #[msg("The price's confidence interval is too wide for this action")]
    PriceWideConfidence,
    #[msg("The price is too far from its moving average for this action")]
    PriceDiverged,
    #[msg("The market has seen a newer price; pass the newest one")]
    PriceOlder,

    // --- traders and positions ---
    #[msg("The amount must be greater than zero")]
    ZeroAmount,
    #[msg("The free collateral does not cover what is to be paid from it; deposit first")]
    InsufficientCollateral,
    #[msg("The trader account still holds collateral or positions; empty it first")]
    TraderNotEmpty,
    #[msg("All position slots are in use; close a position first")]
    NoFreeSlot,
    #[msg("The trader has no position in this market")]
    NoPosition,
    #[msg("The position is flagged as an uncovered bankruptcy; add margin and call flag_bankruptcy, then trade")]
    BankruptcyFlagged,
    #[msg("Withdrawals wait while a bankruptcy is uncovered; try again when it is resolved")]
    WithdrawalsWait,

    // --- numbers ---
    #[msg("A sum, product or conversion leaves its integer type; use smaller amounts")]
    Overflow,
    #[msg("The price is not within 1 to 2^31-1 atoms per lot")]
    PriceOutOfRange,
    #[msg("The size is beyond 2^32-1 lots")]
    SizeOutOfRange,
    #[msg("The quote of a fill does not fit its lots")]
    QuoteOutOfRange,
    #[msg("A stored position breaks its own invariant")]
    PositionCorrupt,
    #[msg("The number of lots must not be zero")]
    ZeroLots,
    #[msg("The fill would open or enlarge a position where it may only close one")]
    NotAReduction,

    // --- margin and trades ---
    #[msg("Equity at the price worsened by its confidence would be below initial margin; add margin or trade less")]
    BelowInitialMargin,
    #[msg("The margin of a position may not be taken below zero")]
    MarginBelowZero,
    #[msg("The trade price is too far from the oracle price")]
    PriceOutsideBand,
    #[msg("The position left would be smaller than the market's least; close it whole")]
    PositionTooSmall,
    #[msg("The position would exceed the market's largest size or last risk tier")]
    PositionTooLarge,
    #[msg("The market's open interest would rise above its limit")]
    OpenInterestLimit,

    // --- liquidation and insurance ---
    #[msg("The position has its maintenance margin; there is nothing to liquidate")]
    Healthy,
    #[msg("The last liquidation step is too recent; wait for the ladder interval")]
    LadderInterval,
    #[msg("Equity is negative and insurance cannot pay the deficit; flag the bankruptcy and deleverage")]
    InsuranceCannotPay,
    #[msg("The amount exceeds what insurance may pay in this window")]
    InsuranceCap,

    // --- risk parameters ---
    #[msg("Risk tiers: 1 to 4, limits ascending, margins not descending, 0 < maintenance < initial <= 10000 bps")]
    RiskTiers,
    #[msg("Risk ladder: at most 4 steps, ratios descending below 10000 bps, closes not descending within 1 to 10000 bps")]
    RiskLadder,
    #[msg("Risk sizes: 1 <= least <= largest position <= 2^32-1 lots, open interest above 0")]
    RiskSizes,
    #[msg("Risk liquidation: first discount <= last, last + fee below the lowest maintenance margin, buffer <= 10000 bps")]
    RiskLiquidation,
    #[msg("Risk band: 1 to 10000 bps")]
    RiskBand,
    #[msg("Risk fees: each at most 1000 bps, insurance share at most 10000 bps")]
    RiskFees,
    #[msg("Risk funding: at most 10000 ppm an hour either way")]
    RiskFunding,
    #[msg("Risk insurance: cap at most 10000 bps and a window above 0 slots")]
    RiskInsurance,
    #[msg("Risk oracle: age, confidence or divergence out of range")]
    RiskOracle,
    #[msg("Risk adl: close within 1 to 10000 bps, tolerance and least profit at most 10000 bps")]
    RiskAdl,
    #[msg("Reserved and unused risk fields must be zero")]
    RiskReserved,

    // --- queues ---
    #[msg("Every node of the queue is in use; make room with grow_queue")]
    QueueFull,
    #[msg("The queue account is not a queue of this layout version")]
    QueueLayout,
    #[msg("The queue has no node of this position")]
    NodeNotFound,
    #[msg("The queue already has a node with this key")]
    DuplicateKey,
    #[msg("The queue's tree breaks its own invariant")]
    TreeCorrupt,
    #[msg("The position is not on the side it should be on")]
    WrongSide,
    #[msg("The entry price is not below 2^31 atoms per lot")]
    EntryPriceOutOfRange,
    #[msg("The bankruptcy price is not within 2^31 atoms per lot of zero; change the margin")]
    BankruptcyPriceOutOfRange,
    #[msg("The close price lies on the wrong side of the oracle price")]
    ClosePriceOutOfRange,

    // --- auto-deleveraging ---
    #[msg("A counterparty that ranks before the last one cut is missing from the list; its account is in the log")]
    AdlSkippedCounterparty,
    #[msg("The listed counterparties are not in order of rank")]
    AdlListOutOfOrder,
    #[msg("A counterparty is listed twice")]
    AdlDuplicateCounterparty,
    #[msg("The bankrupt account is in its own list of counterparties")]
    AdlBankruptInList,
    #[msg("A listed position is on the side of the bankrupt; list the opposite side")]
    AdlWrongSide,
    #[msg("A listed account is not a trader account of this program")]
    AdlForeignAccount,
    #[msg("The account is not bankrupt at this price")]
    NotBankrupt,
    #[msg("The market's insurance can pay the deficit; liquidate instead")]
    InsuranceCanPay,
    #[msg("No listed counterparty could be cut; list the best ranked ones")]
    AdlNothingCut,
    #[msg("The winners would give up more or less than the uncovered deficit")]
    AdlOvershoot,

    // --- invariants ---
    #[msg("The exchange's invariant does not hold")]
    ExchangeInvariant,
    #[msg("The market's invariant does not hold")]
    MarketInvariant,
    #[msg("The trader's invariant does not hold")]
    TraderInvariant,

    // --- limits ---
    #[msg("The list of counterparties is longer than one call can work through; list at most 32")]
    AdlListTooLong,

    // --- deleveraging over several transactions ---
    #[msg("A deleveraging session is open over this queue; advance it, or close it once it has expired")]
    AdlSessionUnderWay,
    #[msg("The queue does not watch for this session; open another")]
    AdlSessionGone,
    #[msg("The session is for another market or another bankrupt position")]
    AdlSessionMismatch,
    #[msg("The session has expired; close it and open another")]
    AdlSessionExpired,
    #[msg("The session's walk is not at its end; advance it first")]
    AdlSessionIncomplete,
    #[msg(
        "The bankrupt position has changed since the session was opened; close it and open another"
    )]
    AdlSessionStale,
    #[msg("The session has not expired and the bankrupt position has not changed; advance and execute it")]
    AdlSessionLive,
    #[msg("The accounts are not those of the traders the session selected; list those still in the queue, in the session's order")]
    AdlNotSelected,

    // --- queues ---
    #[msg("A queue grows by 1 to 98 positions a call; call again for more")]
    QueueGrowth,
    #[msg("A queue account holds at most 10 MiB, which is room for 100,822 positions")]
    QueueTooLarge,
    #[msg("A session account has 896 bytes; create another of that size")]
    AdlSessionSize,

    // --- order book ---
    #[msg("The book account is not the market's book")]
    WrongBook,
    #[msg("The book account is not owned by the program")]
    BookNotOwned,
    #[msg("The book account must be writable")]
    BookNotWritable,
    #[msg("The book account must be handed over with every byte zero")]
    BookNotZeroed,
    #[msg("The book account is too small; allocate the header and at least the minimum of orders a side")]
    BookTooSmall,
    #[msg("The book account is not rent exempt; fund it first")]
    BookNotRentExempt,
    #[msg("A listed maker is not a trader account of this program")]
    MakerForeign,
    #[msg("The list of makers is longer than one call can work through; list at most 32")]
    TooManyMakers,
    #[msg("The position has no trigger of this kind")]
    NoTrigger,
    #[msg(
        "The trader has no order with this id in this market; it may have been filled or cancelled"
    )]
    OrderNotFound,
    #[msg("The trader already has 16 orders in this market; cancel one first")]
    TooManyOrders,
    #[msg(
        "Another order of the trader in this market has this client id; choose another or use 0"
    )]
    DuplicateClientId,
    #[msg(
        "The order is smaller than the market's least position; enlarge it or make it reduce-only"
    )]
    OrderTooSmall,
    #[msg("The order's expiry is in the past; set a later one or 0 for none")]
    OrderExpired,
    #[msg("There is no position that this reduce-only order could make smaller")]
    NothingToReduce,
    #[msg("A post-only order would trade at once; move its price away from the other side")]
    PostOnlyCrosses,
    #[msg("The order could not be filled whole; pass more makers, or use immediate-or-cancel")]
    NotFilled,
    #[msg("The order would meet one of the trader's own; cancel that one or choose another mode")]
    SelfTrade,
    #[msg(
        "No order of the book could be filled; pass the makers of the best orders in book order"
    )]
    NothingFilled,
    #[msg("The book has no room for another order on this side; try again later")]
    BookFull,
    #[msg("The book account does not hold a book of this version")]
    BookLayout,
    #[msg("The oracle price has not reached the trigger; wait")]
    TriggerNotReached,
    #[msg("The book pays more than the liquidator would; pass the makers of the best orders in book order")]
    LiquidationSkipsBook,
    #[msg("The book can take lots of the bankrupt position; liquidate into it first")]
    BookCanAbsorb,
    #[msg("Book parameters: reward at most 1,000 bps; funding cap at least the base rate and at most 10,000 ppm an hour")]
    RiskBook,
}

impl From<EngineError> for BallastError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Overflow => Self::Overflow,
            EngineError::PriceOutOfRange => Self::PriceOutOfRange,
            EngineError::SizeOutOfRange => Self::SizeOutOfRange,
            EngineError::QuoteOutOfRange => Self::QuoteOutOfRange,
            EngineError::PositionCorrupt => Self::PositionCorrupt,
            EngineError::ZeroLots => Self::ZeroLots,
            EngineError::ZeroAmount => Self::ZeroAmount,
            EngineError::NoPosition => Self::NoPosition,
            EngineError::NotAReduction => Self::NotAReduction,
            EngineError::InsufficientCollateral => Self::InsufficientCollateral,
            EngineError::BelowInitialMargin => Self::BelowInitialMargin,
            EngineError::MarginBelowZero => Self::MarginBelowZero,
            EngineError::PriceOutsideBand => Self::PriceOutsideBand,
            EngineError::PositionTooSmall => Self::PositionTooSmall,
            EngineError::PositionTooLarge => Self::PositionTooLarge,
            EngineError::OpenInterestLimit => Self::OpenInterestLimit,
            EngineError::Healthy => Self::Healthy,
            EngineError::LadderInterval => Self::LadderInterval,
            EngineError::InsuranceCannotPay => Self::InsuranceCannotPay,
            EngineError::InsuranceCap => Self::InsuranceCap,
            EngineError::PriceStale => Self::PriceStale,
            EngineError::PriceFromFuture => Self::PriceFromFuture,
            EngineError::PriceOlder => Self::PriceOlder,
            EngineError::PriceWideConfidence => Self::PriceWideConfidence,
            EngineError::PriceDiverged => Self::PriceDiverged,
            EngineError::RiskTiers => Self::RiskTiers,
            EngineError::RiskLadder => Self::RiskLadder,
            EngineError::RiskSizes => Self::RiskSizes,
            EngineError::RiskLiquidation => Self::RiskLiquidation,
            EngineError::RiskBand => Self::RiskBand,
            EngineError::RiskFees => Self::RiskFees,
            EngineError::RiskFunding => Self::RiskFunding,
            EngineError::RiskInsurance => Self::RiskInsurance,
            EngineError::RiskOracle => Self::RiskOracle,
            EngineError::RiskAdl => Self::RiskAdl,
            EngineError::RiskReserved => Self::RiskReserved,
            EngineError::QueueFull => Self::QueueFull,
            EngineError::QueueLayout => Self::QueueLayout,
            EngineError::NodeNotFound => Self::NodeNotFound,
            EngineError::DuplicateKey => Self::DuplicateKey,
            EngineError::TreeCorrupt => Self::TreeCorrupt,
            EngineError::WrongSide => Self::WrongSide,
            EngineError::EntryPriceOutOfRange => Self::EntryPriceOutOfRange,
            EngineError::BankruptcyPriceOutOfRange => Self::BankruptcyPriceOutOfRange,
            EngineError::ClosePriceOutOfRange => Self::ClosePriceOutOfRange,
            EngineError::NotBankrupt => Self::NotBankrupt,
            EngineError::InsuranceCanPay => Self::InsuranceCanPay,
            EngineError::AdlOutOfOrder => Self::AdlListOutOfOrder,
            EngineError::AdlOvershoot => Self::AdlOvershoot,
            EngineError::SelectionUnderWay => Self::AdlSessionUnderWay,
            EngineError::NoSelection => Self::AdlSessionGone,
            EngineError::OrderNotFound => Self::OrderNotFound,
            EngineError::TooManyOrders => Self::TooManyOrders,
            EngineError::DuplicateClientId => Self::DuplicateClientId,
            EngineError::OrderTooSmall => Self::OrderTooSmall,
            EngineError::OrderExpired => Self::OrderExpired,
            EngineError::NothingToReduce => Self::NothingToReduce,
            EngineError::PostOnlyCrosses => Self::PostOnlyCrosses,
            EngineError::NotFilled => Self::NotFilled,
            EngineError::SelfTrade => Self::SelfTrade,
            EngineError::NothingFilled => Self::NothingFilled,
            EngineError::BookFull => Self::BookFull,
            EngineError::BookLayout => Self::BookLayout,
            EngineError::TriggerNotReached => Self::TriggerNotReached,
            EngineError::LiquidationSkipsBook => Self::LiquidationSkipsBook,
            EngineError::BookCanAbsorb => Self::BookCanAbsorb,
            EngineError::RiskBook => Self::RiskBook,
        }
    }
}

/// Lifts an engine result into the program's.
pub trait OrBallast<T> {
    /// The value, or the program's error of the same meaning.
    fn or_ballast(self) -> Result<T>;
}

impl<T> OrBallast<T> for core::result::Result<T, EngineError> {
    fn or_ballast(self) -> Result<T> {
        self.map_err(|error| BallastError::from(error).into())
    }
}
