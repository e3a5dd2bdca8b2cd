//! Protective steps of one market, in memory, and which of them the price has reached.

use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::Site;
use ballast_engine::liquidation::{health, Health};
use ballast_engine::position::Position;
use ballast_engine::units::Ticks;
use ballast_state::error::BallastError;
use ballast_state::exchange::PAUSE_TRADE;
use ballast_state::protection::{Due, Protection};
use ballast_state::trader::Trader;

use crate::evaluate::{forces, job, Conditions, Job, Task};
use crate::market::Present;

/// Protective steps by trader account. An account without steps is none.
#[derive(Clone, Debug, Default)]
pub struct Protections {
    of: HashMap<Pubkey, Protection>,
}

impl Protections {
    /// Takes over what an account of protective steps says; whether anything changed.
    pub fn apply(&mut self, found: &Protection) -> bool {
        let before = self.of.remove(&found.trader);
        if found.base_lots != 0 {
            self.of.insert(found.trader, *found);
        }
        let what = |one: &Protection| (one.sequence, one.base_lots, one.slip_bps, one.steps);
        before.as_ref().map(what) != self.of.get(&found.trader).map(what)
    }

    /// Forgets the steps of a trader; whether there were any.
    pub fn remove(&mut self, trader: &Pubkey) -> bool {
        self.of.remove(trader).is_some()
    }

    /// Forgets the steps of a trader, if they are still those for the position with this number: it has
    /// ended. They come back when their account changes or is read again.
    pub fn forget(&mut self, trader: &Pubkey, sequence: u64) {
        if self.get(trader).is_some_and(|it| it.sequence == sequence) {
            self.of.remove(trader);
        }
    }

    /// The steps of a trader.
    #[must_use]
    pub fn get(&self, trader: &Pubkey) -> Option<&Protection> {
        self.of.get(trader)
    }
}

/// What the steps of a trader ask for of its position with funding paid. Whether they are for this
/// position and not for one before it, the queue tells, which is not in memory.
///
/// # Errors
/// Those of [`Protection::due`].
pub fn due(
    present: &Present<'_>,
    steps: &Protection,
    position: &Position,
) -> Result<Option<Due>, BallastError> {
    if steps.base_lots.signum() != position.lots.get().signum() {
        return Ok(None);
    }
    let mark = Ticks::new(present.moment.price_ticks);
    steps.due(
        position,
        mark,
        present.mark.price,
        present.state.market.params(),
    )
}

/// What the steps of a trader ask for of its leg in the market of `site`, at the margin ratio of the account.
/// Whether they are for this leg, the cross queue tells.
///
/// # Errors
/// `NoPosition`; those of [`Scene::protective`](ballast_state::cross::Scene::protective).
pub fn due_of_leg(
    site: &Site<'_>,
    trader: &Trader,
    steps: &Protection,
) -> Result<Option<Due>, BallastError> {
    let lots = trader.leg(&site.key)?.lots;
    if steps.base_lots.signum() != lots.signum() {
        return Ok(None);
    }
    site.scene().protective(trader, steps)
}

/// Adds a job for each trader whose steps for an isolated position the price has reached; the number of those whose numbers do not
/// compute.
pub(crate) fn reached(
    present: &Present<'_>,
    conditions: &Conditions,
    jobs: &mut Vec<Job>,
) -> usize {
    if !conditions.allow(PAUSE_TRADE) {
        return 0;
    }
    let mut faulty = 0;
    for steps in present.state.protections.of.values() {
        match one(present, steps) {
            Ok(job) => jobs.extend(job),
            Err(_) => faulty += 1,
        }
    }
    faulty
}

fn one(present: &Present<'_>, steps: &Protection) -> Result<Option<Job>, BallastError> {
    let Some(record) = present.state.positions.get(&steps.trader) else {
        return Ok(None);
    };
    let position = present.settled(record)?;
    let health = health(&position, present.mark.price, present.state.market.params())?;
    let bankrupt = matches!(health, Health::Bankrupt { .. });
    if bankrupt || !forces(present, record) || due(present, steps, &position)?.is_none() {
        return Ok(None);
    }
    Ok(Some(job(
        present,
        record,
        &position,
        Task::Protection,
        false,
    )?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    const ANN: Pubkey = Pubkey::new_from_array([1; 32]);

    fn steps(sequence: u64, base_lots: i64) -> Protection {
        Protection {
            trader: ANN,
            sequence,
            base_lots,
            ..Protection::zeroed()
        }
    }

    #[test]
    fn steps_are_known_until_they_are_cleared_or_their_position_has_ended() {
        let mut known = Protections::default();
        assert!(known.apply(&steps(7, 10)) && !known.apply(&steps(7, 10)));
        known.forget(&ANN, 6);
        assert_eq!(known.get(&ANN).map(|it| it.sequence), Some(7), "another's");
        known.forget(&ANN, 7);
        assert!(known.get(&ANN).is_none());
        assert!(known.apply(&steps(8, -10)), "set anew");
        assert!(known.apply(&steps(0, 0)), "cleared");
        assert!(known.get(&ANN).is_none() && !known.remove(&ANN));
    }
}
