//! The keeper at work: hears, judges, acts, until it is told to stop.

mod hear;
mod legs;
mod show;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballast_client::instructions::Collateral;
use ballast_engine::oracle::Action;
use ballast_rpc::cluster::ReadError;
use ballast_rpc::follow::Heard;
use tokio::sync::{mpsc, watch, Notify};
use tokio::task::{Id, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::act::{Actor, Assignment, Venue};
use crate::config::Config;
use crate::evaluate::{evaluate, Evaluation, Job};
use crate::feed::{Feed, Line, Read};
use crate::flight::{Flight, Pause, Queue, Subject, What};
use crate::leases::{Lease, Leases};
use crate::metrics::{RELEASE_PROFIT, SWEEP_INSURANCE};
use crate::priority::{merge, Pending};
use crate::serve::Board;
use crate::world::{Followed, World};

/// Between two evaluations that no price asks for.
const TICK: Duration = Duration::from_millis(100);
/// A price that is ahead of the clock is judged again at every news for so long.
const CLOCK_MAY_FOLLOW: Duration = Duration::from_secs(1);
/// Every so many ticks all markets are judged.
const TICKS_OF_ALL: u32 = 10;
/// Between two lines about an empty wallet.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// Below this an account cannot pay for a transaction and exist, lamports.
const PENNILESS: u64 = 900_000;
/// Most news taken in before the next evaluation.
const NEWS_AT_ONCE: usize = 1_024;

/// Why the keeper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// The exchange is no longer what it was when it began: begin again.
    Changed,
}

/// What a run needs beside what it has read.
pub struct Parts {
    /// The settings it works by.
    pub config: Config,
    /// Does jobs.
    pub actor: Arc<Actor>,
    /// Figures and health.
    pub board: Board,
    /// How the websocket is doing.
    pub line: Arc<Line>,
    /// Asks for a full reading.
    pub resync: Arc<Notify>,
    /// News from the websocket.
    pub heard: mpsc::Receiver<Heard>,
    /// What was read.
    pub readings: mpsc::Receiver<Read>,
}

/// Jobs of a market, and when the price was heard that they follow from.
type Due = (Venue, Option<Instant>, Vec<Job>);

/// The keeper at work.
pub struct Keeper {
    world: World,
    parts: Parts,
    flight: Flight,
    leases: Leases,
    tasks: JoinSet<Pause>,
    subjects: HashMap<Id, Subject>,
    market_count: usize,
    changed: bool,
    complained: Option<Instant>,
    ticks: u32,
}

impl Keeper {
    /// Begins with what has been read of an exchange of `market_count` markets.
    #[must_use]
    pub fn new(world: World, market_count: usize, parts: Parts) -> Self {
        let every = &parts.config.intervals;
        let most = parts.config.work.max_in_flight;
        Self {
            flight: Flight::new(most, every.first_retry(), every.longest_retry()),
            leases: Leases::new(world.wallet()),
            world,
            parts,
            tasks: JoinSet::new(),
            subjects: HashMap::new(),
            market_count,
            changed: false,
            complained: None,
            ticks: 0,
        }
    }

    /// The cluster's slot as far as it has been heard.
    #[must_use]
    pub const fn slot(&self) -> u64 {
        self.world.clock.slot
    }

    /// Works until `stop` says so, then waits for what is under way.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Ended {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {
                    self.drain().await;
                    return Ended::Stopped;
                }
                Some(heard) = self.parts.heard.recv() => self.hear(heard),
                Some(read) = self.parts.readings.recv() => self.take(read),
                Some(done) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                    self.finish(done);
                }
                _ = ticks.tick() => {
                    self.ticks = self.ticks.wrapping_add(1);
                    self.work(true);
                }
            }
            self.take_in();
            if self.world.source_changed && !self.changed {
                tracing::info!("a market has another price source than before");
                self.changed = true;
            }
            if self.changed {
                self.drain().await;
                return Ended::Changed;
            }
            self.work(false);
        }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn fill(&mut self, feed: &Feed) -> Result<(), ReadError> {
        let reading = feed.read_everything();
        tokio::pin!(reading);
        loop {
            tokio::select! {
                Some(read) = self.parts.readings.recv() => self.take(read),
                outcome = &mut reading => {
                    self.take_in();
                    self.parts.board.vitals(|vitals| vitals.ready |= outcome.is_ok());
                    self.show();
                    return outcome;
                }
            }
        }
    }

    /// Judges everything once and does every job once, then levels the insurance vaults; whether the
    /// wallet could pay. The caller has read everything from `feed`.
    pub async fn once(mut self, feed: &Feed) -> bool {
        let mut pending = self.judge(true);
        if self.cannot_pay() {
            self.complain();
            return pending.is_empty();
        }
        loop {
            pending.retain(|one| !self.start(one));
            self.show();
            if self.tasks.is_empty() {
                break;
            }
            self.await_one().await;
        }
        // Everything has landed: what is to be levelled is read anew, and whatever another pass is left
        // to do, no later moment of this one comes.
        if let Err(error) = self.fill(feed).await {
            tracing::warn!(%error, "not read again: vaults are levelled as far as it is known");
        }
        self.judge(true);
        self.release();
        loop {
            self.sweep(false);
            if self.tasks.is_empty() {
                return true;
            }
            self.await_one().await;
        }
    }

    /// Waits until one of the transactions under way has ended.
    async fn await_one(&mut self) {
        loop {
            tokio::select! {
                Some(read) = self.parts.readings.recv() => self.take(read),
                Some(done) = self.tasks.join_next_with_id() => {
                    self.finish(done);
                    return;
                }
                else => return,
            }
        }
    }

    /// Waits for what is under way, as long as the configuration allows.
    async fn drain(&mut self) {
        self.parts.board.vitals(|vitals| vitals.stopping = true);
        let most = Duration::from_secs(self.parts.config.intervals.drain_seconds);
        tracing::info!(
            in_flight = self.flight.len(),
            "stopping: no new transactions"
        );
        let all = async {
            while !self.tasks.is_empty() {
                self.await_one().await;
            }
        };
        if tokio::time::timeout(most, all).await.is_err() {
            tracing::warn!(in_flight = self.flight.len(), "stopped while transactions are under way; the next start reads what became of them");
        }
        self.parts.board.vitals(|vitals| vitals.stopping = false);
    }

    /// Takes in the news that have already come.
    fn take_in(&mut self) {
        for _ in 0..NEWS_AT_ONCE {
            if let Ok(heard) = self.parts.heard.try_recv() {
                self.hear(heard);
            } else if let Ok(read) = self.parts.readings.try_recv() {
                self.take(read);
            } else {
                return;
            }
        }
    }

    /// Judges what has changed and starts what is to be done. `tick` when no news caused it.
    fn work(&mut self, tick: bool) {
        let priced = self.world.markets.iter().any(|it| it.price_news.is_some());
        if !tick && !priced {
            return;
        }
        // Funding falls due and prices age without any news.
        let all = tick && self.ticks.is_multiple_of(TICKS_OF_ALL);
        let pending = self.judge(all);
        if tick {
            self.show();
            self.flight.tidy(Instant::now());
            self.leases.tidy(self.world.clock.slot);
        }
        if self.cannot_pay() {
            self.complain();
            return;
        }
        for one in &pending {
            self.start(one);
        }
        self.sweep(true);
        self.release();
    }

    /// The jobs of all markets that have news, or of all, the most urgent first.
    fn judge(&mut self, all: bool) -> Vec<Pending> {
        let work = self.parts.config.work;
        let conditions = self.world.conditions(&work);
        let metrics = &self.parts.board.metrics;
        let mut found = Vec::new();
        let news = |market: &Followed| market.news || market.price_news.is_some();
        let cross_due = all || self.world.cross_news || self.world.markets.iter().any(news);
        for market in &mut self.world.markets {
            let due = market.news || market.restless || market.price_news.is_some();
            if !all && !due {
                continue;
            }
            let begun = Instant::now();
            let state = &market.state;
            let index = state.market.index;
            let evaluation = evaluate(state, &self.world.clock, &conditions);
            metrics
                .evaluation_seconds
                .observe(begun.elapsed().as_secs_f64());
            let since = market.price_news.take();
            market.news = false;
            let Evaluation {
                jobs,
                counts,
                blocked,
            } = match evaluation {
                Ok(evaluation) => evaluation,
                Err(error) => {
                    tracing::debug!(market = index, %error, "not judged");
                    continue;
                }
            };
            let jobs: Vec<Job> = jobs
                .into_iter()
                .filter(|job| work.end_markets || !job.task.ends_market())
                .filter(|job| work.tend_pool || !job.task.tends_pool())
                .collect();
            metrics.market(index, &counts, blocked.is_some());
            if market.blocked != blocked {
                market.blocked = blocked;
                let price = state.price.map(|seen| seen.price.publish_time);
                let age = price.map(|at| self.world.clock.unix_timestamp.saturating_sub(at));
                match blocked {
                    Some(fault) => tracing::warn!(
                        market = index,
                        ?fault,
                        age_seconds = age,
                        "the price may not be used: nobody is liquidated, deleveraged or flagged"
                    ),
                    None => tracing::info!(
                        market = index,
                        age_seconds = age,
                        "the price may be used again"
                    ),
                }
            }
            if blocked.is_some() {
                // The clock that belongs to the price may come after it.
                market.price_news = since.filter(|heard| heard.elapsed() < CLOCK_MAY_FOLLOW);
            }
            // A pool may wait for orders for long, and what waits for time alone is judged every second.
            let urgent = jobs.iter().any(|job| !job.task.tends_pool());
            market.restless = urgent || counts.waiting > 0 || blocked.is_some();
            let venue = Venue {
                index,
                keys: state.keys,
            };
            found.push((venue, since, jobs));
        }
        if cross_due {
            self.judge_legs(&conditions, &mut found);
        }
        merge(found)
    }

    /// Starts a job if it may start now; whether it has.
    fn start(&mut self, one: &Pending) -> bool {
        let (job, market) = (&one.job, one.venue.keys.market);
        let subject = Subject::of(market, job);
        let queue: Option<Queue> = job
            .task
            .is_round()
            .then(|| (market, crate::scene::Needs::of(job).queue))
            .and_then(|(market, side)| Some((market, side?)));
        let (kind, now) = (job.task.name(), Instant::now());
        if !self.flight.may_start(&subject, kind, queue, now) {
            return false;
        }
        let lease = Lease::of(market, job);
        if !self.leases.may_start(&lease, self.world.clock.slot) {
            return false;
        }
        self.flight.start(subject, kind, queue, now);
        let actor = Arc::clone(&self.parts.actor);
        let assignment = Assignment {
            venue: one.venue,
            job: *job,
            since: one.since,
        };
        let task = self
            .tasks
            .spawn(async move { actor.perform(assignment).await });
        self.subjects.insert(task.id(), subject);
        true
    }

    /// Starts levelling the insurance vaults: of markets that are `calm`, or of all.
    fn sweep(&mut self, calm: bool) {
        if !self.parts.config.work.sweep_insurance {
            return;
        }
        for market in &self.world.markets {
            let state = &market.state;
            let Some((held, token_program)) = market.vault else {
                continue;
            };
            if calm && market.restless || held == state.market.insurance.balance {
                continue;
            }
            let subject = Subject {
                market: state.address,
                what: What::Vault,
            };
            if !self
                .flight
                .start(subject, SWEEP_INSURANCE, None, Instant::now())
            {
                continue;
            }
            let venue = Venue {
                index: state.market.index,
                keys: state.keys,
            };
            let collateral = Collateral {
                mint: self.world.exchange.collateral_mint,
                token_program,
            };
            let actor = Arc::clone(&self.parts.actor);
            let task = self
                .tasks
                .spawn(async move { actor.sweep(venue, collateral).await });
            self.subjects.insert(task.id(), subject);
        }
    }

    /// Starts giving held profit back where the price serves for it; whether anything is freed the
    /// simulation says.
    fn release(&mut self) {
        if !self.parts.config.work.release_profit {
            return;
        }
        for market in &self.world.markets {
            let state = &market.state;
            let traders = state.held.candidates(&state.market.held);
            let serves = state.at(&self.world.clock);
            let serves = serves.is_ok_and(|now| now.check(Action::RemoveMargin).is_ok());
            if traders.is_empty() || !serves || state.market.mode().has_ended() {
                continue;
            }
            let subject = Subject {
                market: state.address,
                what: What::HeldProfit,
            };
            if !self
                .flight
                .start(subject, RELEASE_PROFIT, None, Instant::now())
            {
                continue;
            }
            let venue = Venue {
                index: state.market.index,
                keys: state.keys,
            };
            let actor = Arc::clone(&self.parts.actor);
            let task = self
                .tasks
                .spawn(async move { actor.release(venue, &traders).await });
            self.subjects.insert(task.id(), subject);
        }
    }

    fn finish(&mut self, done: Result<(Id, Pause), tokio::task::JoinError>) {
        let (id, pause) = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a job broke down");
                (error.id(), Pause::Longest)
            }
        };
        if let Some(subject) = self.subjects.remove(&id) {
            self.flight.end(&subject, pause, Instant::now());
        }
    }

    fn cannot_pay(&self) -> bool {
        self.world.lamports < PENNILESS && !self.parts.actor.dry_run
    }

    fn complain(&mut self) {
        if self
            .complained
            .is_some_and(|at| at.elapsed() < COMPLAIN_EVERY)
        {
            return;
        }
        self.complained = Some(Instant::now());
        tracing::error!(wallet = %self.world.wallet(), lamports = self.world.lamports, "the wallet is empty: send it SOL; until then nothing is sent");
    }
}
