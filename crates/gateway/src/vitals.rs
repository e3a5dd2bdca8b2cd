//! How the gateway is: what `/health` says.

use std::time::Instant;

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::finality::Hole;

/// Seconds without a word from the node after which the gateway is unwell.
const SILENT: u64 = 30;

/// What is known of how it is.
pub struct Vitals {
    begun: Instant,
    /// All accounts have been read once.
    pub accounts_read: bool,
    /// The websocket is open.
    pub websocket: bool,
    /// The newest slot that was heard of, and when.
    pub slot: Option<(u64, Instant)>,
    /// History has been read up to the newest transaction, and when that was last so.
    pub caught_up: Option<Instant>,
    /// Slot up to which everything is final.
    pub final_slot: u64,
    /// Why history is not written, if it is not.
    pub store_problem: Option<String>,
    /// Why the chain is not read, if it is not.
    pub chain_problem: Option<String>,
    /// Whether the first transaction is the one by which the exchange came into being.
    pub from_beginning: bool,
    /// Changes of positions and of markets' sums that do not join, the newest.
    pub holes: Vec<Hole>,
    /// How many of those there are.
    pub hole_count: i64,
    /// Counters of markets that do not agree with history.
    pub counters: Vec<Hole>,
    /// When counters were last compared.
    pub compared: Option<Instant>,
}

impl Vitals {
    /// Of a gateway that begins.
    #[must_use]
    pub const fn new(begun: Instant) -> Self {
        Self {
            begun,
            accounts_read: false,
            websocket: false,
            slot: None,
            caught_up: None,
            final_slot: 0,
            store_problem: None,
            chain_problem: None,
            from_beginning: false,
            holes: Vec::new(),
            hole_count: 0,
            counters: Vec::new(),
            compared: None,
        }
    }

    /// It heard of a slot.
    pub fn see_slot(&mut self, slot: u64) {
        let newest = self.slot.map_or(0, |(slot, _)| slot).max(slot);
        self.slot = Some((newest, Instant::now()));
    }

    /// How it is at a moment.
    #[must_use]
    pub fn report(&self, now: Instant) -> Health {
        let age = |at: Instant| now.saturating_duration_since(at).as_secs();
        let slot_age = self.slot.map(|(_, at)| age(at));
        let mut problems = Vec::new();
        if !self.accounts_read {
            problems.push("the accounts of the exchange have not been read yet".to_owned());
        }
        match slot_age {
            Some(age) if age <= SILENT => {}
            Some(age) => problems.push(format!("the node has told of no slot for {age} s")),
            None => problems.push("the node has told of no slot yet".to_owned()),
        }
        problems.extend(self.chain_problem.clone());
        problems.extend(self.store_problem.clone());
        let complete = self.from_beginning && self.hole_count == 0 && self.counters.is_empty();
        Health {
            status: match problems.is_empty() {
                true => "healthy",
                false => "unhealthy",
            },
            problems,
            uptime_seconds: age(self.begun),
            slot: self.slot.map(|(slot, _)| slot),
            slot_age_seconds: slot_age,
            websocket: self.websocket,
            history: History {
                caught_up_seconds_ago: self.caught_up.map(age),
                final_slot: self.final_slot,
                from_beginning: self.from_beginning,
                compared_seconds_ago: self.compared.map(age),
                complete: complete && self.compared.is_some(),
                holes: self.hole_count,
                newest_holes: self.holes.clone(),
                counters: self.counters.clone(),
            },
        }
    }
}

/// How the gateway is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// `healthy` or `unhealthy`.
    pub status: &'static str,
    /// What is wrong, in sentences.
    pub problems: Vec<String>,
    /// Seconds since it began.
    pub uptime_seconds: u64,
    /// The newest slot that the node told of.
    pub slot: Option<u64>,
    /// Seconds since then.
    pub slot_age_seconds: Option<u64>,
    /// Whether the websocket to the node is open.
    pub websocket: bool,
    /// How complete history is.
    pub history: History,
}

/// How complete history is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct History {
    /// Seconds since everything that the node names was stored; `null` before.
    pub caught_up_seconds_ago: Option<u64>,
    /// Slot up to which everything is final and joined.
    pub final_slot: u64,
    /// Whether it begins with the exchange.
    pub from_beginning: bool,
    /// Seconds since it was compared with the counters of the markets.
    pub compared_seconds_ago: Option<u64>,
    /// Whether it begins with the exchange, every change of a position and of a market's insurance, parameters of fees and
    /// funding begins where the one before ended, as far as events tell, and the counters of all markets agree.
    pub complete: bool,
    /// Changes that do not begin where the one before ended.
    pub holes: i64,
    /// The newest of them.
    pub newest_holes: Vec<Hole>,
    /// Counters of markets that do not agree.
    pub counters: Vec<Hole>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_wrong_is_said_and_holes_are_not_hidden() {
        let begun = Instant::now();
        let mut vitals = Vitals::new(begun);
        assert_eq!(vitals.report(begun).problems.len(), 2);
        vitals.accounts_read = true;
        vitals.see_slot(9);
        vitals.see_slot(7);
        let report = vitals.report(Instant::now());
        assert_eq!((report.status, report.slot), ("healthy", Some(9)));
        assert!(!report.history.complete, "not compared yet");
        (vitals.from_beginning, vitals.compared) = (true, Some(begun));
        assert!(vitals.report(Instant::now()).history.complete);
        vitals.hole_count = 1;
        assert!(!vitals.report(Instant::now()).history.complete);
        vitals.store_problem = Some("the database has no room".to_owned());
        let late = Instant::now() + Duration::from_secs(SILENT + 2);
        assert_eq!(vitals.report(late).problems.len(), 2);
    }
}
