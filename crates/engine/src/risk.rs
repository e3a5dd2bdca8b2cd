//! Risk parameters of a market, laid out to live inside an account.

use core::ops::RangeInclusive;

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::units::{BPS_ONE, MAX_LOTS};

/// Most risk tiers.
pub const MAX_TIERS: usize = 4;
/// Most ladder steps.
pub const MAX_LADDER_STEPS: usize = 4;
/// Highest trading fee, basis points.
pub const MAX_FEE_BPS: u32 = 1_000;
/// Highest absolute funding rate, millionths of the notional an hour.
pub const MAX_FUNDING_RATE_PPM: u32 = 10_000;

/// Bounds of the oldest price that serves for anything but reducing, seconds.
pub const OLDEST_PRICE_AGE_SECONDS: RangeInclusive<u64> = 5..=30;
/// Bounds of the oldest price for everything but funding, reducing and what was flagged before,
/// seconds.
pub const PRICE_AGE_SECONDS: RangeInclusive<u32> = 5..=15;
/// What 0 stands for in `RiskParams::price_age_seconds`.
pub const DEFAULT_PRICE_AGE_SECONDS: u32 = 10;
/// Bounds of the time for which prices have to be far from their average, seconds.
pub const DIVERGENCE_GRACE_SECONDS: RangeInclusive<u32> = 10..=120;
/// What 0 stands for in `RiskParams::divergence_grace_seconds`.
pub const DEFAULT_DIVERGENCE_GRACE_SECONDS: u32 = 30;

const ONE: u32 = 10_000;

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
    /// Most that insurance may pay in a window, basis points of its level at the
    /// window's first payment; 10,000 is no cap.
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
    /// Zero.
    pub reserved: [u64; 1],
    /// Least worth of an order that opens and waits in the book, atoms; 0 is the default, 100 units
    /// of the quote currency.
    pub min_order_atoms: u64,
    /// Zero.
    pub reserved2: [u64; 4],
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
            .min(*OLDEST_PRICE_AGE_SECONDS.end())
    }

    /// How long prices have to be far from their average before they serve for everything, seconds.
    #[must_use]
    pub const fn divergence_grace(&self) -> u32 {
        match self.divergence_grace_seconds {
            0 => DEFAULT_DIVERGENCE_GRACE_SECONDS,
            seconds => seconds,
        }
    }

    /// Accepts only parameters under which every other function of this crate
    /// keeps its promises. One `Risk...` error per group.
    pub fn validate(&self) -> Result<(), EngineError> {
        self.validate_tiers()?;
        self.validate_ladder()?;
        self.validate_sizes()?;
        self.validate_liquidation()?;
        let band = (1..=ONE).contains(&self.price_band_bps);
        ensure(band, EngineError::RiskBand)?;
        let fees = self.taker_fee_bps <= MAX_FEE_BPS
            && self.maker_fee_bps.unsigned_abs() <= MAX_FEE_BPS
            && (self.maker_fee_bps >= 0 || self.maker_fee_bps.unsigned_abs() <= self.taker_fee_bps)
            && self.insurance_fee_share_bps <= ONE;
        ensure(fees, EngineError::RiskFees)?;
        let rate = self.funding_rate_ppm_per_hour.unsigned_abs();
        ensure(rate <= MAX_FUNDING_RATE_PPM, EngineError::RiskFunding)?;
        let insurance = self.insurance_draw_cap_bps <= ONE && self.insurance_window_slots > 0;
        ensure(insurance, EngineError::RiskInsurance)?;
        self.validate_oracle()?;
        self.adl.validate()?;
        self.validate_book()?;
        let clear = self.reserved == [0; 1] && self.reserved2 == [0; 4];
        ensure(clear, EngineError::RiskReserved)
    }

    fn validate_tiers(&self) -> Result<(), EngineError> {
        let tiers = self.active_tiers()?;
        ensure(!tiers.is_empty(), EngineError::RiskTiers)?;
        let mut before = RiskTier::default();
        for tier in tiers {
            let sound = tier.notional_limit_atoms > before.notional_limit_atoms
                && tier.notional_limit_atoms <= i64::MAX.unsigned_abs()
                && tier.maintenance_margin_bps > 0
                && tier.maintenance_margin_bps < tier.initial_margin_bps
                && tier.initial_margin_bps <= ONE
                && tier.initial_margin_bps >= before.initial_margin_bps
                && tier.maintenance_margin_bps >= before.maintenance_margin_bps;
            ensure(sound, EngineError::RiskTiers)?;
            before = *tier;
        }
        let mut unused = self.tiers.iter().skip(tiers.len());
        let clear = unused.all(|tier| *tier == RiskTier::default());
        ensure(clear, EngineError::RiskReserved)
    }

    fn validate_ladder(&self) -> Result<(), EngineError> {
        let ladder = self.active_ladder()?;
        let mut before = LadderStep {
            above_ratio_bps: ONE,
            close_bps: 1,
        };
        for step in ladder {
            let sound = step.above_ratio_bps < before.above_ratio_bps
                && step.close_bps >= before.close_bps
                && step.close_bps <= ONE;
            ensure(sound, EngineError::RiskLadder)?;
            before = *step;
        }
        let mut unused = self.ladder.iter().skip(ladder.len());
        let clear = unused.all(|step| *step == LadderStep::default());
        ensure(clear, EngineError::RiskReserved)
    }

    fn validate_sizes(&self) -> Result<(), EngineError> {
        let sound = self.min_position_lots > 0
            && self.min_position_lots <= self.max_position_lots
            && self.max_position_lots <= MAX_LOTS
            && self.max_open_interest_lots > 0;
        ensure(sound, EngineError::RiskSizes)
    }

    fn validate_liquidation(&self) -> Result<(), EngineError> {
        let lowest = self
            .tiers
            .first()
            .map_or(0, |tier| tier.maintenance_margin_bps);
        let most = self
            .liquidation_discount_max_bps
            .checked_add(self.liquidation_fee_bps)
            .ok_or(EngineError::RiskLiquidation)?;
        let sound = self.liquidation_discount_bps <= self.liquidation_discount_max_bps
            && most < lowest
            && u64::from(self.liquidation_buffer_bps) <= BPS_ONE;
        ensure(sound, EngineError::RiskLiquidation)
    }

    fn validate_book(&self) -> Result<(), EngineError> {
        let base = self.funding_rate_ppm_per_hour.unsigned_abs();
        let capped = self.max_funding_rate_ppm <= MAX_FUNDING_RATE_PPM
            && (self.impact_notional_atoms == 0 || base <= self.max_funding_rate_ppm);
        let sound = capped && self.book_reward_bps <= MAX_FEE_BPS;
        ensure(sound, EngineError::RiskBook)
    }

    fn validate_oracle(&self) -> Result<(), EngineError> {
        let (age, grace) = (self.price_age_seconds, self.divergence_grace_seconds);
        let sound = OLDEST_PRICE_AGE_SECONDS.contains(&self.oracle_max_age_seconds)
            && (age == 0 || PRICE_AGE_SECONDS.contains(&age))
            && u64::from(age) <= self.oracle_max_age_seconds
            && (grace == 0 || DIVERGENCE_GRACE_SECONDS.contains(&grace))
            && (1..ONE).contains(&self.oracle_max_conf_bps)
            && (1..=ONE).contains(&self.oracle_max_ema_divergence_bps);
        ensure(sound, EngineError::RiskOracle)
    }
}

impl AdlParams {
    /// `RiskAdl` unless 1 <= close <= 10,000 and tolerance and least profit are at
    /// most 10,000; `RiskReserved` unless the padding is zero.
    pub fn validate(&self) -> Result<(), EngineError> {
        let sound = (1..=ONE).contains(&self.max_close_bps)
            && self.rank_tolerance_bps <= ONE
            && self.min_profit_bps <= ONE;
        ensure(sound, EngineError::RiskAdl)?;
        ensure(self._pad == 0, EngineError::RiskReserved)
    }
}

fn first<T>(all: &[T], count: u32) -> Option<&[T]> {
    all.get(..usize::try_from(count).ok()?)
}

const fn ensure(holds: bool, otherwise: EngineError) -> Result<(), EngineError> {
    if holds {
        Ok(())
    } else {
        Err(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> RiskParams {
        let mut params = RiskParams {
            tier_count: 2,
            ladder_count: 1,
            min_position_lots: 1,
            max_position_lots: 10,
            max_open_interest_lots: 1,
            liquidation_discount_bps: 10,
            liquidation_discount_max_bps: 20,
            liquidation_fee_bps: 5,
            price_band_bps: 100,
            insurance_window_slots: 1,
            oracle_max_age_seconds: 5,
            oracle_max_conf_bps: 1,
            oracle_max_ema_divergence_bps: 1,
            ..RiskParams::default()
        };
        params.tiers[0] = tier(100, 200, 100);
        params.tiers[1] = tier(200, 400, 200);
        params.ladder[0].above_ratio_bps = 5_000;
        params.ladder[0].close_bps = 2_000;
        params.adl.max_close_bps = 1;
        params
    }

    fn tier(limit: u64, initial: u32, maintenance: u32) -> RiskTier {
        RiskTier {
            notional_limit_atoms: limit,
            initial_margin_bps: initial,
            maintenance_margin_bps: maintenance,
        }
    }

    fn refuses(error: EngineError, breaks: &[fn(&mut RiskParams)]) {
        for (number, broken) in breaks.iter().enumerate() {
            let mut params = sound();
            broken(&mut params);
            assert_eq!(params.validate(), Err(error), "case {number}");
        }
    }

    #[test]
    fn sound_parameters_pass() {
        assert_eq!(sound().validate(), Ok(()));
        let mut bare = sound();
        bare.ladder_count = 0;
        bare.ladder = [LadderStep::default(); MAX_LADDER_STEPS];
        assert_eq!(bare.validate(), Ok(()));
    }

    #[test]
    fn parameters_at_their_limits_pass() {
        let at_limit: [fn(&mut RiskParams); 4] = [
            |p| p.min_position_lots = 10,
            |p| p.max_position_lots = 4_294_967_295,
            |p| p.tiers[1] = tier(200, 200, 100),
            |p| p.tiers[1].initial_margin_bps = 10_000,
        ];
        for (number, limit) in at_limit.iter().enumerate() {
            let mut params = sound();
            limit(&mut params);
            assert_eq!(params.validate(), Ok(()), "case {number}");
        }
    }

    #[test]
    fn price_clocks_that_are_zero_are_safe_and_old_limits_are_cut() {
        let mut params = sound();
        params.oracle_max_age_seconds = 30;
        assert_eq!((params.price_age(), params.divergence_grace()), (10, 30));
        params.price_age_seconds = 15;
        params.divergence_grace_seconds = 120;
        assert_eq!(params.validate(), Ok(()));
        assert_eq!((params.price_age(), params.divergence_grace()), (15, 120));
        params.oracle_max_age_seconds = 3;
        assert_eq!((params.price_age(), params.oldest_price_age()), (3, 3));
        params.oracle_max_age_seconds = 3_600;
        assert_eq!((params.price_age(), params.oldest_price_age()), (15, 30));
    }

    #[test]
    fn tiers_and_ladder_are_ordered() {
        refuses(
            EngineError::RiskTiers,
            &[
                |p| p.tier_count = 0,
                |p| p.tier_count = 5,
                |p| p.tiers[1].notional_limit_atoms = 100,
                |p| p.tiers[1].notional_limit_atoms = u64::MAX,
                |p| p.tiers[0].maintenance_margin_bps = 0,
                |p| p.tiers[0].maintenance_margin_bps = 200,
                |p| p.tiers[1].maintenance_margin_bps = 99,
                |p| p.tiers[1].initial_margin_bps = 10_001,
                |p| p.tiers[1] = tier(200, 199, 150),
            ],
        );
        refuses(
            EngineError::RiskLadder,
            &[
                |p| p.ladder_count = 5,
                |p| p.ladder[0].above_ratio_bps = 10_000,
                |p| p.ladder[0].close_bps = 0,
                |p| p.ladder[0].close_bps = 10_001,
                |p| {
                    p.ladder_count = 2;
                    p.ladder[1].above_ratio_bps = 5_000;
                    p.ladder[1].close_bps = 3_000;
                },
                |p| {
                    p.ladder_count = 2;
                    p.ladder[1].close_bps = 1_999;
                },
            ],
        );
    }

    #[test]
    fn money_limits_hold() {
        refuses(
            EngineError::RiskSizes,
            &[
                |p| p.min_position_lots = 0,
                |p| p.min_position_lots = 11,
                |p| p.max_position_lots = 4_294_967_296,
                |p| p.max_open_interest_lots = 0,
            ],
        );
        refuses(
            EngineError::RiskLiquidation,
            &[
                |p| p.liquidation_discount_bps = 21,
                |p| p.liquidation_discount_max_bps = 95,
                |p| p.liquidation_fee_bps = 80,
                |p| p.liquidation_fee_bps = u32::MAX,
                |p| p.liquidation_buffer_bps = 10_001,
            ],
        );
        refuses(
            EngineError::RiskBand,
            &[|p| p.price_band_bps = 0, |p| p.price_band_bps = 10_001],
        );
        refuses(
            EngineError::RiskFees,
            &[
                |p| p.taker_fee_bps = 1_001,
                |p| p.maker_fee_bps = 1_001,
                |p| p.maker_fee_bps = -1,
                |p| p.insurance_fee_share_bps = 10_001,
            ],
        );
    }

    #[test]
    fn rates_windows_and_padding_hold() {
        refuses(
            EngineError::RiskFunding,
            &[
                |p| p.funding_rate_ppm_per_hour = 10_001,
                |p| p.funding_rate_ppm_per_hour = i32::MIN,
            ],
        );
        refuses(
            EngineError::RiskBook,
            &[
                |p| p.book_reward_bps = 1_001,
                |p| p.max_funding_rate_ppm = 10_001,
                |p| {
                    p.impact_notional_atoms = 1;
                    p.funding_rate_ppm_per_hour = -1;
                },
            ],
        );
        refuses(
            EngineError::RiskInsurance,
            &[
                |p| p.insurance_draw_cap_bps = 10_001,
                |p| p.insurance_window_slots = 0,
            ],
        );
        refuses(
            EngineError::RiskOracle,
            &[
                |p| p.oracle_max_age_seconds = 4,
                |p| p.oracle_max_age_seconds = 31,
                |p| p.oracle_max_age_seconds = u64::MAX,
                |p| p.price_age_seconds = 4,
                |p| p.price_age_seconds = 6,
                |p| {
                    p.oracle_max_age_seconds = 30;
                    p.price_age_seconds = 16;
                },
                |p| p.divergence_grace_seconds = 9,
                |p| p.divergence_grace_seconds = 121,
                |p| p.oracle_max_conf_bps = 0,
                |p| p.oracle_max_conf_bps = 10_000,
                |p| p.oracle_max_ema_divergence_bps = 0,
            ],
        );
        refuses(
            EngineError::RiskAdl,
            &[
                |p| p.adl.max_close_bps = 0,
                |p| p.adl.max_close_bps = 10_001,
                |p| p.adl.rank_tolerance_bps = 10_001,
                |p| p.adl.min_profit_bps = 10_001,
            ],
        );
        refuses(
            EngineError::RiskReserved,
            &[
                |p| p.reserved[0] = 1,
                |p| p.reserved2[3] = 1,
                |p| p.adl._pad = 1,
                |p| p.tier_count = 1,
                |p| p.ladder_count = 0,
            ],
        );
    }
}
