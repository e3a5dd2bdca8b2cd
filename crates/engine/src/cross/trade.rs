//! A cross account that takes orders of the book.
//!
//! ```text
//! pool' = pool + realised - funding owed - fee
//! ```
//!
//! Nothing is moved to a leg: what the account holds must be enough after the trade
//! ([`Account::check_traded`]). The fee is paid in full.

use super::checks::is_deep;
use super::{Account, CrossError, Values};
use crate::matching::Taken;
use crate::oracle::Mark;
use crate::position::Position;
use crate::risk::RiskParams;
use crate::trade::{check_largest, reduces};
use crate::units::{Atoms, Bps, Side};

/// What a taker's fills make of a leg and of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegTrade {
    /// The leg, funding paid, without a record.
    pub position: Position,
    /// The pool, atoms.
    pub pool: Atoms,
    /// Profit or loss of the closed lots, atoms.
    pub realized: Atoms,
    /// Funding that the leg owed, atoms; received where negative.
    pub funding: Atoms,
    /// The fee, atoms.
    pub fee: u64,
    /// Whether the leg only became smaller.
    pub reduced_only: bool,
    /// Whether it became smaller at a price so bad that the account needs what opening needs: see
    /// [`is_deep`].
    pub deep: bool,
    /// The market's mark, the lots of the trade counted as new to it where margin is asked for.
    pub mark: Mark,
}

impl LegTrade {
    /// What the trade brings the account beyond what it held: what was realised, funding counted, atoms.
    pub fn profit(&self) -> Result<u64, CrossError> {
        Ok(self.realized.try_sub(self.funding)?.positive_part())
    }

    /// Whether the account needs what opening needs after it.
    #[must_use]
    pub const fn opens(&self) -> bool {
        !self.reduced_only || self.deep
    }
}

impl Account<'_> {
    /// The leg at `place`, with or without lots, after its account took `taken` on `side`; `params`
    /// are its market's.
    ///
    /// `NoLeg`; `PositionTooLarge`, `SizeOutOfRange`, `Overflow`.
    #[inline(never)]
    pub fn take(
        &self,
        place: usize,
        params: &RiskParams,
        side: Side,
        taken: &Taken,
    ) -> Result<LegTrade, CrossError> {
        let leg = self.legs.get(place).ok_or(CrossError::NoLeg)?;
        let (lots, quote) = taken.fill(side)?;
        let filled = self.fill(place, lots, quote)?;
        let reduced_only = reduces(&leg.position, lots);
        let scale = leg.mark.scale.and_open(lots.size())?;
        let mark = Mark { scale, ..leg.mark };
        if !reduced_only && !filled.position.is_empty() {
            check_largest(params, &mark, &filled.position)?;
        }
        let limit = Bps::new(params.liquidation_discount_max_bps);
        let deep = reduced_only && is_deep(lots, quote, mark.price, limit)?;
        Ok(LegTrade {
            position: filled.position,
            pool: filled.pool.try_sub_unsigned(taken.fee)?,
            realized: filled.realized,
            funding: leg.funding_owed()?,
            fee: taken.fee,
            reduced_only,
            deep,
            mark,
        })
    }

    /// Whether the account, which this is after `trade` at its mark, may stand, and what it is worth and needs;
    /// `before` is what it was at the same price. `LessHealthy`, `BelowInitial`.
    pub fn check_traded(&self, before: &Values, trade: &LegTrade) -> Result<Values, CrossError> {
        let values = self.values()?;
        if trade.reduced_only {
            self.check_reduced(&values, before, trade.deep)?;
        } else {
            self.check_opening()?;
        }
        Ok(values)
    }
}
