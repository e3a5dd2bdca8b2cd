//! Keepers that have been at work lately, by the transactions of the markets.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use ballast_rpc::cluster::{Cluster, ReadError};
use ballast_rpc::history::{Mention, Past};
use ballast_state::events::BallastEvent;
use tokio::sync::mpsc;

use crate::feed::Read;

/// Most transactions of a market that are looked at.
const MOST_LOOKED_AT: usize = 24;
/// Between two looks: one request a market, and one for each transaction that is new.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks for other keepers now and then, beside the keeper's work.
pub struct Rivals {
    /// The node to read from.
    pub cluster: Arc<Cluster>,
    /// The markets kept.
    pub markets: Vec<Pubkey>,
    /// What is older does not count.
    pub since_slot: u64,
    /// Where it says whom it found.
    pub readings: mpsc::Sender<Read>,
}

impl Rivals {
    /// Tells of whoever has been at work lately.
    pub async fn tell(self) {
        let mut seen = HashMap::new();
        loop {
            let mut found = BTreeSet::new();
            if let Err(error) = self.look(&mut seen, &mut found).await {
                tracing::warn!(%error, "other keepers could not be looked for");
            }
            for wallet in found {
                // Nobody listens any more when the keeper is about to end.
                drop(self.readings.send(Read::AtWork(wallet)).await);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Adds to `found` the wallets that paid for what keepers do, among the newest transactions of the markets
    /// that were not `seen` before: the oldest first, and none twice, also where one cannot be read.
    async fn look(
        &self,
        seen: &mut HashMap<Pubkey, Mention>,
        found: &mut BTreeSet<Pubkey>,
    ) -> Result<(), ReadError> {
        for market in &self.markets {
            let until = seen.get(market).map(|newest| newest.signature);
            let mentions = self.cluster.mentions(market, until, None, MOST_LOOKED_AT);
            for mention in mentions.await?.into_iter().rev() {
                seen.insert(*market, mention);
                if !mention.failed && mention.slot >= self.since_slot {
                    let past = self.cluster.transaction(&mention.signature).await?;
                    found.extend(past.as_ref().and_then(keeper));
                }
            }
        }
        Ok(())
    }
}

/// Who paid for a transaction, if it did what keepers do.
fn keeper(past: &Past) -> Option<Pubkey> {
    past.events.iter().any(is_keepers).then_some(past.payer)
}

/// Whether an event tells of something that is done for others.
const fn is_keepers(event: &BallastEvent) -> bool {
    matches!(
        event,
        BallastEvent::PositionLiquidated(_)
            | BallastEvent::AutoDeleveraged(_)
            | BallastEvent::PositionFlagged(_)
            | BallastEvent::TriggerExecuted(_)
            | BallastEvent::ProtectionExecuted(_)
            | BallastEvent::PoolUnwound(_)
            | BallastEvent::PoolSynced(_)
            | BallastEvent::InsuranceSwept(_)
            | BallastEvent::MarksRecorded(_)
            | BallastEvent::RanksRefreshed(_)
            | BallastEvent::LegForced(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::events::{Deposited, MarksRecorded, PoolSynced};

    fn past(events: Vec<BallastEvent>) -> Past {
        Past {
            slot: 5,
            payer: Pubkey::new_from_array([7; 32]),
            block_time: None,
            failure: None,
            events,
            units: None,
        }
    }

    #[test]
    fn who_works_for_others_is_a_keeper() {
        let deposited = BallastEvent::Deposited(Box::new(Deposited {
            trader: Pubkey::default(),
            depositor: Pubkey::default(),
            amount: 5,
            free_after: 5,
        }));
        let synced = BallastEvent::PoolSynced(Box::new(PoolSynced {
            market: Pubkey::default(),
            pool: Pubkey::default(),
            moved_atoms: 1,
            margin_after: 1,
            free_after: 1,
            mark_ticks: 1,
        }));
        assert_eq!(keeper(&past(vec![deposited.clone()])), None);
        let worked = past(vec![deposited, synced]);
        assert_eq!(keeper(&worked), Some(worked.payer));
        let recorded = BallastEvent::MarksRecorded(Box::new(MarksRecorded {
            checkpoint_opened: false,
            marks: Vec::new(),
        }));
        assert!(keeper(&past(vec![recorded])).is_some());
    }
}
