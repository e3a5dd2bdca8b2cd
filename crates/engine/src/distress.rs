//! What is remembered of a position in trouble: since when it has been below maintenance, since
//! when bankrupt, its liquidation steps and its deleveraging.
//!
//! The program writes it where it acts; everybody else records on a copy to see what it would
//! write.
//!
//! Two clocks run while a position is in trouble: the ramp of the liquidation discount, and the
//! grace period of a bankruptcy. They run only as far as somebody looks. Each look counts the slots
//! since the one before, at most [`OBSERVED_SLOTS`]; what lies between is taken for time in which
//! the position was well, so that an old flag is worth no more than the looks after it, and a
//! pause, while which nobody can act, hardly more than nothing.

use crate::error::EngineError;
use crate::health::{Health, Look};

/// Most slots that one look at a position adds to its clocks: about 20 seconds.
pub const OBSERVED_SLOTS: u64 = 50;
/// Slots for which a flag stands beside a price, so that the position may be forced at an older one:
/// two looks of a keeper.
pub const CONFIRMED_SLOTS: u64 = 100;
/// Slots after which a position that nobody has looked at counts as never flagged: about an hour.
pub const FORGOTTEN_SLOTS: u64 = 9_000;

/// What is remembered of a position; all zero for one that is not in trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distress {
    /// Slot from which the ramp of the liquidation discount is counted; 0 when the position is not
    /// known to be below maintenance. Moved up by the time that nobody looked.
    pub flagged_slot: u64,
    /// Slot from which the grace period is counted; 0 when it is not known to be bankrupt. Moved up
    /// likewise.
    pub bankrupt_slot: u64,
    /// Slot of the last look; 0 when there was none since the flag.
    pub seen_slot: u64,
    /// Deficit when it was flagged last, atoms.
    pub flagged_deficit: u64,
    /// Slot of the last liquidation step; 0 when there was none.
    pub last_step_slot: u64,
    /// Number of the bankruptcy in its market, from 1; 0 when there is none.
    pub bankruptcy_id: u64,
    /// Pass of the counterparties' queue in which its deleveraging began or that it opened last;
    /// 0 when it has not begun.
    pub pass_epoch: u32,
    /// Lots when deleveraging began, unsigned; 0 when it has not.
    pub bankrupt_lots: u32,
    /// Lots of the last liquidation step that it left open.
    pub step_left: u32,
}

impl Distress {
    /// Nothing: the position is healthy or closed.
    pub const NONE: Self = Self {
        flagged_slot: 0,
        bankrupt_slot: 0,
        seen_slot: 0,
        flagged_deficit: 0,
        last_step_slot: 0,
        bankruptcy_id: 0,
        pass_epoch: 0,
        bankrupt_lots: 0,
        step_left: 0,
    };

    /// The clocks as a look at `slot` finds them.
    #[must_use]
    pub fn observed(&self, slot: u64) -> Self {
        self.clocks(slot, OBSERVED_SLOTS)
    }

    /// The clocks once at most `most` of the slots since the last look are counted.
    fn clocks(&self, slot: u64, most: u64) -> Self {
        if self.flagged_slot == 0 {
            return *self;
        }
        let seen = self.seen_slot.max(self.flagged_slot);
        let unseen = slot.max(seen).wrapping_sub(seen);
        if unseen > FORGOTTEN_SLOTS {
            return Self {
                flagged_slot: 0,
                bankrupt_slot: 0,
                seen_slot: 0,
                ..*self
            };
        }
        let skipped = unseen.max(most).wrapping_sub(most);
        // Both lie before the last look, so that neither passes `slot`.
        let moved = |start: u64| match start {
            0 => 0,
            start => start.wrapping_add(skipped),
        };
        Self {
            flagged_slot: moved(self.flagged_slot),
            bankrupt_slot: moved(self.bankrupt_slot),
            ..*self
        }
    }

    /// What is remembered once a look has found the position so.
    ///
    /// With maintenance margin and the buffer it keeps nothing, with less than the buffer the ramp
    /// as it stands, one back above zero the ramp and the ladder.
    #[must_use]
    pub fn recorded(&self, look: impl Into<Look>, slot: u64) -> Self {
        let look = look.into();
        let runs = look.counts && look.health != Health::Healthy;
        let now = self.clocks(slot, if runs { OBSERVED_SLOTS } else { 0 });
        let ramp = Self {
            seen_slot: slot,
            last_step_slot: self.last_step_slot,
            step_left: self.step_left,
            ..Self::NONE
        };
        match look.health {
            Health::Healthy if look.restored || now.flagged_slot == 0 => Self::NONE,
            Health::Healthy => Self {
                flagged_slot: now.flagged_slot,
                ..ramp
            },
            Health::BelowMaintenance => Self {
                flagged_slot: first(now.flagged_slot, slot),
                ..ramp
            },
            Health::Bankrupt { deficit } => Self {
                flagged_slot: first(now.flagged_slot, slot),
                bankrupt_slot: first(now.bankrupt_slot, slot),
                seen_slot: slot,
                flagged_deficit: deficit,
                ..*self
            },
        }
    }

    /// [`Self::recorded`] for a call that does nothing else. `Healthy` when there is nothing to
    /// flag and no flag to take back.
    pub fn flagged(&self, look: impl Into<Look>, slot: u64) -> Result<Self, EngineError> {
        let look = look.into();
        if self.flagged_slot == 0 && look.health == Health::Healthy {
            return Err(EngineError::Healthy);
        }
        Ok(self.recorded(look, slot))
    }

    /// Whether [`Self::flagged`] would change whether the position is known to be in trouble or
    /// bankrupt, or count all the slots that a look can. The deficit moves with every price; on its
    /// own it makes nothing stale.
    #[must_use]
    pub fn is_stale(&self, look: impl Into<Look>, slot: u64) -> bool {
        let look = look.into();
        let Ok(now) = self.flagged(look, slot) else {
            return false;
        };
        let known = |slot: u64| slot != 0;
        let seen = self.seen_slot.max(self.flagged_slot);
        let unseen = slot.max(seen).wrapping_sub(seen) >= OBSERVED_SLOTS;
        let due = unseen && look.counts && look.health != Health::Healthy;
        known(self.flagged_slot) != known(now.flagged_slot)
            || known(self.bankrupt_slot) != known(now.bankrupt_slot)
            || due
    }

    /// Whether the position has been known to be bankrupt for longer than `grace_slots`, as far as
    /// somebody looked, so that neither insurance nor the book delays its deleveraging.
    #[must_use]
    pub fn past_grace(&self, grace_slots: u64, slot: u64) -> bool {
        let since = self.observed(slot).bankrupt_slot;
        match slot.checked_sub(since) {
            Some(waited) => since != 0 && waited > grace_slots,
            None => false,
        }
    }

    /// Slot since which the position has been known to be below maintenance, as far as somebody looked,
    /// by a look of the last [`CONFIRMED_SLOTS`]; 0 without one. An older flag says nothing about the
    /// price of now.
    #[must_use]
    pub fn confirmed_since(&self, slot: u64) -> u64 {
        let seen = self.seen_slot.max(self.flagged_slot);
        if slot.max(seen).wrapping_sub(seen) > CONFIRMED_SLOTS {
            return 0;
        }
        self.observed(slot).flagged_slot
    }

    /// Slots since which the position has been known to be below maintenance, as far as somebody
    /// looked; `None` when it is not.
    #[must_use]
    pub fn flagged_for(&self, slot: u64) -> Option<u64> {
        let since = self.observed(slot).flagged_slot;
        (since != 0).then(|| slot.max(since).wrapping_sub(since))
    }
}

/// The slot remembered, or this one when none is.
const fn first(remembered: u64, slot: u64) -> u64 {
    if remembered == 0 {
        slot
    } else {
        remembered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BELOW: Health = Health::BelowMaintenance;

    const fn bankrupt(deficit: u64) -> Health {
        Health::Bankrupt { deficit }
    }

    #[test]
    fn the_first_slot_in_trouble_is_remembered_and_the_last_deficit() {
        let first = Distress::NONE.recorded(bankrupt(101), 7);
        assert_eq!(
            first,
            Distress {
                flagged_slot: 7,
                bankrupt_slot: 7,
                seen_slot: 7,
                flagged_deficit: 101,
                ..Distress::NONE
            }
        );
        let later = first.recorded(bankrupt(100), 11);
        let expected = Distress {
            seen_slot: 11,
            flagged_deficit: 100,
            ..first
        };
        assert_eq!(later, expected);
        assert_eq!(later.recorded(Health::Healthy, 12), Distress::NONE);
    }

    #[test]
    fn a_position_back_above_zero_keeps_only_the_ramp_and_the_ladder() {
        let before = Distress {
            flagged_slot: 7,
            bankrupt_slot: 7,
            seen_slot: 7,
            flagged_deficit: 500,
            last_step_slot: 6,
            bankruptcy_id: 4,
            pass_epoch: 3,
            bankrupt_lots: 9,
            step_left: 2,
        };
        let kept = Distress {
            flagged_slot: 7,
            seen_slot: 8,
            last_step_slot: 6,
            step_left: 2,
            ..Distress::NONE
        };
        assert_eq!(before.recorded(BELOW, 8), kept);
    }

    #[test]
    fn stale_is_what_recording_would_change_but_for_the_deficit() {
        let none = Distress::NONE;
        let below = none.recorded(BELOW, 5);
        let flagged = none.recorded(bankrupt(10), 5);
        for (distress, health, stale) in [
            (none, Health::Healthy, false),
            (none, BELOW, true),
            (none, bankrupt(1), true),
            (below, Health::Healthy, true),
            (below, BELOW, false),
            (below, bankrupt(1), true),
            (flagged, BELOW, true),
            (flagged, bankrupt(10), false),
            (flagged, bankrupt(8), false),
            (flagged, Health::Healthy, true),
        ] {
            let found = distress.is_stale(health, 8);
            assert_eq!(found, stale, "{distress:?} {health:?}");
        }
    }

    #[test]
    fn a_call_that_only_flags_needs_something_to_flag_or_to_take_back() {
        let none = Distress::NONE;
        let healthy = Health::Healthy;
        assert_eq!(none.flagged(healthy, 9), Err(EngineError::Healthy));
        let below = none.flagged(BELOW, 9).unwrap();
        assert_eq!(below, none.recorded(BELOW, 9));
        assert_eq!(below.flagged(healthy, 10), Ok(none));
    }

    #[test]
    fn a_look_counts_fifty_slots_at_most_and_a_pause_none() {
        let flagged = Distress::NONE.recorded(bankrupt(1), 1_000);
        let ages = |distress: &Distress, slot: u64| {
            let now = distress.observed(slot);
            (slot - now.flagged_slot, slot - now.bankrupt_slot)
        };
        assert_eq!(ages(&flagged, 1_050), (50, 50));
        assert_eq!(ages(&flagged, 1_051), (50, 50));
        assert_eq!(ages(&flagged, 5_000), (50, 50));
        assert_eq!(flagged.flagged_for(5_000), Some(50));
        let seen = flagged.recorded(bankrupt(1), 5_000);
        assert_eq!((seen.flagged_slot, seen.seen_slot), (4_950, 5_000));
        assert_eq!(ages(&seen, 5_030), (80, 80));
        assert!(seen.past_grace(79, 5_030) && !seen.past_grace(80, 5_030));
        let paused = Look {
            counts: false,
            ..Look::from(bankrupt(1))
        };
        let held = seen.recorded(paused, 5_900);
        assert_eq!(ages(&held, 5_900), (50, 50));
        // Nobody has looked for an hour.
        assert_eq!(held.observed(14_900).flagged_slot, 14_800);
        let forgotten = held.observed(14_901);
        assert_eq!(
            forgotten,
            Distress {
                seen_slot: 0,
                flagged_slot: 0,
                bankrupt_slot: 0,
                ..held
            }
        );
        assert_eq!(held.recorded(BELOW, 14_901).flagged_slot, 14_901);
    }

    #[test]
    fn a_flag_is_confirmed_for_two_looks_after_the_last() {
        let flagged = Distress::NONE.recorded(BELOW, 1_000);
        assert_eq!(Distress::NONE.confirmed_since(7), 0);
        assert_eq!(flagged.confirmed_since(1_000), 1_000);
        assert_eq!(flagged.confirmed_since(1_050), 1_000);
        assert_eq!(flagged.confirmed_since(1_100), 1_050);
        assert_eq!(flagged.confirmed_since(1_101), 0);
        let seen = flagged.recorded(BELOW, 1_150);
        assert_eq!(seen.confirmed_since(1_200), 1_100);
        assert_eq!(seen.confirmed_since(1_251), 0);
        // A clock that runs behind.
        assert_eq!(seen.confirmed_since(900), 1_100);
    }

    #[test]
    fn less_than_the_buffer_keeps_the_ramp_where_it_stands() {
        let flagged = Distress::NONE.recorded(BELOW, 100);
        let weak = Look {
            restored: false,
            ..Look::from(Health::Healthy)
        };
        let kept = flagged.recorded(BELOW, 130).recorded(weak, 160);
        assert_eq!((kept.flagged_slot, kept.seen_slot), (130, 160));
        assert_eq!(kept.flagged_for(170), Some(40));
        assert_eq!(kept.recorded(Health::Healthy, 170), Distress::NONE);
        assert_eq!(Distress::NONE.recorded(weak, 9), Distress::NONE);
        assert!(!kept.is_stale(weak, 500) && kept.is_stale(Health::Healthy, 161));
        assert!(!flagged.is_stale(BELOW, 149) && flagged.is_stale(BELOW, 150));
    }

    #[test]
    fn the_grace_period_ends_after_its_slots_and_only_once_it_has_begun() {
        let since = |bankrupt_slot| Distress {
            bankrupt_slot,
            ..Distress::NONE
        };
        for (bankrupt_slot, slot, past) in [
            (0, u64::MAX, false),
            (10, 10, false),
            (10, 15, false),
            (10, 16, true),
            (10, 9, false),
        ] {
            assert_eq!(since(bankrupt_slot).past_grace(5, slot), past);
        }
    }
}
