//! One job from its accounts to its transaction's end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::{anyone, Collateral, MarketKeys};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::sender::{Landed, SendError, Sender};
use solana_account::Account;
use tokio::sync::mpsc;

use crate::config::Work;
use crate::evaluate::Job;
use crate::feed::Read;
use crate::flight::Pause;
use crate::outcome::{verdict, Ask, Step};
use crate::plan::{plan, Effect, Idle, Own, Plan, Planned};
use crate::repair::Verdict;
use crate::scene::{self, Needs, Scene};
use crate::serve::Board;
use crate::table::Tables;

/// How often a job is planned again at once.
const ATTEMPTS: usize = 5;
/// Pause when there is nothing to do although memory says so: it is about to learn.
const GONE: Duration = Duration::from_millis(400);
/// Pause when nobody can do it: the book, a price or a balance has to change.
const NOBODY: Duration = Duration::from_secs(3);
/// Pause of a job that is only simulated.
const DRY: Duration = Duration::from_secs(10);
/// Between two sweeps of the same vault.
const SWEPT: Duration = Duration::from_secs(60);
/// Pause between two requests for accounts that the node does not have yet.
const BEHIND: Duration = Duration::from_millis(200);
/// How often they are requested.
const BEHIND_TIMES: usize = 25;
/// Time of a slot.
const SLOT: Duration = Duration::from_millis(400);

/// A market to act in.
#[derive(Clone, Copy, Debug)]
pub struct Venue {
    /// Its number.
    pub index: u16,
    /// Its accounts.
    pub keys: MarketKeys,
}

/// A job and when the price was heard that it follows from, if it follows from one.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    /// Where.
    pub venue: Venue,
    /// What.
    pub job: Job,
    /// Since when.
    pub since: Option<Instant>,
}

/// Does jobs.
pub struct Actor {
    /// The node that is read from.
    pub cluster: Arc<Cluster>,
    /// Signs, pays and sends.
    pub sender: Arc<Sender>,
    /// The keeper's trader account.
    pub own: Pubkey,
    /// How jobs are done.
    pub work: Work,
    /// Whether nothing is sent.
    pub dry_run: bool,
    /// Figures and health.
    pub board: Board,
    /// Where memory learns what was read.
    pub readings: mpsc::Sender<Read>,
    /// The lookup table.
    pub tables: Tables,
    /// Where accounts are named that it should hold.
    pub wanted: mpsc::Sender<Vec<Pubkey>>,
    /// Free collateral promised by transactions under way, atoms.
    pub promised: Mutex<u64>,
    /// Transactions under way that take orders out of the book.
    pub takers: AtomicUsize,
}

impl Actor {
    /// Does a job; how long the next one about the same has to wait.
    pub async fn perform(&self, assignment: Assignment) -> Pause {
        let mut ask = Ask::new(&assignment.job, self.work.plan_options());
        for _ in 0..ATTEMPTS {
            match self.attempt(&assignment, &ask).await {
                Step::Over(pause) => return pause,
                Step::Again(next) => ask = *next,
            }
        }
        self.count_failed(&assignment.job);
        Pause::Growing
    }

    /// Brings the insurance vault of a market level with its ledger.
    pub async fn sweep(&self, venue: Venue, collateral: Collateral) -> Pause {
        let sweep = anyone::sweep_insurance(venue.keys.market, collateral);
        let metrics = &self.board.metrics;
        let label = ["sweep_insurance"];
        let prepared = match self.sender.prepare(&[sweep], &[], &[]).await {
            Ok(prepared) if self.dry_run => {
                tracing::info!(
                    market = venue.index,
                    units = prepared.simulated.units,
                    "would sweep insurance"
                );
                return Pause::For(SWEPT);
            }
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::warn!(market = venue.index, %error, "insurance was not swept");
                return Pause::Growing;
            }
        };
        metrics.sent.with_label_values(&label).inc();
        match self.sender.complete(prepared).await {
            Ok(landed) => {
                metrics.won.with_label_values(&label).inc();
                tracing::info!(market = venue.index, signature = %landed.signature, "insurance swept");
                Pause::For(SWEPT)
            }
            Err(error) => {
                metrics.failed.with_label_values(&label).inc();
                tracing::warn!(market = venue.index, %error, "insurance was not swept");
                Pause::Growing
            }
        }
    }

    async fn attempt(&self, assignment: &Assignment, ask: &Ask) -> Step {
        let venue = &assignment.venue;
        let trader = assignment.job.trader;
        let scene = match self.scene(venue, &trader, ask).await {
            Ok(scene) => scene,
            Err(error) => {
                tracing::warn!(market = venue.index, %trader, kind = assignment.job.task.name(), %error, "not read");
                return Step::Over(Pause::Growing);
            }
        };
        self.publish(scene.slot, scene.small.clone()).await;
        let job = match scene.job(&trader, self.work.funding_seconds) {
            Ok(Some(job)) => job,
            Ok(None) => return self.idle(assignment, Idle::Gone),
            Err(error) => {
                tracing::warn!(market = venue.index, %error, "cannot be judged");
                return Step::Over(Pause::For(NOBODY));
            }
        };
        if !scene.suffices(&job) {
            return ask.again(|next| next.needs = Needs::of(&job));
        }
        match self.plan(&job, &scene, ask) {
            Ok(Planned::Send(plan)) => {
                let fresh = Assignment { job, ..*assignment };
                self.send(&fresh, *plan, ask, scene.slot).await
            }
            Ok(Planned::Nothing(why)) => self.idle(assignment, why),
            Err(error) => {
                tracing::error!(market = venue.index, %trader, kind = job.task.name(), %error, "not planned");
                self.count_failed(&job);
                Step::Over(Pause::Growing)
            }
        }
    }

    /// The accounts of a job; waits a little for a node that is behind.
    async fn scene(
        &self,
        venue: &Venue,
        trader: &Pubkey,
        ask: &Ask,
    ) -> Result<Scene, ballast_rpc::cluster::ReadError> {
        let read = || {
            scene::read(
                &self.cluster,
                &venue.keys,
                trader,
                &self.own,
                ask.needs,
                ask.at_least,
            )
        };
        for _ in 0..BEHIND_TIMES {
            match read().await {
                Err(ballast_rpc::cluster::ReadError::Rpc(error)) if ask.at_least > 0 => {
                    tracing::debug!(%error, "read again");
                    tokio::time::sleep(BEHIND).await;
                }
                other => return other,
            }
        }
        read().await
    }

    fn plan(&self, job: &Job, scene: &Scene, ask: &Ask) -> Result<Planned, crate::plan::PlanError> {
        let present = scene.state.at(&scene.clock);
        let present = present.map_err(|_| crate::plan::PlanError::Missing("a price"))?;
        let mut trader = scene.own;
        let promised = *self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        let promised = i64::try_from(promised).unwrap_or(i64::MAX);
        trader.free = trader.free.saturating_sub(promised).max(0);
        let mut options = ask.options;
        // Those who land first take orders that others have counted on.
        options.spares = options
            .spares
            .saturating_add(2 * self.takers.load(Ordering::Relaxed))
            .min(16);
        let tables = self.tables.get();
        let own = Own {
            payer: self.sender.payer(),
            authority: self.sender.payer(),
            address: self.own,
            trader: &trader,
            tables: &tables,
            options: &options,
        };
        plan(job, &present, &scene.lists()?, &own)
    }

    async fn send(&self, assignment: &Assignment, plan: Plan, ask: &Ask, slot: u64) -> Step {
        self.want(&plan, ask);
        let promise = Promise::of(self, &plan);
        let tables = self.tables.get();
        let prepared = self.sender.prepare(&plan.instructions, &[], &tables).await;
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.refused(assignment, &plan, ask, slot, &error).await,
        };
        let (job, effect) = (&assignment.job, &plan.effect);
        if self.dry_run {
            let units = prepared.simulated.units;
            tracing::info!(market = assignment.venue.index, trader = %job.trader, kind = plan.task.name(), health_bps = job.ratio_bps(), lots = job.lots, ?effect, units, "would send");
            return Step::Over(Pause::For(DRY));
        }
        if let Some(since) = assignment.since {
            let millis = since.elapsed().as_secs_f64() * 1_000.0;
            self.board.metrics.price_to_sent.observe(millis);
        }
        self.board
            .metrics
            .sent
            .with_label_values(&[plan.task.name()])
            .inc();
        tracing::debug!(signature = %prepared.signature(), kind = plan.task.name(), trader = %job.trader, "sending");
        let sent = self.sender.complete(prepared).await;
        drop(promise);
        match sent {
            Ok(landed) => self.won(assignment, &plan, &landed).await,
            Err(error) => self.refused(assignment, &plan, ask, slot, &error).await,
        }
    }

    async fn won(&self, assignment: &Assignment, plan: &Plan, landed: &Landed) -> Step {
        let (job, effect) = (&assignment.job, &plan.effect);
        self.board
            .metrics
            .won
            .with_label_values(&[plan.task.name()])
            .inc();
        tracing::info!(market = assignment.venue.index, trader = %job.trader, kind = plan.task.name(), health_bps = job.ratio_bps(), lots = job.lots, ?effect, signature = %landed.signature, slot = landed.slot, units = landed.units, fee = landed.priority_fee, "won");
        Step::Over(self.learn(assignment, landed.slot).await)
    }

    /// What a transaction that did not land, or failed, means.
    async fn refused(
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
            SendError::Refused(failure) | SendError::Failed(failure, _) => failure,
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
        if verdict == Verdict::Done {
            self.board.metrics.lost.with_label_values(&[kind]).inc();
            tracing::info!(market, %trader, kind, health_bps, %error, "lost");
            return Step::Over(self.learn(assignment, slot).await);
        }
        if matches!(error, SendError::Failed(..)) {
            self.board.metrics.failed.with_label_values(&[kind]).inc();
        }
        tracing::warn!(market, %trader, kind, health_bps, verdict = verdict.name(), %error, "refused");
        self.follow(assignment, ask, slot, verdict)
    }

    /// What a verdict asks for.
    fn follow(&self, assignment: &Assignment, ask: &Ask, slot: u64, verdict: Verdict) -> Step {
        match verdict {
            Verdict::Done => Step::Over(Pause::None),
            Verdict::Refetch { .. } => ask.again(|next| next.at_least = slot),
            Verdict::Shorten => match ask.options.max_counterparties {
                0 | 1 => Step::Over(Pause::Longest),
                most => ask.again(|next| {
                    next.options.max_counterparties = most / 2;
                    next.options.spares /= 2;
                }),
            },
            Verdict::Wait(slots) => {
                let slots = u32::try_from(slots).unwrap_or(u32::MAX);
                Step::Over(Pause::For(SLOT.saturating_mul(slots)))
            }
            Verdict::Poor if ask.options.takes_over => {
                tracing::warn!(own = %self.own, "the trader account cannot take over: deposit collateral");
                ask.again(|next| next.options.takes_over = false)
            }
            Verdict::Poor => Step::Over(Pause::For(NOBODY)),
            Verdict::Fatal => {
                self.count_failed(&assignment.job);
                Step::Over(Pause::Longest)
            }
        }
    }

    fn idle(&self, assignment: &Assignment, why: Idle) -> Step {
        let job = &assignment.job;
        self.board
            .metrics
            .idle
            .with_label_values(&[job.task.name()])
            .inc();
        let (market, trader, kind) = (assignment.venue.index, job.trader, job.task.name());
        if why == Idle::Gone {
            tracing::debug!(market, %trader, kind, reason = why.words(), "nothing to do");
            return Step::Over(Pause::For(GONE));
        }
        tracing::info!(market, %trader, kind, health_bps = job.ratio_bps(), reason = why.words(), "nothing can be done");
        Step::Over(Pause::For(NOBODY))
    }

    /// Lets memory learn what has become of the accounts by `slot`, so that it does not ask for
    /// the same again.
    async fn learn(&self, assignment: &Assignment, slot: u64) -> Pause {
        let ask = Ask {
            needs: Needs::default(),
            at_least: slot,
            options: self.work.plan_options(),
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

    async fn publish(&self, slot: u64, accounts: Vec<(Pubkey, Option<Account>)>) {
        // Nobody listens any more when the keeper is about to end.
        drop(self.readings.send(Read::Accounts(slot, accounts)).await);
    }

    /// Names the listed accounts to the lookup table where they have cut a list short.
    fn want(&self, plan: &Plan, ask: &Ask) {
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

    fn count_failed(&self, job: &Job) {
        let failed = &self.board.metrics.failed;
        failed.with_label_values(&[job.task.name()]).inc();
    }
}

/// What a transaction under way has promised; given back when it has ended.
struct Promise<'a> {
    actor: &'a Actor,
    margin: u64,
    takes: bool,
}

impl<'a> Promise<'a> {
    fn of(actor: &'a Actor, plan: &Plan) -> Self {
        let margin = match plan.effect {
            Effect::Liquidation { margin_atoms, .. } => margin_atoms,
            _ => 0,
        };
        let takes = plan.reads.book.is_some();
        actor.change(|promised| promised.saturating_add(margin));
        if takes {
            actor.takers.fetch_add(1, Ordering::Relaxed);
        }
        Self {
            actor,
            margin,
            takes,
        }
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.actor
            .change(|promised| promised.saturating_sub(self.margin));
        if self.takes {
            self.actor.takers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Actor {
    fn change(&self, change: impl FnOnce(u64) -> u64) {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        *promised = change(*promised);
    }
}
