//! Stop-losses and protective steps of legs, executed by what the keeper plans and by its process.

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use ballast_engine::cross::FRESH_SLOTS;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::units::Side;
use ballast_keeper::evaluate::{Job, Task};
use ballast_keeper::plan::{Effect, Idle, Plan, PlanOptions, Planned};
use ballast_keeper::repair::{repair, Verdict, BOOK_SLOTS};
use ballast_node::{Node, Settings};
use ballast_sandbox::TraderCookie;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::seeds::BOARD_ADDRESS;
use ballast_state::trigger::TriggerKind;

use crate::cross_crash::{config, execute, Memory};
use crate::cross_live::{copied, process};
use crate::cross_venue::{CrossVenue, START};

/// Lots of both legs of the account.
const LOTS: [i64; 2] = [3_000, 2_000];
/// Where the stop-loss of the first leg fires, and where the orders of the book wait.
const STOP: u64 = 195_000;
const BID: u64 = 194_000;
const FIRES: Task = Task::TriggerLeg(TriggerKind::StopLoss);

struct Scene {
    venue: CrossVenue,
    /// Has both legs, over five times their notional.
    owner: TraderCookie,
}

impl Scene {
    /// Bids of `lots` wait in the first market, at `bid`.
    fn new(bid: u64, lots: u64) -> Self {
        let mut venue = CrossVenue::new(&config(), 0);
        let owner = venue.open(LOTS, 5, true);
        let house = venue.house.clone();
        let first = venue.markets[0].cookie.clone();
        let order = PlaceOrderArgs {
            side: OrderSide::Bid,
            kind: OrderKind::PostOnly,
            price_ticks: bid,
            lots,
            ..PlaceOrderArgs::default()
        };
        if lots > 0 {
            let placed = venue.sandbox.place_order(&first, &house, order, &[]);
            placed.unwrap();
        }
        Self { venue, owner }
    }

    /// A stop-loss of the first leg, sold at no less than `worst_ticks`.
    fn stop(mut self, worst_ticks: u64) -> Self {
        let stop = PlaceTriggerArgs {
            kind: TriggerKind::StopLoss,
            price_ticks: STOP,
            worst_ticks,
            lots: LOTS[0].unsigned_abs(),
        };
        let first = self.venue.markets[0].cookie.clone();
        let placed = self.venue.sandbox.place_trigger(&first, &self.owner, stop);
        placed.unwrap();
        self
    }

    /// Below twice what the account needs half of the first leg stays.
    fn protected(mut self) -> Self {
        let first = self.venue.markets[0].cookie.clone();
        let (sandbox, owner) = (&mut self.venue.sandbox, &self.owner);
        sandbox.create_protection(&first, owner).unwrap();
        let args = SetProtectionArgs {
            steps: vec![ProtectiveStep {
                ratio_bps: 20_000,
                keep_bps: 5_000,
            }],
            slip_bps: 500,
        };
        sandbox.set_protection(&first, owner, args).unwrap();
        self
    }

    /// Jobs about the owner.
    fn jobs(&self, memory: &Memory) -> Vec<(Pubkey, Job)> {
        let mut jobs = memory.jobs();
        jobs.retain(|(_, job)| job.trader == self.owner.address);
        jobs
    }

    /// The only job about the owner, planned.
    fn planned(&self, task: Task) -> Planned {
        let memory = Memory::of(&self.venue);
        let jobs = self.jobs(&memory);
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        assert_eq!(jobs[0].1.task, task);
        memory.plan(&self.venue, &jobs[0], &PlanOptions::default(), false)
    }

    fn plan(&self, task: Task) -> Box<Plan> {
        match self.planned(task) {
            Planned::Send(plan) => plan,
            Planned::Nothing(why) => panic!("{why:?}"),
        }
    }

    /// The cross queues of longs.
    fn long_queues(&self) -> Vec<Pubkey> {
        let each = self.venue.markets.iter();
        each.map(|market| market.cross.of(Side::Long)).collect()
    }

    /// Lots of the first leg.
    fn lots(&self) -> i64 {
        let account = self.venue.sandbox.trader(&self.owner.address);
        let first = &self.venue.markets[0].cookie.keys.market;
        account.leg(first).map_or(0, |leg| leg.lots)
    }

    /// Passes of the process until the first leg has `lots`, at most ten.
    async fn keep(mut self, lots: i64) -> Self {
        let node = Node::serve(self.venue.sandbox.fork(), Settings::default());
        let node = Arc::new(node.await.unwrap());
        for _ in 0..10 {
            assert!(process(&node, &self.venue).once().await.unwrap());
            self.venue = copied(&self.venue, &node);
            if self.lots() == lots {
                break;
            }
            node.with(|sandbox| sandbox.advance_slots(1));
        }
        assert_eq!(self.lots(), lots);
        assert!(self.venue.sandbox.conservation().holds());
        self
    }
}

#[test]
fn a_stop_loss_of_a_leg_is_executed_once_its_price_has_come() {
    let mut scene = Scene::new(BID, 10_000).stop(0);
    scene.venue.prices(12, [STOP + 1, START]);
    assert_eq!(scene.jobs(&Memory::of(&scene.venue)), []);
    // The mark of the other market is older than what a trade of a leg may go by.
    scene.venue.prices(FRESH_SLOTS + 5, [STOP, START]);
    let plan = scene.plan(FIRES);
    assert_eq!(plan.listed, [scene.venue.house.address]);
    assert_eq!(plan.instructions.len(), 2, "marks are recorded first");
    let metas = &plan.instructions[1].accounts;
    let listed = [&[BOARD_ADDRESS], &scene.long_queues()[..]].concat();
    for key in listed {
        assert!(metas.iter().any(|meta| meta.pubkey == key));
    }
    execute(&mut scene.venue, &plan).unwrap();
    assert_eq!(scene.lots(), 0);
    assert!(scene.venue.sandbox.conservation().holds());
    let keeper = scene.venue.sandbox.trader(&scene.venue.keeper.address);
    assert!(keeper.free > 0, "who executes it is paid");
    assert_eq!(scene.jobs(&Memory::of(&scene.venue)), []);
}

#[test]
fn a_step_of_a_leg_goes_by_the_account_and_is_done_once() {
    let mut scene = Scene::new(START - 1_000, 10_000).protected();
    // $200 stand behind 5 SOL of $200 each. What the second leg loses brings the first to its step.
    scene.venue.prices(12, [START, 170_000]);
    assert_eq!(scene.jobs(&Memory::of(&scene.venue)), []);
    scene.venue.prices(12, [START, 120_000]);
    let plan = scene.plan(Task::ProtectLeg);
    assert!(matches!(
        plan.effect,
        Effect::Protection { lots: 1_500, .. }
    ));
    execute(&mut scene.venue, &plan).unwrap();
    assert_eq!(scene.lots(), 1_500);
    assert_eq!(scene.jobs(&Memory::of(&scene.venue)), []);
}

#[test]
fn a_leg_in_distress_is_liquidated_before_it_is_stopped_and_a_bankrupt_account_stops_nothing() {
    let mut scene = Scene::new(BID, 10_000).stop(0).protected();
    scene.venue.prices(12, [162_000, 162_000]);
    let tasks = |scene: &Scene| {
        let jobs = scene.jobs(&Memory::of(&scene.venue));
        jobs.iter().map(|(_, job)| job.task).collect::<Vec<_>>()
    };
    let below = tasks(&scene);
    assert!(below.contains(&Task::LiquidateLeg) && below.contains(&Task::ProtectLeg));
    assert!(!below.contains(&FIRES), "{below:?}");
    scene.venue.prices(12, [150_000, 150_000]);
    let bankrupt = tasks(&scene);
    assert!(!bankrupt.is_empty());
    let wished = |task: &Task| [FIRES, Task::ProtectLeg].contains(task);
    assert!(!bankrupt.iter().any(wished), "{bankrupt:?}");
}

#[test]
fn where_nobody_buys_it_waits_and_what_the_account_may_not_stand_is_not_sent_again_at_once() {
    let mut scene = Scene::new(BID, 0).stop(0);
    scene.venue.prices(12, [STOP, START]);
    let planned = scene.planned(FIRES);
    assert!(matches!(planned, Planned::Nothing(Idle::NoOrders)));
    // $25 are left for the $20 that the account needs; sold so low the first leg would lose $55 more.
    let mut scene = Scene::new(176_500, 10_000).stop(0);
    scene.venue.prices(12, [STOP, 120_000]);
    let memory = Memory::of(&scene.venue);
    let jobs = scene.jobs(&memory);
    let job = jobs.iter().find(|(_, job)| job.task == FIRES).unwrap();
    let planned = memory.plan(&scene.venue, job, &PlanOptions::default(), false);
    let Planned::Send(plan) = planned else {
        panic!("{planned:?}");
    };
    let refused = execute(&mut scene.venue, &plan).unwrap_err();
    let error = refused.number.and_then(BallastError::of_number).unwrap();
    assert_eq!(error, BallastError::CrossBelowInitial);
    let verdict = repair(plan.task, error, &refused.logs);
    assert_eq!(verdict, Verdict::Wait(BOOK_SLOTS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_stops_a_leg_by_itself() {
    let mut scene = Scene::new(BID, 10_000).stop(0);
    scene.venue.prices(FRESH_SLOTS + 5, [STOP, START]);
    scene.keep(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_executes_the_step_of_a_leg_by_itself() {
    let mut scene = Scene::new(START - 1_000, 10_000).protected();
    scene.venue.prices(FRESH_SLOTS + 5, [START, 120_000]);
    scene.keep(1_500).await;
}
