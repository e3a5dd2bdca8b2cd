//! How deep a leg may be cut: a counterparty ends with maintenance margin, or no less healthy than it was.
//!
//! With `loss` what closing all `q` lots at the close price costs against the mark, rounded up:
//!
//! ```text
//! V >= M,  loss <= m_i        all that the cap allows: the requirement falls at least as fast as the equity
//! V >= M,  loss >  m_i        at most floor((V - M - 2) q / (loss - m_i)): V >= M after it
//! V <  M,  loss <= V m_i / M  all that the cap allows: V/M does not fall
//! V <  M   otherwise          none
//! ```
//!
//! The two atoms are those by which a cut and a bracket's margin round. Where the pass would end without
//! them, an account above maintenance may be cut as far as its equity lasts ([`Bearing::Equity`]).

use super::entry::Weakness;
use super::{Account, CrossError, Values};
use crate::error::EngineError;
use crate::math::{mul_div_ceil_signed, mul_div_floor, mul_div_floor_signed};
use crate::position::Position;
use crate::rank::Round;
use crate::units::{Atoms, Side};

/// A leg as a counterparty, and what its account holds and needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counterparty {
    /// The leg with all of the account's equity, funding paid: [`Account::with_everything`].
    pub position: Position,
    /// `V`, atoms.
    pub equity: Atoms,
    /// `M`, atoms.
    pub requirement: u64,
    /// `m_i`, atoms.
    pub leg_requirement: u64,
}

/// What has to be left of an account above maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// Its maintenance margin.
    Maintenance,
    /// No deficit: before the next pass opens.
    Equity,
}

impl Account<'_> {
    /// The leg at `place` as a counterparty. `NoLeg`, `Overflow`.
    pub fn counterparty(&self, values: &Values, place: usize) -> Result<Counterparty, CrossError> {
        Ok(Counterparty {
            position: self.with_everything(values, place)?,
            equity: values.equity,
            requirement: values.requirement,
            leg_requirement: values.leg(place)?.requirement,
        })
    }
}

/// What closing all lots of a position at the round's close price costs it against the mark, atoms,
/// rounded up.
fn loss(round: &Round, size: u64) -> Result<u64, EngineError> {
    let worth = i128::from(round.mark.notional(size)?);
    let close = round.close;
    let loss = match round.side {
        Side::Long => {
            let quote = mul_div_floor_signed(close.quote, size, close.lots)?;
            worth.wrapping_sub(quote.into())
        }
        Side::Short => {
            let quote = mul_div_ceil_signed(close.quote, size, close.lots)?;
            i128::from(quote).wrapping_sub(worth)
        }
    };
    u64::try_from(loss).map_err(|_| EngineError::ClosePriceOutOfRange)
}

/// Most lots, of the `cap_left` that the cap allows, by which the leg may be cut; 0 where it cannot bear
/// one, `None` where its account is below maintenance and closing the leg would make it worse.
///
/// `ClosePriceOutOfRange`, `Overflow`.
pub fn lots_borne(
    round: &Round,
    counterparty: &Counterparty,
    bearing: Bearing,
    cap_left: u64,
) -> Result<Option<u64>, EngineError> {
    if counterparty.equity.is_negative() {
        return Ok(None);
    }
    let size = counterparty.position.size();
    let loss = loss(round, size)?;
    let (equity, requirement, leg) = (
        counterparty.equity.positive_part(),
        counterparty.requirement,
        counterparty.leg_requirement,
    );
    let Some(spare) = equity.checked_sub(requirement) else {
        let share = mul_div_floor(equity, leg, requirement)?;
        return Ok((loss <= share).then_some(cap_left));
    };
    if loss <= leg {
        return Ok(Some(cap_left));
    }
    let (most, each) = match bearing {
        Bearing::Maintenance => (less(spare, 2), loss.wrapping_sub(leg)),
        Bearing::Equity => (less(equity, 1), loss),
    };
    // What is above every lot is above the cap too.
    let borne = mul_div_floor(most.min(each), size, each)?.min(cap_left);
    Ok(Some(whole_or_least(round, size, borne)))
}

/// Why rounds like this do not need the leg; `None` where it could bear the cut of a lot, of the `cap_left` that
/// the cap allows. An account below maintenance is for liquidation.
///
/// `ClosePriceOutOfRange`, `Overflow`.
pub fn weakness(
    round: &Round,
    counterparty: &Counterparty,
    cap_left: u64,
) -> Result<Option<Weakness>, EngineError> {
    let equity = counterparty.equity;
    if equity.is_negative() || equity.positive_part() < counterparty.requirement {
        return Ok(Some(Weakness::BelowMaintenance));
    }
    // At a price no worse than the round's: else the witness would not be believed in this very round.
    let (weakness, close) = Weakness::at_close(round)?;
    let eased = Round { close, ..*round };
    match lots_borne(&eased, counterparty, Bearing::Maintenance, cap_left)? {
        Some(0) if cap_left > 0 => Ok(Some(weakness)),
        _ => Ok(None),
    }
}

/// `borne`, or fewer lots where less than the least position would be left.
fn whole_or_least(round: &Round, size: u64, borne: u64) -> u64 {
    let most = less(size, u64::from(round.least_lots));
    if borne < size {
        borne.min(most)
    } else {
        borne
    }
}

/// `a - b`, at least 0.
const fn less(a: u64, b: u64) -> u64 {
    match a.checked_sub(b) {
        Some(difference) => difference,
        None => 0,
    }
}
