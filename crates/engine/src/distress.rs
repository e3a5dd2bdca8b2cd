//! What is remembered of a position in trouble: since when it has been below maintenance, since
//! when bankrupt, its liquidation steps and its deleveraging.
//!
//! The program writes it where it acts; everybody else records on a copy to see what it would
//! write.

use crate::error::EngineError;
use crate::liquidation::{Health, LiquidationPlan};

/// What is remembered of a position; all zero for one that is not in trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distress {
    /// Slot since which the position is known to be below maintenance; 0 when it is not. Starts
    /// the ramp of the liquidation discount.
    pub flagged_slot: u64,
    /// Slot at which it was flagged bankrupt; 0 when it is not. Starts the grace period.
    pub bankrupt_slot: u64,
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
        flagged_deficit: 0,
        last_step_slot: 0,
        bankruptcy_id: 0,
        pass_epoch: 0,
        bankrupt_lots: 0,
        step_left: 0,
    };

    /// What is remembered once the position is found in this health.
    ///
    /// A healthy position keeps nothing, one back above zero only the ramp and the ladder.
    #[must_use]
    pub const fn recorded(&self, health: Health, slot: u64) -> Self {
        match health {
            Health::Healthy => Self::NONE,
            Health::BelowMaintenance => Self {
                flagged_slot: first(self.flagged_slot, slot),
                last_step_slot: self.last_step_slot,
                step_left: self.step_left,
                ..Self::NONE
            },
            Health::Bankrupt { deficit } => Self {
                flagged_slot: first(self.flagged_slot, slot),
                bankrupt_slot: first(self.bankrupt_slot, slot),
                flagged_deficit: deficit,
                ..*self
            },
        }
    }

    /// [`Self::recorded`] for a call that does nothing else. `Healthy` when there is nothing to
    /// flag and no flag to take back.
    pub const fn flagged(&self, health: Health, slot: u64) -> Result<Self, EngineError> {
        if self.flagged_slot == 0 && matches!(health, Health::Healthy) {
            return Err(EngineError::Healthy);
        }
        Ok(self.recorded(health, slot))
    }

    /// Whether [`Self::flagged`] would change since when the position is in trouble or bankrupt.
    /// The deficit moves with every price; on its own it makes nothing stale.
    #[must_use]
    pub const fn is_stale(&self, health: Health, slot: u64) -> bool {
        match self.flagged(health, slot) {
            Err(_) => false,
            Ok(now) => {
                self.flagged_slot != now.flagged_slot || self.bankrupt_slot != now.bankrupt_slot
            }
        }
    }

    /// What is remembered after a liquidation step that left the position in `health`. A step that
    /// goes on with an unfinished one does not begin the ladder's interval again.
    ///
    /// `SizeOutOfRange` for a step of more lots than there can be.
    pub fn after_step(
        &self,
        step: &LiquidationPlan,
        health: Health,
        slot: u64,
    ) -> Result<Self, EngineError> {
        let mut after = self.recorded(health, slot);
        if step.position_after.is_empty() {
            return Ok(after);
        }
        (after.last_step_slot, after.step_left) = (self.last_step_slot, self.step_left);
        if !step.lots.is_zero() {
            let left = u32::try_from(step.step_left);
            after.step_left = left.map_err(|_| EngineError::SizeOutOfRange)?;
            if !step.follow_up {
                after.last_step_slot = slot;
            }
        }
        Ok(after)
    }

    /// Whether the position has been flagged bankrupt for longer than `grace_slots`, so that
    /// neither insurance nor the book delays its deleveraging.
    #[must_use]
    pub const fn past_grace(&self, grace_slots: u64, slot: u64) -> bool {
        match slot.checked_sub(self.bankrupt_slot) {
            Some(waited) => self.bankrupt_slot != 0 && waited > grace_slots,
            None => false,
        }
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
    use crate::position::Position;
    use crate::units::{Atoms, Lots};

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
                flagged_deficit: 101,
                ..Distress::NONE
            }
        );
        let later = first.recorded(bankrupt(100), 11);
        let expected = Distress {
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
            flagged_deficit: 500,
            last_step_slot: 6,
            bankruptcy_id: 4,
            pass_epoch: 3,
            bankrupt_lots: 9,
            step_left: 2,
        };
        let kept = Distress {
            flagged_slot: 7,
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

    fn step(lots: i64, left: i64, step_left: u64, follow_up: bool) -> LiquidationPlan {
        LiquidationPlan {
            lots: Lots::new(lots).unwrap(),
            quote: Atoms::ZERO,
            book_lots: Lots::ZERO,
            book_quote: Atoms::ZERO,
            reward_atoms: 0,
            discount_atoms: 0,
            insurance_fee_atoms: 0,
            insurance_paid_atoms: 0,
            position_after: Position {
                lots: Lots::new(left).unwrap(),
                ..Position::default()
            },
            victim_payout: Atoms::ZERO,
            equity_before: Atoms::ZERO,
            maintenance_before: 0,
            ladder_capped: false,
            step_left,
            follow_up,
        }
    }

    #[test]
    fn a_step_begins_the_interval_and_one_that_goes_on_does_not() {
        let before = Distress {
            flagged_slot: 3,
            last_step_slot: 4,
            step_left: 7,
            ..Distress::NONE
        };
        let ladder = |plan: &LiquidationPlan, health| {
            let after = before.after_step(plan, health, 20).unwrap();
            (after.flagged_slot, after.last_step_slot, after.step_left)
        };
        assert_eq!(ladder(&step(-5, 9, 2, false), BELOW), (3, 20, 2));
        assert_eq!(ladder(&step(-5, 9, 2, true), BELOW), (3, 4, 2));
        assert_eq!(ladder(&step(0, 9, 2, false), BELOW), (3, 4, 7));
        // Healthy again: the flag goes, the interval runs on.
        assert_eq!(ladder(&step(-5, 9, 2, false), Health::Healthy), (0, 20, 2));
        assert_eq!(ladder(&step(-5, 0, 0, false), Health::Healthy), (0, 0, 0));
        let too_many = step(-5, 9, u64::MAX, false);
        let refused = before.after_step(&too_many, BELOW, 20);
        assert_eq!(refused, Err(EngineError::SizeOutOfRange));
    }
}
