//! Risk parameters as the configuration states them.

use anyhow::{bail, Result};
use ballast_engine::risk::{
    AdlParams, LadderStep, RiskParams, RiskTier, MAX_LADDER_STEPS, MAX_TIERS,
};
use serde::Deserialize;

use crate::report::Difference;

/// A margin bracket. See [`RiskTier`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    notional_limit_atoms: u64,
    initial_margin_bps: u32,
    maintenance_margin_bps: u32,
}

/// A step of the liquidation ladder. See [`LadderStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    above_ratio_bps: u32,
    close_bps: u32,
}

/// Defines the parameters that are numbers, once for reading, writing and comparing.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident of $params:ty { $($(#[$attribute:meta])* $field:ident: $kind:ty),* $(,)? } $(with { $($other:ident: $type:ty),* })?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attribute])* $field: $kind,)*
            $($($other: $type,)*)?
        }

        impl $name {
            fn write(&self, params: &mut $params) {
                $(params.$field = self.$field;)*
            }

            fn compare(prefix: &str, on_chain: &$params, wanted: &$params, found: &mut Vec<Difference>) {
                $(found.extend(Difference::between(
                    format!("{prefix}{}", stringify!($field)),
                    on_chain.$field,
                    wanted.$field,
                ));)*
            }
        }
    };
}

numbers! {
    /// Auto-deleveraging. See [`AdlParams`].
    Adl of AdlParams {
        rank_tolerance_bps: u32,
        max_close_bps: u32,
        min_profit_bps: u32,
        grace_slots: u64,
        reward_atoms: u64,
    }
}

numbers! {
    /// Everything a market's risk authority sets. See [`RiskParams`].
    Risk of RiskParams {
        ladder_interval_slots: u64,
        min_position_lots: u64,
        max_position_lots: u64,
        max_open_interest_lots: u64,
        liquidation_discount_bps: u32,
        liquidation_discount_max_bps: u32,
        discount_ramp_slots: u64,
        #[serde(default)]
        discount_full_ratio_bps: u32,
        liquidation_fee_bps: u32,
        liquidation_buffer_bps: u32,
        price_band_bps: u32,
        taker_fee_bps: u32,
        maker_fee_bps: i32,
        insurance_fee_share_bps: u32,
        funding_rate_ppm_per_hour: i32,
        insurance_draw_cap_bps: u32,
        insurance_window_slots: u64,
        oracle_max_age_seconds: u64,
        oracle_max_conf_bps: u32,
        oracle_max_ema_divergence_bps: u32,
        impact_notional_atoms: u64,
        keeper_fee_atoms: u64,
        max_funding_rate_ppm: u32,
        book_reward_bps: u32,
        #[serde(default)]
        min_order_atoms: u64,
        price_age_seconds: u32,
        divergence_grace_seconds: u32,
        #[serde(default)]
        fee_reserve_atoms: u64,
        #[serde(default)]
        insurance_resume_bps: u32,
        #[serde(default)]
        stake_income_bps: u32,
        #[serde(default)]
        stake_floor_atoms: u64,
    } with { tiers: Vec<Tier>, ladder: Vec<Step>, adl: Adl }
}

impl Risk {
    /// The program's form. Amounts are judged where it is known how many atoms a unit of the quote
    /// currency has.
    ///
    /// # Errors
    /// Too many tiers or steps, or what the program would refuse.
    pub fn params(&self, unit_atoms: Option<u64>) -> Result<RiskParams> {
        if self.tiers.len() > MAX_TIERS || self.ladder.len() > MAX_LADDER_STEPS {
            bail!("a market has at most {MAX_TIERS} tiers and {MAX_LADDER_STEPS} ladder steps");
        }
        let mut params = RiskParams {
            tier_count: u32::try_from(self.tiers.len())?,
            ladder_count: u32::try_from(self.ladder.len())?,
            ..RiskParams::default()
        };
        for (to, from) in params.tiers.iter_mut().zip(&self.tiers) {
            *to = RiskTier {
                notional_limit_atoms: from.notional_limit_atoms,
                initial_margin_bps: from.initial_margin_bps,
                maintenance_margin_bps: from.maintenance_margin_bps,
            };
        }
        for (to, from) in params.ladder.iter_mut().zip(&self.ladder) {
            *to = LadderStep {
                above_ratio_bps: from.above_ratio_bps,
                close_bps: from.close_bps,
            };
        }
        self.write(&mut params);
        self.adl.write(&mut params.adl);
        match params.check(unit_atoms) {
            Ok(()) => Ok(params),
            Err(breach) => bail!(
                "the risk parameters are refused: {breach}; {}",
                breach.error
            ),
        }
    }
}

/// What differs between two sets of parameters, by name.
pub fn differences(on_chain: &RiskParams, wanted: &RiskParams) -> Vec<Difference> {
    let mut found = Vec::new();
    found.extend(Difference::between(
        "risk.tier_count".to_owned(),
        on_chain.tier_count,
        wanted.tier_count,
    ));
    found.extend(Difference::between(
        "risk.ladder_count".to_owned(),
        on_chain.ladder_count,
        wanted.ladder_count,
    ));
    for (index, (a, b)) in on_chain.tiers.iter().zip(&wanted.tiers).enumerate() {
        let show = |tier: &RiskTier| {
            format!(
                "up to {} atoms: {}/{} bps",
                tier.notional_limit_atoms, tier.initial_margin_bps, tier.maintenance_margin_bps
            )
        };
        found.extend(Difference::between(
            format!("risk.tiers[{index}]"),
            show(a),
            show(b),
        ));
    }
    for (index, (a, b)) in on_chain.ladder.iter().zip(&wanted.ladder).enumerate() {
        let show =
            |step: &LadderStep| format!("above {}: {} bps", step.above_ratio_bps, step.close_bps);
        found.extend(Difference::between(
            format!("risk.ladder[{index}]"),
            show(a),
            show(b),
        ));
    }
    Risk::compare("risk.", on_chain, wanted, &mut found);
    Adl::compare("risk.adl.", &on_chain.adl, &wanted.adl, &mut found);
    found
}
