//! A position goes from isolated to cross margin and back.
//!
//! Either way the cross side ends with what opening needs, so that a profit that does not count never leaves
//! with its leg while the loss stays; and the isolated side with a margin of its own that is not negative and
//! is initial margin without the profit that does not count.

use super::{Account, CrossError, Leg, Values};
use crate::error::EngineError;
use crate::position::Position;
use crate::units::Atoms;

/// Both sides after a leg has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The isolated position, funding paid.
    pub position: Position,
    /// The pool, atoms.
    pub pool: Atoms,
}

impl Account<'_> {
    /// Takes the leg at `place` out as an isolated position with `margin` atoms of the pool. `rest` are
    /// the account's other legs.
    ///
    /// `NoLeg`, `BelowInitial` for either side, `Overflow`.
    pub fn take_out(
        &self,
        place: usize,
        rest: &[Leg<'_>],
        margin: u64,
    ) -> Result<Left, CrossError> {
        let leg = self.leg(place)?;
        if rest.len().checked_add(1) != Some(self.legs.len()) {
            return Err(EngineError::PositionCorrupt.into());
        }
        let margin = Atoms::from_unsigned(margin)?;
        let position = Position {
            margin,
            funding_index: leg.funding_index,
            ..leg.position
        };
        let pool = self.pool.try_sub(leg.funding_owed()?)?.try_sub(margin)?;
        let alone = [Leg { position, ..*leg }];
        let isolated = Account {
            pool: margin,
            legs: &alone,
        };
        isolated.check_opening()?;
        let rest = Account { pool, legs: rest };
        rest.check_opening()?;
        Ok(Left { position, pool })
    }

    /// Parts with the leg at `place` of a market that has ended, whoever asks: an isolated position with the
    /// leg's share of equity or deficit, so that what is left is as healthy as it was, and once the last
    /// leg has left nothing is left. `values` are the account's at the last price of
    /// the market. `NoLeg`, `Overflow`.
    pub fn part(&self, values: &Values, place: usize) -> Result<Left, CrossError> {
        let position = self.with_share(values, place)?;
        let owed = self.leg(place)?.funding_owed()?;
        let pool = self.pool.try_sub(owed)?.try_sub(position.margin)?;
        Ok(Left { position, pool })
    }

    /// Whether the account, whose pool has taken the margin of a position that joined its legs, may stand.
    /// `TooManyLegs`, `BelowInitial`.
    pub fn check_joined(&self) -> Result<(), CrossError> {
        self.values()?;
        self.check_opening()
    }
}

/// The pool once an isolated position has joined: funding paid, its margin is the pool's. `Overflow`.
pub fn joined(pool: Atoms, leg: &Leg<'_>) -> Result<Atoms, EngineError> {
    pool.try_add(leg.position.settle(leg.funding_index)?.margin)
}
