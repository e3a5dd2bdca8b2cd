//! Everything the engine can refuse.

use core::fmt;

/// Declares the refusals. The sentence of each is its documentation and its `Display`.
macro_rules! refusals {
    ($($name:ident: $sentence:literal,)*) => {
        /// Why the engine refused. Nothing has changed when one is returned.
        ///
        /// [`Display`](fmt::Display) says what was expected and, where there is one, the remedy, in
        /// the words of the program's error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EngineError {
            $(#[doc = $sentence] $name,)*
        }

        impl EngineError {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What was expected and what to do.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                }
            }
        }
    };
}

refusals! {
    Overflow: "A sum, product or conversion leaves its integer type; use smaller amounts",
    PriceOutOfRange: "The price is not within 1 to 2^31-1 atoms per lot",
    SizeOutOfRange: "The size is beyond 2^32-1 lots",
    QuoteOutOfRange: "The quote of a fill does not fit its lots",
    PositionCorrupt: "A stored position breaks its own invariant",
    ZeroLots: "The number of lots must not be zero",
    ZeroAmount: "The amount must be greater than zero",
    NoPosition: "The trader has no position in this market",
    NotAReduction: "The fill would open or enlarge a position where it may only close one",
    InsufficientCollateral: "The free collateral does not cover what is to be paid from it; deposit first",
    BelowInitialMargin: "Equity at the price worsened by its confidence would be below initial margin; add margin or trade less",
    MarginBelowZero: "The margin of a position may not be taken below zero",
    PriceOutsideBand: "The trade price is too far from the oracle price",
    PositionTooSmall: "The position left would be smaller than the market's least; close it whole",
    PositionTooLarge: "The position would exceed the market's largest size or last risk tier",
    OpenInterestLimit: "The market's open interest would rise above its limit",
    Healthy: "The position has its maintenance margin; there is nothing to liquidate",
    LadderInterval: "The last liquidation step is too recent; wait for the ladder interval",
    InsuranceCannotPay: "Equity is negative and insurance cannot pay the deficit; flag the bankruptcy and deleverage",
    InsuranceCap: "The amount exceeds what insurance may pay in this window",
    PriceStale: "The price is too old; post a newer one",
    PriceFromFuture: "The price is from the future; check the feed",
    PriceOlder: "The market has seen a newer price; pass the newest one",
    PriceWideConfidence: "The price's confidence interval is too wide for this action",
    PriceDiverged: "The price is too far from its moving average for this action",
    RiskTiers: "Risk tiers: 1 to 4, limits ascending, margins not descending, maintenance at least a gap, initial a gap above it; docs/RISK_BOUNDS.md",
    RiskLadder: "Risk ladder: at most 4 steps, ratios descending, closes not descending, interval; docs/RISK_BOUNDS.md",
    RiskSizes: "Risk sizes: least position at most a hundredth of the largest and at most the open interest; docs/RISK_BOUNDS.md",
    RiskLiquidation: "Risk liquidation: first discount <= last, last + fee at most 500 bps and half of the least maintenance margin, before and after; docs/RISK_BOUNDS.md",
    RiskBand: "Risk band: out of its bounds; docs/RISK_BOUNDS.md",
    RiskFees: "Risk fees: out of their bounds, or a rebate above the taker's fee; docs/RISK_BOUNDS.md",
    RiskFunding: "Risk funding: out of its bounds; docs/RISK_BOUNDS.md",
    RiskInsurance: "Risk insurance: cap or window out of bounds; docs/RISK_BOUNDS.md",
    RiskOracle: "Risk oracle: age, confidence or divergence out of bounds; docs/RISK_BOUNDS.md",
    RiskAdl: "Risk adl: tolerance, close, least profit, grace or reward out of bounds; docs/RISK_BOUNDS.md",
    RiskReserved: "Reserved and unused risk fields must be zero",
    QueueFull: "Every node of the queue is in use; make room with grow_queue",
    QueueLayout: "The queue account is not a queue of this layout version",
    NodeNotFound: "The queue has no node of this position",
    DuplicateKey: "The queue already has a node with this key",
    TreeCorrupt: "The queue's tree breaks its own invariant",
    WrongSide: "The position is not on the side it should be on",
    EntryPriceOutOfRange: "The entry price is not below 2^31 atoms per lot",
    BankruptcyPriceOutOfRange: "The bankruptcy price is not within 2^31 atoms per lot of zero; change the margin",
    ClosePriceOutOfRange: "The close price lies on the wrong side of the oracle price",
    NotBankrupt: "The account is not bankrupt at this price",
    InsuranceCanPay: "The market's insurance can pay the deficit; liquidate instead",
    AdlOutOfOrder: "The listed counterparties are not in order of rank",
    AdlOvershoot: "The winners would give up more or less than the uncovered deficit",
    SelectionUnderWay: "A deleveraging session is open over this queue; advance it, or close it once it has expired",
    NoSelection: "The queue does not watch for this session; open another",
    OrderNotFound: "The trader has no order with this id in this market; it may have been filled or cancelled",
    TooManyOrders: "The trader already has 16 orders in this market; cancel one first",
    DuplicateClientId: "Another order of the trader in this market has this client id; choose another or use 0",
    OrderTooSmall: "The order is smaller than the market's least position, or would wait and is worth less than its least order; enlarge it or make it reduce-only",
    OrderExpired: "The order's expiry is in the past; set a later one or 0 for none",
    NothingToReduce: "There is no position that this reduce-only order could make smaller",
    PostOnlyCrosses: "A post-only order would trade at once; move its price away from the other side",
    NotFilled: "The order could not be filled whole; pass more makers, or use immediate-or-cancel",
    SelfTrade: "The order would meet one of the trader's own; cancel that one or choose another mode",
    NothingFilled: "No order of the book could be filled; pass the makers of the best orders in book order",
    BookFull: "The book has no room for another order on this side; try again later",
    BookLayout: "The book account does not hold a book of this version",
    TriggerNotReached: "The oracle price has not reached the trigger; wait",
    LiquidationSkipsBook: "The book pays more than the liquidator would; pass the makers of the best orders in book order",
    BookCanAbsorb: "The book can take lots of the bankrupt position; liquidate into it first",
    RiskBook: "Risk book: impact notional, funding cap, keeper fee, reward or least order out of bounds; docs/RISK_BOUNDS.md",
    TooManyReduceOnly: "The trader already has 4 reduce-only orders in this market; cancel one first",
    ExpiryTooFar: "The order's expiry is more than ten years ahead; state it in seconds, not in milliseconds",
    LayoutOutdated: "The account has the layout of an earlier release; anybody brings it up to date with migrate_exchange, migrate_market, migrate_queue, migrate_book or migrate_trader, which `ballast migrate` sends; an old session is closed with close_adl_session",
    Unbalanced: "The legs of the instruction do not net to zero; nothing was changed; report it",
    MarketReduceOnly: "The market is reduce-only, so its open interest may not rise; trade with somebody who closes",
    MarketEnded: "The market has ended or been settled; begin_settlement and settle_position pay everybody out",
    MarketTrades: "The market has not ended; trade or wait",
    OracleAlive: "The oracle is not dead: the last price recorded is not old enough, or the end is foreseen already",
    EndNotDue: "No end of the market is foreseen, or it has not come; wait for it",
    MarketInsolvent: "Somebody's equity is below zero at the market's price; liquidate or deleverage first",
    MarketNotEmpty: "Positions, orders or held profit are left in the market; settle them first",
    FeesPaidToday: "Fees of this market were paid out within the last day; wait for its end",
    FeesReserved: "The market has no fees beyond its reserve, or less than four atoms; nothing is paid out",
    InsuranceDrawn: "What insurance paid lately counts for its cap; fees stay until that is forgotten",
    FundFull: "A fund has at most 2^62 shares; deposit less",
    FundSpent: "So little is left in the fund that no deposit may share in it",
    SharesMissing: "There are not so many shares in this account",
    RequestMissing: "Nothing was requested; request first, and come back after the delay",
    RequestTooEarly: "The delay of the request is not over yet",
    RequestLapsed: "The time in which the request was paid is over; request again",
    PoolCannotTake: "The pool takes none of these lots: its discount, cap, window, drawdown or mode forbid it",
    UnwindTooEarly: "The pool was unwound a moment ago; wait for its interval",
    NothingToSync: "The margin of the pool's position is what it is to be, or nothing may be moved to it",
    PoolParams: "Pool parameters: out of their bounds, or an unwind that may cost more than a take earns; docs/POOL.md",
    ProtectiveSteps: "Protective steps: 1 to 4, margin ratios falling within 10,001 to 1,000,000 bps of maintenance, kept parts falling below 10,000 bps, slip 1 to 5,000 bps",
}

impl fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence())
    }
}

impl core::error::Error for EngineError {}
