//! One job from its accounts to its transaction's end.

mod after;
mod promise;
mod session;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::{anyone, Collateral, MarketKeys};
use ballast_rpc::cluster::{Cluster, ReadError};
use ballast_rpc::sender::{SendError, Sender};
use solana_keypair::Keypair;
use tokio::sync::{mpsc, watch};

pub use self::promise::Promises;
use crate::attempt::{Ask, Step};
use crate::config::Work;
use crate::cross::CrossState;
use crate::evaluate::{Job, Task};
use crate::feed::Read;
use crate::flight::Pause;
use crate::lookup_table::Tables;
use crate::market::Present;
use crate::metrics::{RELEASE_PROFIT, SWEEP_INSURANCE};
use crate::outcome::Outcome;
use crate::plan::{ending, plan, Idle, LegMakers, Lists, Own, Plan, PlanError, Planned, TakeOver};
use crate::scene::{self, PriceAccounts, Scene};
use crate::serve::Board;

/// How often a job is planned again at once.
const ATTEMPTS: usize = 5;
/// Most accounts listed beyond the ones needed.
const MOST_SPARES: usize = 16;
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

/// A market to act in.
#[derive(Clone, Copy, Debug)]
pub struct Venue {
    /// The market's number in the exchange.
    pub index: u16,
    /// The market's accounts.
    pub keys: MarketKeys,
}

/// A job and when the price was heard that it follows from, if it follows from one.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    /// The market to do it in.
    pub venue: Venue,
    /// The job to do.
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
    /// The board and the accounts with legs or orders of legs, as memory tells.
    pub legs: watch::Sender<CrossState>,
    /// Where the prices of the markets kept are read.
    pub prices: PriceAccounts,
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
    /// What transactions under way have promised.
    pub promises: Promises,
}

impl Actor {
    /// Does a job; how long the next one about the same has to wait.
    pub async fn perform(&self, assignment: Assignment) -> Pause {
        let mut ask = Ask::new(&assignment.job, self.work.plan_options());
        while ask.tries < ATTEMPTS {
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
        let sweep = anyone::SweepInsurance {
            market: venue.keys.market,
            collateral,
        }
        .instruction();
        let metrics = &self.board.metrics;
        let label = [SWEEP_INSURANCE];
        let prepared = match self.sender.prepare(&[sweep], &[], &[]).await {
            Ok(prepared) if self.dry_run => {
                tracing::info!(
                    market = venue.index,
                    units = prepared.simulated.units,
                    "would sweep insurance"
                );
                return Pause::For(SWEPT);
            }
            Ok(prepared) if prepared.simulated.events.is_empty() => {
                metrics.lost.with_label_values(&label).inc();
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

    /// Gives held profit of a market back, if that frees any.
    pub async fn release(&self, venue: Venue, traders: &[Pubkey]) -> Pause {
        let keys = venue.keys;
        let release = anyone::ReleaseProfit { keys, traders }.instruction();
        let metrics = &self.board.metrics;
        let label = [RELEASE_PROFIT];
        let prepared = match self.sender.prepare(&[release], &[], &[]).await {
            Ok(prepared) => prepared,
            // Not yet: the market is short of all of it, or no newer price has come.
            Err(SendError::Refused(failure)) => {
                tracing::debug!(market = venue.index, %failure, "held profit is not due");
                return Pause::Growing;
            }
            Err(error) => {
                tracing::warn!(market = venue.index, %error, "held profit was not released");
                return Pause::Growing;
            }
        };
        let freed = Outcome::of(&prepared.simulated.events, &self.own).released_atoms;
        if freed == 0 {
            return Pause::Growing;
        }
        if self.dry_run {
            let traders = traders.len();
            tracing::info!(
                market = venue.index,
                traders,
                freed,
                "would release held profit"
            );
            return Pause::For(DRY);
        }
        metrics.sent.with_label_values(&label).inc();
        match self.sender.complete(prepared).await {
            Ok(landed) => {
                metrics.won.with_label_values(&label).inc();
                tracing::info!(market = venue.index, freed, signature = %landed.signature, "held profit released");
                Pause::For(GONE)
            }
            Err(error) => {
                metrics.failed.with_label_values(&label).inc();
                tracing::warn!(market = venue.index, %error, "held profit was not released");
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
        let job = match scene.job(&assignment.job, &self.work) {
            Ok(Some(job)) => job,
            Ok(None) => return self.idle(assignment, Idle::Gone),
            Err(error) => {
                tracing::warn!(market = venue.index, %error, "cannot be judged");
                return Step::Over(Pause::For(NOBODY));
            }
        };
        // Rounds against a queue follow each other, so this one has to wait for its turn.
        if job.task.is_round() && assignment.job.task != job.task {
            return Step::Over(Pause::None);
        }
        if !scene.suffices(&job) {
            let needs = scene.needs_of(&job);
            return ask.again(|next| next.needs = needs);
        }
        let fresh = Assignment { job, ..*assignment };
        // A session knows isolated positions alone.
        if ask.session && job.task == Task::Deleverage && scene.state.market.cross_legs == 0 {
            return self.session(&fresh, &scene, ask).await;
        }
        let planned = match ending(&job, &scene.state) {
            Some(planned) => Ok(planned),
            None => self.with_own(&scene, ask, |present, lists, own| {
                plan(&job, present, lists, own)
            }),
        };
        match planned {
            Ok(Planned::Send(plan)) if self.waits_for_insurance(&plan, &scene) => {
                Step::Over(Pause::For(GONE))
            }
            Ok(Planned::Send(plan)) => self.send(&fresh, *plan, &[], ask, scene.slot).await,
            // A session proves that nobody can be cut, and the position is written off.
            Ok(Planned::Nothing(Idle::NobodyEligible)) if scene.state.market.mode().has_ended() => {
                self.session(&fresh, &scene, ask).await
            }
            Ok(Planned::Nothing(why)) => self.idle(assignment, why),
            Err(error) => {
                tracing::error!(market = venue.index, %trader, kind = job.task.name(), %error, "not planned");
                self.count_failed(&job);
                Step::Over(Pause::Growing)
            }
        }
    }

    /// Whether insurance can pay what a plan counts on only if what is under way is not paid: whether it
    /// is, is known in a moment.
    fn waits_for_insurance(&self, plan: &Plan, scene: &Scene) -> bool {
        let wanted = plan.effect.insurance_atoms();
        let promised = self.promises.insurance(&scene.state.address);
        if wanted == 0 || promised == 0 {
            return false;
        }
        let present = scene.state.at(&scene.clock);
        present.is_ok_and(|present| present.insurance < promised.saturating_add(wanted))
    }

    /// The accounts of a job; waits a little for a node that is behind.
    async fn scene(&self, venue: &Venue, trader: &Pubkey, ask: &Ask) -> Result<Scene, ReadError> {
        let read = || {
            scene::read(
                &self.cluster,
                &venue.keys,
                trader,
                &self.own,
                &self.prices,
                ask.needs,
                ask.at_least,
            )
        };
        for _ in 0..BEHIND_TIMES {
            match read().await {
                Err(ReadError::Rpc(error)) if ask.at_least > 0 => {
                    tracing::debug!(%error, "read again");
                    tokio::time::sleep(BEHIND).await;
                }
                other => return other,
            }
        }
        read().await
    }

    /// Plans with what is there and what the keeper has.
    fn with_own(
        &self,
        scene: &Scene,
        ask: &Ask,
        plan: impl FnOnce(&Present<'_>, &Lists<'_>, &Own<'_>) -> Result<Planned, PlanError>,
    ) -> Result<Planned, PlanError> {
        let present = scene.state.at(&scene.clock);
        let present = present.map_err(|_| PlanError::Missing("a price"))?;
        let floor = scene.floor()?;
        let cross = scene.cross_lists(floor.as_ref())?;
        let mut trader = scene.own;
        let promised = i64::try_from(self.promises.margin()).unwrap_or(i64::MAX);
        trader.free = trader.free.saturating_sub(promised).max(0);
        let mut options = ask.options;
        // Those who land first take orders that others have counted on.
        let takers = self.promises.takers();
        options.spares = options.spares.saturating_add(2 * takers).min(MOST_SPARES);
        if takers > 0 && options.take_over == TakeOver::Rest {
            options.take_over = TakeOver::Whole;
        }
        let (tables, promised) = (self.tables.get(), self.promises.fills(&scene.state.address));
        let legs = self.legs.borrow().clone();
        let own = Own {
            payer: self.sender.payer(),
            authority: self.sender.payer(),
            address: self.own,
            trader: &trader,
            makers: LegMakers {
                board: legs.board.as_deref(),
                accounts: &legs,
            },
            promised: &promised,
            tables: &tables,
            options: &options,
        };
        let lists = Lists {
            cross: cross.as_ref(),
            ..scene.lists()?
        };
        plan(&present, &lists, &own)
    }

    async fn send(
        &self,
        assignment: &Assignment,
        plan: Plan,
        signers: &[&Keypair],
        ask: &Ask,
        slot: u64,
    ) -> Step {
        self.want(&plan, ask);
        let promise = self.promises.promise(assignment.venue.keys.market, &plan);
        let tables = self.tables.get();
        let prepared = self
            .sender
            .prepare(&plan.instructions, signers, &tables)
            .await;
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
            Ok(landed) => self.won(assignment, &plan, ask, &landed).await,
            Err(error) => self.refused(assignment, &plan, ask, slot, &error).await,
        }
    }
}
