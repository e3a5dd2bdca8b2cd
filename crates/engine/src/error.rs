//! Everything the engine can refuse.

use crate::oracle::PriceFault;

/// Why the engine refused. Nothing has changed when one is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// A sum, product or conversion left its integer type.
    Overflow,
    /// A price is not within `1..=MAX_LOT_PRICE` atoms per lot.
    PriceOutOfRange,
    /// A number of lots exceeds `MAX_LOTS`.
    SizeOutOfRange,
    /// The quote of a fill does not have the sign of its lots, or lies outside
    /// `1..=MAX_LOT_PRICE` atoms per opened lot.
    QuoteOutOfRange,
    /// A stored position breaks its own invariant.
    PositionCorrupt,
    /// A fill, trade or deleveraging of no lots.
    ZeroLots,
    /// A transfer of no atoms.
    ZeroAmount,
    /// The account has no position in this market.
    NoPosition,
    /// The fill would open or enlarge a position where it may only close one.
    NotAReduction,
    /// Free collateral is less than what is to be paid from it.
    InsufficientCollateral,
    /// Equity at the price worsened by the confidence is below initial margin.
    BelowInitialMargin,
    /// The margin of a position may not be withdrawn below zero.
    MarginBelowZero,
    /// The trade price is too far from the mark.
    PriceOutsideBand,
    /// What would be left is smaller than the least position.
    PositionTooSmall,
    /// The position would exceed the largest size or the last risk tier.
    PositionTooLarge,
    /// The market's open interest would rise above its limit.
    OpenInterestLimit,
    /// The position has at least its maintenance margin.
    Healthy,
    /// The last liquidation step is too recent for another partial one.
    LadderInterval,
    /// Equity is negative and insurance may not pay the whole deficit.
    InsuranceCannotPay,
    /// The amount exceeds what insurance may pay in this window.
    InsuranceCap,
    /// The oracle price is older than allowed.
    PriceStale,
    /// The oracle price is dated further ahead than its allowed age.
    PriceFromFuture,
    /// The oracle price is older than one already used.
    PriceOlder,
    /// The oracle's confidence interval is too wide.
    PriceWideConfidence,
    /// The oracle price is too far from its moving average.
    PriceDiverged,
    /// Risk tiers: 1..=4, limits ascending, margins not descending,
    /// 0 < maintenance < initial <= 10,000.
    RiskTiers,
    /// Ladder: at most 4 steps, ratios strictly descending below 10,000, closes
    /// not descending within 1..=10,000.
    RiskLadder,
    /// Sizes: 1 <= least <= largest position <= `MAX_LOTS`, open interest > 0.
    RiskSizes,
    /// Liquidation: first discount <= last, last + fee below the lowest
    /// maintenance margin, buffer <= 10,000.
    RiskLiquidation,
    /// Price band outside 1..=10,000.
    RiskBand,
    /// Fees above 1,000 or a share above 10,000.
    RiskFees,
    /// Funding rate beyond +-10,000 ppm an hour.
    RiskFunding,
    /// Insurance: cap above 10,000 or an empty window.
    RiskInsurance,
    /// Oracle limits: age, confidence (below 10,000) or divergence out of range.
    RiskOracle,
    /// ADL: close outside 1..=10,000, tolerance or least profit above 10,000.
    RiskAdl,
    /// Reserved or unused risk fields are not zero.
    RiskReserved,
    /// Every node of the queue is in use.
    QueueFull,
    /// The bytes are not a queue of this version, aligned to 8.
    QueueLayout,
    /// No node of the tree has this position or key.
    NodeNotFound,
    /// Another node of the tree has this key.
    DuplicateKey,
    /// A tree breaks its own invariant.
    TreeCorrupt,
    /// A position is not on the side it should be on.
    WrongSide,
    /// An entry price is not below 2^31 atoms per lot.
    EntryPriceOutOfRange,
    /// A bankruptcy price less funding is not within +-2^31 atoms per lot.
    BankruptcyPriceOutOfRange,
    /// A close price lies on the wrong side of the mark, or is of no lots.
    ClosePriceOutOfRange,
    /// The position has no deficit.
    NotBankrupt,
    /// Insurance may pay the whole deficit and the grace period is not over.
    InsuranceCanPay,
    /// A counterparty ranks above the one before it.
    AdlOutOfOrder,
    /// The counterparties gave up something other than the uncovered deficit.
    AdlOvershoot,
    /// A selection of counterparties is under way over this queue.
    SelectionUnderWay,
    /// No selection of counterparties is under way over this queue.
    NoSelection,
    /// The trader has no such order in this book.
    OrderNotFound,
    /// The trader has as many orders in this market as one may have.
    TooManyOrders,
    /// Another order of the trader in this market has this client id.
    DuplicateClientId,
    /// The order is smaller than the least position.
    OrderTooSmall,
    /// The order's time is over before it is placed.
    OrderExpired,
    /// There is no position that a reduce-only order could make smaller.
    NothingToReduce,
    /// A post-only order would trade at once.
    PostOnlyCrosses,
    /// A fill-or-kill order could not be filled whole.
    NotFilled,
    /// The order would meet one of the trader's own.
    SelfTrade,
    /// No order of the book could be filled.
    NothingFilled,
    /// Every order node of that side is in use.
    BookFull,
    /// The bytes are not a book of this version, aligned to 8.
    BookLayout,
    /// The oracle price has not reached the trigger.
    TriggerNotReached,
    /// The book pays more for the lots than the liquidator's account would.
    LiquidationSkipsBook,
    /// The book can take lots of the bankrupt position at its bankruptcy price or better.
    BookCanAbsorb,
    /// Book: reward above 1,000, or a funding cap below the base rate or above 10,000 ppm
    /// an hour.
    RiskBook,
}

impl From<PriceFault> for EngineError {
    fn from(fault: PriceFault) -> Self {
        match fault {
            PriceFault::Stale => Self::PriceStale,
            PriceFault::FromFuture => Self::PriceFromFuture,
            PriceFault::Older => Self::PriceOlder,
            PriceFault::WideConfidence => Self::PriceWideConfidence,
            PriceFault::Diverged => Self::PriceDiverged,
        }
    }
}
