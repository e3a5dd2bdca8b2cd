//! Every error of the program. The list is append-only: the numbers are part of the interface.

use core::fmt;

use ballast_engine::{oracle::PriceFault, EngineError};

/// What the program returns.
pub type Result<T> = core::result::Result<T, BallastError>;

/// Generates the errors from a list of number, name and message.
macro_rules! errors {
    ($error:ident; $($number:literal $name:ident: $message:literal;)*) => {
        /// What the program refuses, and the remedy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $error {
            $(#[doc = $message] $name,)*
        }

        impl $error {
            /// Every error, in order of number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number that a failed transaction reports, from 6000.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// The error with this number.
            #[must_use]
            pub const fn of_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name, as in the IDL.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What was expected and what to do.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)*
                }
            }
        }
    };
}

pub(crate) use errors;

errors! {
    BallastError;
    // --- authority ---
    6000 NotAdmin: "The signer is not the exchange's admin; sign with the admin key";
    6001 NotRiskAuthority: "The signer is not the risk authority; sign with the risk authority key";
    6002 NotGuardian: "The signer is neither the guardian nor the admin";
    6003 NotProposed: "The signer is not the successor that was staged for this role; the admin stages it first";
    6004 NotOwner: "The signer is not the owner of the trader account";
    6005 NotTraderAuthority: "The signer is neither the owner nor the delegate of the trader account";
    6006 NotUpgradeAuthority: "The exchange of an upgradeable program is created by its upgrade authority: sign as admin with that key and pass the program data account";
    6007 AuthorityUnset: "An authority may not be the default key";
    6008 Paused: "This action is paused by the exchange; try again when the pause ends";
    6009 UnknownPauseFlag: "The pause flags contain a bit without a meaning";

    // --- accounts ---
    6010 WrongExchange: "The exchange account is not the program's exchange";
    6011 WrongCollateralVault: "The collateral vault is not the exchange's vault";
    6012 WrongInsuranceVault: "The insurance vault is not the market's vault";
    6013 WrongMint: "The mint is not the exchange's collateral mint";
    6014 WrongTokenProgram: "The token program does not own the collateral mint";
    6015 WrongTokenAccount: "The token account does not hold the collateral mint";
    6016 VaultAsCounterparty: "The token account is a vault of the exchange; name an account outside it";
    6017 WrongQueue: "The queue account is not the market's queue of that side";
    6018 QueueNotOwned: "The queue account is not owned by the program";
    6019 QueueNotWritable: "The queue account must be writable";
    6020 QueueNotZeroed: "The queue account must be handed over with every byte zero";
    6021 QueueTooSmall: "The queue account is too small; allocate the header and at least the minimum of nodes";
    6022 QueueNotRentExempt: "The queue account is not rent exempt; fund it first";
    6023 QueuesNotDistinct: "The two queue accounts must be distinct";
    6024 TradersNotDistinct: "The two trader accounts must be distinct";
    6025 MintExtensionRejected: "The mint has a Token-2022 extension that can change balances or stop transfers";
    6026 TooManyMarkets: "The exchange already counts the largest number of markets";
    6027 MarketNameInvalid: "The market name must be 1 to 16 bytes of printable ASCII, padded with zeros";
    6028 UnknownVersion: "The layout version is not one this program reads";

    // --- oracle ---
    6029 OracleConfigInvalid: "The oracle configuration is invalid: known kind, non-zero feed or account, tick, lot and tick value";
    6030 PriceWrongOwner: "The price account is not owned by the oracle program";
    6031 PriceWrongAccount: "The price account is not the one stored in the market";
    6032 PriceInvalidAccount: "The price account is not a price of the expected layout";
    6033 PriceWrongFeed: "The price account is of another feed than the market's";
    6034 PriceNotVerified: "The price update is only partially verified; post it with full verification";
    6035 PriceStale: "The price is too old; post a newer one";
    6036 PriceFromFuture: "The price is from the future; check the feed";
    6037 PriceWideConfidence: "The price's confidence interval is too wide for this action";
    6038 PriceDiverged: "The price is too far from its moving average for this action";
    6039 PriceOlder: "The market has seen a newer price; pass the newest one";

    // --- traders and positions ---
    6040 ZeroAmount: "The amount must be greater than zero";
    6041 InsufficientCollateral: "The free collateral does not cover what is to be paid from it; deposit first";
    6042 TraderNotEmpty: "The trader account still holds collateral or positions; empty it first";
    6043 NoFreeSlot: "All position slots are in use; close a position first";
    6044 NoPosition: "The trader has no position in this market";

    // --- numbers ---
    6047 Overflow: "A sum, product or conversion leaves its integer type; use smaller amounts";
    6048 PriceOutOfRange: "The price is not within 1 to 2^31-1 atoms per lot";
    6049 SizeOutOfRange: "The size is beyond 2^32-1 lots";
    6050 QuoteOutOfRange: "The quote of a fill does not fit its lots";
    6051 PositionCorrupt: "A stored position breaks its own invariant";
    6052 ZeroLots: "The number of lots must not be zero";
    6053 NotAReduction: "The fill would open or enlarge a position where it may only close one";

    // --- margin and trades ---
    6054 BelowInitialMargin: "Equity at the price worsened by its confidence would be below initial margin; add margin or trade less";
    6055 MarginBelowZero: "The margin of a position may not be taken below zero";
    6056 PriceOutsideBand: "The trade price is too far from the oracle price";
    6057 PositionTooSmall: "The position left would be smaller than the market's least; close it whole";
    6058 PositionTooLarge: "The position would exceed the market's largest size or last risk tier";
    6059 OpenInterestLimit: "The market's open interest would rise above its limit";

    // --- liquidation and insurance ---
    6060 Healthy: "The position has its maintenance margin; there is nothing to liquidate";
    6061 LadderInterval: "The last liquidation step is too recent; wait for the ladder interval";
    6062 InsuranceCannotPay: "Equity is negative and insurance cannot pay the deficit; flag the bankruptcy and deleverage";
    6063 InsuranceCap: "The amount exceeds what insurance may pay in this window";

    // --- risk parameters ---
    6064 RiskTiers: "Risk tiers: 1 to 4, limits ascending, margins not descending, maintenance at least a gap, initial a gap above it; docs/RISK_BOUNDS.md";
    6065 RiskLadder: "Risk ladder: at most 4 steps, ratios descending, closes not descending, interval; docs/RISK_BOUNDS.md";
    6066 RiskSizes: "Risk sizes: least position at most a hundredth of the largest and at most the open interest; docs/RISK_BOUNDS.md";
    6067 RiskLiquidation: "Risk liquidation: first discount <= last, last + fee at most 500 bps and half of the least maintenance margin, before and after; docs/RISK_BOUNDS.md";
    6068 RiskBand: "Risk band: out of its bounds; docs/RISK_BOUNDS.md";
    6069 RiskFees: "Risk fees: out of their bounds, or a rebate above the taker's fee; docs/RISK_BOUNDS.md";
    6070 RiskFunding: "Risk funding: out of its bounds; docs/RISK_BOUNDS.md";
    6071 RiskInsurance: "Risk insurance: cap or window out of bounds; docs/RISK_BOUNDS.md";
    6072 RiskOracle: "Risk oracle: age, confidence or divergence out of bounds; docs/RISK_BOUNDS.md";
    6073 RiskAdl: "Risk adl: tolerance, close, least profit, grace or reward out of bounds; docs/RISK_BOUNDS.md";
    6074 RiskReserved: "Reserved and unused risk fields must be zero";

    // --- queues ---
    6075 QueueFull: "Every node of the queue is in use; make room with grow_queue";
    6076 QueueLayout: "The queue account is not a queue of this layout version";
    6077 NodeNotFound: "The queue has no node of this position";
    6078 DuplicateKey: "The queue already has a node with this key";
    6079 TreeCorrupt: "The queue's tree breaks its own invariant";
    6080 WrongSide: "The position is not on the side it should be on";
    6081 EntryPriceOutOfRange: "The entry price is not below 2^31 atoms per lot";
    6082 BankruptcyPriceOutOfRange: "The bankruptcy price is not within 2^31 atoms per lot of zero; change the margin";
    6083 ClosePriceOutOfRange: "The close price lies on the wrong side of the oracle price";

    // --- auto-deleveraging ---
    6084 AdlSkippedCounterparty: "A counterparty that ranks before the last one cut is missing from the list; its account is in the log";
    6085 AdlListOutOfOrder: "The listed counterparties are not in order of rank";
    6086 AdlDuplicateCounterparty: "A counterparty is listed twice";
    6087 AdlBankruptInList: "The bankrupt account is in its own list of counterparties";
    6088 AdlWrongSide: "A listed position is on the side of the bankrupt; list the opposite side";
    6089 AdlForeignAccount: "A listed account is not a trader account of this program";
    6090 NotBankrupt: "The account is not bankrupt at this price";
    6091 InsuranceCanPay: "The market's insurance can pay the deficit; liquidate instead";
    6092 AdlNothingCut: "No listed counterparty could be cut; list the best ranked ones";
    6093 AdlOvershoot: "The winners would give up more or less than the uncovered deficit";

    // --- invariants ---
    6094 ExchangeInvariant: "The exchange's invariant does not hold";
    6095 MarketInvariant: "The market's invariant does not hold";
    6096 TraderInvariant: "The trader's invariant does not hold";

    // --- limits ---
    6097 AdlListTooLong: "The list of counterparties is longer than one call can work through; list at most 32";

    // --- deleveraging over several transactions ---
    6098 AdlSessionUnderWay: "A deleveraging session is open over this queue; advance it, or close it once it has expired";
    6099 AdlSessionGone: "The queue does not watch for this session; open another";
    6100 AdlSessionMismatch: "The session is for another market or another bankrupt position";
    6101 AdlSessionExpired: "The session has expired; close it and open another";
    6102 AdlSessionIncomplete: "The session's walk is not at its end; advance it first";
    6103 AdlSessionStale: "The bankrupt position has changed since the session was opened; close it and open another";
    6104 AdlSessionLive: "The session has not expired and the bankrupt position has not changed; advance and execute it";
    6105 AdlNotSelected: "The accounts are not those of the traders the session selected; list those still in the queue, in the session's order";

    // --- queues ---
    6106 QueueGrowth: "A queue grows by 1 to 98 positions a call, or 80 legs; call again";
    6107 QueueTooLarge: "A queue account holds at most 10 MiB, which is room for 100,822 positions";
    6108 AdlSessionSize: "A session account has 896 bytes; create another of that size";

    // --- order book ---
    6109 WrongBook: "The book account is not the market's book";
    6110 BookNotOwned: "The book account is not owned by the program";
    6111 BookNotWritable: "The book account must be writable";
    6112 BookNotZeroed: "The book account must be handed over with every byte zero";
    6113 BookTooSmall: "The book account is too small; allocate the header and at least the minimum of orders a side";
    6114 BookNotRentExempt: "The book account is not rent exempt; fund it first";
    6115 MakerForeign: "A listed maker is not a trader account of this program";
    6116 TooManyMakers: "The list of makers is longer than one call can work through; list at most 32";
    6117 NoTrigger: "The position has no trigger of this kind";
    6118 OrderNotFound: "The trader has no order with this id in this market; it may have been filled or cancelled";
    6119 TooManyOrders: "The trader already has 16 orders in this market; cancel one first";
    6120 DuplicateClientId: "Another order of the trader in this market has this client id; choose another or use 0";
    6121 OrderTooSmall: "The order is smaller than the market's least position, or would wait and is worth less than its least order; enlarge it or make it reduce-only";
    6122 OrderExpired: "The order's expiry is in the past; set a later one or 0 for none";
    6123 NothingToReduce: "There is no position that this reduce-only order could make smaller";
    6124 PostOnlyCrosses: "A post-only order would trade at once; move its price away from the other side";
    6125 NotFilled: "The order could not be filled whole; pass more makers, or use immediate-or-cancel";
    6126 SelfTrade: "The order would meet one of the trader's own; cancel that one or choose another mode";
    6127 NothingFilled: "No order of the book could be filled; pass the makers of the best orders in book order";
    6128 BookFull: "The book has no room for another order on this side; try again later";
    6129 BookLayout: "The book account does not hold a book of this version";
    6130 TriggerNotReached: "The oracle price has not reached the trigger; wait";
    6131 LiquidationSkipsBook: "The book pays more than the liquidator would; pass the makers of the best orders in book order";
    6132 BookCanAbsorb: "The book can take lots of the bankrupt position; liquidate into it first";
    6133 RiskBook: "Risk book: impact notional, funding cap, keeper fee, reward or least order out of bounds; docs/RISK_BOUNDS.md";

    // --- settlement ---
    6134 Unbalanced: "The legs of the instruction do not net to zero; nothing was changed; report it";

    // --- orders ---
    6135 TooManyReduceOnly: "The trader already has 4 reduce-only orders in this market; cancel one first";
    6136 ExpiryTooFar: "The order's expiry is more than ten years ahead; state it in seconds, not in milliseconds";
    6137 TriggerNeverFills: "A stop-loss whose worst price lies beyond its trigger can never fill; a long's worst is at most the trigger, a short's at least";

    // --- delegates ---
    6138 DelegateMayNotBlockTrade: "The delegate may not sign block trades; the owner signs, or lets it with set_delegate";

    // --- orders without queues ---
    6139 QueuesMissing: "The queues of the market are missing; a post-only order alone goes without, and without both";

    // --- held profit ---
    6150 ProfitIsHeld: "The market is short and holds this profit; trade without using it for another order or position";
    6151 ProfitNotDue: "Nothing is released: the market is short of all it holds, or no newer price was recorded in a later slot than it was held";

    // --- staged changes ---
    6160 StagedMismatch: "The id is not that of the staged change, or the change is of another kind or target; read the account again";
    6161 StagedTooEarly: "The staged change is not due; apply it from its slot on";
    6162 StagedExpired: "The staged change has expired; clear it away with cancel_staged and stage it again";
    6163 StagedStale: "What was staged no longer fits: its target or the holder of the role has changed since; cancel it and stage it again";
    6164 StagedExists: "A change of this kind is already staged for this target; cancel it first";
    6165 MayNotCancel: "The signer may not cancel this change: the guardian, the admin and its proposer may, of the admin's role the guardian alone, of the guardian's the admin alone";
    6166 DelayOutOfRange: "A delay is at most 6,480,000 slots, and that of risk parameters not above that of the rest";
    6167 DelayNotRaised: "Only longer delays take effect at once; stage a shorter one";
    // 6168 is not given again.
    6169 DurableNonce: "An authority's transaction may not be kept for later: sign it with a recent blockhash, not with a durable nonce";
    6170 WrongInstructionsSysvar: "The account is not the sysvar of the transaction's instructions";

    // --- pauses ---
    6180 PauseTooLong: "A pause lasts 1 to 216,000 slots; what ends earlier ends by itself";
    6181 TooManyPauses: "This authority has begun three pauses within seven days; wait, or lift the one there is";

    // --- modes and ends of markets ---
    6200 MarketReduceOnly: "The market is reduce-only, so its open interest may not rise; trade with somebody who closes";
    6201 MarketEnded: "The market has ended or been settled; begin_settlement and settle_position pay everybody out";
    6202 MarketTrades: "The market has not ended; trade or wait";
    6203 OracleAlive: "The oracle is not dead: the last price recorded is not old enough, or the end is foreseen already";
    6204 EndNotDue: "No end of the market is foreseen, or it has not come; wait for it";
    6205 MarketInsolvent: "Somebody's equity is below zero at the market's price; liquidate or deleverage first";
    6206 MarketNotEmpty: "Positions, orders or held profit are left in the market; settle them first";
    6207 WrongRentPayer: "The account is not the one that gets the rent of the market's queues and book: the key the market has recorded, else the admin's";
    6208 CounterpartyCanBeCut: "Somebody can still be cut for this position; execute the session";
    6209 NotFarthestBankrupt: "Another bankrupt position lies farther beyond the last price; deleverage that one first";
    6210 ClaimsNotCounted: "Deficits were written off and the claims are not counted; count_claims first";
    6211 NothingToCount: "Nothing was written off, or all claims are counted; settle_position pays everybody out";
    6212 MarginAfterWriteOff: "Deficits were written off in this market, so no more margin goes in; settle_position pays it out";
    6213 InsuranceRestNotDue: "Insurance is paid out of a market that is closed, 30 days after its end";
    6214 InsuranceNotLevel: "The insurance vault does not hold what the ledger says; sweep_insurance first";

    // --- migrations ---
    6220 AccountOutdated: "The account has the layout of an earlier release; anybody brings it up to date with migrate_exchange, migrate_market, migrate_queue, migrate_book or migrate_trader, which `ballast migrate` sends; an old session is closed with close_adl_session";

    // --- payouts of fees ---
    6230 FeesPaidToday: "Fees of this market were paid out within the last day; wait for its end";
    6231 FeesReserved: "The market has no fees beyond its reserve, or less than four atoms; nothing is paid out";
    6232 InsuranceDrawn: "What insurance paid lately counts for its cap; fees stay until that is forgotten";
    6233 WrongTreasury: "The account is not the exchange's treasury; where there is none the admin stages one first";

    // --- staged changes of markets and pauses ---
    6240 MarketEnding: "The market is to end, so it is not opened again, and keeps its price source";
    6241 MarketNotReduceOnly: "The market is not reduce-only, so there is nothing to open again";
    6242 LongPauseInvalid: "A staged pause stops opening and taking margin out, nothing else, for 1 to 6,480,000 slots; without flags and slots it lifts the one there is";
    6243 OracleUnits: "Another price source keeps the market's tick, lot and tick value; state them as the market has them";
    6244 OracleUnchanged: "This is the market's price source already";
    6245 OraclesUndecided: "The two prices differ, and their publish times or their confidence may be why; show newer ones";
    6246 OraclesApart: "The two sources price something else: show both to witness_oracle, after which the change is void";
    6247 OracleNotWitnessed: "The two sources have not been shown to agree for nine tenths of the delay; go on calling witness_oracle";

    // --- stakes ---
    6250 InsuranceLimited: "Insurance has paid all that its cap allows and takes no stakes until it pays again";
    6251 StakeFloor: "Insurance has no more than the floor of its market, so nothing is unstaked now";
    6252 ExitTooLittle: "Less would be paid than the least that was asked for";
    6253 WrongStakes: "The stakes are not those of the market";
    6254 StakesInvariant: "The invariant of the stakes does not hold";

    // --- pools and shares ---
    6260 WrongPool: "The pool is not that of the market, or the trader account not the pool's own";
    6261 PoolClosed: "The pool winds down, so it takes no deposits";
    6262 DepositTooSmall: "A deposit is worth at least one unit of the quote currency";
    6263 WrongFund: "The account is no fund: neither a market's pool nor its stakes";
    6264 SharesLeft: "The account has shares of its fund; take them out first";
    6265 PoolInvariant: "The pool's invariant does not hold";
    6266 PoolHasPosition: "The pool has a position or held profit in the market; liquidate, unwind or settle it first";
    6267 PoolUnhealthy: "The pool's position is below maintenance, so nobody leaves; it is liquidated or given margin first";
    6268 NothingPayable: "The shares are worth nothing now, or all of the pool's free collateral is needed by its position";
    6269 PoolNotSpent: "Enough is left in the pool for those who have shares; only a spent pool is reset";

    // --- takes and unwinds of pools ---
    6272 PoolCannotTake: "The pool takes none of these lots: its discount, cap, window, drawdown or mode forbid it";
    6273 UnwindTooEarly: "The pool was unwound a moment ago; wait for its interval";
    6274 NothingToSync: "The margin of the pool's position is what it is to be, or nothing may be moved to it";

    // --- protective steps ---
    6276 ProtectiveSteps: "Protective steps: 1 to 4, margin ratios falling within 10,001 to 1,000,000 bps of maintenance, kept parts falling below 10,000 bps, slip 1 to 5,000 bps";
    6277 ProtectionEnded: "The position that these steps were set for has ended, or none were set; set them for the one of today";
    6278 ProtectionNotReached: "The position's margin ratio is not below a step that would reduce it; wait";
    6279 WrongProtection: "The protective steps are not those of the trader account in this market";

    // --- funds ---
    6285 PoolParams: "Pool parameters: out of their bounds, or an unwind that may cost more than a take earns; docs/POOL.md";
    6286 FundFull: "A fund has at most 2^62 shares; deposit less";
    6287 FundSpent: "So little is left in the fund that no deposit may share in it";
    6288 SharesMissing: "There are not so many shares in this account";
    6289 RequestMissing: "Nothing was requested; request first, and come back after the delay";
    6290 RequestTooEarly: "The delay of the request is not over yet";
    6291 RequestLapsed: "The time in which the request was paid is over; request again";

    // --- cross margin ---
    6300 CrossDisabled: "The market has no cross margin; use isolated positions";
    6301 CrossEnabledAlready: "The market has cross margin already";
    6302 CrossTolerance: "Cross margin needs a rank tolerance of 200 bps or more; stage it first";
    6303 CrossLimits: "Cross margin: lots above 0, part to 10,000 bps, age 1 to 100 slots";
    6304 BoardFull: "The board is full";
    6305 BoardLayout: "Not a board of this version";
    6306 WrongBoard: "Not the board; derive its address";
    6307 WrongCrossQueue: "A cross queue comes zeroed, writable, rent exempt and with room for 16 legs";
    6308 CrossQueueMissing: "Pass the cross queue that is logged, before other accounts";
    6309 CrossMarkStale: "The board's mark of another leg is too old; record it first";
    6310 CrossMarkFrozen: "The board's mark of another leg is frozen; wait until it is recorded";
    6312 CrossRecordStale: "A record would flatter the account; pass the cross queue that is logged";
    6313 CrossTooManyLegs: "A cross account has at most 4 legs; close one first";
    6314 CrossBelowInitial: "The account would hold less than initial margin without unrealised profit; move collateral to it";
    6315 CrossLegOrder: "The leg with the largest maintenance margin is first; take that market";
    6317 CrossHasOrders: "The position has orders, triggers or a flag; cancel them, or wait";
    6318 CrossDepositStays: "What came into the pool in this slot stays until the next";
    6319 CrossLegsOpen: "Legs are open in this market; part with them first";
    6320 CrossRanked: "Legs stand in this market's ranking; use auto_deleverage_cross";
    6321 AdlStaleCounterparty: "The account that is logged may rank above the last one cut; list or refresh it";
    6322 CrossLegThere: "An account is isolated or cross in a market; convert it first";
}

impl fmt::Display for BallastError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl core::error::Error for BallastError {}

impl From<BallastError> for u32 {
    fn from(error: BallastError) -> Self {
        error.number()
    }
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
            EngineError::TooManyReduceOnly => Self::TooManyReduceOnly,
            EngineError::ExpiryTooFar => Self::ExpiryTooFar,
            EngineError::LayoutOutdated => Self::AccountOutdated,
            EngineError::Unbalanced => Self::Unbalanced,
            EngineError::MarketReduceOnly => Self::MarketReduceOnly,
            EngineError::MarketEnded => Self::MarketEnded,
            EngineError::MarketTrades => Self::MarketTrades,
            EngineError::OracleAlive => Self::OracleAlive,
            EngineError::EndNotDue => Self::EndNotDue,
            EngineError::MarketInsolvent => Self::MarketInsolvent,
            EngineError::MarketNotEmpty => Self::MarketNotEmpty,
            EngineError::FeesPaidToday => Self::FeesPaidToday,
            EngineError::FeesReserved => Self::FeesReserved,
            EngineError::InsuranceDrawn => Self::InsuranceDrawn,
            EngineError::PoolCannotTake => Self::PoolCannotTake,
            EngineError::UnwindTooEarly => Self::UnwindTooEarly,
            EngineError::NothingToSync => Self::NothingToSync,
            EngineError::PoolParams => Self::PoolParams,
            EngineError::ProtectiveSteps => Self::ProtectiveSteps,
            EngineError::FundFull => Self::FundFull,
            EngineError::FundSpent => Self::FundSpent,
            EngineError::SharesMissing => Self::SharesMissing,
            EngineError::RequestMissing => Self::RequestMissing,
            EngineError::RequestTooEarly => Self::RequestTooEarly,
            EngineError::RequestLapsed => Self::RequestLapsed,
        }
    }
}

impl From<PriceFault> for BallastError {
    fn from(fault: PriceFault) -> Self {
        EngineError::from(fault).into()
    }
}

/// Fails with `error` unless `condition` holds.
#[inline]
pub const fn ensure<E: Copy>(condition: bool, error: E) -> core::result::Result<(), E> {
    if condition {
        Ok(())
    } else {
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_lead_back() {
        let mut before = 5_999;
        for error in BallastError::ALL {
            let number = error.number();
            assert!(number > before, "{}", error.name());
            assert_eq!(BallastError::of_number(number), Some(*error));
            before = number;
        }
        assert_eq!(BallastError::of_number(5_999), None);
        assert_eq!(BallastError::of_number(before + 1), None);
    }

    #[test]
    fn an_error_of_the_engine_keeps_its_meaning() {
        assert_eq!(
            BallastError::from(EngineError::SelectionUnderWay),
            BallastError::AdlSessionUnderWay
        );
        assert_eq!(BallastError::from(EngineError::Healthy).name(), "Healthy");
    }
}
