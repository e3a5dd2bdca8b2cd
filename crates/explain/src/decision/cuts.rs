//! The list gone through, as the program goes through it.

use std::collections::BTreeSet;

use ballast_engine::adl::{AccountCut, AccountSkip, Cut, CutDone, Deleveraging, SkipReason};
use ballast_engine::cross::cut::{lots_borne, Bearing, Counterparty};
use ballast_engine::rank::Round;
use ballast_engine::EngineError;

use super::{at, Done, Known, Refusal};
use crate::situation::{Candidate, Situation};

#[derive(Default)]
pub(super) struct Listed {
    pub(super) cuts: Vec<Done>,
    pub(super) passed_by: Vec<(String, &'static str)>,
}

/// What became of one who was listed: a cut and whether it was shortened, or why there was none.
type Outcome = Result<(CutDone, bool), &'static str>;

pub(super) fn cut_all(
    situation: &Situation,
    queue: &mut impl Known,
    state: &mut Deleveraging,
) -> Result<Listed, Refusal> {
    let mut seen = BTreeSet::new();
    let mut listed = Listed::default();
    for trader in &situation.listed {
        if !seen.insert(trader) {
            return Err(Refusal::Twice(trader.clone()));
        }
        let candidate = situation.queue.iter().find(|one| one.trader == *trader);
        let candidate = candidate.ok_or_else(|| Refusal::Unknown(trader.clone()))?;
        let wanted = state.remaining_lots();
        let cut = match &candidate.leg {
            Some(leg) => cut_leg(candidate, leg, situation.bearing, state),
            None => cut_isolated(candidate, queue, state),
        };
        match cut.map_err(at(&format!("cutting {trader}")))? {
            Err(reason) => listed.passed_by.push((trader.clone(), reason)),
            Ok((cut, shortened)) => listed.cuts.push(Done {
                trader: trader.clone(),
                wanted,
                cut,
                shortened,
            }),
        }
    }
    Ok(listed)
}

fn cut_leg(
    candidate: &Candidate,
    leg: &Counterparty,
    bearing: Bearing,
    state: &mut Deleveraging,
) -> Result<Outcome, EngineError> {
    let cut = state.cut_account(leg, bearing, candidate.sequence, candidate.stamp)?;
    Ok(match cut {
        AccountCut::Done { done, shortened } => Ok((done, shortened)),
        AccountCut::Skipped(reason) => Err(match reason {
            AccountSkip::NoPosition => skipped(SkipReason::NoPosition),
            AccountSkip::OtherSide => skipped(SkipReason::OtherSide),
            AccountSkip::AtCap => skipped(SkipReason::AtCap),
            AccountSkip::NothingLeft => skipped(SkipReason::NothingLeft),
            AccountSkip::BelowMaintenance => "its account is to be liquidated",
            AccountSkip::Shortened => "its account could not bear the loss of a lot",
        }),
    })
}

fn cut_isolated(
    candidate: &Candidate,
    queue: &mut impl Known,
    state: &mut Deleveraging,
) -> Result<Outcome, EngineError> {
    // Ages count anew in a rebuilt queue.
    let stored = queue.stored(candidate)?;
    let sequence = stored.map_or(candidate.sequence, |stored| stored.sequence);
    let cut = match state.cut(&candidate.position, sequence, candidate.stamp)? {
        Cut::Skipped(reason) => return Ok(Err(skipped(reason))),
        Cut::Done(cut) => cut,
    };
    queue.follow(candidate, &cut)?;
    Ok(Ok((cut, false)))
}

/// Whether an account above maintenance could not bear the cut of a lot and keep its maintenance: only then, and
/// where everybody listed is so, a round goes on as far as equity lasts.
pub fn cannot_bear_a_lot(round: &Round, leg: &Counterparty) -> Result<bool, EngineError> {
    let size = leg.position.size();
    Ok(lots_borne(round, leg, Bearing::Maintenance, size)? == Some(0))
}

/// Why a listed counterparty was not cut, in words.
const fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NoPosition => "it has no position",
        SkipReason::OtherSide => "it is on the side of the bankrupt",
        SkipReason::AtCap => "it is at its cap for this pass",
        SkipReason::Insolvent => "it is insolvent at the close price",
        SkipReason::NothingLeft => "nothing is left to close",
    }
}
