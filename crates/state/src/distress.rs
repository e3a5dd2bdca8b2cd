//! What the program remembers of a position in trouble: since when it has been below
//! maintenance, since when bankrupt, and whether withdrawals wait for it.

use ballast_engine::{liquidation::Health, EngineError};

use crate::{
    error::{BallastError, Result},
    exchange::Exchange,
    position_slot::{PositionSlot, SLOT_UNCOVERED},
};

/// Slots for which one flag holds withdrawals back: about a minute. Flagging again renews it.
pub const WITHDRAWAL_WAIT_SLOTS: u64 = 150;

/// Brings the flags of `slot` level with its health.
///
/// A bankruptcy whose deficit exceeds `insurance_available` (atoms) counts as uncovered and holds
/// withdrawals back; one that insurance covers does not. A healthy position keeps no flag.
///
/// # Errors
/// `Overflow`, `ExchangeInvariant`.
pub fn record(
    exchange: &mut Exchange,
    slot: &mut PositionSlot,
    health: Health,
    insurance_available: u64,
    now_slot: u64,
) -> Result<()> {
    match health {
        Health::Healthy => clear(exchange, slot),
        Health::BelowMaintenance => {
            let since = first_flag(slot, now_slot);
            let (last_step, step_left) = (slot.last_step_slot, slot.step_left);
            clear(exchange, slot)?;
            slot.flagged_slot = since;
            slot.last_step_slot = last_step;
            slot.step_left = step_left;
            Ok(())
        }
        Health::Bankrupt { deficit } => {
            slot.flagged_slot = first_flag(slot, now_slot);
            if slot.bankrupt_slot == 0 {
                slot.bankrupt_slot = now_slot;
            }
            slot.flagged_deficit = deficit;
            set_uncovered(exchange, slot, deficit > insurance_available)?;
            if slot.is_uncovered() {
                let until = now_slot.checked_add(WITHDRAWAL_WAIT_SLOTS);
                let until = until.ok_or(EngineError::Overflow)?;
                exchange.withdraw_wait_until_slot = exchange.withdraw_wait_until_slot.max(until);
            }
            Ok(())
        }
    }
}

/// Forgets everything: the position is healthy or closed.
///
/// # Errors
/// `ExchangeInvariant` when the count of uncovered bankruptcies is wrong.
pub fn clear(exchange: &mut Exchange, slot: &mut PositionSlot) -> Result<()> {
    set_uncovered(exchange, slot, false)?;
    slot.clear_distress();
    Ok(())
}

fn first_flag(slot: &PositionSlot, now_slot: u64) -> u64 {
    if slot.flagged_slot == 0 {
        now_slot
    } else {
        slot.flagged_slot
    }
}

fn set_uncovered(exchange: &mut Exchange, slot: &mut PositionSlot, uncovered: bool) -> Result<()> {
    if uncovered == slot.is_uncovered() {
        return Ok(());
    }
    let count = exchange.uncovered_bankruptcies;
    let count = if uncovered {
        slot.flags |= SLOT_UNCOVERED;
        count.checked_add(1)
    } else {
        slot.flags &= !SLOT_UNCOVERED;
        count.checked_sub(1)
    };
    exchange.uncovered_bankruptcies = count.ok_or(BallastError::ExchangeInvariant)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    fn flag(exchange: &mut Exchange, slot: &mut PositionSlot, health: Health, at: u64) {
        record(exchange, slot, health, 100, at).unwrap();
    }

    #[test]
    fn an_uncovered_bankruptcy_counts_once_and_uncounts_itself() {
        let (mut exchange, mut slot) = (Exchange::zeroed(), PositionSlot::zeroed());
        flag(
            &mut exchange,
            &mut slot,
            Health::Bankrupt { deficit: 101 },
            7,
        );
        flag(
            &mut exchange,
            &mut slot,
            Health::Bankrupt { deficit: 150 },
            9,
        );
        assert_eq!(exchange.uncovered_bankruptcies, 1);
        assert_eq!(exchange.withdraw_wait_until_slot, 9 + WITHDRAWAL_WAIT_SLOTS);
        assert_eq!((slot.flagged_slot, slot.bankrupt_slot), (7, 7));
        flag(
            &mut exchange,
            &mut slot,
            Health::Bankrupt { deficit: 100 },
            11,
        );
        assert_eq!(exchange.uncovered_bankruptcies, 0);
        assert_eq!(slot.bankrupt_slot, 7);
        flag(&mut exchange, &mut slot, Health::Healthy, 12);
        assert_eq!(slot, PositionSlot::zeroed());
    }

    #[test]
    fn a_position_back_above_zero_keeps_only_the_ramp_and_the_ladder() {
        let (mut exchange, mut slot) = (Exchange::zeroed(), PositionSlot::zeroed());
        flag(
            &mut exchange,
            &mut slot,
            Health::Bankrupt { deficit: 500 },
            7,
        );
        (slot.pass_epoch, slot.bankruptcy_id) = (3, 4);
        (slot.last_step_slot, slot.step_left) = (6, 2);
        flag(&mut exchange, &mut slot, Health::BelowMaintenance, 8);
        assert_eq!(exchange.uncovered_bankruptcies, 0);
        let kept = PositionSlot {
            flagged_slot: 7,
            last_step_slot: 6,
            step_left: 2,
            ..PositionSlot::zeroed()
        };
        assert_eq!(slot, kept);
    }
}
