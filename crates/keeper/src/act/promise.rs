//! What transactions under way have promised.

use std::sync::atomic::Ordering;
use std::sync::PoisonError;

use super::Actor;
use crate::plan::{Effect, Plan};

/// What a transaction under way has promised; given back when it has ended.
pub(super) struct Promise<'a> {
    actor: &'a Actor,
    margin: u64,
    takes: bool,
}

impl<'a> Promise<'a> {
    pub(super) fn of(actor: &'a Actor, plan: &Plan) -> Self {
        let margin = match plan.effect {
            Effect::Liquidation { margin_atoms, .. } => margin_atoms,
            _ => 0,
        };
        let takes = plan.reads.book.is_some();
        actor.change(|promised| promised.saturating_add(margin));
        if takes {
            actor.takers.fetch_add(1, Ordering::Relaxed);
        }
        Self {
            actor,
            margin,
            takes,
        }
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.actor
            .change(|promised| promised.saturating_sub(self.margin));
        if self.takes {
            self.actor.takers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Actor {
    fn change(&self, change: impl FnOnce(u64) -> u64) {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        *promised = change(*promised);
    }
}
