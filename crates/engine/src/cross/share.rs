//! How an account's equity or deficit is divided over its legs, and a leg as an isolated position.
//!
//! ```text
//! S_i = V                       where leg i is the only one with lots
//!       floor(V m_i / M)        for V >= 0
//!       -floor(|V| m_i / M)     for V < 0
//! ```
//!
//! A deficit is rounded towards nothing, so no market gives up more than its part; the last leg takes the
//! rest, so that an account whose legs are closed one after another at their zero prices ends at exactly
//! nothing, whatever the order.

use super::{Account, CrossError, Values};
use crate::error::EngineError;
use crate::math::{mul_div_floor, negate};
use crate::position::Position;
use crate::units::Atoms;

impl Values {
    /// The share of the equity or of the deficit that the leg at `place` bears, atoms. `NoLeg`.
    pub fn share(&self, place: usize) -> Result<Atoms, CrossError> {
        let leg = self.leg(place)?;
        let open = self.legs.iter().filter(|leg| leg.lots > 0);
        if open.count() == 1 {
            return Ok(self.equity);
        }
        let whole = self.equity.get().unsigned_abs();
        let share = mul_div_floor(whole, leg.requirement, self.requirement)?;
        if self.equity.is_negative() {
            return Ok(Atoms::new(negate(share)?));
        }
        Ok(Atoms::from_unsigned(share)?)
    }
}

impl Account<'_> {
    /// The leg at `place` as the isolated position that is liquidated, flagged or deleveraged: funding
    /// paid, and the margin with which its equity is its share. `NoLeg`, `Overflow`.
    pub fn with_share(&self, values: &Values, place: usize) -> Result<Position, CrossError> {
        self.with_equity(place, values.share(place)?)
    }

    /// The leg at `place` as the isolated position that stands as a counterparty: funding paid, and the
    /// margin with which its equity is all of the account's. `NoLeg`, `Overflow`.
    pub fn with_everything(&self, values: &Values, place: usize) -> Result<Position, CrossError> {
        self.with_equity(place, values.equity)
    }

    fn with_equity(&self, place: usize, equity: Atoms) -> Result<Position, CrossError> {
        let leg = self.leg(place)?;
        let pnl = leg.position.pnl(leg.mark.price)?;
        Ok(Position {
            margin: equity.try_sub(pnl)?,
            funding_index: leg.funding_index,
            ..leg.position
        })
    }

    /// The pool once the leg at `place` was handed out as `given` and came back as `after` with `payout`
    /// beside it, atoms: funding is paid, and what the engine did to the margin is done to the pool. Take
    /// what insurance paid into `after` or `payout`. `NoLeg`, `Overflow`.
    pub fn pool_after(
        &self,
        place: usize,
        given: &Position,
        after: &Position,
        payout: Atoms,
    ) -> Result<Atoms, CrossError> {
        let owed = self.leg(place)?.funding_owed()?;
        pool_after(self.pool, owed, given, after, payout).map_err(CrossError::from)
    }

    /// A fill of the leg at `place`: the pool takes what it realises. The position's margin is a record
    /// that no longer holds; [`record`](super::record::record) writes the next. `TooManyLegs` beyond the
    /// account's list; errors of [`Position::fill`].
    pub fn fill(
        &self,
        place: usize,
        lots: crate::units::Lots,
        quote: Atoms,
    ) -> Result<Filled, CrossError> {
        let leg = self.legs.get(place).ok_or(CrossError::NoLeg)?;
        let given = Position {
            margin: Atoms::ZERO,
            funding_index: leg.funding_index,
            ..leg.position
        };
        let outcome = given.fill(lots, quote)?;
        let owed = leg.funding_owed()?;
        let payout = outcome.payout()?;
        Ok(Filled {
            position: outcome.position,
            pool: pool_after(self.pool, owed, &given, &outcome.position, payout)?,
            realized: outcome.realized,
        })
    }
}

/// A leg after a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Its position, funding paid, without a record.
    pub position: Position,
    /// The pool, atoms.
    pub pool: Atoms,
    /// Profit or loss of the closed lots, atoms.
    pub realized: Atoms,
}

fn pool_after(
    pool: Atoms,
    owed: Atoms,
    given: &Position,
    after: &Position,
    payout: Atoms,
) -> Result<Atoms, EngineError> {
    pool.try_sub(owed)?
        .try_add(after.margin)?
        .try_add(payout)?
        .try_sub(given.margin)
}
