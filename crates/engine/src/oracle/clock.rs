//! What a market remembers of the prices it has recorded, and the judgement on a new one.

use bytemuck::{Pod, Zeroable};

use super::{exceeds, Action, OraclePrice, PriceFault, MAX_AHEAD_SECONDS};
use crate::risk::RiskParams;
use crate::units::Ticks;

/// Most seconds that the time between two recorded prices counts for.
pub const MOST_COUNTED_SECONDS: u32 = 5;

/// What a market remembers of prices beside the newest one it recorded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct PriceClock {
    /// The last price that was recorded in an earlier slot than the newest one and published
    /// earlier, ticks; 0 when there is none.
    pub earlier_ticks: u64,
    /// Slot in which a price published when the newest one was, was recorded first.
    pub recorded_slot: u64,
    /// For how long recorded prices have been far from their average, seconds, at most the grace;
    /// falls as it rises, while they are not.
    pub diverged_for: u32,
    /// Zero.
    pub _pad: u32,
    /// Zero.
    pub reserved: u64,
}

const _: () = assert!(core::mem::size_of::<PriceClock>() == 32);

/// The cluster's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Slot.
    pub slot: u64,
    /// Unix seconds.
    pub unix_timestamp: i64,
}

/// What a market knows when it judges a price.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its parameters.
    pub params: &'a RiskParams,
    /// The newest price it recorded, ticks; 0 before the first.
    pub last: Ticks,
    /// When that was published, unix seconds.
    pub last_publish_time: i64,
    /// What it remembers beside.
    pub clock: PriceClock,
    /// Slot and time.
    pub now: Now,
    /// Whether nobody may be forced out by order of the exchange, so that no time is counted against
    /// anybody.
    pub stopped: bool,
}

/// A price that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whether the market records it: whether it is fit for funding.
    pub fit: bool,
    /// What the market then remembers.
    pub clock: PriceClock,
    /// Whether it is far from its average and recorded prices have not been for long enough.
    pub unsettled: bool,
}

impl Known<'_> {
    /// Judges `price` for `action`. The first fault of the module's table that blocks it.
    pub fn judge(&self, action: Action, price: &OraclePrice) -> Result<Judged, PriceFault> {
        if price.publish_time < self.last_publish_time {
            return Err(PriceFault::Older);
        }
        let diverged = price.is_diverged(self.params);
        let clock = self.recorded(price, diverged);
        let grace = self.params.divergence_grace();
        let unsettled = diverged && clock.diverged_for < grace;
        let common = self.common_fault(price);
        let mut judged = Judged {
            fit: true,
            clock,
            unsettled,
        };
        match action {
            Action::Reduce => {
                let oldest = self.params.oldest_price_age();
                judged.fit = common.is_none() && !self.is_older_than(oldest, price);
                return Ok(judged);
            }
            _ if common == Some(PriceFault::FromFuture) => return Err(PriceFault::FromFuture),
            _ => {}
        }
        if self.is_older_than(self.age_limit(action, price), price) {
            return Err(PriceFault::Stale);
        }
        match (common, action) {
            (Some(fault), _) => Err(fault),
            (None, Action::Open | Action::RemoveMargin) if price.below_tick => {
                Err(PriceFault::BelowTick)
            }
            (None, Action::RemoveMargin | Action::Force { .. }) if unsettled => {
                Err(PriceFault::Diverged)
            }
            (None, _) => Ok(judged),
        }
    }

    /// What blocks every action but reducing, staleness aside.
    fn common_fault(&self, price: &OraclePrice) -> Option<PriceFault> {
        let ahead = i128::from(price.publish_time).wrapping_sub(self.time());
        if ahead > i128::from(MAX_AHEAD_SECONDS) {
            return Some(PriceFault::FromFuture);
        }
        let most = self.params.oracle_max_conf_bps;
        // Rounded up by less than a tick.
        let confidence = price.confidence.get().max(1).wrapping_sub(1);
        let wide = exceeds(Ticks::new(confidence), price.price, most);
        wide.then_some(PriceFault::WideConfidence)
    }

    fn is_older_than(&self, seconds: u64, price: &OraclePrice) -> bool {
        let age = self.time().wrapping_sub(i128::from(price.publish_time));
        age > i128::from(seconds)
    }

    fn time(&self) -> i128 {
        i128::from(self.now.unix_timestamp)
    }

    /// The oldest price for an action, seconds.
    fn age_limit(&self, action: Action, price: &OraclePrice) -> u64 {
        let oldest = match action {
            Action::Funding => true,
            Action::Flag { flagged_slot } | Action::Force { flagged_slot } => {
                self.was_flagged_before(flagged_slot, price)
            }
            Action::Open | Action::Reduce | Action::RemoveMargin => false,
        };
        if oldest {
            self.params.oldest_price_age()
        } else {
            self.params.price_age()
        }
    }

    /// Whether a position was flagged in an earlier slot, at a price published before this one:
    /// before the slot in which a price of this one's time is recorded first.
    fn was_flagged_before(&self, flagged_slot: u64, price: &OraclePrice) -> bool {
        let first_recorded = if price.publish_time > self.last_publish_time {
            self.now.slot
        } else {
            self.clock.recorded_slot
        };
        flagged_slot != 0 && flagged_slot < first_recorded
    }

    /// What is remembered once `price` is recorded. A price of the same time as the newest one
    /// changes nothing.
    fn recorded(&self, price: &OraclePrice, diverged: bool) -> PriceClock {
        let mut clock = self.clock;
        let Some(apart) = price.publish_time.checked_sub(self.last_publish_time) else {
            return clock;
        };
        if apart <= 0 {
            return clock;
        }
        if self.now.slot > clock.recorded_slot {
            clock.earlier_ticks = self.last.get();
        }
        clock.recorded_slot = self.now.slot;
        let counted = u32::try_from(apart).unwrap_or(u32::MAX);
        let counted = counted.min(MOST_COUNTED_SECONDS);
        clock.diverged_for = if diverged {
            // Both are far below 32 bits.
            let counted = if self.stopped { 0 } else { counted };
            let sum = clock.diverged_for.wrapping_add(counted);
            sum.min(self.params.divergence_grace())
        } else {
            clock.diverged_for.max(counted).wrapping_sub(counted)
        };
        clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Action; 6] = [
        Action::Open,
        Action::Reduce,
        Action::RemoveMargin,
        Action::Funding,
        Action::FLAG,
        Action::FORCE,
    ];
    const NOW: i64 = 1_000;
    const SLOT: u64 = 50;

    fn params() -> RiskParams {
        RiskParams {
            oracle_max_age_seconds: 30,
            oracle_max_conf_bps: 100,
            oracle_max_ema_divergence_bps: 1_000,
            ..RiskParams::default()
        }
    }

    fn at(price: u64, confidence: u64, ema: u64, publish_time: i64) -> OraclePrice {
        OraclePrice {
            price: Ticks::new(price),
            confidence: Ticks::new(confidence),
            ema: Ticks::new(ema),
            publish_time,
            below_tick: false,
        }
    }

    fn known(params: &RiskParams) -> Known<'_> {
        Known {
            params,
            last: Ticks::new(9_000),
            last_publish_time: NOW - 100,
            clock: PriceClock {
                earlier_ticks: 8_000,
                recorded_slot: SLOT - 10,
                ..PriceClock::default()
            },
            stopped: false,
            now: Now {
                slot: SLOT,
                unix_timestamp: NOW,
            },
        }
    }

    /// The faults of `price` for each action in the order of the table.
    fn row(price: OraclePrice) -> [Option<PriceFault>; 6] {
        let params = params();
        ALL.map(|action| known(&params).judge(action, &price).err())
    }

    #[test]
    fn the_table() {
        assert_eq!(row(at(10_000, 101, 10_000, NOW)), [None; 6]);
        let older = Some(PriceFault::Older);
        assert_eq!(row(at(10_000, 1, 10_000, NOW - 101)), [older; 6]);
        let ahead = Some(PriceFault::FromFuture);
        let but_reduce = |fault| [fault, None, fault, fault, fault, fault];
        assert_eq!(row(at(10_000, 1, 10_000, NOW + 31)), but_reduce(ahead));
        let stale = Some(PriceFault::Stale);
        assert_eq!(row(at(10_000, 1, 10_000, NOW - 31)), but_reduce(stale));
        let but_funding = [stale, None, stale, None, stale, stale];
        assert_eq!(row(at(10_000, 1, 10_000, NOW - 11)), but_funding);
        let wide = Some(PriceFault::WideConfidence);
        assert_eq!(row(at(10_000, 102, 10_000, NOW)), but_reduce(wide));
        let apart = Some(PriceFault::Diverged);
        let far = [None, None, apart, None, None, apart];
        assert_eq!(row(at(11_001, 1, 10_000, NOW)), far);
        assert_eq!(row(at(8_999, 1, 10_000, NOW)), far);
        let mut small = at(1, 1, 1, NOW);
        assert_eq!(row(small), [None; 6]);
        small.below_tick = true;
        let below = Some(PriceFault::BelowTick);
        assert_eq!(row(small), [below, None, below, None, None, None]);
    }

    #[test]
    fn what_serves_any_other_action_than_reducing_is_recorded() {
        let params = params();
        for price in [10_000, 10_100, 11_001, 8_999] {
            for confidence in [1, 101, 102] {
                for publish_time in [NOW - 101, NOW - 31, NOW - 11, NOW, NOW + 31] {
                    let price = at(price, confidence, 10_000, publish_time);
                    let judge = |action| known(&params).judge(action, &price);
                    let funds = judge(Action::Funding).is_ok();
                    for action in ALL {
                        if let Ok(judged) = judge(action) {
                            assert_eq!(judged.fit, funds, "{action:?} {price:?}");
                            assert!(funds || action == Action::Reduce);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn limits_are_inclusive() {
        let params = params();
        assert_eq!(row(at(11_000, 111, 10_000, NOW - 10)), [None; 6]);
        assert_eq!(row(at(9_000, 91, 10_000, NOW + 30)), [None; 6]);
        assert_eq!(row(at(9_000, 0, 10_000, NOW - 30))[3], None);
        let same = at(10_000, 0, 10_000, NOW - 100);
        let mut known = known(&params);
        known.now.unix_timestamp = NOW - 100;
        assert!(known.judge(Action::Open, &same).is_ok());
        let extreme = at(u64::MAX, u64::MAX, 1, i64::MIN);
        known.last_publish_time = i64::MIN;
        known.now.unix_timestamp = i64::MAX;
        let fault = known.judge(Action::Open, &extreme);
        assert_eq!(fault, Err(PriceFault::Stale));
    }

    #[test]
    fn a_position_flagged_in_an_earlier_slot_at_an_earlier_price_may_be_forced_at_an_older_one() {
        let params = params();
        let old = at(10_000, 1, 10_000, NOW - 30);
        let force = |known: &Known<'_>, flagged_slot| {
            let action = Action::Force { flagged_slot };
            let flag = known.judge(Action::Flag { flagged_slot }, &old).is_ok();
            assert_eq!(known.judge(action, &old).is_ok(), flag);
            flag
        };
        let mut known = known(&params);
        // A price newer than all before: any earlier slot will do.
        assert!(force(&known, SLOT - 1));
        assert!(!force(&known, SLOT));
        assert!(!force(&known, 0));
        // The price recorded last: it must have come after the flag.
        known.last_publish_time = old.publish_time;
        assert!(force(&known, SLOT - 11));
        assert!(!force(&known, SLOT - 10));
        assert!(!force(&known, SLOT - 1));
        let too_old = at(10_000, 1, 10_000, NOW - 31);
        known.last_publish_time = 0;
        let action = Action::Force { flagged_slot: 1 };
        assert_eq!(known.judge(action, &too_old), Err(PriceFault::Stale));
    }

    #[test]
    fn the_price_of_an_earlier_slot_is_remembered() {
        let params = params();
        let mut known = known(&params);
        let mut record = |slot, ticks, publish_time| {
            known.now.slot = slot;
            let price = at(ticks, 1, ticks, publish_time);
            let judged = known.judge(Action::Funding, &price).unwrap();
            known.clock = judged.clock;
            known.last = price.price;
            known.last_publish_time = publish_time;
            (known.clock.earlier_ticks, known.clock.recorded_slot)
        };
        assert_eq!(record(SLOT, 10_000, NOW - 9), (9_000, SLOT));
        // Another in the same slot is not an earlier one, nor is the same price once more.
        assert_eq!(record(SLOT, 10_100, NOW - 8), (9_000, SLOT));
        assert_eq!(record(SLOT + 1, 10_100, NOW - 8), (9_000, SLOT));
        assert_eq!(record(SLOT + 1, 10_200, NOW - 7), (10_100, SLOT + 1));
    }

    #[test]
    fn one_print_neither_starts_nor_ends_a_divergence() {
        let params = params();
        let mut known = known(&params);
        let mut time = NOW - 100;
        let mut record = |seconds, ema| {
            time += seconds;
            known.now.unix_timestamp = time;
            let price = at(10_000, 1, ema, time);
            let judged = known.judge(Action::Funding, &price).unwrap();
            let forced = known.judge(Action::FORCE, &price).is_ok();
            assert_eq!(forced, !judged.unsettled);
            known.clock = judged.clock;
            known.last_publish_time = time;
            (judged.clock.diverged_for, judged.unsettled)
        };
        assert_eq!(record(3_600, 20_000), (5, true));
        assert_eq!(record(3_600, 10_000), (0, false));
        for sum in [5, 10, 15, 20, 25] {
            assert_eq!(record(60, 20_000), (sum, true));
        }
        assert_eq!(record(4, 20_000), (29, true));
        assert_eq!(record(2, 10_000), (27, false));
        assert_eq!(record(3, 20_000), (30, false));
        // It counts no further than the grace.
        assert_eq!(record(5, 20_000), (30, false));
        assert_eq!(record(1, 10_000), (29, false));
        assert_eq!(record(0, 20_000), (29, true));
        assert_eq!(record(1, 20_000), (30, false));
    }
}
