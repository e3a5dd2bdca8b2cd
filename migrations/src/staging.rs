//! Changes that wait: staged by a run, applied by the same one where there is no delay, by a later one
//! otherwise.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::instructions::admin::{CancelStaged, RaiseDelays, StageChange, StagedKeys};
use ballast_state::exchange::{Delays, Exchange};
use ballast_state::market::Market;
use ballast_state::staged::Staged;

use crate::deployment::Deployment;
use crate::report::Difference;

/// A change that is staged.
pub struct Waiting {
    /// What applies it.
    pub keys: StagedKeys,
    /// First slot in which it may be applied.
    pub due: u64,
    /// Whether it is due.
    pub is_due: bool,
}

impl Waiting {
    /// What is left to be done about it.
    pub fn difference(&self, field: &str) -> Difference {
        Difference {
            field: field.to_owned(),
            on_chain: format!("staged in {}", self.keys.address),
            configured: format!("in force, which it may be from slot {} on", self.due),
            remedy: "run the same command again then".to_owned(),
        }
    }
}

/// Stages the change of `stage` unless it is staged as it is; what else waits in its place is
/// cancelled.
///
/// # Errors
/// A transaction that failed.
pub async fn stage(
    deployment: &mut Deployment,
    stage: &StageChange,
    market: Option<&Market>,
    what: &str,
) -> Result<Waiting> {
    let address = stage.address();
    let exchange = deployment.cluster.exchange().await?;
    let slot = deployment.cluster.clock().await?.slot;
    let mut found = deployment.cluster.staged(&address).await?;
    let serves = |staged: &Staged| -> Result<bool> {
        let change = staged.change()?;
        Ok(change == stage.change
            && slot <= staged.expires_slot
            && staged.is_current(&change, &exchange, market)?)
    };
    if !found.as_ref().map_or(Ok(false), serves)? {
        let mut instructions = Vec::new();
        if let Some(other) = &found {
            let cancel = CancelStaged {
                authority: deployment.admin(),
                staged: StagedKeys::of(address, other),
            };
            instructions.push(cancel.instruction());
        }
        instructions.push(stage.instruction());
        deployment
            .send(format!("staging {what}"), &instructions, &[])
            .await?;
        found = deployment.cluster.staged(&address).await?;
    }
    let staged = found.with_context(|| format!("nothing is staged in {address}"))?;
    waiting(deployment, address, &staged, &exchange).await
}

async fn waiting(
    deployment: &Deployment,
    address: Pubkey,
    staged: &Staged,
    exchange: &Exchange,
) -> Result<Waiting> {
    let due = staged.ready_slot(&staged.change()?, exchange)?;
    let slot = deployment.cluster.clock().await?.slot;
    Ok(Waiting {
        keys: StagedKeys::of(address, staged),
        due,
        is_due: slot >= due,
    })
}

/// Raises the delays to what is configured: the last step, because what is staged after it waits.
///
/// # Errors
/// A transaction that failed.
pub async fn raise_delays(deployment: &mut Deployment, wanted: Delays) -> Result<Vec<Difference>> {
    let now = deployment.cluster.exchange().await?.delays();
    let raised = Delays {
        risk_slots: wanted.risk_slots.max(now.risk_slots),
        admin_slots: wanted.admin_slots.max(now.admin_slots),
    };
    if raised != now {
        let raise = RaiseDelays {
            admin: deployment.admin(),
            delays: raised,
        };
        let what = format!(
            "raising the delays to {} slots for risk parameters and {} for everything else",
            raised.risk_slots, raised.admin_slots
        );
        deployment.send(what, &[raise.instruction()], &[]).await?;
    }
    Ok(differences(&raised, &wanted))
}

fn differences(on_chain: &Delays, wanted: &Delays) -> Vec<Difference> {
    [
        ("risk_delay_slots", on_chain.risk_slots, wanted.risk_slots),
        (
            "admin_delay_slots",
            on_chain.admin_slots,
            wanted.admin_slots,
        ),
    ]
    .into_iter()
    .filter_map(|(field, on_chain, wanted)| Difference::between(field.to_owned(), on_chain, wanted))
    .map(|one| one.with_remedy("a shorter delay is staged by the admin".to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_delay_that_is_longer_than_configured_differs_after_a_run() {
        let delays = |risk_slots, admin_slots| Delays {
            risk_slots,
            admin_slots,
        };
        assert!(differences(&delays(5, 9), &delays(5, 9)).is_empty());
        let found = differences(&delays(5, 9), &delays(5, 7));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].field.as_str(), found[0].on_chain.as_str()),
            ("admin_delay_slots", "9")
        );
    }
}
