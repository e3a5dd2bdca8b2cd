//! Risk parameters of the rehearsed market, derived from the options.

use ballast_engine::risk::{AdlParams, LadderStep, RiskParams, RiskTier};

use ballast_risk::units::ATOMS_PER_USD;

/// Basis points of the whole.
const ONE: u64 = 10_000;

/// What the user chooses of the parameters.
#[derive(Clone, Copy, Debug)]
pub struct RiskChoice {
    /// Highest leverage of the first tier, 2 to 20.
    pub max_leverage: u64,
    /// Largest part of a counterparty closed in one pass.
    pub adl_step_bps: u32,
    /// Tolerance of the ranking.
    pub rank_tolerance_bps: u32,
    /// Least lots of a position.
    pub min_position_lots: u64,
    /// Maker's fee, basis points; a rebate when negative.
    pub maker_fee_bps: i32,
    /// Notional whose average price in the book counts for funding, atoms; 0 for the base rate.
    pub impact_notional: u64,
    /// See [`RiskParams::discount_full_ratio_bps`].
    pub discount_full_ratio_bps: u16,
}

impl RiskChoice {
    /// Parameters of a file, but for what belongs to the rehearsed population and its book: sizes, the
    /// makers' fee, the impact notional, and that trading fees do not feed insurance.
    pub fn over(&self, calibrated: RiskParams) -> RiskParams {
        let own = self.params();
        let mut tiers = calibrated.tiers;
        let last = usize::try_from(calibrated.tier_count).unwrap_or(1);
        if let Some(last) = tiers.get_mut(last.saturating_sub(1)) {
            last.notional_limit_atoms = own.tiers[3].notional_limit_atoms;
        }
        RiskParams {
            tiers,
            min_position_lots: own.min_position_lots,
            max_position_lots: own.max_position_lots,
            max_open_interest_lots: own.max_open_interest_lots,
            min_order_atoms: own.min_order_atoms,
            maker_fee_bps: own.maker_fee_bps,
            impact_notional_atoms: own.impact_notional_atoms,
            insurance_fee_share_bps: own.insurance_fee_share_bps,
            ..calibrated
        }
    }

    /// Parameters that the program accepts: four tiers from the highest leverage down, maintenance
    /// at half of the initial margin, discount and fee within maintenance.
    pub fn params(&self) -> RiskParams {
        let tier = |limit_usd: u64, tenths: u64| {
            let initial = (ONE * tenths).div_ceil(self.max_leverage * 10).min(ONE);
            RiskTier {
                notional_limit_atoms: limit_usd * ATOMS_PER_USD,
                initial_margin_bps: bps(initial),
                maintenance_margin_bps: bps(initial / 2),
            }
        };
        let tiers = [
            tier(250_000, 10),
            tier(1_000_000, 15),
            tier(5_000_000, 20),
            tier(1_000_000_000, 30),
        ];
        let step = |above_ratio_bps, close_bps| LadderStep {
            above_ratio_bps,
            close_bps,
        };
        let maintenance = u64::from(tiers[0].maintenance_margin_bps);
        RiskParams {
            tiers,
            ladder: [
                step(6_667, 2_000),
                step(3_333, 5_000),
                LadderStep::default(),
                LadderStep::default(),
            ],
            tier_count: 4,
            ladder_count: 2,
            ladder_interval_slots: 10,
            min_position_lots: self.min_position_lots,
            max_position_lots: ballast_engine::units::MAX_LOTS,
            max_open_interest_lots: u64::from(u32::MAX) * 64,
            liquidation_discount_bps: bps((maintenance / 10).min(300)),
            liquidation_discount_max_bps: bps((maintenance * 3 / 10).min(300)),
            discount_ramp_slots: 150,
            discount_full_ratio_bps: self.discount_full_ratio_bps,
            liquidation_fee_bps: bps((maintenance / 5).min(200)),
            liquidation_buffer_bps: 1_000,
            price_band_bps: 500,
            taker_fee_bps: 5,
            maker_fee_bps: self.maker_fee_bps,
            insurance_fee_share_bps: 0,
            funding_rate_ppm_per_hour: 12,
            insurance_draw_cap_bps: 10_000,
            insurance_window_slots: 9_000,
            oracle_max_age_seconds: 30,
            oracle_max_conf_bps: 200,
            oracle_max_ema_divergence_bps: 10_000,
            adl: AdlParams {
                rank_tolerance_bps: self.rank_tolerance_bps,
                max_close_bps: self.adl_step_bps,
                min_profit_bps: 10,
                _pad: 0,
                grace_slots: 150,
                reward_atoms: ATOMS_PER_USD,
            },
            impact_notional_atoms: self.impact_notional,
            keeper_fee_atoms: 100_000,
            max_funding_rate_ppm: 2_000,
            book_reward_bps: 10,
            price_age_seconds: 10,
            divergence_grace_seconds: 30,
            min_order_atoms: ATOMS_PER_USD,
            ..RiskParams::default()
        }
    }
}

fn bps(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_passes_the_engines_validation() {
        for max_leverage in 2..=20 {
            for (adl_step_bps, rank_tolerance_bps) in [(500, 0), (5_000, 500), (10_000, 1_000)] {
                let choice = RiskChoice {
                    max_leverage,
                    adl_step_bps,
                    rank_tolerance_bps,
                    min_position_lots: 49,
                    maker_fee_bps: -5,
                    impact_notional: 50_000_000,
                    discount_full_ratio_bps: 5_000,
                };
                let checked = choice.params().check(Some(ATOMS_PER_USD));
                assert_eq!(checked, Ok(()), "{choice:?}");
            }
        }
    }

    #[test]
    fn the_first_tier_allows_the_highest_leverage() {
        let choice = RiskChoice {
            max_leverage: 20,
            adl_step_bps: 5_000,
            rank_tolerance_bps: 0,
            min_position_lots: 1,
            maker_fee_bps: 0,
            impact_notional: 0,
            discount_full_ratio_bps: 0,
        };
        assert_eq!(choice.params().tiers[0].initial_margin_bps, 500);
        assert_eq!(choice.params().tiers[0].maintenance_margin_bps, 250);
    }
}
