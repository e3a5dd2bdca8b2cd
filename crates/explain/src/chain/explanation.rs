//! The round of an event, decided again.

use ballast_state::events::{AutoDeleveraged, BallastEvent, CrossRound};

use super::{compare, from_event, legs};
use crate::audit::Audit;
use crate::decision::{decide_cuts, Decision};
use crate::situation::{Situation, Units};

/// What nobody can recompute from an event; the last where legs may be cut.
const NOT_VERIFIABLE: [&str; 6] = [
    "the ranks of those who were not cut: the queue of that slot is gone",
    "what the pass had cut before from those who were cut, beyond what the cap implies",
    "whether insurance could have paid more: its cap for the window is not in the event",
    "when the bankruptcy was flagged, so not whether the grace period was over where insurance paid everything",
    "the keeper's reward, which the market's parameters and fees of that slot decide",
    "what the accounts of legs needed and what is left in their pools, and whether records counted: their other legs and the flag are in no event",
];

/// An event and where it was found.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The event.
    pub event: &'a AutoDeleveraged,
    /// What it does not say of a round in which legs may be cut.
    pub cross: Option<&'a CrossRound>,
    /// Slot of its transaction.
    pub slot: u64,
    /// Signature of its transaction.
    pub signature: &'a str,
    /// Name of its market.
    pub market: &'a str,
    /// Units of its market, which never change.
    pub units: Units,
}

/// A round of the chain with what the engine makes of it.
pub struct Explanation<'a> {
    pub(super) recorded: Recorded<'a>,
    /// What it was decided from and what was decided; nothing when the engine refuses it.
    pub(super) decided: Option<(Situation, Decision)>,
    pub(super) audit: Audit,
}

/// The rounds of a transaction: each event, with the one after it that tells of its legs.
pub fn rounds(events: &[BallastEvent]) -> Vec<(&AutoDeleveraged, Option<&CrossRound>)> {
    let mut rounds = Vec::new();
    for (place, event) in events.iter().enumerate() {
        if let BallastEvent::AutoDeleveraged(round) = event {
            let cross = match events.get(place + 1) {
                Some(BallastEvent::CrossRound(cross)) => Some(&**cross),
                _ => None,
            };
            rounds.push((&**round, cross));
        }
    }
    rounds
}

/// Decides the round of an event again and compares everything it records.
pub fn explain(recorded: Recorded<'_>) -> Explanation<'_> {
    let mut audit = Audit::default();
    compare::itself(recorded.event, &mut audit);
    if let Some(cross) = recorded.cross {
        legs::itself(recorded.event, cross, &mut audit);
    }
    let situation = from_event::situation(recorded.event, recorded.cross, &recorded.units);
    let decided = match situation {
        Err((field, why)) => {
            audit.fail(field, "recorded", why);
            None
        }
        Ok(situation) => match decide_cuts(&situation) {
            Ok(decision) => {
                compare::with(recorded.event, &decision, &mut audit);
                if let Some(cross) = recorded.cross {
                    legs::with(cross, &decision, &mut audit);
                }
                Some((situation, decision))
            }
            Err(refusal) => {
                audit.fail("the round as a whole", "accepted", refusal);
                None
            }
        },
    };
    Explanation {
        recorded,
        decided,
        audit,
    }
}

impl Explanation<'_> {
    /// Whether every figure of the event is what the engine makes of it.
    pub fn verified(&self) -> bool {
        self.audit.faults.is_empty()
    }

    /// What nobody can recompute of it.
    pub(super) fn not_verifiable(&self) -> &'static [&'static str] {
        match (self.recorded.cross, &NOT_VERIFIABLE) {
            (Some(_), all) => all,
            (None, [isolated @ .., _]) => isolated,
        }
    }
}
