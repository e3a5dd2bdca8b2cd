//! Between what a market's parameters may lie, whoever sets them, and why.
//!
//! [`TABLE`] is the table of docs/RISK_BOUNDS.md, which also derives [`gap_bps`].

use crate::breach::Breach;
use crate::error::EngineError;

/// Most risk tiers.
pub const MAX_TIERS: usize = 4;
/// Most ladder steps.
pub const MAX_LADDER_STEPS: usize = 4;
/// Highest absolute funding rate, millionths of the notional an hour.
pub const MAX_FUNDING_RATE_PPM: u32 = 10_000;
/// What 0 stands for in `RiskParams::price_age_seconds`.
pub const DEFAULT_PRICE_AGE_SECONDS: u32 = 10;
/// What 0 stands for in `RiskParams::divergence_grace_seconds`.
pub const DEFAULT_DIVERGENCE_GRACE_SECONDS: u32 = 30;
/// What 0 stands for in `RiskParams::oracle_dead_seconds`, and the least it may be: a day.
pub const DEFAULT_ORACLE_DEAD_SECONDS: u64 = 86_400;
/// Least initial margin, whatever the age of prices, basis points.
pub const LEAST_INITIAL_MARGIN_BPS: u32 = 100;
/// Most of a closed notional that a liquidation takes from its owner, discount and fee together,
/// basis points.
pub const MOST_LIQUIDATION_COST_BPS: u32 = 500;
/// Rewards of deleveraging that a market's fees pay before any of them is paid out.
pub const RESERVE_REWARDS: u64 = 100;
/// Youngest limit for the age of a price, seconds: that of the first figure of [`GAP_BPS`].
const FIRST_GAP_SECONDS: u64 = 5;

/// What a price moves within 5, 6, ... 15 seconds in the tail, basis points: 79 x sqrt(seconds).
const GAP_BPS: [u32; 11] = [177, 194, 209, 223, 237, 250, 262, 274, 285, 296, 306];

/// What a price moves in the tail before anybody has to act on it, basis points, where prices serve
/// for `price_age` seconds; see docs/RISK_BOUNDS.md.
#[must_use]
pub fn gap_bps(price_age: u64) -> u32 {
    let index = price_age
        .max(FIRST_GAP_SECONDS)
        .wrapping_sub(FIRST_GAP_SECONDS);
    let [.., last] = GAP_BPS;
    let figure = usize::try_from(index).ok().and_then(|at| GAP_BPS.get(at));
    figure.copied().unwrap_or(last)
}

const _: () = {
    let [first, ..] = GAP_BPS;
    assert!(LEAST_INITIAL_MARGIN_BPS <= first);
    assert!(FUNDING_RATE.most == 10_000 && MAX_FUNDING_RATE_PPM == 10_000);
};

/// What the numbers of a bound count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// What the field counts.
    Number,
    /// Whole units of the quote currency, of a field in atoms.
    Units,
}

/// Between what a field may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The field of [`RiskParams`](super::RiskParams); `[]` where there are several of it.
    pub field: &'static str,
    /// Least value.
    pub least: i64,
    /// Most.
    pub most: i64,
    /// What both count.
    pub measure: Measure,
    /// Whether 0 is allowed as well: a default, or nothing of the kind.
    pub or_zero: bool,
    /// The refusal of anything else.
    pub error: EngineError,
    /// Why.
    pub reason: &'static str,
}

impl Bound {
    /// Refuses a value outside the bound. Amounts are not judged where the atoms of one unit of the
    /// quote currency are not known.
    #[inline(never)]
    pub(super) fn admit(&self, value: impl Into<i128>, unit: Option<u64>) -> Result<(), Breach> {
        self.admit_at(0, value.into(), unit)
    }

    /// The same for one field of several.
    #[inline(never)]
    pub(super) fn admit_at(
        &self,
        place: usize,
        value: i128,
        unit: Option<u64>,
    ) -> Result<(), Breach> {
        let scale = match (self.measure, unit) {
            (Measure::Number, _) => 1,
            (Measure::Units, Some(atoms)) => i128::from(atoms),
            (Measure::Units, None) => return Ok(()),
        };
        if self.or_zero && value == 0 {
            return Ok(());
        }
        // 64 bits each.
        let scaled = |bound: i64| i128::from(bound).wrapping_mul(scale);
        self.hold_at(place, value, scaled(self.least), scaled(self.most))
    }

    /// Refuses a value that is not within `least..=most`, which other fields set.
    #[inline(never)]
    pub(super) fn hold_at(
        &self,
        place: usize,
        value: i128,
        least: i128,
        most: i128,
    ) -> Result<(), Breach> {
        let breach = Breach {
            of: "risk",
            field: self.field,
            place,
            value,
            least,
            most,
            error: self.error,
        };
        breach.unless_within()
    }
}

/// Declares the bounds. The reason of each is its documentation.
macro_rules! bounds {
    ($($name:ident $field:literal $least:literal..=$most:literal $measure:ident $zero:literal $error:ident $reason:literal;)*) => {
        $(
            #[doc = $reason]
            pub(super) const $name: Bound = Bound {
                field: $field,
                least: $least,
                most: $most,
                measure: Measure::$measure,
                or_zero: $zero,
                error: EngineError::$error,
                reason: $reason,
            };
        )*

        /// Every bound that a constant sets.
        pub const TABLE: &[Bound] = &[$($name),*];
    };
}

bounds! {
    TIER_COUNT "tier_count" 1..=4 Number false RiskTiers
        "four brackets fit the account";
    NOTIONAL_LIMIT "tiers[].notional_limit_atoms" 1..=1_000_000_000 Units false RiskTiers
        "one account is not the market: a billion is beyond what insurance and a queue can close";
    INITIAL_MARGIN "tiers[].initial_margin_bps" 100..=10_000 Number false RiskTiers
        "at least 1%, and maintenance and a gap more; above 100% nobody borrows";
    MAINTENANCE_MARGIN "tiers[].maintenance_margin_bps" 1..=5_000 Number false RiskTiers
        "at least a gap; a position at 2x stays possible";
    LADDER_COUNT "ladder_count" 0..=4 Number false RiskLadder
        "four steps fit the account";
    LADDER_RATIO "ladder[].above_ratio_bps" 0..=9_999 Number false RiskLadder
        "a step applies below maintenance";
    LADDER_CLOSE "ladder[].close_bps" 1_000..=10_000 Number false RiskLadder
        "less than a tenth a step leaves a falling position open for too long";
    LADDER_INTERVAL "ladder_interval_slots" 0..=150 Number false RiskLadder
        "a minute between two steps: ten steps take ten minutes at most";
    MIN_POSITION "min_position_lots" 1..=42_949_672 Number false RiskSizes
        "a hundredth of the largest at most: whoever is in gets out in parts";
    MAX_POSITION "max_position_lots" 100..=4_294_967_295 Number false RiskSizes
        "what a node of the queue holds";
    MAX_OPEN_INTEREST "max_open_interest_lots" 1..=562_949_953_290_240 Number false RiskSizes
        "the largest position for each of 131,072, more than a queue holds; at least the least position";
    DISCOUNT "liquidation_discount_bps" 0..=500 Number false RiskLiquidation
        "never more than the last discount";
    DISCOUNT_MAX "liquidation_discount_max_bps" 0..=500 Number false RiskLiquidation
        "discount and fee take at most half of the least maintenance margin, and 5%";
    DISCOUNT_RAMP "discount_ramp_slots" 0..=1_500 Number false RiskLiquidation
        "ten minutes: a longer ramp has nobody come while the price moves on";
    FULL_RATIO "discount_full_ratio_bps" 0..=9_999 Number false RiskLiquidation
        "below maintenance margin, where a liquidation begins; 0: the discount grows with time alone";
    LIQUIDATION_FEE "liquidation_fee_bps" 0..=500 Number false RiskLiquidation
        "discount and fee take at most half of the least maintenance margin, and 5%";
    LIQUIDATION_BUFFER "liquidation_buffer_bps" 0..=10_000 Number false RiskLiquidation
        "twice maintenance at most is restored";
    PRICE_BAND "price_band_bps" 10..=3_000 Number false RiskBand
        "what a delegate can lose in a trade there and back is twice the band; below 0.1% nothing trades";
    TAKER_FEE "taker_fee_bps" 0..=100 Number false RiskFees
        "a fee of 1% is that of a spot broker; a fifth of the least initial margin at 20x";
    MAKER_FEE "maker_fee_bps" -100..=100 Number false RiskFees
        "as the taker's, which a rebate never exceeds";
    INSURANCE_SHARE "insurance_fee_share_bps" 0..=10_000 Number false RiskFees
        "a part of a whole";
    FUNDING_RATE "funding_rate_ppm_per_hour" -10_000..=10_000 Number false RiskFunding
        "1% an hour; what an hour takes is less than any maintenance margin";
    MAX_FUNDING_RATE "max_funding_rate_ppm" 0..=10_000 Number false RiskBook
        "as the base rate, which it covers";
    IMPACT_NOTIONAL "impact_notional_atoms" 50..=10_000_000 Units true RiskBook
        "an average over less is set by one order of nobody's size; 0: the base rate alone";
    DRAW_CAP "insurance_draw_cap_bps" 100..=10_000 Number false RiskInsurance
        "insurance that pays nothing leaves every deficit to winners";
    WINDOW "insurance_window_slots" 150..=1_512_000 Number false RiskInsurance
        "in a minute a cap is none; after a week it never opens again";
    ORACLE_MAX_AGE "oracle_max_age_seconds" 5..=30 Number false RiskOracle
        "a younger limit stops liquidation when a feed lags; an older one is a choice of prices";
    CONFIDENCE "oracle_max_conf_bps" 20..=1_000 Number false RiskOracle
        "a narrower limit stops liquidation on any busy day; beyond 10% a price says little";
    DIVERGENCE "oracle_max_ema_divergence_bps" 500..=10_000 Number false RiskOracle
        "a narrower limit stops liquidation in every fall; beyond twice its average a price is suspect";
    PRICE_AGE "price_age_seconds" 5..=15 Number true RiskOracle
        "the gap of the margins grows with it; 0: 10";
    DIVERGENCE_GRACE "divergence_grace_seconds" 10..=120 Number true RiskOracle
        "two or more recorded prices; two minutes at most without liquidation; 0: 30";
    RANK_TOLERANCE "adl.rank_tolerance_bps" 0..=1_000 Number false RiskAdl
        "whom a keeper may pass over scores at most a tenth more";
    MAX_CLOSE "adl.max_close_bps" 500..=10_000 Number false RiskAdl
        "20 passes reach everything of a counterparty";
    MIN_PROFIT "adl.min_profit_bps" 0..=1_000 Number false RiskAdl
        "who has won a tenth is a winner";
    GRACE "adl.grace_slots" 0..=9_000 Number false RiskAdl
        "an hour: a bankrupt position does not wait longer for insurance";
    ADL_REWARD "adl.reward_atoms" 0..=10 Units false RiskAdl
        "the fees of a transaction many times over; what fees pay out for rounds of one lot stays small";
    KEEPER_FEE "keeper_fee_atoms" 0..=1 Units false RiskBook
        "16 expired orders of an account cost it 16 units";
    BOOK_REWARD "book_reward_bps" 0..=100 Number false RiskBook
        "out of what the book pays above the liquidator's price; the victim keeps the rest";
    MIN_ORDER "min_order_atoms" 0..=10_000 Units false RiskBook
        "a larger least order keeps everybody but a few out of the book; 0: 100 units";
    ORACLE_DEAD "oracle_dead_seconds" 86_400..=2_592_000 Number true RiskOracle
        "a feed that pauses for a night is not dead; after 30 days nobody waits any longer; 0: a day";
    FEE_RESERVE "fee_reserve_atoms" 0..=1_000_000 Units false RiskFees
        "a hundred rewards of deleveraging at least, which 0 stands for; a million units keep no exchange's earnings from it for good";
    RESUME "insurance_resume_bps" 1..=9_999 Number true RiskInsurance
        "below the cap, or insurance that has paid all it may would pay on at once; 0: it does";
    STAKE_INCOME "stake_income_bps" 0..=10_000 Number false RiskInsurance
        "who bears the losses after fees and donations may have all that they earn";
    STAKE_FLOOR "stake_floor_atoms" 0..=1_000_000_000 Units false RiskInsurance
        "what insurance is not unstaked below; its own money counts";
    MARGIN_MULTIPLIER "margin_multiplier_max_bps" 10_000..=50_000 Number true RiskTiers
        "volatility never lowers margin, and five times the margin of calm days keeps everybody out; 0: it does not count";
    INTEREST_LOWER "open_interest_lower_bps" 0..=10_000 Number false RiskTiers
        "of the largest open interest, which is never exceeded; below the upper one, and 0 where that is";
    INTEREST_UPPER "open_interest_upper_bps" 1..=30_000 Number true RiskTiers
        "beyond the largest open interest the whole notional is never asked for; 0: margin does not rise with it";
}
