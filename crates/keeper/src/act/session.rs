//! Deleveraging over several transactions.

use ballast_client::accounts;
use ballast_client::instructions::adl_session::SESSION_SPACE;
use ballast_rpc::sender::SendError;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Actor, Assignment};
use crate::attempt::{Ask, Step};
use crate::flight::Pause;
use crate::plan::session::{plan, under_way, Means, SessionStep};
use crate::plan::{Effect, PlanError, Planned};
use crate::scene::Scene;

/// Nodes that one call looks at: about 100 compute units each.
const NODES: u32 = 8_000;

impl Actor {
    /// The next step of a session.
    pub(super) async fn session(&self, assignment: &Assignment, scene: &Scene, ask: &Ask) -> Step {
        let fresh = Keypair::new();
        match self.plan_session(assignment, scene, ask, &fresh).await {
            Ok(Planned::Send(plan)) => {
                let signers: &[&Keypair] = match plan.effect {
                    Effect::Session(SessionStep::Open) => &[&fresh],
                    _ => &[],
                };
                self.send(assignment, *plan, signers, ask, scene.slot).await
            }
            Ok(Planned::Nothing(why)) => self.idle(assignment, why),
            Err(error) => {
                let trader = assignment.job.trader;
                tracing::warn!(market = assignment.venue.index, %trader, %error, "no step of a session");
                Step::Over(Pause::Growing)
            }
        }
    }

    async fn plan_session(
        &self,
        assignment: &Assignment,
        scene: &Scene,
        ask: &Ask,
        fresh: &Keypair,
    ) -> Result<Planned, SessionError> {
        let address = scene.queue()?.and_then(|queue| under_way(&queue));
        let session = match address {
            Some(address) => {
                let (_, found) = self.cluster.accounts_since(&[address], scene.slot).await?;
                let account = found.into_iter().flatten().next();
                account.and_then(|account| accounts::adl_session(&account.data).ok())
            }
            None => None,
        };
        let rpc = &self.cluster.rpc;
        let rent = rpc
            .get_minimum_balance_for_rent_exemption(SESSION_SPACE)
            .await;
        let means = Means {
            fresh: fresh.pubkey(),
            rent_lamports: rent.map_err(SendError::from)?,
            max_nodes: NODES,
        };
        let job = &assignment.job;
        Ok(self.with_own(scene, ask, |present, lists, own| {
            plan(job, present, lists, own, &means, session.as_ref())
        })?)
    }
}

/// Why there is no next step.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Read(#[from] ballast_rpc::cluster::ReadError),
    #[error(transparent)]
    Rpc(#[from] SendError),
}
