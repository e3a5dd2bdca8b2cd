//! Initial and maintenance margin: marginal brackets of notional.
//!
//! Each bracket's rate applies only to the notional inside it, so margin is
//! continuous and never falls as a position grows.

use crate::error::EngineError;
use crate::math::{div_rem, product};
use crate::risk::{RiskParams, RiskTier};
use crate::units::BPS_ONE;

/// Margin needed to open, enlarge or withdraw from a position of `notional`
/// atoms, rounded up. `RiskTiers` when no tier is in use.
pub fn initial_margin(params: &RiskParams, notional: u64) -> Result<u64, EngineError> {
    rounded_up(scaled(params, notional, |tier| tier.initial_margin_bps)?)
}

/// Equity below which a position of `notional` atoms may be liquidated, rounded
/// up. `RiskTiers` when no tier is in use.
pub fn maintenance_margin(params: &RiskParams, notional: u64) -> Result<u64, EngineError> {
    rounded_up(scaled(params, notional, |tier| {
        tier.maintenance_margin_bps
    })?)
}

/// Margin in ten-thousandths of an atom, exact.
fn scaled(
    params: &RiskParams,
    notional: u64,
    rate: impl Fn(&RiskTier) -> u32,
) -> Result<u128, EngineError> {
    let (last, lower) = params
        .active_tiers()?
        .split_last()
        .ok_or(EngineError::RiskTiers)?;
    let mut total = 0_u128;
    let mut from = 0_u64;
    for tier in lower {
        if tier.notional_limit_atoms >= notional {
            return bracket(total, from, notional, rate(tier));
        }
        total = bracket(total, from, tier.notional_limit_atoms, rate(tier))?;
        from = tier.notional_limit_atoms;
    }
    bracket(total, from, notional, rate(last))
}

fn bracket(total: u128, from: u64, to: u64, bps: u32) -> Result<u128, EngineError> {
    let span = to.checked_sub(from).ok_or(EngineError::RiskTiers)?;
    product(span, u64::from(bps))
        .checked_add(total)
        .ok_or(EngineError::Overflow)
}

fn rounded_up(scaled: u128) -> Result<u64, EngineError> {
    let (atoms, rest) = div_rem(scaled, BPS_ONE)?;
    u64::try_from(atoms)
        .ok()
        .and_then(|atoms| atoms.checked_add(u64::from(rest > 0)))
        .ok_or(EngineError::Overflow)
}
