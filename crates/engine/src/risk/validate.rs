//! Which parameters a market may have, and which may follow which.

use super::bounds;
use super::{
    gap_bps, AdlParams, LadderStep, RiskParams, RiskTier, LEAST_INITIAL_MARGIN_BPS,
    MOST_LIQUIDATION_COST_BPS, RESERVE_REWARDS,
};
use crate::breach::Breach;
use crate::error::EngineError;

impl RiskParams {
    /// Accepts only parameters under which every other function of this crate keeps its promises,
    /// and under which nobody's money is at the mercy of whoever set them: [`Self::check`]. One
    /// `Risk...` error per group.
    pub fn validate(&self, unit_atoms: u64) -> Result<(), EngineError> {
        self.check(Some(unit_atoms)).map_err(|breach| breach.error)
    }

    /// The same for parameters that take the place of `before`: [`Self::check_after`].
    pub fn validate_after(&self, before: &Self, unit_atoms: u64) -> Result<(), EngineError> {
        self.validate(unit_atoms)?;
        self.check_after(before).map_err(|breach| breach.error)
    }

    /// The first field that breaks its bound. Amounts are bounded in units of the quote currency, of
    /// `unit_atoms` each; without that they are not judged.
    pub fn check(&self, unit_atoms: Option<u64>) -> Result<(), Breach> {
        // Every field by name, so that another one does not compile before it is bounded.
        let Self {
            tiers,
            ladder,
            tier_count,
            ladder_count,
            ladder_interval_slots,
            min_position_lots: _,
            max_position_lots: _,
            max_open_interest_lots: _,
            liquidation_discount_bps: _,
            liquidation_discount_max_bps: _,
            discount_ramp_slots,
            liquidation_fee_bps: _,
            liquidation_buffer_bps,
            price_band_bps,
            taker_fee_bps: _,
            maker_fee_bps: _,
            insurance_fee_share_bps,
            funding_rate_ppm_per_hour,
            insurance_draw_cap_bps,
            insurance_window_slots,
            oracle_max_age_seconds: _,
            oracle_max_conf_bps: _,
            oracle_max_ema_divergence_bps: _,
            adl,
            impact_notional_atoms: _,
            keeper_fee_atoms: _,
            max_funding_rate_ppm: _,
            book_reward_bps: _,
            price_age_seconds: _,
            divergence_grace_seconds: _,
            fee_reserve_atoms,
            min_order_atoms: _,
            oracle_dead_seconds,
            insurance_resume_bps,
            stake_income_bps,
            stake_floor_atoms,
            discount_full_ratio_bps,
            margin_multiplier_max_bps,
            open_interest_lower_bps: _,
            open_interest_upper_bps: _,
        } = self;
        bounds::TIER_COUNT.admit(*tier_count, None)?;
        bounds::LADDER_COUNT.admit(*ladder_count, None)?;
        self.check_tiers(unit_atoms)?;
        self.check_ladder()?;
        bounds::LADDER_INTERVAL.admit(*ladder_interval_slots, None)?;
        self.check_sizes()?;
        self.check_liquidation()?;
        bounds::DISCOUNT_RAMP.admit(*discount_ramp_slots, None)?;
        bounds::FULL_RATIO.admit(*discount_full_ratio_bps, None)?;
        bounds::LIQUIDATION_BUFFER.admit(*liquidation_buffer_bps, None)?;
        bounds::MARGIN_MULTIPLIER.admit(*margin_multiplier_max_bps, None)?;
        self.check_interest()?;
        bounds::PRICE_BAND.admit(*price_band_bps, None)?;
        self.check_fees()?;
        bounds::INSURANCE_SHARE.admit(*insurance_fee_share_bps, None)?;
        bounds::FUNDING_RATE.admit(*funding_rate_ppm_per_hour, None)?;
        bounds::DRAW_CAP.admit(*insurance_draw_cap_bps, None)?;
        bounds::WINDOW.admit(*insurance_window_slots, None)?;
        if *insurance_resume_bps > 0 {
            let below = i128::from(*insurance_draw_cap_bps).wrapping_sub(1);
            bounds::RESUME.hold_at(0, (*insurance_resume_bps).into(), 1, below)?;
        }
        bounds::STAKE_INCOME.admit(*stake_income_bps, None)?;
        bounds::STAKE_FLOOR.admit(*stake_floor_atoms, unit_atoms)?;
        self.check_oracle()?;
        bounds::ORACLE_DEAD.admit(*oracle_dead_seconds, None)?;
        adl.check(unit_atoms)?;
        bounds::FEE_RESERVE.admit(*fee_reserve_atoms, unit_atoms)?;
        if *fee_reserve_atoms > 0 {
            let rewards = i128::from(adl.reward_atoms);
            let least = rewards.wrapping_mul(RESERVE_REWARDS.into());
            let reserve = i128::from(*fee_reserve_atoms);
            bounds::FEE_RESERVE.hold_at(0, reserve, least, i64::MAX.into())?;
        }
        self.check_book(unit_atoms)?;
        let unused = tiers.iter().skip(active(*tier_count));
        unused
            .zip(0..)
            .try_for_each(|(tier, place)| zero("tiers[]", place, *tier == RiskTier::default()))?;
        let unused = ladder.iter().skip(active(*ladder_count));
        unused
            .zip(0..)
            .try_for_each(|(step, place)| zero("ladder[]", place, *step == LadderStep::default()))
    }

    /// What parameters that take the place of `before` have to respect beside: a liquidation takes at
    /// most half of the least maintenance margin that was in force, so that nobody who was healthy
    /// loses more than half of its equity to the change.
    pub fn check_after(&self, before: &Self) -> Result<(), Breach> {
        self.check_cost(half(before.lowest_maintenance()))
    }

    /// Maintenance margin of the first tier, basis points: the least of all.
    fn lowest_maintenance(&self) -> u32 {
        let [tier, ..] = &self.tiers;
        tier.maintenance_margin_bps
    }

    fn check_tiers(&self, unit: Option<u64>) -> Result<(), Breach> {
        let gap = i128::from(gap_bps(self.price_age()));
        let mut before = RiskTier::default();
        let tiers = self.tiers.iter().take(active(self.tier_count));
        for (tier, place) in tiers.zip(0..) {
            let RiskTier {
                notional_limit_atoms,
                initial_margin_bps,
                maintenance_margin_bps,
            } = *tier;
            let limit = i128::from(notional_limit_atoms);
            let above = i128::from(before.notional_limit_atoms).wrapping_add(1);
            bounds::NOTIONAL_LIMIT.admit_at(place, limit, unit)?;
            bounds::NOTIONAL_LIMIT.hold_at(place, limit, above, i64::MAX.into())?;
            let maintenance = i128::from(maintenance_margin_bps);
            let least = gap.max(before.maintenance_margin_bps.into());
            let most = bounds::MAINTENANCE_MARGIN.most.into();
            bounds::MAINTENANCE_MARGIN.hold_at(place, maintenance, least, most)?;
            let least = maintenance
                .wrapping_add(gap)
                .max(LEAST_INITIAL_MARGIN_BPS.into())
                .max(before.initial_margin_bps.into());
            let most = bounds::INITIAL_MARGIN.most.into();
            bounds::INITIAL_MARGIN.hold_at(place, initial_margin_bps.into(), least, most)?;
            before = *tier;
        }
        Ok(())
    }

    fn check_ladder(&self) -> Result<(), Breach> {
        let mut below = bounds::LADDER_RATIO.most.into();
        let mut least = bounds::LADDER_CLOSE.least.into();
        let steps = self.ladder.iter().take(active(self.ladder_count));
        for (step, place) in steps.zip(0..) {
            let LadderStep {
                above_ratio_bps,
                close_bps,
            } = *step;
            let (ratio, close) = (i128::from(above_ratio_bps), i128::from(close_bps));
            bounds::LADDER_RATIO.hold_at(place, ratio, 0, below)?;
            let most = bounds::LADDER_CLOSE.most.into();
            bounds::LADDER_CLOSE.hold_at(place, close, least, most)?;
            below = ratio.wrapping_sub(1);
            least = close;
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), Breach> {
        let largest = i128::from(self.max_position_lots);
        bounds::MAX_POSITION.admit(largest, None)?;
        let part = largest.checked_div(100).unwrap_or(0);
        let least = i128::from(self.min_position_lots);
        bounds::MIN_POSITION.hold_at(0, least, 1, part)?;
        let interest = i128::from(self.max_open_interest_lots);
        let most = bounds::MAX_OPEN_INTEREST.most.into();
        bounds::MAX_OPEN_INTEREST.hold_at(0, interest, least, most)
    }

    fn check_interest(&self) -> Result<(), Breach> {
        bounds::INTEREST_UPPER.admit(self.open_interest_upper_bps, None)?;
        let below = match self.open_interest_upper_bps {
            0 => 0,
            upper => i128::from(upper).wrapping_sub(1),
        };
        let most = below.min(bounds::INTEREST_LOWER.most.into());
        bounds::INTEREST_LOWER.hold_at(0, self.open_interest_lower_bps.into(), 0, most)
    }

    fn check_liquidation(&self) -> Result<(), Breach> {
        bounds::DISCOUNT_MAX.admit(self.liquidation_discount_max_bps, None)?;
        let last = i128::from(self.liquidation_discount_max_bps);
        bounds::DISCOUNT.hold_at(0, self.liquidation_discount_bps.into(), 0, last)?;
        bounds::LIQUIDATION_FEE.admit(self.liquidation_fee_bps, None)?;
        self.check_cost(half(self.lowest_maintenance()))
    }

    /// Discount and fee together at most `share` basis points, and 5%.
    fn check_cost(&self, share: u32) -> Result<(), Breach> {
        let most = i128::from(share.min(MOST_LIQUIDATION_COST_BPS));
        let fee = i128::from(self.liquidation_fee_bps);
        bounds::LIQUIDATION_FEE.hold_at(0, fee, 0, most)?;
        let discount = i128::from(self.liquidation_discount_max_bps);
        bounds::DISCOUNT_MAX.hold_at(0, discount, 0, most.wrapping_sub(fee))
    }

    fn check_fees(&self) -> Result<(), Breach> {
        bounds::TAKER_FEE.admit(self.taker_fee_bps, None)?;
        bounds::MAKER_FEE.admit(self.maker_fee_bps, None)?;
        let rebate = i128::from(self.taker_fee_bps).wrapping_neg();
        let most = bounds::MAKER_FEE.most.into();
        bounds::MAKER_FEE.hold_at(0, self.maker_fee_bps.into(), rebate, most)
    }

    fn check_oracle(&self) -> Result<(), Breach> {
        bounds::ORACLE_MAX_AGE.admit(self.oracle_max_age_seconds, None)?;
        bounds::PRICE_AGE.admit(self.price_age_seconds, None)?;
        let oldest = i128::from(self.oracle_max_age_seconds);
        bounds::PRICE_AGE.hold_at(0, self.price_age_seconds.into(), 0, oldest)?;
        bounds::DIVERGENCE_GRACE.admit(self.divergence_grace_seconds, None)?;
        bounds::CONFIDENCE.admit(self.oracle_max_conf_bps, None)?;
        bounds::DIVERGENCE.admit(self.oracle_max_ema_divergence_bps, None)
    }

    fn check_book(&self, unit: Option<u64>) -> Result<(), Breach> {
        bounds::IMPACT_NOTIONAL.admit(self.impact_notional_atoms, unit)?;
        bounds::MAX_FUNDING_RATE.admit(self.max_funding_rate_ppm, None)?;
        if self.impact_notional_atoms > 0 {
            let base = self.funding_rate_ppm_per_hour.unsigned_abs().into();
            let most = bounds::MAX_FUNDING_RATE.most.into();
            let cap = self.max_funding_rate_ppm.into();
            bounds::MAX_FUNDING_RATE.hold_at(0, cap, base, most)?;
        }
        bounds::KEEPER_FEE.admit(self.keeper_fee_atoms, unit)?;
        bounds::BOOK_REWARD.admit(self.book_reward_bps, None)?;
        bounds::MIN_ORDER.admit(self.min_order_atoms, unit)
    }
}

impl AdlParams {
    fn check(&self, unit: Option<u64>) -> Result<(), Breach> {
        let Self {
            rank_tolerance_bps,
            max_close_bps,
            min_profit_bps,
            _pad,
            grace_slots,
            reward_atoms,
        } = *self;
        bounds::RANK_TOLERANCE.admit(rank_tolerance_bps, None)?;
        bounds::MAX_CLOSE.admit(max_close_bps, None)?;
        bounds::MIN_PROFIT.admit(min_profit_bps, None)?;
        bounds::GRACE.admit(grace_slots, None)?;
        bounds::ADL_REWARD.admit(reward_atoms, unit)?;
        zero("adl._pad", 0, _pad == 0)
    }
}

/// How many of a list are in use.
fn active(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Half, rounded down.
fn half(bps: u32) -> u32 {
    bps.checked_div(2).unwrap_or(0)
}

/// Refuses what is not used and not zero.
fn zero(field: &'static str, place: usize, clear: bool) -> Result<(), Breach> {
    if clear {
        return Ok(());
    }
    Err(Breach {
        of: "risk",
        field,
        place,
        value: 1,
        least: 0,
        most: 0,
        error: EngineError::RiskReserved,
    })
}
