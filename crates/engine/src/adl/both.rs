//! The order of a round over both queues of a side: isolated positions and legs of cross accounts stand in
//! one ranking, and the proof walks both.
//!
//! A round goes: cut the list while every account keeps its maintenance. Where nobody could be cut and
//! somebody is at its cap or too weak for its, prove that nobody else could, and cut the list as far as
//! equity lasts. Where still nobody could be, open the next pass and cut the list again. In the end prove
//! the order. [`Stage`] is that sequence.

use super::{AccountCut, AccountSkip};
use super::{Cut, Deleveraging, SkipReason};
use crate::cross::cut::Bearing;
use crate::cross::queue::CrossQueueRef;
use crate::error::EngineError;
use crate::proof::accounts::{first_skipped_account, Evidence};
use crate::proof::first_skipped_beyond;
use crate::queue::QueueRef;

/// What a round knows of the cross queue of its counterparties.
#[derive(Clone, Copy, Debug)]
pub struct CrossSide<'a> {
    /// The queue.
    pub queue: &'a CrossQueueRef<'a>,
    /// How far records count.
    pub evidence: &'a Evidence<'a>,
    /// Nodes, ascending, of the accounts that were listed and valued exactly.
    pub known: &'a [u32],
    /// The present slot.
    pub slot: u64,
}

/// Somebody who was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedOver {
    /// A position of the isolated queue, by its node: it belongs into the list.
    Position(u32),
    /// A leg of the cross queue, by its node: its account may rank so high. It belongs into the list, or
    /// has to be recorded anew.
    Account(u32),
}

/// Outcome of the walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The first who was passed over, isolated positions first.
    pub passed_over: Option<PassedOver>,
    /// Nodes of the isolated queue looked at.
    pub visited: u32,
    /// Nodes of the cross queue looked at.
    pub cross_visited: u32,
}

/// Where a round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Accounts keep their maintenance margin.
    First,
    /// Nobody could be cut so: accounts above maintenance are cut as far as their equity lasts.
    Equity,
    /// Nobody could be cut so either: another pass is open.
    NextPass,
}

impl Stage {
    /// What a cut has to leave of an account.
    #[must_use]
    pub const fn bearing(self) -> Bearing {
        match self {
            Self::Equity => Bearing::Equity,
            Self::First | Self::NextPass => Bearing::Maintenance,
        }
    }

    /// What comes next where this stage cut nobody: `listed` says whom the list shows. `None`: the list
    /// shows nobody for whom anything would change. Before the first stage is left the end of the ranking
    /// has to be proven ([`Deleveraging::prove`] with nobody cut).
    #[must_use]
    pub const fn after_nobody(self, listed: Listed) -> Option<Self> {
        match self {
            Self::First if listed.shortened > 0 => Some(Self::Equity),
            Self::First | Self::Equity if listed.at_cap > 0 => Some(Self::NextPass),
            _ => None,
        }
    }
}

/// Whom a list shows who was not cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Positions and legs at their cap.
    pub at_cap: u32,
    /// Accounts above maintenance that could not bear the cut of a single lot.
    pub shortened: u32,
}

impl Listed {
    /// Counts a position.
    pub const fn count(&mut self, cut: &Cut) {
        if let Cut::Skipped(SkipReason::AtCap) = cut {
            self.at_cap = self.at_cap.wrapping_add(1);
        }
    }

    /// Counts an account.
    pub const fn count_account(&mut self, cut: &AccountCut) {
        match cut {
            AccountCut::Skipped(AccountSkip::AtCap) => self.at_cap = self.at_cap.wrapping_add(1),
            AccountCut::Skipped(AccountSkip::Shortened) => {
                self.shortened = self.shortened.wrapping_add(1);
            }
            _ => {}
        }
    }
}

impl Deleveraging {
    /// Walks both queues for somebody who was passed over by the cuts so far; with none so far, for anybody
    /// who may be cut at all. `ignore` is the node of the last isolated position cut, while it is in its
    /// queue. Without `cross` the market has no cross queues.
    ///
    /// `WrongSide`; those of a corrupt queue.
    pub fn prove(
        &self,
        isolated: &QueueRef<'_>,
        ignore: Option<u32>,
        cross: Option<&CrossSide<'_>>,
    ) -> Result<Proof, EngineError> {
        let (round, last) = (self.round(), self.last_ranked());
        let walk = first_skipped_beyond(isolated, round, last, ignore)?;
        let mut proof = Proof {
            passed_over: walk.skipped.map(PassedOver::Position),
            visited: walk.visited,
            cross_visited: 0,
        };
        if let (None, Some(side)) = (proof.passed_over, cross) {
            let (known, slot) = (side.known, side.slot);
            let walk = first_skipped_account(side.queue, round, last, side.evidence, known, slot)?;
            proof.passed_over = walk.skipped.map(PassedOver::Account);
            proof.cross_visited = walk.visited;
        }
        Ok(proof)
    }
}
