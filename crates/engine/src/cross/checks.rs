//! What a cross account must hold for what it does.
//!
//! ```text
//! V0 = pool + sum ( U'_j < 0 ? U'_j : floor(U'_j w_j / 10^4) )
//! I  = sum of initial margins
//! ```
//!
//! `U'` is the result at the mark worsened by its confidence. Whoever opens, enlarges, flips or takes
//! collateral out, be it for an order to reserve, needs `V0 >= I`; whose order waited and opens needs `V >= M`; who only makes a
//! position smaller ends with `V >= M` or no less healthy.

use super::{Account, CrossError, Values};
use crate::error::EngineError;
use crate::margin::initial_margin;
use crate::math::mul_div_floor;
use crate::units::{Atoms, Bps, LotPrice, Lots, BPS_ONE};

/// What counts for opening and what opening needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// `V0`, atoms, signed.
    pub equity: i128,
    /// `I`, atoms.
    pub requirement: u64,
}

impl Account<'_> {
    /// What of its equity counts for opening, and the initial margin it needs.
    ///
    /// `Overflow`, `PriceOutOfRange`, `RiskTiers`.
    pub fn opening(&self) -> Result<Opening, CrossError> {
        let mut equity = i128::from(self.pool.get());
        let mut requirement = 0_u64;
        for leg in self.legs {
            let Some(side) = leg.position.side() else {
                continue;
            };
            let worst = leg.mark.worsened(side)?;
            let pnl = leg.position.pnl(worst)?;
            // 64 bits each, then sums of a few.
            let result = i128::from(pnl.get()).wrapping_sub(leg.funding_owed()?.get().into());
            equity = equity.wrapping_add(weighted(result, leg.profit_weight_bps)?);
            let notional = leg.position.notional(worst.max(leg.mark.price))?;
            let needed = initial_margin(leg.terms, &leg.mark.scale, notional)?;
            let sum = requirement.checked_add(needed);
            requirement = sum.ok_or(EngineError::Overflow)?;
        }
        Ok(Opening {
            equity,
            requirement,
        })
    }

    /// Whether what it holds after opening something or taking collateral out is enough. `BelowInitial`.
    pub fn check_opening(&self) -> Result<(), CrossError> {
        let opening = self.opening()?;
        if opening.equity < i128::from(opening.requirement) {
            return Err(CrossError::BelowInitial);
        }
        Ok(())
    }

    /// Whether a reduction, after which the account is this, may stand; `before` is what it was at the
    /// same marks. `deep` says that its price is worse than [`is_deep`] allows: then the account needs
    /// what opening needs. `LessHealthy`, `BelowInitial`.
    pub fn check_reduction(&self, before: &Values, deep: bool) -> Result<(), CrossError> {
        self.check_reduced(&self.values()?, before, deep)
    }

    /// The same where the account is worth and needs `values`.
    pub(super) fn check_reduced(
        &self,
        values: &Values,
        before: &Values,
        deep: bool,
    ) -> Result<(), CrossError> {
        if !values.no_less_healthy(before) {
            return Err(CrossError::LessHealthy);
        }
        if deep {
            return self.check_opening();
        }
        Ok(())
    }
}

/// A result as far as it counts for opening: all of a loss, `weight_bps` of a profit, rounded down.
fn weighted(result: i128, weight_bps: u32) -> Result<i128, EngineError> {
    if result < 0 || u64::from(weight_bps) >= BPS_ONE {
        return Ok(result);
    }
    if weight_bps == 0 {
        return Ok(0);
    }
    let profit = u64::try_from(result).map_err(|_| EngineError::Overflow)?;
    mul_div_floor(profit, u64::from(weight_bps), BPS_ONE).map(i128::from)
}

/// Whether closing `lots` for `quote` (both with the sign of the fill) is worse than the mark by more than
/// `limit` of it. A profit that does not count for opening would otherwise pay for giving lots of another
/// market away.
pub fn is_deep(lots: Lots, quote: Atoms, mark: LotPrice, limit: Bps) -> Result<bool, EngineError> {
    let worth = mark.notional(lots.size())?;
    let slip = limit.floor_of(worth)?;
    let (worth, slip) = (i128::from(worth), i128::from(slip));
    // Bought: paid beyond the mark. Sold: received below it; the quote is then negative.
    let signed = if lots.get() > 0 {
        worth
    } else {
        worth.wrapping_neg()
    };
    Ok(i128::from(quote.get()).wrapping_sub(signed) > slip)
}
