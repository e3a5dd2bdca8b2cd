//! What comes after an attempt at a job.

use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use ballast_rpc::cluster::ReadError;
use ballast_rpc::sender::{Landed, SendError};
use solana_account::Account;

use super::{Actor, Assignment, GONE, NOBODY};
use crate::attempt::{verdict, Ask, Step};
use crate::evaluate::Job;
use crate::feed::Read;
use crate::flight::Pause;
use crate::outcome::Outcome;
use crate::plan::session::SessionStep;
use crate::plan::{Effect, Idle, Plan, TakeOver};
use crate::repair::Verdict;
use crate::scene::Needs;

/// Transactions among which the last one is looked for that landed.
const LOOKED_AT: usize = 8;
/// Time of a slot.
const SLOT: Duration = Duration::from_millis(400);

impl Actor {
    pub(super) async fn won(
        &self,
        assignment: &Assignment,
        plan: &Plan,
        ask: &Ask,
        landed: &Landed,
    ) -> Step {
        let (job, kind) = (&assignment.job, plan.task.name());
        let (outcome, figures) = self.outcome(landed).await;
        let metrics = &self.board.metrics;
        metrics.won.with_label_values(&[kind]).inc();
        metrics
            .income
            .with_label_values(&[kind])
            .inc_by(outcome.income_atoms);
        let Outcome {
            closed_lots,
            left_lots,
            pool_lots,
            cuts,
            insurance_atoms,
            income_atoms,
            held_atoms,
            released_atoms: _,
        } = outcome;
        tracing::info!(market = assignment.venue.index, trader = %job.trader, kind, health_bps = job.ratio_bps(), closed_lots, left_lots, pool_lots, cuts, insurance_atoms, income_atoms, held_atoms, figures, signature = %landed.signature, slot = landed.slot, units = landed.units, fee = landed.priority_fee, "won");
        match plan.effect {
            Effect::Session(SessionStep::Open | SessionStep::Advance) | Effect::Records { .. } => {
                ask.again(|next| {
                    (next.at_least, next.tries) = (landed.slot, 0);
                })
            }
            _ => Step::Over(self.learn(assignment, landed.slot).await),
        }
    }

    /// What a transaction did, and where the figures are from: `chain`, or `simulation` where the node
    /// does not have it yet.
    async fn outcome(&self, landed: &Landed) -> (Outcome, &'static str) {
        let past = self.sender.cluster().transaction(&landed.signature).await;
        match past {
            Ok(Some(past)) => (Outcome::of(&past.events, &self.own), "chain"),
            _ => (Outcome::of(&landed.events, &self.own), "simulation"),
        }
    }

    /// What a transaction that did not land, or failed, means.
    pub(super) async fn refused(
        &self,
        assignment: &Assignment,
        plan: &Plan,
        ask: &Ask,
        slot: u64,
        error: &SendError,
    ) -> Step {
        let (job, kind) = (&assignment.job, plan.task.name());
        let (market, trader) = (assignment.venue.index, job.trader);
        let health_bps = job.ratio_bps();
        let failure = match error {
            SendError::Refused(failure)
            | SendError::Failed(failure, _)
            | SendError::Overtaken(failure, _) => failure,
            SendError::Expired(signature) | SendError::Unknown(signature) => {
                self.board.metrics.expired.with_label_values(&[kind]).inc();
                tracing::warn!(market, %trader, kind, health_bps, %signature, %error, "expired");
                return Step::Over(Pause::For(GONE));
            }
            SendError::NoFunds(_) => {
                self.board.metrics.failed.with_label_values(&[kind]).inc();
                tracing::error!(market, %trader, kind, health_bps, %error, "not sent");
                return Step::Over(Pause::Growing);
            }
            SendError::Unsendable(_) | SendError::Rpc(_) => {
                self.board.metrics.failed.with_label_values(&[kind]).inc();
                tracing::warn!(market, %trader, kind, health_bps, %error, "not sent");
                return Step::Over(Pause::Growing);
            }
        };
        let verdict = verdict(plan.task, failure, plan.listed.len());
        let paid = matches!(error, SendError::Failed(..));
        if verdict == Verdict::Done
            || paid && matches!(verdict, Verdict::Refetch { .. } | Verdict::Record)
        {
            self.see_who_was_faster(assignment).await;
        }
        if let (Verdict::Ended, Effect::Protection { sequence, .. }) = (verdict, plan.effect) {
            let ended = Read::Ended {
                market: assignment.venue.keys.market,
                trader,
                sequence,
            };
            drop(self.readings.send(ended).await);
        }
        if matches!(verdict, Verdict::Done | Verdict::Ended) {
            self.board.metrics.lost.with_label_values(&[kind]).inc();
            tracing::info!(market, %trader, kind, health_bps, %error, "lost");
            return Step::Over(self.learn(assignment, slot).await);
        }
        if paid {
            self.board.metrics.failed.with_label_values(&[kind]).inc();
        }
        tracing::warn!(market, %trader, kind, health_bps, verdict = verdict.name(), %error, "refused");
        self.follow(assignment, ask, slot, verdict)
    }

    /// Lets memory know who did what this keeper came too late for, if that is to be found.
    async fn see_who_was_faster(&self, assignment: &Assignment) {
        let trader = assignment.job.trader;
        let subject = match trader == Pubkey::default() {
            true => assignment.venue.keys.market,
            false => trader,
        };
        match self.faster(&subject).await {
            Ok(Some(wallet)) => drop(self.readings.send(Read::Faster(wallet)).await),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "who was faster is not known"),
        }
    }

    /// Who paid for the last transaction that landed about an account, unless this keeper did.
    async fn faster(&self, subject: &Pubkey) -> Result<Option<Pubkey>, ReadError> {
        let cluster = self.sender.cluster();
        let mentions = cluster.mentions(subject, None, None, LOOKED_AT).await?;
        let Some(last) = mentions.iter().find(|one| !one.failed) else {
            return Ok(None);
        };
        let past = cluster.transaction(&last.signature).await?;
        let payer = past.map(|past| past.payer);
        Ok(payer.filter(|payer| *payer != self.sender.payer()))
    }

    /// What a verdict asks for.
    fn follow(&self, assignment: &Assignment, ask: &Ask, slot: u64, verdict: Verdict) -> Step {
        match verdict {
            Verdict::Done | Verdict::Ended => Step::Over(Pause::None),
            Verdict::Refetch { .. } => ask.refetched(slot),
            Verdict::Record => ask.again(|next| {
                (next.at_least, next.needs.cross) = (slot, true);
            }),
            Verdict::Shorten => ask.again(|next| {
                let options = &mut next.options;
                options.max_counterparties = (options.max_counterparties / 2).max(1);
                options.max_makers = (options.max_makers / 2).max(1);
                options.spares /= 2;
            }),
            Verdict::Session => ask.again(|next| next.session = true),
            Verdict::Wait(slots) => {
                let slots = u32::try_from(slots).unwrap_or(u32::MAX);
                Step::Over(Pause::For(SLOT.saturating_mul(slots)))
            }
            Verdict::Poor if ask.options.take_over == TakeOver::Nothing => {
                match ask.options.offer_pool {
                    true => ask.again(|next| next.options.offer_pool = false),
                    false => Step::Over(Pause::Idle),
                }
            }
            Verdict::Poor => {
                tracing::warn!(own = %self.own, "the trader account cannot take this over: deposit collateral");
                ask.again(|next| next.options.take_over = next.options.take_over.after_poor())
            }
            Verdict::Fatal => {
                self.count_failed(&assignment.job);
                Step::Over(Pause::Longest)
            }
        }
    }

    pub(super) fn idle(&self, assignment: &Assignment, why: Idle) -> Step {
        let job = &assignment.job;
        self.board
            .metrics
            .idle
            .with_label_values(&[job.task.name()])
            .inc();
        let (market, trader, kind) = (assignment.venue.index, job.trader, job.task.name());
        if why == Idle::NoBids {
            tracing::debug!(market, %trader, kind, reason = why.words(), "nothing can be done");
            return Step::Over(Pause::Idle);
        }
        if why == Idle::Gone {
            tracing::debug!(market, %trader, kind, reason = why.words(), "nothing to do");
            return Step::Over(Pause::For(GONE));
        }
        tracing::info!(market, %trader, kind, health_bps = job.ratio_bps(), reason = why.words(), "nothing can be done");
        Step::Over(Pause::Idle)
    }

    /// Lets memory learn what has become of the accounts by `slot`, so that it does not ask for
    /// the same again.
    async fn learn(&self, assignment: &Assignment, slot: u64) -> Pause {
        let ask = Ask {
            needs: Needs::default(),
            at_least: slot,
            ..Ask::new(&assignment.job, self.work.plan_options())
        };
        let venue = &assignment.venue;
        match self.scene(venue, &assignment.job.trader, &ask).await {
            Ok(scene) => {
                self.publish(scene.slot, scene.small).await;
                Pause::None
            }
            Err(error) => {
                tracing::debug!(%error, "not read again");
                Pause::For(NOBODY)
            }
        }
    }

    pub(super) async fn publish(&self, slot: u64, accounts: Vec<(Pubkey, Option<Account>)>) {
        // Nobody listens any more when the keeper is about to end.
        drop(self.readings.send(Read::Accounts(slot, accounts)).await);
    }

    /// Names the listed accounts to the lookup table where they have cut a list short.
    pub(super) fn want(&self, plan: &Plan, ask: &Ask) {
        let short = match plan.effect {
            Effect::Deleveraging {
                lots,
                of_lots,
                cuts,
                ..
            } => lots < of_lots && cuts < ask.options.max_counterparties,
            _ => false,
        };
        if short && !plan.listed.is_empty() {
            // While it is busy, it is told the next time.
            drop(self.wanted.try_send(plan.listed.clone()));
        }
    }

    pub(super) fn count_failed(&self, job: &Job) {
        let failed = &self.board.metrics.failed;
        failed.with_label_values(&[job.task.name()]).inc();
    }
}
