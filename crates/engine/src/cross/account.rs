//! What a cross account is worth and what it needs.
//!
//! ```text
//! U_j = l_j p_j - E_j - l_j (F_j - f_j)      unrealised result, funding included
//! V   = pool + sum U_j                       equity
//! m_j = maintenance margin of leg j          rounded up
//! M   = sum m_j
//! ```
//!
//! What orders reserve is no part of it: it joins the pool as they are filled.

use super::{CrossError, LegTerms, MOST_LEGS};
use crate::error::EngineError;
use crate::health::{Health, Look};
use crate::margin::maintenance_margin;
use crate::math::product_signed;
use crate::oracle::Mark;
use crate::position::Position;
use crate::units::{Atoms, Bps, FundingIndex};

/// One leg: a slot of the account, and what its market says.
#[derive(Clone, Copy, Debug)]
pub struct Leg<'a> {
    /// The position as stored. Its `margin` is the record of its queue node, not money; funding
    /// need not be settled.
    pub position: Position,
    /// The market's mark: the price just read, or the board's.
    pub mark: Mark,
    /// The market's funding index to which the mark belongs.
    pub funding_index: FundingIndex,
    /// The market's margins.
    pub terms: &'a LegTerms,
    /// How much of its unrealised profit counts for opening, basis points.
    pub profit_weight_bps: u32,
    /// Slot in which its node was recorded.
    pub recorded_slot: u64,
    /// Whether a witness has found its account below maintenance or too weak for any cut then.
    pub weak: bool,
}

impl Leg<'_> {
    /// `l (F - f)`: the funding it owes, atoms. `Overflow` beyond `i64`.
    pub fn funding_owed(&self) -> Result<Atoms, EngineError> {
        let rise = self
            .funding_index
            .get()
            .checked_sub(self.position.funding_index.get())
            .ok_or(EngineError::Overflow)?;
        let owed = product_signed(rise, self.position.lots.get());
        i64::try_from(owed)
            .map(Atoms::new)
            .map_err(|_| EngineError::Overflow)
    }

    /// What it adds to its account. `Overflow` where funding leaves `i64`; `RiskTiers`.
    pub fn value(&self) -> Result<LegValue, EngineError> {
        if self.position.is_empty() {
            return Ok(LegValue::default());
        }
        let notional = self.position.notional(self.mark.price)?;
        let pnl = self.position.pnl(self.mark.price)?;
        Ok(LegValue {
            lots: self.position.size(),
            // 64 bits each.
            unrealised: i128::from(pnl.get()).wrapping_sub(self.funding_owed()?.get().into()),
            requirement: maintenance_margin(self.terms, notional)?,
        })
    }
}

/// What a leg adds to its account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegValue {
    /// Lots, unsigned.
    pub lots: u64,
    /// `U`, atoms, signed.
    pub unrealised: i128,
    /// `m`, atoms.
    pub requirement: u64,
}

/// A cross account.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The shared collateral, atoms, of any sign.
    pub pool: Atoms,
    /// Its legs, those with orders alone included.
    pub legs: &'a [Leg<'a>],
}

impl<'a> Account<'a> {
    /// The leg at `place`. `NoLeg` where there is none with lots.
    pub fn leg(&self, place: usize) -> Result<&Leg<'a>, CrossError> {
        let leg = self.legs.get(place);
        leg.filter(|leg| !leg.position.is_empty())
            .ok_or(CrossError::NoLeg)
    }

    /// What it is worth and what it needs, at the marks of its legs.
    ///
    /// `TooManyLegs`; `Overflow` where the equity leaves `i64`.
    pub fn values(&self) -> Result<Values, CrossError> {
        let mut values = Values {
            equity: Atoms::ZERO,
            requirement: 0,
            legs: [LegValue::default(); MOST_LEGS],
        };
        if self.legs.len() > MOST_LEGS {
            return Err(CrossError::TooManyLegs);
        }
        // 64 bits each, and as many sums of 98 bits as there are legs.
        let mut equity = i128::from(self.pool.get());
        for (leg, value) in self.legs.iter().zip(&mut values.legs) {
            *value = leg.value()?;
            equity = equity.wrapping_add(value.unrealised);
            let sum = values.requirement.checked_add(value.requirement);
            values.requirement = sum.ok_or(EngineError::Overflow)?;
        }
        let equity = i64::try_from(equity).map_err(|_| EngineError::Overflow)?;
        values.equity = Atoms::new(equity);
        Ok(values)
    }
}

/// What an account is worth and what it needs at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    /// `V`, atoms, of any sign.
    pub equity: Atoms,
    /// `M`, atoms.
    pub requirement: u64,
    /// What each leg adds, in the account's order.
    pub legs: [LegValue; MOST_LEGS],
}

impl Values {
    /// What the leg at `place` adds. `NoLeg` where there are no lots.
    pub fn leg(&self, place: usize) -> Result<&LegValue, CrossError> {
        let leg = self.legs.get(place);
        leg.filter(|leg| leg.lots > 0).ok_or(CrossError::NoLeg)
    }

    /// `rest`: what the account is worth without the result of the leg at `place`, atoms, signed. `NoLeg`.
    pub fn rest(&self, place: usize) -> Result<i128, CrossError> {
        let leg = self.leg(place)?;
        // 64 and 98 bits.
        Ok(i128::from(self.equity.get()).wrapping_sub(leg.unrealised))
    }

    /// Whether equity is at least maintenance margin.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        !self.equity.is_negative() && self.equity.positive_part() >= self.requirement
    }

    /// Whether the account is no less healthy than `before`: it has maintenance margin, or the ratio of
    /// equity to maintenance margin has not fallen. Exact.
    #[must_use]
    pub fn no_less_healthy(&self, before: &Self) -> bool {
        // 64 bits each.
        let cross = |a: &Self, b: &Self| product_wide(a.equity, b.requirement);
        self.is_healthy() || cross(self, before) >= cross(before, self)
    }

    /// How the account stands. Whether a leg of a bankrupt account has a deficit of its own is for
    /// [`Self::share`](super::share) to say.
    #[must_use]
    pub const fn health(&self) -> Health {
        if self.equity.is_negative() {
            return Health::Bankrupt {
                deficit: self.equity.get().unsigned_abs(),
            };
        }
        if self.equity.positive_part() < self.requirement {
            return Health::BelowMaintenance;
        }
        Health::Healthy
    }

    /// What a look at the leg at `place` finds: the account decides whether it is healthy, below
    /// maintenance or restored, and its share of the equity by how much it is bankrupt. A leg of a
    /// bankrupt account whose share of the deficit rounds to nothing is below maintenance.
    ///
    /// `counts` unless liquidation is paused. `NoLeg`, `Overflow`.
    pub fn look(&self, place: usize, buffer: Bps, counts: bool) -> Result<Look, CrossError> {
        let health = match self.health() {
            Health::Bankrupt { .. } => {
                let share = self.share(place)?;
                if share.is_negative() {
                    Health::Bankrupt {
                        deficit: share.get().unsigned_abs(),
                    }
                } else {
                    Health::BelowMaintenance
                }
            }
            other => other,
        };
        let wanted = self
            .requirement
            .checked_add(buffer.ceil_of(self.requirement)?)
            .ok_or(EngineError::Overflow)?;
        Ok(Look {
            health,
            restored: !self.equity.is_negative() && self.equity.positive_part() >= wanted,
            counts,
        })
    }
}

/// `atoms * factor`, exact.
fn product_wide(atoms: Atoms, factor: u64) -> i128 {
    // 64 bits each.
    i128::from(atoms.get()).wrapping_mul(i128::from(factor))
}
