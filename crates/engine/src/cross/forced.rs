//! A leg that is flagged, liquidated or deleveraged: what the rest of the engine is handed for it.

use super::{Account, CrossError, Values};
use crate::distress::Distress;
use crate::health::Look;
use crate::position::Position;
use crate::units::{Atoms, Bps};

/// Slots beyond the grace period after which a bankruptcy that no round could be proven for takes records
/// as they stand: about ten minutes.
pub const RECORD_SLOTS: u64 = 1_500;

/// A leg of an account in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forced {
    /// The leg with its share of the account's equity or deficit, funding paid.
    pub position: Position,
    /// What a look at it finds: the account decides.
    pub look: Look,
    /// What the other legs leave of the equity to restore the account with, atoms, signed:
    /// [`Values::room`].
    pub room: Atoms,
    /// `V`, atoms.
    pub equity: Atoms,
    /// `M`, atoms.
    pub requirement: u64,
}

impl Account<'_> {
    /// The leg at `place` as it is flagged, liquidated or deleveraged, with `buffer` its market's, at the
    /// present marks; `counts` unless liquidation is paused. `NoLeg`, `Overflow`.
    pub fn forced(
        &self,
        values: &Values,
        place: usize,
        buffer: Bps,
        counts: bool,
    ) -> Result<Forced, CrossError> {
        Ok(Forced {
            position: self.with_share(values, place)?,
            look: values.look(place, buffer, counts)?,
            room: values.room(place, buffer)?,
            equity: values.equity,
            requirement: values.requirement,
        })
    }
}

impl Distress {
    /// Whether a bankruptcy has waited so long that a round which takes records as they stand
    /// ([`Evidence::Record`](super::walk::Evidence::Record)) is better than none: [`RECORD_SLOTS`] beyond
    /// its grace period, as far as somebody looked.
    #[must_use]
    pub fn takes_records(&self, grace_slots: u64, slot: u64) -> bool {
        grace_slots
            .checked_add(RECORD_SLOTS)
            .is_some_and(|slots| self.past_grace(slots, slot))
    }
}
