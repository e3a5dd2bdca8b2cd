//! What a market asks of a leg, small enough to be copied beside its mark.

use bytemuck::{Pod, Zeroable};

use crate::error::EngineError;
use crate::margin::{Brackets, InterestScale};
use crate::risk::{RiskParams, RiskTier, MAX_TIERS};

/// A market's margins, copied from its parameters. 80 bytes, no padding.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LegTerms {
    /// See [`RiskParams::tiers`].
    pub tiers: [RiskTier; MAX_TIERS],
    /// See [`RiskParams::max_open_interest_lots`].
    pub max_open_interest_lots: u64,
    /// See [`RiskParams::tier_count`].
    pub tier_count: u32,
    /// See [`RiskParams::open_interest_lower_bps`].
    pub open_interest_lower_bps: u16,
    /// See [`RiskParams::open_interest_upper_bps`].
    pub open_interest_upper_bps: u16,
}

const _: () = assert!(core::mem::size_of::<LegTerms>() == 80);

impl LegTerms {
    /// Those of a market with these parameters.
    #[must_use]
    pub const fn of(params: &RiskParams) -> Self {
        Self {
            tiers: params.tiers,
            max_open_interest_lots: params.max_open_interest_lots,
            tier_count: params.tier_count,
            open_interest_lower_bps: params.open_interest_lower_bps,
            open_interest_upper_bps: params.open_interest_upper_bps,
        }
    }

    /// The least rate of maintenance margin, basis points: that of the first bracket.
    #[must_use]
    pub const fn maintenance_bps(&self) -> u32 {
        let [first, ..] = &self.tiers;
        first.maintenance_margin_bps
    }
}

impl Brackets for LegTerms {
    fn active_tiers(&self) -> Result<&[RiskTier], EngineError> {
        let count = usize::try_from(self.tier_count).ok();
        count
            .and_then(|count| self.tiers.get(..count))
            .ok_or(EngineError::RiskTiers)
    }

    fn interest(&self) -> InterestScale {
        InterestScale {
            limit_lots: self.max_open_interest_lots,
            lower_bps: self.open_interest_lower_bps,
            upper_bps: self.open_interest_upper_bps,
        }
    }
}
