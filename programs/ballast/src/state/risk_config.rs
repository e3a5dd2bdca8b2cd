//! The engine's risk parameters as the program stores and receives them.
//!
//! Same fields, same bytes as [`ballast_engine::risk::RiskParams`]; these types exist so that
//! accounts, instruction arguments and the IDL can name them. Conversion is a cast.

use anchor_lang::prelude::*;
use ballast_engine::risk;
use bytemuck::{Pod, Zeroable};

/// A bracket of notional. See [`risk::RiskTier`].
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct RiskTier {
    /// Upper end of the bracket, atoms.
    pub notional_limit_atoms: u64,
    /// Initial margin of the bracket, basis points.
    pub initial_margin_bps: u32,
    /// Maintenance margin of the bracket, basis points.
    pub maintenance_margin_bps: u32,
}

/// A step of the liquidation ladder. See [`risk::LadderStep`].
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct LadderStep {
    /// The step applies while equity / maintenance is above this, basis points.
    pub above_ratio_bps: u32,
    /// Largest part of the position one liquidation may close, basis points.
    pub close_bps: u32,
}

/// Parameters of auto-deleveraging. See [`risk::AdlParams`].
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct AdlConfig {
    /// How much more a position left out may score than the last one cut, basis points.
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

/// Everything a market's risk authority sets. See [`risk::RiskParams`] for the ranges.
#[repr(C)]
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
pub struct RiskConfig {
    /// Margin brackets, ascending; the first `tier_count` are in use.
    pub tiers: [RiskTier; risk::MAX_TIERS],
    /// Liquidation ladder, ratios descending; the first `ladder_count` are in use.
    pub ladder: [LadderStep; risk::MAX_LADDER_STEPS],
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
    /// Maker's fee, basis points of the notional.
    pub maker_fee_bps: i32,
    /// Part of trading fees that goes to insurance, basis points.
    pub insurance_fee_share_bps: u32,
    /// Funding paid by longs, millionths of the notional an hour; shorts pay when negative.
    pub funding_rate_ppm_per_hour: i32,
    /// Most that insurance may pay in a window, basis points; 10,000 is no cap.
    pub insurance_draw_cap_bps: u32,
    /// Length of an insurance window, slots.
    pub insurance_window_slots: u64,
    /// Oldest usable price, seconds.
    pub oracle_max_age_seconds: u64,
    /// Widest usable confidence, basis points of the price.
    pub oracle_max_conf_bps: u32,
    /// Farthest usable price from its moving average, basis points of the average.
    pub oracle_max_ema_divergence_bps: u32,
    /// Auto-deleveraging.
    pub adl: AdlConfig,
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
    /// Zero.
    pub reserved: [u64; 7],
}

/// Asserts that a field lies at the same offset in both structs.
macro_rules! same_offset {
    ($ours:ty, $engine:ty: $($field:ident),* $(,)?) => {
        const _: () = {
            assert!(core::mem::size_of::<$ours>() == core::mem::size_of::<$engine>());
            $(assert!(
                core::mem::offset_of!($ours, $field) == core::mem::offset_of!($engine, $field)
            );)*
        };
    };
}

same_offset!(RiskTier, risk::RiskTier:
    notional_limit_atoms, initial_margin_bps, maintenance_margin_bps);
same_offset!(LadderStep, risk::LadderStep: above_ratio_bps, close_bps);
same_offset!(AdlConfig, risk::AdlParams:
    rank_tolerance_bps, max_close_bps, min_profit_bps, _pad, grace_slots, reward_atoms);
same_offset!(RiskConfig, risk::RiskParams:
    tiers, ladder, tier_count, ladder_count, ladder_interval_slots, min_position_lots,
    max_position_lots, max_open_interest_lots, liquidation_discount_bps,
    liquidation_discount_max_bps, discount_ramp_slots, liquidation_fee_bps,
    liquidation_buffer_bps, price_band_bps, taker_fee_bps, maker_fee_bps,
    insurance_fee_share_bps, funding_rate_ppm_per_hour, insurance_draw_cap_bps,
    impact_notional_atoms, keeper_fee_atoms, max_funding_rate_ppm, book_reward_bps,
    insurance_window_slots, oracle_max_age_seconds, oracle_max_conf_bps,
    oracle_max_ema_divergence_bps, adl, reserved);

impl RiskConfig {
    /// The same bytes as the engine's type.
    pub fn params(&self) -> &risk::RiskParams {
        bytemuck::must_cast_ref(self)
    }
}

impl From<risk::RiskParams> for RiskConfig {
    fn from(params: risk::RiskParams) -> Self {
        bytemuck::must_cast(params)
    }
}

impl From<RiskConfig> for risk::RiskParams {
    fn from(config: RiskConfig) -> Self {
        bytemuck::must_cast(config)
    }
}
