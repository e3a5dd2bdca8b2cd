//! What a keeper closes against the book is filled by orders of legs, which want the board and cross queues listed.

use std::sync::Arc;

use ballast_engine::cross::FRESH_SLOTS;
use ballast_keeper::evaluate::Task;
use ballast_keeper::plan::{PlanOptions, Planned};
use ballast_keeper::repair::{repair, Verdict};
use ballast_node::{Node, Settings};
use ballast_sandbox::TraderCookie;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::seeds::BOARD_ADDRESS;
use ballast_state::trigger::TriggerKind;

use crate::cross_crash::{config, execute, Memory};
use crate::cross_live::{copied, process};
use crate::cross_venue::{CrossVenue, START};

/// Where a long of 10x is below its maintenance margin.
const LOW: u64 = 184_000;
/// Lots of the isolated position that is liquidated, and of the one with a stop-loss.
const LOTS: [i64; 2] = [4_000, 3_000];
/// Passes of the keeper within which both are closed.
const PASSES: usize = 30;

struct Scene {
    venue: CrossVenue,
    victim: TraderCookie,
    stopped: TraderCookie,
    /// Has a leg in the other market, and in this one an order alone that opens one.
    maker: TraderCookie,
}

impl Scene {
    /// The price is low, `slots` after the marks of the board were recorded.
    fn new(slots: u64) -> Self {
        let mut venue = CrossVenue::new(&config(), 0);
        let victim = venue.open([LOTS[0], 0], 10, false);
        let stopped = venue.open([LOTS[1], 0], 3, false);
        let maker = venue.open([0, 1_000], 1, true);
        let stop = PlaceTriggerArgs {
            kind: TriggerKind::StopLoss,
            price_ticks: 190_000,
            worst_ticks: 0,
            lots: LOTS[1].unsigned_abs(),
        };
        let first = venue.markets[0].cookie.clone();
        let placed = venue.sandbox.place_trigger(&first, &stopped, stop);
        placed.unwrap();
        venue.prices(2, [START; 2]);
        venue.record();
        let bid = PlaceOrderArgs {
            side: OrderSide::Bid,
            kind: OrderKind::PostOnly,
            price_ticks: LOW,
            lots: 10_000,
            ..PlaceOrderArgs::default()
        };
        let queues = venue.queues();
        let placed = venue.sandbox.trade_leg(&first, &maker, bid, &queues, &[]);
        placed.unwrap();
        venue.prices(slots, [LOW, START]);
        Self {
            venue,
            victim,
            stopped,
            maker,
        }
    }

    /// Lots of the position that is liquidated, of the one that is stopped, and of the maker's leg.
    fn lots(&self) -> [i64; 3] {
        let (sandbox, first) = (&self.venue.sandbox, &self.venue.markets[0].cookie);
        let held = |trader: &TraderCookie| {
            let slot = sandbox.trader(&trader.address);
            slot.any(&first.keys.market).map_or(0, |slot| slot.lots)
        };
        [&self.victim, &self.stopped, &self.maker].map(held)
    }
}

#[test]
fn a_liquidation_and_a_trigger_are_filled_by_an_order_of_a_leg() {
    for (task, made) in [
        (Task::Liquidate, None),
        (Task::Trigger(TriggerKind::StopLoss), Some(LOTS[1])),
    ] {
        let mut scene = Scene::new(12);
        let memory = Memory::of(&scene.venue);
        let jobs = memory.jobs();
        let job = jobs.iter().find(|(_, job)| job.task == task).unwrap();
        let planned = memory.plan(&scene.venue, job, &PlanOptions::default(), false);
        let Planned::Send(plan) = planned else {
            panic!("{planned:?}");
        };
        assert_eq!(plan.listed, [scene.maker.address]);
        assert_eq!(plan.instructions.len(), 1, "the marks are young enough");
        let metas = &plan.instructions[0].accounts;
        let board = metas.iter().find(|meta| meta.pubkey == BOARD_ADDRESS);
        assert!(board.is_some_and(|meta| !meta.is_writable));
        let done = execute(&mut scene.venue, &plan).unwrap();
        let legs = done.events.iter().find_map(|event| match event {
            BallastEvent::LegsMade(made) => Some(made.legs.clone()),
            _ => None,
        });
        let legs = legs.unwrap();
        assert_eq!(legs.len(), 1);
        assert_eq!(legs[0].maker, scene.maker.address);
        let [victim, stopped, maker] = scene.lots();
        assert_eq!(victim + stopped + maker, LOTS[0] + LOTS[1]);
        assert!(maker > 0 && made.is_none_or(|lots| lots == maker));
        assert!(scene.venue.sandbox.conservation().holds());
    }
}

#[test]
fn where_a_mark_of_a_maker_s_other_leg_is_too_old_marks_are_recorded_first() {
    let mut scene = Scene::new(FRESH_SLOTS + 5);
    let memory = Memory::of(&scene.venue);
    let jobs = memory.jobs();
    let fires = |job: &Task| matches!(job, Task::Trigger(_));
    let job = jobs.iter().find(|(_, job)| fires(&job.task)).unwrap();
    let options = PlanOptions::default();
    let plan = |board| match memory.plan(&scene.venue, job, &options, board) {
        Planned::Send(plan) => plan,
        Planned::Nothing(why) => panic!("{why:?}"),
    };
    let (first, second) = (plan(false), plan(true));
    let refused = execute(&mut scene.venue, &first).unwrap_err();
    let error = refused.number.and_then(BallastError::of_number).unwrap();
    assert_eq!(error, BallastError::CrossMarkStale);
    assert_eq!(repair(first.task, error, &refused.logs), Verdict::Record);
    assert_eq!(second.instructions.len(), 2);
    execute(&mut scene.venue, &second).unwrap();
    assert_eq!(scene.lots(), [LOTS[0], 0, LOTS[1]]);
}

/// What the process lists it has from memory, and the marks are older than makers' may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_closes_both_by_itself() {
    let mut scene = Scene::new(FRESH_SLOTS + 5);
    let node = Node::serve(scene.venue.sandbox.fork(), Settings::default());
    let node = Arc::new(node.await.unwrap());
    for _ in 0..PASSES {
        assert!(process(&node, &scene.venue).once().await.unwrap());
        scene.venue = copied(&scene.venue, &node);
        if scene.lots()[1] == 0 && scene.lots()[0] < LOTS[0] {
            break;
        }
        node.with(|sandbox| sandbox.advance_slots(1));
    }
    let [victim, stopped, maker] = scene.lots();
    assert!(victim < LOTS[0] && stopped == 0, "{victim} {stopped}");
    assert_eq!(victim + maker, LOTS[0] + LOTS[1]);
    assert!(scene.venue.sandbox.conservation().holds());
}
