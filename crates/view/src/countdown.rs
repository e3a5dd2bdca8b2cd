//! When a request for shares is paid.

use ballast_client::staking::ExitTime;
use serde::Serialize;

/// When a request is paid, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct Countdown {
    /// Slots until the request is paid; 0 while it is; `null` without one, and when it has lapsed.
    due_in_slots: Option<u64>,
    /// Slots for which it is paid still; `null` before and after.
    open_for_slots: Option<u64>,
    lapsed: bool,
}

impl Countdown {
    /// Of a request; `None` without one.
    pub fn new(exit: Option<ExitTime>) -> Self {
        let (due_in_slots, open_for_slots) = match exit {
            Some(ExitTime::In(slots)) => (Some(slots), None),
            Some(ExitTime::Now(slots)) => (Some(0), Some(slots)),
            Some(ExitTime::Lapsed) | None => (None, None),
        };
        Self {
            due_in_slots,
            open_for_slots,
            lapsed: exit == Some(ExitTime::Lapsed),
        }
    }

    /// In words: `paid` is what is paid, `but` what is to be said of it before its time.
    pub fn words(&self, paid: &str, but: &str) -> String {
        match (self.due_in_slots, self.open_for_slots) {
            _ if self.lapsed => "What was asked for has lapsed: ask again.".to_owned(),
            (None, _) => "Nothing is asked for.".to_owned(),
            (Some(_), Some(open)) => format!("{paid} may be paid now, for {open} slots more."),
            (Some(wait), None) => format!("{paid} may be paid in {wait} slots{but}."),
        }
    }
}
