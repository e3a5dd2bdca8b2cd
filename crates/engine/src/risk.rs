//! Risk parameters of a market, laid out to live inside an account.

mod bounds;
mod validate;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;

pub use bounds::{
    gap_bps, Bound, Measure, DEFAULT_DIVERGENCE_GRACE_SECONDS, DEFAULT_ORACLE_DEAD_SECONDS,
    DEFAULT_PRICE_AGE_SECONDS, LEAST_INITIAL_MARGIN_BPS, MAX_FUNDING_RATE_PPM, MAX_LADDER_STEPS,
    MAX_TIERS, MOST_LIQUIDATION_COST_BPS, RESERVE_REWARDS, TABLE,
};

/// A bracket of notional. Its margins apply to the part of a position between
/// the limit of the tier before it and its own.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[cfg_attr(
    feature = "borsh",
    derive(borsh::BorshSerialize, borsh::BorshDeserialize)
)]
pub struct RiskTier {
    /// Upper end of the bracket, atoms. The last one is the largest notional that
    /// may be opened; its margins also apply beyond it.
    pub notional_limit_atoms: u64,
    /// Initial margin of the bracket, basis points, up to 10,000.
    pub initial_margin_bps: u32,
    /// Maintenance margin of the bracket, basis points, below the initial.
    pub maintenance_margin_bps: u32,
}

/// A step of the liquidation ladder.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[cfg_attr(
    feature = "borsh",
    derive(borsh::BorshSerialize, borsh::BorshDeserialize)
)]
pub struct LadderStep {
    /// The step applies while equity / maintenance is above this, basis points.
    pub above_ratio_bps: u32,
    /// Largest part of the position one liquidation may close, basis points.
    pub close_bps: u32,
}

/// Parameters of auto-deleveraging.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[cfg_attr(
    feature = "borsh",
    derive(borsh::BorshSerialize, borsh::BorshDeserialize)
)]
pub struct AdlParams {
    /// How much more a position left out may score than the last one cut,
    /// basis points; 0 is exact.
    pub rank_tolerance_bps: u32,
    /// Largest part of a counterparty that one pass may close, basis points.
    pub max_close_bps: u32,
    /// Least profit at the mark, basis points of the entry, to rank as a winner.
    pub min_profit_bps: u32,
    /// Zero.
    pub _pad: u32,
    /// Slots after a bankruptcy flag from which insurance no longer delays ADL.
    pub grace_slots: u64,
    /// Reward of a round, atoms, from the market's fees.
    pub reward_atoms: u64,
}

/// Everything a market's risk authority sets. 320 bytes, no padding.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[cfg_attr(
    feature = "borsh",
    derive(borsh::BorshSerialize, borsh::BorshDeserialize)
)]
pub struct RiskParams {
    /// Margin brackets, ascending; the first `tier_count` are in use.
    pub tiers: [RiskTier; MAX_TIERS],
    /// Liquidation ladder, ratios descending; the first `ladder_count` are in use.
    /// Below the last ratio everything may be closed.
    pub ladder: [LadderStep; MAX_LADDER_STEPS],
    /// Tiers in use, 1..=4.
    pub tier_count: u32,
    /// Ladder steps in use, 0..=4.
    pub ladder_count: u32,
    /// Least slots between two partial liquidations of one position.
    pub ladder_interval_slots: u64,
    /// Smallest position that may be left open, lots.
    pub min_position_lots: u64,
    /// Largest position that may be opened, lots.
    pub max_position_lots: u64,
    /// Largest sum of long lots.
    pub max_open_interest_lots: u64,
    /// Liquidator's discount when the position is flagged, basis points.
    pub liquidation_discount_bps: u32,
    /// Liquidator's discount at the end of the ramp, basis points.
    pub liquidation_discount_max_bps: u32,
    /// Slots from the flag to the highest discount; 0 is at once.
    pub discount_ramp_slots: u64,
    /// Insurance's part of a liquidation, basis points of the closed notional.
    pub liquidation_fee_bps: u32,
    /// What a liquidation restores above maintenance, basis points of it.
    pub liquidation_buffer_bps: u32,
    /// Farthest trade price from the mark, basis points of the mark.
    pub price_band_bps: u32,
    /// Taker's fee, basis points of the notional.
    pub taker_fee_bps: u32,
    /// Maker's fee, basis points of the notional; a rebate when negative, paid from the
    /// taker's fee and never more than that.
    pub maker_fee_bps: i32,
    /// Part of trading fees that goes to insurance, basis points.
    pub insurance_fee_share_bps: u32,
    /// Funding paid by longs, millionths of the notional an hour; shorts pay when
    /// negative.
    pub funding_rate_ppm_per_hour: i32,
    /// Most that insurance pays in any interval of the window's length, basis points of what it would
    /// own had it paid nothing in it; 10,000 is no cap.
    pub insurance_draw_cap_bps: u32,
    /// Length of an insurance window, slots.
    pub insurance_window_slots: u64,
    /// Oldest usable price, seconds, `5..=30`: for funding, and for a position flagged in an earlier
    /// slot at an earlier price.
    pub oracle_max_age_seconds: u64,
    /// Widest usable confidence, basis points of the price.
    pub oracle_max_conf_bps: u32,
    /// Farthest price from its moving average that is not held up, basis points of the average.
    pub oracle_max_ema_divergence_bps: u32,
    /// Auto-deleveraging.
    pub adl: AdlParams,
    /// Notional to which both sides of the book are averaged for the funding premium, atoms;
    /// 0: funding is the base rate alone, whatever the book.
    pub impact_notional_atoms: u64,
    /// Paid to whoever removes a maker order that cannot be filled (by its maker) or executes a
    /// trigger (by its trader), atoms.
    pub keeper_fee_atoms: u64,
    /// Highest absolute funding rate, base and premium together, millionths an hour; unused
    /// while `impact_notional_atoms` is 0.
    pub max_funding_rate_ppm: u32,
    /// Most that a liquidator earns on lots the book takes, basis points of their notional, out
    /// of what the book pays above the liquidator's own price.
    pub book_reward_bps: u32,
    /// Oldest price for everything else but reducing, seconds, `5..=15`; 0 is 10. Never more than
    /// `oracle_max_age_seconds`.
    pub price_age_seconds: u32,
    /// How long prices have to be far from their average before they serve for everything, seconds,
    /// `10..=120`; 0 is 30.
    pub divergence_grace_seconds: u32,
    /// Fees that are never paid out, atoms: they pay the keepers who rescue the market. At least
    /// [`RESERVE_REWARDS`] rewards of deleveraging; 0 is that.
    pub fee_reserve_atoms: u64,
    /// Least worth of an order that opens and waits in the book, atoms; 0 is the default, 100 units
    /// of the quote currency.
    pub min_order_atoms: u64,
    /// Seconds without a price fit to be recorded after which anybody may declare the oracle dead,
    /// at least [`DEFAULT_ORACLE_DEAD_SECONDS`]; 0 is that.
    pub oracle_dead_seconds: u64,
    /// Insurance that has paid all that its cap allows pays again when what it paid lately is no more
    /// than this, basis points as of the cap; below the cap. 0: with whatever the cap leaves.
    pub insurance_resume_bps: u32,
    /// Part of what insurance earns that goes to the stakes, basis points.
    pub stake_income_bps: u32,
    /// Insurance, the stakes included, is not unstaked below this, atoms.
    pub stake_floor_atoms: u64,
    /// Equity over maintenance margin, basis points, at and below which the liquidator's discount is
    /// the last one at once; from 100% down to it the discount grows in a straight line. 0: it grows
    /// with time alone.
    pub discount_full_ratio_bps: u16,
    /// Most that volatility multiplies initial margin by, basis points: see [`crate::volatility`]. 0: it
    /// is not multiplied.
    pub margin_multiplier_max_bps: u16,
    /// Open interest above which initial margin rises, basis points of [`Self::max_open_interest_lots`];
    /// below [`Self::open_interest_upper_bps`]. Zero where that is.
    pub open_interest_lower_bps: u16,
    /// Open interest at which initial margin is the whole notional, basis points of
    /// [`Self::max_open_interest_lots`]: see [`crate::margin::initial_margin`]. 0: it does not rise.
    pub open_interest_upper_bps: u16,
}

const _: () = assert!(core::mem::size_of::<RiskParams>() == 320);
const _: () = assert!(core::mem::align_of::<RiskParams>() == 8);

impl RiskParams {
    /// Tiers in use.
    pub fn active_tiers(&self) -> Result<&[RiskTier], EngineError> {
        first(&self.tiers, self.tier_count).ok_or(EngineError::RiskTiers)
    }

    /// Ladder steps in use.
    pub fn active_ladder(&self) -> Result<&[LadderStep], EngineError> {
        first(&self.ladder, self.ladder_count).ok_or(EngineError::RiskLadder)
    }

    /// Oldest price for opening, for taking margin out, and for what is done to a position without
    /// an earlier flag, seconds.
    #[must_use]
    pub fn price_age(&self) -> u64 {
        let seconds = match self.price_age_seconds {
            0 => DEFAULT_PRICE_AGE_SECONDS,
            seconds => seconds,
        };
        u64::from(seconds).min(self.oldest_price_age())
    }

    /// Oldest price that serves for anything but reducing, seconds.
    #[must_use]
    pub fn oldest_price_age(&self) -> u64 {
        self.oracle_max_age_seconds
            .min(bounds::ORACLE_MAX_AGE.most.unsigned_abs())
    }

    /// Seconds without a price after which the oracle may be declared dead.
    #[must_use]
    pub const fn oracle_dead(&self) -> u64 {
        match self.oracle_dead_seconds {
            0 => DEFAULT_ORACLE_DEAD_SECONDS,
            seconds => seconds,
        }
    }

    /// Fees that are never paid out, atoms.
    ///
    /// # Errors
    /// `Overflow` for a reward beyond any that is allowed.
    pub fn fee_reserve(&self) -> Result<u64, EngineError> {
        let least = self.adl.reward_atoms.checked_mul(RESERVE_REWARDS);
        let least = least.ok_or(EngineError::Overflow)?;
        Ok(self.fee_reserve_atoms.max(least))
    }

    /// How long prices have to be far from their average before they serve for everything, seconds.
    #[must_use]
    pub const fn divergence_grace(&self) -> u32 {
        match self.divergence_grace_seconds {
            0 => DEFAULT_DIVERGENCE_GRACE_SECONDS,
            seconds => seconds,
        }
    }
}

fn first<T>(all: &[T], count: u32) -> Option<&[T]> {
    all.get(..usize::try_from(count).ok()?)
}

#[cfg(test)]
mod tests;
