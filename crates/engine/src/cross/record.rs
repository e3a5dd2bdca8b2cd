//! The record of a leg: what the account holds beside the leg's own result, as its queue node knows it.
//!
//! `rest_i = V - U_i`, at the board's marks. The node is that of a position with this margin, so that it
//! holds all of the account's equity and moves exactly with its own market's mark and funding. After every
//! write of the account no record flatters:
//!
//! ```text
//! (S)   record_j - rest_j <= floor(max(V, 0) slack / 100)      for every leg not recorded anew
//! ```
//!
//! The slack is smaller while a record is fresh. A leg that a witness found too weak is recorded anew by
//! every write while that record is fresh: else who is too weak for any cut for a moment, by a loss to
//! itself in another market, would be passed over once it is strong again.
//!
//! A node holds bankruptcy prices within 2^31 atoms a lot of zero; a few lots of a rich account lie beyond,
//! and so do those of a deep deficit. A record is clamped. Where the account is rich, the clamped record
//! ranks it higher than it stands. Where the deficit is deep, the recorded equity is not positive at any
//! price, and the node is taken for one of which nothing is known ([`is_floored`], by value).

use super::{Account, CrossError, Slack, Values};
use crate::error::EngineError;
use crate::math::product_signed;
use crate::position::Position;
use crate::queue::Totals;
use crate::units::{Atoms, Side};

/// First bankruptcy price beyond what a record says, 2^-32 atoms a lot: within an atom of what a node can
/// hold.
pub const FLOOR_Q32: i64 = 0x7fff_ffff_0000_0000;

/// Whether a node's bankruptcy price on `side` is that of a record clamped from below, or one like it: it
/// says nothing.
#[must_use]
pub const fn is_floored(side: Side, bankruptcy_q32: i64) -> bool {
    match side {
        Side::Long => bankruptcy_q32 >= FLOOR_Q32,
        Side::Short => bankruptcy_q32 <= -FLOOR_Q32,
    }
}

/// Whether a record made in `recorded_slot` is fresh in `slot`.
#[inline(always)]
#[must_use]
pub const fn is_fresh(recorded_slot: u64, slot: u64) -> bool {
    match slot.checked_sub(recorded_slot) {
        Some(age) => age <= super::FRESH_SLOTS,
        None => false,
    }
}

/// `position` with the record of `rest`, clamped to what a node can hold. `NoPosition`; `Overflow` where
/// the funding index lies beyond 2^31 atoms a lot.
pub fn record(position: &Position, rest: i128) -> Result<Position, EngineError> {
    let side = position.side().ok_or(EngineError::NoPosition)?;
    let paid = product_signed(position.lots.get(), position.funding_index.get());
    let entry = i128::from(position.entry_quote.get().unsigned_abs());
    // 32 bits by 31, less one: the largest total within range.
    let most = i128::from(position.size() << 31).wrapping_sub(1);
    // With margin m the bankruptcy total is E - m - l f for a long and E + m + l f for a short.
    let centre = match side {
        Side::Long => entry.wrapping_sub(paid),
        Side::Short => entry.wrapping_neg().wrapping_sub(paid),
    };
    let (least, most) = (centre.wrapping_sub(most), centre.wrapping_add(most));
    let highest = most.min(i128::from(i64::MAX));
    let margin = i64::try_from(rest.min(highest).max(least)).map_err(|_| EngineError::Overflow)?;
    Ok(Position {
        margin: Atoms::new(margin),
        ..*position
    })
}

/// Whether the record in `position` flatters: says more than `rest` and the slack of the account's
/// `equity`. One that says nothing does not. All at the board's marks.
pub fn flatters(
    position: &Position,
    rest: i128,
    equity: Atoms,
    slack_percent: u64,
) -> Result<bool, EngineError> {
    let side = position.side().ok_or(EngineError::NoPosition)?;
    let more = i128::from(position.margin.get()).wrapping_sub(rest);
    if more <= 0 {
        return Ok(false);
    }
    // 63 bits by a percentage.
    let slack = u128::from(equity.positive_part())
        .checked_mul(u128::from(slack_percent))
        .ok_or(EngineError::Overflow)?;
    let flatters = more
        .unsigned_abs()
        .checked_mul(100)
        .is_none_or(|more| more > slack);
    if !flatters {
        return Ok(false);
    }
    let price = Totals::of(position, side)?.bankruptcy_q32()?;
    Ok(!is_floored(side, price))
}

impl Account<'_> {
    /// The leg at `place` with its record anew, funding settled as it is. `values` are the account's at
    /// the board's marks. `NoLeg`, `Overflow`.
    pub fn recorded(&self, values: &Values, place: usize) -> Result<Position, CrossError> {
        let leg = self.leg(place)?;
        Ok(record(&leg.position, values.rest(place)?)?)
    }

    /// The first leg whose record flatters, or that is weak by a fresh one, but those that `renewed` says
    /// are recorded anew. `values` are the account's at the board's marks.
    pub fn flattered(
        &self,
        values: &Values,
        slack: Slack,
        slot: u64,
        renewed: impl Fn(usize) -> bool,
    ) -> Result<Option<usize>, CrossError> {
        for (place, leg) in self.legs.iter().enumerate() {
            if leg.position.is_empty() || renewed(place) {
                continue;
            }
            let rest = values.rest(place)?;
            let fresh = is_fresh(leg.recorded_slot, slot);
            let percent = if fresh {
                slack.fresh_percent
            } else {
                slack.percent
            };
            let weak = fresh && leg.weak;
            if weak || flatters(&leg.position, rest, values.equity, percent)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// (S) after a write. `RecordStale` names the leg whose queue is missing.
    pub fn check_records(
        &self,
        values: &Values,
        slack: Slack,
        slot: u64,
        renewed: impl Fn(usize) -> bool,
    ) -> Result<(), CrossError> {
        match self.flattered(values, slack, slot, renewed)? {
            None => Ok(()),
            Some(leg) => Err(CrossError::RecordStale { leg }),
        }
    }
}
