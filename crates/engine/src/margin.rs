//! Initial and maintenance margin: marginal brackets of notional.
//!
//! Each bracket's rate applies only to the notional inside it, so margin is
//! continuous and never falls as a position grows. Initial margin is then scaled by how the market moves
//! and how full it is; maintenance margin never is, so that nobody is liquidated for what others do.

use crate::error::EngineError;
use crate::math::{div_rem, mul_div_ceil, product, product_u64};
use crate::risk::{RiskParams, RiskTier};
use crate::units::BPS_ONE;
use crate::volatility::ONE_PPM;

/// What both margins are computed from.
pub trait Brackets {
    /// Brackets of notional in use. `RiskTiers` when their number is out of range.
    fn active_tiers(&self) -> Result<&[RiskTier], EngineError>;
    /// How open interest raises initial margin.
    fn interest(&self) -> InterestScale;
}

/// How open interest raises initial margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterestScale {
    /// Largest sum of long lots.
    pub limit_lots: u64,
    /// See [`RiskParams::open_interest_lower_bps`].
    pub lower_bps: u16,
    /// See [`RiskParams::open_interest_upper_bps`].
    pub upper_bps: u16,
}

impl Brackets for RiskParams {
    fn active_tiers(&self) -> Result<&[RiskTier], EngineError> {
        self.active_tiers()
    }

    fn interest(&self) -> InterestScale {
        InterestScale {
            limit_lots: self.max_open_interest_lots,
            lower_bps: self.open_interest_lower_bps,
            upper_bps: self.open_interest_upper_bps,
        }
    }
}

/// What scales initial margin at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginScale {
    /// What volatility multiplies it by, millionths, at least [`ONE_PPM`]:
    /// [`crate::volatility::Volatility::multiplier`].
    pub multiplier_ppm: u32,
    /// Sum of long lots.
    pub open_interest_lots: u64,
}

impl MarginScale {
    /// Neither volatility nor open interest.
    pub const NONE: Self = Self {
        multiplier_ppm: ONE_PPM,
        open_interest_lots: 0,
    };

    /// The same once `lots` more are open. `Overflow`.
    pub fn and_open(&self, lots: u64) -> Result<Self, EngineError> {
        let sum = self.open_interest_lots.checked_add(lots);
        Ok(Self {
            open_interest_lots: sum.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }
}

/// Margin needed to open, enlarge or withdraw from a position of `notional` atoms: that of the brackets,
/// multiplied by volatility, then brought towards the whole notional as open interest goes from
/// `open_interest_lower_bps` to `open_interest_upper_bps` of its limit. Each step is rounded up; the result
/// is never below the brackets' nor above `notional`. `RiskTiers` when no tier is in use; `Overflow`.
pub fn initial_margin<B: Brackets>(
    params: &B,
    scale: &MarginScale,
    notional: u64,
) -> Result<u64, EngineError> {
    let brackets = rounded_up(scaled(params, notional, |tier| tier.initial_margin_bps)?)?;
    let multiplied = if scale.multiplier_ppm <= ONE_PPM {
        brackets
    } else {
        multiplied(brackets, scale.multiplier_ppm, notional)?
    };
    let interest = params.interest();
    match interest.upper_bps {
        0 => Ok(multiplied),
        _ => with_interest(&interest, scale.open_interest_lots, multiplied, notional),
    }
}

/// `margin` times the multiplier, rounded up, at most `notional`.
fn multiplied(margin: u64, multiplier_ppm: u32, notional: u64) -> Result<u64, EngineError> {
    let (atoms, rest) = div_rem(
        product(margin, u64::from(multiplier_ppm)),
        u64::from(ONE_PPM),
    )?;
    let up = atoms.checked_add(u128::from(rest > 0));
    let up = up.ok_or(EngineError::Overflow)?;
    u64::try_from(up.min(notional.into())).map_err(|_| EngineError::Overflow)
}

/// `margin` and the part of what it lacks to `notional` that open interest asks for, rounded up.
fn with_interest(
    interest: &InterestScale,
    open_interest_lots: u64,
    margin: u64,
    notional: u64,
) -> Result<u64, EngineError> {
    let limit = interest.limit_lots;
    let (lower, upper) = (interest.lower_bps, interest.upper_bps);
    let from = product(limit, u64::from(lower));
    let open = product(open_interest_lots, BPS_ONE);
    let Some(above) = open.checked_sub(from).filter(|above| *above > 0) else {
        return Ok(margin);
    };
    let range = upper.checked_sub(lower).ok_or(EngineError::RiskTiers)?;
    let range = product_u64(limit, u64::from(range))?;
    let above = u64::try_from(above.min(range.into())).map_err(|_| EngineError::Overflow)?;
    let lacking = notional.max(margin).wrapping_sub(margin);
    let more = mul_div_ceil(lacking, above, range)?;
    margin.checked_add(more).ok_or(EngineError::Overflow)
}

/// Equity below which a position of `notional` atoms may be liquidated, rounded
/// up. `RiskTiers` when no tier is in use.
pub fn maintenance_margin<B: Brackets>(params: &B, notional: u64) -> Result<u64, EngineError> {
    rounded_up(scaled(params, notional, |tier| {
        tier.maintenance_margin_bps
    })?)
}

/// Margin in ten-thousandths of an atom, exact.
fn scaled<B: Brackets>(
    params: &B,
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
