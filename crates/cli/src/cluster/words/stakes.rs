//! Events of the stakes behind insurance, and of shares of any fund.

use ballast_engine::shares::STAKE_TERMS;
use ballast_state::events::BallastEvent;
use serde_json::{json, Value};

use super::Names;

impl Names<'_> {
    /// The event as a sentence; `None` for another kind.
    pub(super) fn stakes(&self, event: &BallastEvent) -> Option<String> {
        let atoms = |atoms: u64| self.collateral.show(atoms.into());
        Some(match event {
            BallastEvent::StakesOpened(event) => format!(
                "Anybody may stake behind the market's insurance now; the stakes are {}.",
                event.stakes
            ),
            BallastEvent::Staked(event) => format!(
                "{} staked, for {} shares; {} is staked in all.",
                atoms(event.amount),
                event.shares,
                atoms(event.staked_after_atoms)
            ),
            BallastEvent::StakesRenewed(event) => format!(
                "The shares that there were had lost everything: epoch {} of the stakes begins; {} that was left is nobody's.",
                event.epoch,
                atoms(event.rest_atoms)
            ),
            BallastEvent::UnstakeRequested(event) => {
                let due = STAKE_TERMS.due_slot(event.slot).unwrap_or(u64::MAX);
                let lapses = STAKE_TERMS.lapses_slot(event.slot).unwrap_or(u64::MAX);
                format!(
                    "Asked for {} shares, worth {}: paid in 5 days, for 2 days, from slot {due} to before slot {lapses}.",
                    event.shares,
                    atoms(event.value_atoms)
                )
            }
            BallastEvent::UnstakeCancelled(event) => {
                format!("{} shares stay staked.", event.shares)
            }
            BallastEvent::Unstaked(event) => format!(
                "{} paid for {} shares; {} shares are left.",
                atoms(event.amount),
                event.shares,
                event.owner_shares_after
            ),
            BallastEvent::ShareCreated(event) => {
                format!("An account for shares of {} opened: {}.", event.fund, event.share)
            }
            BallastEvent::ShareClosed(event) => format!(
                "The account for shares of {} closed; its rent is back.",
                event.fund
            ),
            _ => return None,
        })
    }
}

/// The fields of an event; `None` for another kind.
pub(super) fn fields(event: &BallastEvent) -> Option<Value> {
    Some(match event {
        BallastEvent::StakesOpened(event) => json!({
            "market": event.market.to_string(),
            "stakes": event.stakes.to_string(),
            "payer": event.payer.to_string(),
        }),
        BallastEvent::Staked(event) => json!({
            "market": event.market.to_string(),
            "owner": event.owner.to_string(),
            "amount_atoms": event.amount,
            "shares": event.shares,
            "owner_shares_after": event.owner_shares_after,
            "staked_after_atoms": event.staked_after_atoms,
        }),
        BallastEvent::StakesRenewed(event) => json!({
            "market": event.market.to_string(),
            "epoch": event.epoch,
            "rest_atoms": event.rest_atoms,
        }),
        BallastEvent::UnstakeRequested(event) => json!({
            "market": event.market.to_string(),
            "owner": event.owner.to_string(),
            "shares": event.shares,
            "value_atoms": event.value_atoms,
            "slot": event.slot,
            "due_slot": STAKE_TERMS.due_slot(event.slot),
            "lapses_slot": STAKE_TERMS.lapses_slot(event.slot),
        }),
        BallastEvent::UnstakeCancelled(event) => json!({
            "market": event.market.to_string(),
            "owner": event.owner.to_string(),
            "shares": event.shares,
        }),
        BallastEvent::Unstaked(event) => json!({
            "market": event.market.to_string(),
            "owner": event.owner.to_string(),
            "amount_atoms": event.amount,
            "shares": event.shares,
            "owner_shares_after": event.owner_shares_after,
            "known_losses_atoms": event.known_losses_atoms,
        }),
        BallastEvent::ShareCreated(event) => json!({
            "share": event.share.to_string(),
            "fund": event.fund.to_string(),
            "owner": event.owner.to_string(),
        }),
        BallastEvent::ShareClosed(event) => json!({
            "share": event.share.to_string(),
            "fund": event.fund.to_string(),
            "owner": event.owner.to_string(),
        }),
        _ => return None,
    })
}
