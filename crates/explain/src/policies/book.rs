//! Positions as a rule's own cuts leave them.

use std::collections::{BTreeMap, BTreeSet};

use ballast_engine::math::mul_div_floor_signed;
use ballast_engine::position::Position;
use ballast_engine::queue::CutStamp;
use ballast_engine::units::{Atoms, FundingIndex, Lots};
use ballast_engine::EngineError;
use ballast_report::model::Round;
use ballast_report::traders::Direction;

use crate::situation::{Candidate, Situation};

/// A position: another one of the same trader has another age.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Side of the position.
    pub side: Direction,
    /// Trader account.
    pub trader: String,
    /// Age in its queue.
    pub sequence: u64,
}

/// What a rule has left of a position.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The position; empty once it is closed.
    pub position: Position,
    /// Cuts that count towards the cap.
    pub stamp: CutStamp,
}

/// All positions ever seen in a queue.
#[derive(Debug, Default)]
pub struct Book {
    /// As the rule leaves them.
    held: BTreeMap<Key, Held>,
    /// As the program left them after its last recorded round.
    recorded: BTreeMap<Key, Position>,
}

impl Book {
    /// Takes over what happened to the counterparties since the round before, and pays funding.
    pub fn follow(&mut self, round: &Round, now: &Situation) -> Result<(), EngineError> {
        let side = round.counterparty_side;
        let mut seen = BTreeSet::new();
        for candidate in &now.queue {
            let key = Key {
                side,
                trader: candidate.trader.clone(),
                sequence: candidate.sequence,
            };
            self.update(&key, candidate, now.funding_index)?;
            seen.insert(key);
        }
        // Who has left the queue was closed by the program, which a rule need not have done, or
        // by liquidation.
        for (key, held) in self.held.iter_mut().filter(|(key, _)| key.side == side) {
            let left = self.recorded.get(key).is_some_and(|left| !left.is_empty());
            if !seen.contains(key) && left {
                held.position = Position::default();
            }
            held.position = held.position.settle(now.funding_index)?;
        }
        self.recorded.retain(|key, _| key.side != side);
        for candidate in &now.queue {
            let key = Key {
                side,
                trader: candidate.trader.clone(),
                sequence: candidate.sequence,
            };
            let left = after_recorded_cut(round, candidate)?;
            self.recorded.insert(key, left);
        }
        Ok(())
    }

    fn update(
        &mut self,
        key: &Key,
        candidate: &Candidate,
        index: FundingIndex,
    ) -> Result<(), EngineError> {
        let Some(held) = self.held.get_mut(key) else {
            let held = Held {
                position: candidate.position,
                stamp: CutStamp::default(),
            };
            self.held.insert(key.clone(), held);
            return Ok(());
        };
        let before = self.recorded.get(key).copied().unwrap_or_default();
        if before.settle(index)? == candidate.position {
            return Ok(());
        }
        let grown = i128::from(candidate.position.size()) - i128::from(before.size());
        let lots = i128::from(held.position.size()) + grown;
        let lots = u64::try_from(lots.max(0)).map_err(|_| EngineError::Overflow)?;
        held.position = resized(&candidate.position, lots)?;
        Ok(())
    }

    /// Positions of a side that are still open.
    pub fn open(&self, side: Direction) -> impl Iterator<Item = (&Key, &Held)> {
        let mine = self.held.iter();
        mine.filter(move |(key, held)| key.side == side && !held.position.is_empty())
    }

    /// Notes what a cut left.
    pub fn store(&mut self, key: &Key, held: Held) {
        self.held.insert(key.clone(), held);
    }
}

/// What the program's recorded cut left of a position: its lots, and entry and margin pro rata.
fn after_recorded_cut(round: &Round, candidate: &Candidate) -> Result<Position, EngineError> {
    let cut = round.cut.iter().find(|cut| cut.trader == candidate.trader);
    let Some(cut) = cut else {
        return Ok(candidate.position);
    };
    let position = &candidate.position;
    let side = position.side().ok_or(EngineError::NoPosition)?;
    let closed = Lots::on_side(side.opposite(), cut.lots)?;
    // Long lots are sold, short ones bought back.
    let quote = if cut.lots > position.size() {
        return Err(EngineError::NotAReduction);
    } else {
        Atoms::new(cut.quote_atoms * closed.get().signum())
    };
    Ok(position.fill(closed, quote)?.position)
}

/// A position of other lots at the same entry and bankruptcy price.
fn resized(position: &Position, lots: u64) -> Result<Position, EngineError> {
    let Some(side) = position.side().filter(|_| lots > 0) else {
        return Ok(Position::default());
    };
    let share =
        |atoms: Atoms| mul_div_floor_signed(atoms.get(), lots, position.size()).map(Atoms::new);
    Ok(Position {
        lots: Lots::on_side(side, lots)?,
        entry_quote: share(position.entry_quote)?,
        margin: share(position.margin)?,
        funding_index: position.funding_index,
    })
}
