//! Cutting a leg of a cross account: ranked by all of its account's equity, and never deeper than the
//! account can bear.

use core::cmp::Ordering;

use super::{CutDone, Deleveraging};
use crate::cross::cut::{lots_borne, Bearing, Counterparty};
use crate::error::EngineError;
use crate::queue::CutStamp;
use crate::rank::{Exposure, Ranked};

/// Why a listed account was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountSkip {
    /// It has no lots in the market any more.
    NoPosition,
    /// It is on the side of the bankrupt by now.
    OtherSide,
    /// Its leg has been cut to its cap in this pass.
    AtCap,
    /// It is below maintenance margin and closing the leg would make it worse: it is to be liquidated.
    BelowMaintenance,
    /// It could not bear the loss of a single lot.
    Shortened,
    /// Nothing is left to close in this call.
    NothingLeft,
}

/// Outcome for one listed account.
#[allow(clippy::large_enum_variant)] // nothing to box with
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountCut {
    /// Left alone.
    Skipped(AccountSkip),
    /// Closed in part or whole.
    Done {
        /// The cut; what it moves goes to the pool ([`Account::pool_after`](crate::cross::Account::pool_after)).
        done: CutDone,
        /// Whether it was shorter than the cap for the account's sake. Such a cut counts as the cap in
        /// this call alone.
        shortened: bool,
    },
}

impl Deleveraging {
    /// Ranks a listed account as [`Self::cut_account`] does. `None` where it has no lots on the
    /// counterparties' side.
    pub fn rank_account(
        &self,
        counterparty: &Counterparty,
        sequence: u64,
    ) -> Result<Option<Ranked>, EngineError> {
        if counterparty.position.side() != Some(self.round.side) {
            return Ok(None);
        }
        let index = self.round.funding_index;
        let exposure = Exposure::of_position(&counterparty.position, index, sequence)?;
        Ranked::of_account(&self.round, &exposure).map(Some)
    }

    /// Cuts the next listed account, valued exactly; sequence number and stamp are those of its leg's
    /// node.
    ///
    /// `AdlOutOfOrder` when it ranks above the one cut before it, and by more than the tolerance where
    /// nothing is left for it; `PositionCorrupt` when its funding is not paid up to the round's index.
    pub fn cut_account(
        &mut self,
        counterparty: &Counterparty,
        bearing: Bearing,
        sequence: u64,
        stamp: CutStamp,
    ) -> Result<AccountCut, EngineError> {
        let skipped = |reason| Ok(AccountCut::Skipped(reason));
        let position = &counterparty.position;
        if position.is_empty() {
            return skipped(AccountSkip::NoPosition);
        }
        if position.funding_index != self.round.funding_index {
            return Err(EngineError::PositionCorrupt);
        }
        let Some(ranked) = self.rank_account(counterparty, sequence)? else {
            return skipped(AccountSkip::OtherSide);
        };
        let cap_left = self.round.cap_left(position.size(), stamp)?;
        if cap_left == 0 {
            return skipped(AccountSkip::AtCap);
        }
        let Some(borne) = lots_borne(&self.round, counterparty, bearing, cap_left)? else {
            return skipped(AccountSkip::BelowMaintenance);
        };
        if borne == 0 {
            return skipped(AccountSkip::Shortened);
        }
        if self.budget == 0 {
            // It is left out of the walk, having been valued exactly.
            if crate::proof::accounts::ranks_above(&self.round, &ranked, self.last.as_ref())? {
                return Err(EngineError::AdlOutOfOrder);
            }
            return skipped(AccountSkip::NothingLeft);
        }
        if let Some(last) = self.last.as_ref().filter(|_| !self.proven) {
            if ranked.compare(last)? != Ordering::Less {
                return Err(EngineError::AdlOutOfOrder);
            }
        }
        let lots = self.budget.min(borne);
        let stamp = self.stamped(stamp, lots, cap_left)?;
        let done = self.close(position, ranked, lots, stamp)?;
        self.last = Some(ranked);
        Ok(AccountCut::Done {
            done,
            shortened: lots == borne && borne < cap_left,
        })
    }

    /// The last one cut, as it was ranked: what [`first_skipped_beyond`](crate::proof::first_skipped_beyond)
    /// and [`first_skipped_account`](crate::cross::walk::first_skipped_account) compare with.
    #[must_use]
    pub const fn last_ranked(&self) -> Option<&Ranked> {
        self.last.as_ref()
    }
}
