//! The list gone through, as the program goes through it.

use std::collections::BTreeSet;

use ballast_engine::adl::{AccountCut, AccountSkip, Cut, CutDone, Deleveraging, SkipReason};
use ballast_engine::cross::cut::{lots_borne, Bearing, Counterparty};
use ballast_engine::rank::Round;
use ballast_engine::EngineError;

use super::{at, Done, Rebuilt, Refusal};
use crate::situation::{Candidate, Situation};

#[derive(Default)]
pub(super) struct Listed {
    pub(super) cuts: Vec<Done>,
    pub(super) passed_by: Vec<(String, &'static str)>,
    /// Node of the last one cut, while it is in the queue of isolated positions.
    pub(super) last_node: Option<u32>,
}

/// What became of one who was listed: a cut and whether it was shortened, or why there was none.
type Outcome = Result<(CutDone, bool), &'static str>;

pub(super) fn cut_all(
    situation: &Situation,
    rebuilt: &mut Rebuilt,
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
            None => cut_isolated(candidate, rebuilt, state, &mut listed.last_node),
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
    rebuilt: &mut Rebuilt,
    state: &mut Deleveraging,
    last_node: &mut Option<u32>,
) -> Result<Outcome, EngineError> {
    let node = rebuilt.nodes.get(&candidate.trader).copied();
    let node = node.ok_or(EngineError::NodeNotFound)?;
    // Ages count anew in the rebuilt queue.
    let sequence = rebuilt.queue()?.as_ref().entry(node)?.sequence;
    let cut = match state.cut(&candidate.position, sequence, candidate.stamp)? {
        Cut::Skipped(reason) => return Ok(Err(skipped(reason))),
        Cut::Done(cut) => cut,
    };
    *last_node = after_cut(rebuilt, node, &cut)?;
    Ok(Ok((cut, false)))
}

/// Follows a cut in the queue; the node while it is still there.
fn after_cut(rebuilt: &mut Rebuilt, node: u32, cut: &CutDone) -> Result<Option<u32>, EngineError> {
    let mut queue = rebuilt.queue()?;
    if cut.position_after.is_empty() {
        queue.remove(node)?;
        return Ok(None);
    }
    queue.update_cut(node, &cut.position_after, cut.stamp)?;
    Ok(Some(node))
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
