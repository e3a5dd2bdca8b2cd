//! What is paid in a market that has ended where the positions claim more than there is.
//!
//! A bankrupt position that can be closed against nobody, since every counterparty is insolvent at
//! its close price, is taken over by the market at the last price. What insurance and held profit
//! do not pay of its deficit is written off, `W` atoms in all. When nobody is bankrupt any more the
//! positions are worth `C` together, one sum over both queues, and the market has `C - W` for them.
//! Each gets `floor(its worth * (C - W) / C)`. Neither number changes any more, so what somebody gets
//! depends on no order; the atoms that rounding leaves are insurance's with the last claim.

use crate::adl::Deleveraging;
use crate::deficit::Deficit;
use crate::error::EngineError;
use crate::math::mul_div_floor;
use crate::position::Position;
use crate::queue::QueueRef;
use crate::rank::{Exposure, Round};
use crate::units::{FundingIndex, LotPrice};
use crate::wind_down::WindDown;

/// Deficits that nobody bore, and what is claimed of the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOff {
    /// Deficits written off, atoms; 0 where all claims are covered.
    pub atoms: u64,
    /// What all positions are worth together at the last price, atoms, as far as counted.
    pub claims: u64,
}

/// What becomes of a bankrupt position that can be closed against nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclosed {
    /// What it lacks at the last price, atoms, positive.
    pub deficit: u64,
    /// What insurance and held profit pay of it, atoms.
    pub paid: u64,
    /// The rest, which is written off, atoms.
    pub written_off: u64,
}

/// Where the sum of the claims stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What the positions looked at are worth, atoms.
    pub claims: u64,
    /// Node to go on at: those of the long queue, then those of the short one.
    pub next: u32,
    /// Whether everybody has been counted.
    pub complete: bool,
}

/// What [`WriteOff::pay`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimPaid {
    /// The market's end afterwards.
    pub wind_down: WindDown,
    /// What becomes free collateral, atoms.
    pub atoms: u64,
    /// What insurance gets, atoms.
    pub to_insurance: u64,
}

/// What a position lacks for which a session found nobody at the close price it has frozen, where
/// insurance and held profit may pay `available` atoms. They pay all they can, also what they got
/// after that price was frozen: nothing is written off while any of it is left.
///
/// # Errors
/// `NotBankrupt`; `PositionCorrupt` when the round was not frozen for this position.
pub fn unclosed(
    round: &Round,
    position: &Position,
    available: u64,
) -> Result<Unclosed, EngineError> {
    let Deficit { whole, .. } = Deleveraging::frozen_deficit(round, position)?;
    let paid = whole.min(available);
    let written_off = whole.checked_sub(paid).ok_or(EngineError::Overflow)?;
    Ok(Unclosed {
        deficit: whole,
        paid,
        written_off,
    })
}

/// Counts what the positions of both queues are worth from node `from` on, looking at up to `nodes`
/// nodes. A node alone gives every integer of its position, and none that is bankrupt may be left.
///
/// # Errors
/// `MarketInsolvent` for somebody whose equity is below zero; `Overflow`.
pub fn count_claims(
    long: &QueueRef<'_>,
    short: &QueueRef<'_>,
    price: LotPrice,
    index: FundingIndex,
    from: u32,
    nodes: u32,
) -> Result<Count, EngineError> {
    let longs = long.header().tree.high_water;
    let all = longs.checked_add(short.header().tree.high_water);
    let all = all.ok_or(EngineError::Overflow)?;
    let until = from.checked_add(nodes).map_or(all, |until| until.min(all));
    let mut claims = 0_u64;
    for place in from..until {
        let (queue, node) = match place.checked_sub(longs) {
            None => (long, place),
            Some(node) => (short, node),
        };
        // A node that holds no position is passed by.
        let Ok(entry) = queue.entry(node) else {
            continue;
        };
        let exposure = Exposure::of_entry(entry, queue.side(), index);
        let claim = exposure.worth(price)?.ok_or(EngineError::MarketInsolvent)?;
        claims = claims.checked_add(claim).ok_or(EngineError::Overflow)?;
    }
    Ok(Count {
        claims,
        next: until,
        complete: until == all,
    })
}

impl WriteOff {
    /// Whether anything was written off.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.atoms > 0
    }

    /// With `atoms` more written off.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn with(&self, atoms: u64) -> Result<Self, EngineError> {
        let sum = self.atoms.checked_add(atoms);
        Ok(Self {
            atoms: sum.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// With `atoms` of it made good.
    ///
    /// # Errors
    /// `Overflow` for more than was written off.
    pub fn made_good(&self, atoms: u64) -> Result<Self, EngineError> {
        let left = self.atoms.checked_sub(atoms);
        Ok(Self {
            atoms: left.ok_or(EngineError::Overflow)?,
            ..*self
        })
    }

    /// What the market has for all claims together, atoms.
    #[must_use]
    pub const fn covered(&self) -> u64 {
        match self.claims.checked_sub(self.atoms) {
            Some(covered) => covered,
            None => 0,
        }
    }

    /// What the positions that are left claim beyond what the market has for them, atoms; less than
    /// nothing by what rounding has left so far.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn uncovered(&self, end: &WindDown) -> Result<i64, EngineError> {
        if !self.is_any() {
            return Ok(0);
        }
        let left = i128::from(self.atoms)
            .wrapping_add(i128::from(end.held_paid))
            .wrapping_sub(i128::from(end.held_shares_paid));
        i64::try_from(left).map_err(|_| EngineError::Overflow)
    }

    /// Pays a claim once all of them have been counted: its part of what the market has for them,
    /// rounded down, whoever was paid before. With the last claim what is left is insurance's.
    ///
    /// # Errors
    /// `Overflow` for more claims than there are.
    pub fn pay(&self, end: &WindDown, claim: u64) -> Result<ClaimPaid, EngineError> {
        let sum = |a: u64, b: u64| a.checked_add(b).ok_or(EngineError::Overflow);
        let covered = self.covered();
        let atoms = match claim {
            0 => 0,
            _ => mul_div_floor(claim, covered, self.claims)?,
        };
        let mut wind_down = *end;
        wind_down.held_paid = sum(end.held_paid, atoms)?;
        wind_down.held_shares_paid = sum(end.held_shares_paid, claim)?;
        let left = covered.checked_sub(wind_down.held_paid);
        let left = left.ok_or(EngineError::Overflow)?;
        let to_insurance = match self.claims.checked_sub(wind_down.held_shares_paid) {
            Some(0) => left,
            Some(_) => 0,
            None => return Err(EngineError::Overflow),
        };
        wind_down.held_paid = sum(wind_down.held_paid, to_insurance)?;
        Ok(ClaimPaid {
            wind_down,
            atoms,
            to_insurance,
        })
    }
}

#[cfg(test)]
mod tests;
