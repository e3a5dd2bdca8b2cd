//! The round of an event, decided again.

use ballast_state::events::AutoDeleveraged;

use super::{compare, from_event};
use crate::audit::Audit;
use crate::decision::{decide, Decision};
use crate::situation::{Situation, Units};

/// What nobody can recompute from an event.
pub const NOT_VERIFIABLE: [&str; 5] = [
    "the ranks of those who were not cut: the queue of that slot is gone",
    "what the pass had cut before from those who were cut, beyond what the cap implies",
    "whether insurance could have paid more: its cap for the window is not in the event",
    "when the bankruptcy was flagged, so not whether the grace period was over where insurance paid everything",
    "the keeper's reward, which the market's parameters and fees of that slot decide",
];

/// An event and where it was found.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The event.
    pub event: &'a AutoDeleveraged,
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

/// Decides the round of an event again and compares everything it records.
pub fn explain(recorded: Recorded<'_>) -> Explanation<'_> {
    let mut audit = Audit::default();
    compare::itself(recorded.event, &mut audit);
    let situation = from_event::situation(recorded.event, &recorded.units);
    let decided = match situation {
        Err((field, why)) => {
            audit.fail(field, "recorded", why);
            None
        }
        Ok(situation) => match decide(&situation) {
            Ok(decision) => {
                compare::with(recorded.event, &decision, &mut audit);
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
}
