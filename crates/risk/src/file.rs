//! Risk parameters as a file states them, in TOML: what `deploy` reads of a market, what a calibration writes
//! and what a rehearsal plays.

use std::path::Path;

use anyhow::{bail, Context, Result};
use ballast_engine::risk::{
    AdlParams, LadderStep, RiskParams, RiskTier, MAX_LADDER_STEPS, MAX_TIERS,
};
use serde::{Deserialize, Serialize};

/// A margin bracket. See [`RiskTier`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    notional_limit_atoms: u64,
    initial_margin_bps: u32,
    maintenance_margin_bps: u32,
}

/// A step of the liquidation ladder. See [`LadderStep`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    above_ratio_bps: u32,
    close_bps: u32,
}

/// Defines the parameters that are numbers, once for reading, writing and comparing.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident of $params:ty { $($(#[$attribute:meta])* $field:ident: $kind:ty),* $(,)? } $(with { $($other:ident: $type:ty = $read:expr),* $(,)? })?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attribute])* $field: $kind,)*
            $($($other: $type,)*)?
        }

        impl $name {
            /// States parameters.
            #[must_use]
            pub fn of(params: &$params) -> Self {
                Self {
                    $($field: params.$field,)*
                    $($($other: $read(params),)*)?
                }
            }

            fn write(&self, params: &mut $params) {
                $(params.$field = self.$field;)*
            }

            fn list(params: &$params) -> Vec<(&'static str, i128)> {
                vec![$((stringify!($field), params.$field.into()),)*]
            }
        }
    };
}

numbers! {
    /// Auto-deleveraging. See [`AdlParams`].
    AdlFile of AdlParams {
        rank_tolerance_bps: u32,
        max_close_bps: u32,
        min_profit_bps: u32,
        grace_slots: u64,
        reward_atoms: u64,
    }
}

numbers! {
    /// Everything a market's risk authority sets. See [`RiskParams`].
    RiskFile of RiskParams {
        ladder_interval_slots: u64,
        min_position_lots: u64,
        max_position_lots: u64,
        max_open_interest_lots: u64,
        liquidation_discount_bps: u32,
        liquidation_discount_max_bps: u32,
        discount_ramp_slots: u64,
        #[serde(default)]
        discount_full_ratio_bps: u16,
        #[serde(default)]
        margin_multiplier_max_bps: u16,
        #[serde(default)]
        open_interest_lower_bps: u16,
        #[serde(default)]
        open_interest_upper_bps: u16,
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
    } with {
        tiers: Vec<Tier> = tiers,
        ladder: Vec<Step> = ladder,
        adl: AdlFile = |params: &RiskParams| AdlFile::of(&params.adl),
    }
}

fn tiers(params: &RiskParams) -> Vec<Tier> {
    let active = params.active_tiers().unwrap_or_default();
    let tier = |tier: &RiskTier| Tier {
        notional_limit_atoms: tier.notional_limit_atoms,
        initial_margin_bps: tier.initial_margin_bps,
        maintenance_margin_bps: tier.maintenance_margin_bps,
    };
    active.iter().map(tier).collect()
}

fn ladder(params: &RiskParams) -> Vec<Step> {
    let active = params.active_ladder().unwrap_or_default();
    let step = |step: &LadderStep| Step {
        above_ratio_bps: step.above_ratio_bps,
        close_bps: step.close_bps,
    };
    active.iter().map(step).collect()
}

/// The parameters that are numbers, by the name a file has for them: `taker_fee_bps`,
/// `adl.max_close_bps`.
#[must_use]
pub fn numbers(params: &RiskParams) -> Vec<(String, i128)> {
    let own = RiskFile::list(params).into_iter();
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let adl = AdlFile::list(&params.adl).into_iter();
    own.chain(adl.map(|(name, value)| (format!("adl.{name}"), value)))
        .collect()
}

impl RiskFile {
    /// Reads a file of nothing but risk parameters.
    ///
    /// # Errors
    /// When it cannot be read or has unknown keys.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the risk parameters {}", path.display()))?;
        toml::from_str(&text)
            .with_context(|| format!("{} states no risk parameters", path.display()))
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters of the local cluster's market.
    fn localnet() -> RiskFile {
        let text = include_str!("../../../migrations/localnet.toml");
        let table: toml::Table = text.parse().expect("TOML");
        let risk = table["markets"][0]["risk"].clone();
        risk.try_into().expect("risk parameters")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let file = localnet();
        let params = file.params(Some(1_000_000)).expect("accepted");
        assert_eq!(RiskFile::of(&params), file);
        let text = toml::to_string(&file).expect("TOML");
        assert_eq!(toml::from_str::<RiskFile>(&text).expect("read"), file);
    }

    #[test]
    fn numbers_are_named_as_in_the_file() {
        let params = localnet().params(None).expect("accepted");
        let all = numbers(&params);
        for expected in [("taker_fee_bps", 5), ("adl.max_close_bps", 5_000)] {
            assert!(all
                .iter()
                .any(|(name, value)| (&name[..], *value) == expected));
        }
        let names: std::collections::BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), all.len());
    }
}
