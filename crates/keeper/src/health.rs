//! Whether the keeper sees what it has to see, and can pay.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::Limits;

/// What the keeper knows about itself.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// Whether everything has been read once.
    pub ready: bool,
    /// Whether it is stopping.
    pub stopping: bool,
    /// The newest slot heard of.
    pub slot: u64,
    /// When it last advanced.
    pub slot_at: Option<Instant>,
    /// The cluster's clock, unix seconds, and when it was heard.
    pub clock: Option<(i64, Instant)>,
    /// By market: when its price was published, unix seconds; `None` where there is no price.
    pub prices: BTreeMap<u16, Option<i64>>,
    /// By market: the oldest price, seconds, that it opens positions at.
    pub oldest_prices: BTreeMap<u16, u64>,
    /// What the wallet holds, lamports.
    pub lamports: Option<u64>,
    /// When the node last answered a request.
    pub answered_at: Option<Instant>,
    /// Whether the websocket is open.
    pub websocket: bool,
    /// Whether accounts are polled, because the websocket is not to be trusted.
    pub polling: bool,
    /// Slots by which the websocket is behind the node.
    pub slot_lag: u64,
    /// Transactions under way.
    pub in_flight: usize,
}

/// The body of `/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `ok` or `unhealthy`.
    pub status: &'static str,
    /// What is wrong, in sentences.
    pub reasons: Vec<String>,
    /// What the operator may want to know and does not make it unhealthy.
    pub warnings: Vec<String>,
    /// The newest slot.
    pub slot: u64,
    /// Age of the slot, milliseconds.
    pub slot_age_ms: Option<u128>,
    /// Slots by which the websocket is behind the node.
    pub slot_lag: u64,
    /// Age of each market's price, seconds.
    pub price_age_seconds: BTreeMap<u16, Option<i64>>,
    /// What the wallet holds, lamports.
    pub wallet_lamports: Option<u64>,
    /// Whether the websocket is open.
    pub websocket: bool,
    /// Whether accounts are polled.
    pub polling: bool,
    /// Transactions under way.
    pub in_flight: usize,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl Vitals {
    /// Notes a slot.
    pub fn see_slot(&mut self, slot: u64, now: Instant) {
        if slot > self.slot {
            self.slot = slot;
            self.slot_at = Some(now);
        }
    }

    /// Age of a market's price on the cluster's clock, seconds; `None` without price or clock.
    #[must_use]
    pub fn price_age(&self, published: Option<i64>, now: Instant) -> Option<i64> {
        let (clock, heard) = self.clock?;
        let since = i64::try_from(now.saturating_duration_since(heard).as_secs()).ok()?;
        Some(clock.saturating_add(since).saturating_sub(published?))
    }

    /// The verdict at `now`.
    #[must_use]
    pub fn assess(&self, limits: &Limits, now: Instant) -> Report {
        let (mut reasons, mut warnings) = (Vec::new(), Vec::new());
        self.assess_node(limits, now, &mut reasons);
        if self.ready {
            self.assess_prices(limits, now, &mut reasons, &mut warnings);
        }
        match self.lamports {
            Some(lamports) if lamports < limits.min_lamports => reasons.push(format!(
                "the wallet holds {lamports} lamports, less than {}: send it SOL",
                limits.min_lamports
            )),
            _ => {}
        }
        Report {
            status: if reasons.is_empty() {
                "ok"
            } else {
                "unhealthy"
            },
            slot: self.slot,
            slot_age_ms: self
                .slot_at
                .map(|at| now.saturating_duration_since(at).as_millis()),
            slot_lag: self.slot_lag,
            price_age_seconds: self
                .prices
                .iter()
                .map(|(market, published)| (*market, self.price_age(*published, now)))
                .collect(),
            wallet_lamports: self.lamports,
            websocket: self.websocket,
            polling: self.polling,
            in_flight: self.in_flight,
            reasons,
            warnings,
        }
    }

    fn assess_node(&self, limits: &Limits, now: Instant, reasons: &mut Vec<String>) {
        let most = Duration::from_secs(limits.max_slot_age_seconds);
        let late = |at: Option<Instant>| match at {
            None => Some("ever".to_owned()),
            Some(at) => {
                let age = now.saturating_duration_since(at);
                (age > most).then(|| format!("for {} s", age.as_secs()))
            }
        };
        if let Some(since) = late(self.answered_at) {
            reasons.push(format!("the RPC node has not answered {since}"));
        }
        if !self.ready {
            reasons.push("the accounts have not been read yet".to_owned());
        } else if let Some(since) = late(self.slot_at) {
            reasons.push(format!("the slot has not advanced {since}"));
        }
        if self.stopping {
            reasons.push("it is stopping".to_owned());
        }
    }

    fn assess_prices(
        &self,
        limits: &Limits,
        now: Instant,
        reasons: &mut Vec<String>,
        warnings: &mut Vec<String>,
    ) {
        let mut priced = false;
        for (market, published) in &self.prices {
            let Some(age) = self.price_age(*published, now) else {
                warnings.push(format!("market {market} has no price"));
                continue;
            };
            priced = true;
            let own = self.oldest_prices.get(market).copied();
            let most = own.unwrap_or(u64::MAX).min(limits.max_price_age_seconds);
            if u64::try_from(age).is_ok_and(|age| age > most) {
                reasons.push(format!(
                    "the price of market {market} is {age} s old, and {most} s is its limit"
                ));
            }
        }
        if !priced && !self.prices.is_empty() {
            reasons.push("no market has a price".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(now: Instant) -> Vitals {
        Vitals {
            ready: true,
            slot: 100,
            slot_at: Some(now),
            clock: Some((1_000, now)),
            prices: BTreeMap::from([(0, Some(998)), (3, Some(1_000))]),
            lamports: Some(20_000_000),
            answered_at: Some(now),
            ..Vitals::default()
        }
    }

    fn reasons(vitals: &Vitals, now: Instant) -> Vec<String> {
        let report = vitals.assess(&Limits::default(), now);
        assert_eq!(report.is_healthy(), report.status == "ok");
        report.reasons
    }

    #[test]
    fn fresh_data_and_a_full_wallet_are_healthy() {
        let now = Instant::now();
        let report = sound(now).assess(&Limits::default(), now);
        assert!(report.is_healthy());
        assert_eq!(
            report.price_age_seconds,
            BTreeMap::from([(0, Some(2)), (3, Some(0))])
        );
        assert_eq!((report.slot, report.slot_age_ms), (100, Some(0)));
    }

    #[test]
    fn data_grows_stale_by_itself() {
        let now = Instant::now();
        let vitals = sound(now);
        assert!(reasons(&vitals, now + Duration::from_secs(15)).is_empty());
        let found = reasons(&vitals, now + Duration::from_secs(16));
        assert_eq!(
            found,
            [
                "the RPC node has not answered for 16 s",
                "the slot has not advanced for 16 s"
            ]
        );
        let found = reasons(&vitals, now + Duration::from_secs(59));
        assert_eq!(
            found.last().unwrap(),
            "the price of market 0 is 61 s old, and 60 s is its limit"
        );
    }

    #[test]
    fn a_price_is_old_by_the_limit_of_its_market() {
        let now = Instant::now();
        let mut vitals = sound(now);
        vitals.oldest_prices = BTreeMap::from([(0, 30), (3, 300)]);
        let later = now + Duration::from_secs(29);
        vitals.answered_at = Some(later);
        vitals.see_slot(101, later);
        assert_eq!(
            reasons(&vitals, later),
            ["the price of market 0 is 31 s old, and 30 s is its limit"]
        );
    }

    #[test]
    fn a_market_that_never_had_a_price_is_a_warning() {
        let now = Instant::now();
        let mut vitals = sound(now);
        vitals.prices.insert(4, None);
        let report = vitals.assess(&Limits::default(), now);
        assert!(report.is_healthy());
        assert_eq!(report.warnings, ["market 4 has no price"]);
        vitals.prices = BTreeMap::from([(4, None)]);
        assert_eq!(reasons(&vitals, now), ["no market has a price"]);
    }

    #[test]
    fn a_slot_that_does_not_advance_is_not_seen() {
        let now = Instant::now();
        let mut vitals = sound(now);
        let later = now + Duration::from_secs(20);
        vitals.answered_at = Some(later);
        vitals.see_slot(100, later);
        assert_eq!(
            reasons(&vitals, later),
            ["the slot has not advanced for 20 s"]
        );
        vitals.see_slot(101, later);
        assert!(reasons(&vitals, later).is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let now = Instant::now();
        let nothing = Vitals::default();
        assert_eq!(
            reasons(&nothing, now),
            [
                "the RPC node has not answered ever",
                "the accounts have not been read yet"
            ]
        );
        let mut vitals = sound(now);
        vitals.lamports = Some(9_999_999);
        vitals.prices.insert(4, None);
        vitals.stopping = true;
        let found = reasons(&vitals, now);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("stopping") && found[1].contains("9999999 lamports"));
    }
}
