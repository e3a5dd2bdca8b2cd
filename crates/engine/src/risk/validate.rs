//! Which parameters a market may have.

use super::{
    AdlParams, LadderStep, RiskParams, RiskTier, DEFAULT_ORACLE_DEAD_SECONDS,
    DIVERGENCE_GRACE_SECONDS, MAX_FEE_BPS, MAX_FUNDING_RATE_PPM, MAX_ORACLE_DEAD_SECONDS,
    OLDEST_PRICE_AGE_SECONDS, PRICE_AGE_SECONDS,
};
use crate::error::EngineError;
use crate::units::{BPS_ONE, MAX_LOTS};

const ONE: u32 = 10_000;

impl RiskParams {
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
        let clear = self.reserved == [0; 1] && self.reserved2 == [0; 3];
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
            && (DEFAULT_ORACLE_DEAD_SECONDS..=MAX_ORACLE_DEAD_SECONDS)
                .contains(&self.oracle_dead())
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

const fn ensure(holds: bool, otherwise: EngineError) -> Result<(), EngineError> {
    if holds {
        Ok(())
    } else {
        Err(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_LADDER_STEPS;
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
                |p| p.oracle_dead_seconds = 86_399,
                |p| p.oracle_dead_seconds = 2_592_001,
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
                |p| p.reserved2[2] = 1,
                |p| p.adl._pad = 1,
                |p| p.tier_count = 1,
                |p| p.ladder_count = 0,
            ],
        );
    }
}
