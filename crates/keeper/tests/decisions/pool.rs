//! What is offered to a market's pool, and what is done for it.

use anchor_lang::Discriminator;
use ballast_engine::pool::PoolParams;
use ballast_engine::units::Side;
use ballast_keeper::evaluate::{Conditions, Job, Task};
use ballast_keeper::plan::fit::size;
use ballast_keeper::plan::{Effect, Idle, Plan, Planned};
use ballast_state::exchange::{PAUSE_REMOVE_MARGIN, PAUSE_TRADE};

use crate::synthetic::{key, Synthetic, CALM, SLOT};

const ENTRY: u64 = 1_000;

/// A long of which a fifth may go, for 12 lots of which somebody bids; a pool; a keeper with so much.
fn offered(own: i64) -> Synthetic {
    let mut market = Synthetic::at(ENTRY);
    market.own.free = own;
    market
        .hold(1, (100, ENTRY, 4_000))
        .order(11, Side::Long, 995, 12)
        .back(1_000_000, None);
    market
}

#[track_caller]
fn sent(planned: Planned) -> Plan {
    match planned {
        Planned::Send(plan) => *plan,
        Planned::Nothing(why) => panic!("{why:?}"),
    }
}

/// Lots of the book, of the keeper and of the pool.
#[track_caller]
fn parts(plan: &Plan) -> (u64, u64, u64) {
    match plan.effect {
        Effect::Liquidation {
            book_lots,
            taken,
            pool_lots,
            ..
        } => (book_lots, taken.lots.size(), pool_lots),
        other => panic!("{other:?}"),
    }
}

fn calls_pool(plan: &Plan) -> Vec<bool> {
    let pool = ballast::instruction::LiquidateIntoPool::DISCRIMINATOR;
    let calls = plan.instructions.iter();
    calls.map(|call| call.data.starts_with(pool)).collect()
}

fn tasks(market: &Synthetic, conditions: &Conditions) -> Vec<Task> {
    let jobs = market.evaluate_under(conditions).jobs;
    jobs.iter().map(|job| job.task).collect()
}

#[test]
fn what_the_keeper_leaves_is_offered_in_the_same_transaction() {
    let market = offered(999);
    let plan = sent(market.plan(&market.job()));
    assert_eq!(
        (plan.task, parts(&plan)),
        (Task::LiquidateIntoPool, (12, 2, 6))
    );
    assert_eq!(calls_pool(&plan), [false, true]);
    assert_eq!(plan.listed, [key(11)]);
    // The keeper earns its own part of the discount: a hundredth of two lots.
    let Effect::Liquidation { income_atoms, .. } = plan.effect else {
        panic!("{:?}", plan.effect);
    };
    let alone = offered(i64::MAX / 4);
    let Effect::Liquidation {
        income_atoms: all, ..
    } = sent(alone.plan(&alone.job())).effect
    else {
        panic!();
    };
    assert_eq!(
        all - income_atoms,
        60,
        "of the six lots that the pool takes"
    );
}

#[test]
fn a_keeper_that_takes_everything_offers_nothing() {
    let market = offered(1_000_000);
    let plan = sent(market.plan(&market.job()));
    assert_eq!((plan.task, parts(&plan)), (Task::Liquidate, (12, 8, 0)));
    assert_eq!(calls_pool(&plan), [false]);
}

#[test]
fn without_means_the_pool_takes_what_the_book_leaves() {
    let market = offered(0);
    let plan = sent(market.plan(&market.job()));
    assert_eq!(
        (plan.task, parts(&plan)),
        (Task::LiquidateIntoPool, (12, 0, 8))
    );
    assert_eq!(calls_pool(&plan), [true]);
    assert_eq!(plan.reads.book, Some(Side::Long));
}

#[test]
fn a_pool_that_takes_nothing_is_left_out() {
    let into_book = |market: &Synthetic| {
        let plan = sent(market.plan(&market.job()));
        assert_eq!((plan.task, parts(&plan)), (Task::Liquidate, (12, 0, 0)));
        assert_eq!(calls_pool(&plan), [false]);
    };
    let mut stopped = offered(0);
    stopped.pool(|pool| pool.stopped = 1);
    into_book(&stopped);
    let mut dear = offered(0);
    dear.pool(|pool| pool.params.reserve_first_bps = 101);
    into_book(&dear);
    let mut told = offered(0);
    told.options.offer_pool = false;
    into_book(&told);
    let mut poor = offered(0);
    poor.back(0, None);
    into_book(&poor);
}

/// The pool's own position is liquidated like any, but not into the pool.
#[test]
fn a_pool_is_not_offered_its_own_position() {
    let mut market = Synthetic::at(ENTRY);
    market.own.free = 0;
    market
        .back(0, Some((100, ENTRY, 4_000)))
        .order(11, Side::Long, 995, 12);
    let pool = market.state.backstop.trader;
    let jobs = market.evaluate().jobs;
    let liquidation = |job: &&Job| job.task == Task::Liquidate && job.trader == pool;
    let job = jobs.iter().find(liquidation).unwrap();
    assert_eq!(calls_pool(&sent(market.plan(job))), [false]);
}

/// As many makers as fit beside the keeper's own call may be too many for both.
#[test]
fn the_pool_waits_for_another_transaction_where_both_calls_do_not_fit() {
    let mut calls = Vec::new();
    for makers in 1..=24 {
        let mut market = Synthetic::at(ENTRY);
        market.own.free = 999;
        market.hold(1, (1_000, ENTRY, 40_000)).back(1_000_000, None);
        for maker in 0..makers {
            market.order(100 + maker, Side::Long, 995, 1);
        }
        let plan = sent(market.plan(&market.job()));
        assert!(size(&plan.instructions, &key(251), &[]).unwrap().fits());
        calls.push(plan.instructions.len());
    }
    assert_eq!((calls[0], calls.iter().min()), (2, Some(&1)), "{calls:?}");
}

/// A pool with 50 lots since this slot, whose auction is at its end after 150.
fn holding(since: u64) -> Synthetic {
    let mut market = Synthetic::at(ENTRY);
    market.back(100_000, Some((50, ENTRY, 50_000)));
    market.pool(|pool| {
        pool.auction_slot = since;
        pool.params.reserve_first_bps = PoolParams::DEFAULT.reserve_first_bps;
    });
    market
}

#[test]
fn a_pools_position_is_closed_where_the_book_meets_its_price() {
    let mut market = holding(SLOT - 150);
    assert_eq!(tasks(&market, &CALM), [Task::UnwindPool]);
    let job = market.job();
    assert_eq!(job.trader, market.state.backstop.trader);
    assert_eq!(market.plan(&job), Planned::Nothing(Idle::NoBids));
    // A fifth is due, at 998 or better.
    market
        .order(11, Side::Long, 999, 4)
        .order(12, Side::Long, 998, 3)
        .order(13, Side::Long, 997, 9);
    let plan = sent(market.plan(&job));
    let effect = Effect::Unwind {
        lots: 7,
        due_lots: 10,
    };
    assert_eq!((plan.task, plan.effect), (Task::UnwindPool, effect));
    assert_eq!(plan.listed, [key(11), key(12)]);
    // Before that the price is above the mark.
    let mut early = holding(SLOT);
    early.order(11, Side::Long, 1_000, 4);
    assert_eq!(early.plan(&early.job()), Planned::Nothing(Idle::NoBids));
}

#[test]
fn unwinds_wait_for_their_interval_and_for_trading() {
    let mut market = holding(SLOT - 150);
    let paused = Conditions {
        pause_flags: PAUSE_TRADE,
        ..CALM
    };
    assert_eq!(tasks(&market, &paused), []);
    market.pool(|pool| pool.last_unwind_slot = SLOT - 9);
    assert_eq!(tasks(&market, &CALM), []);
    market.pool(|pool| pool.last_unwind_slot = SLOT - 10);
    assert_eq!(tasks(&market, &CALM), [Task::UnwindPool]);
}

#[test]
fn margin_is_moved_when_it_is_off_by_as_much_as_the_keeper_is_told() {
    let due = |margin: i64, free: i64, conditions: &Conditions| {
        let mut market = Synthetic::at(ENTRY);
        market.back(free, Some((50, ENTRY, margin)));
        market.pool(|pool| pool.last_unwind_slot = SLOT);
        tasks(&market, conditions).contains(&Task::SyncPool)
    };
    // 50,000 is what it is to have.
    assert!(!due(45_001, 100_000, &CALM) && due(45_000, 100_000, &CALM));
    assert!(!due(60_000, 100_000, &CALM) && due(60_001, 100_000, &CALM));
    let exact = Conditions {
        sync_pool_bps: 0,
        ..CALM
    };
    assert!(due(49_999, 100_000, &exact) && !due(50_000, 100_000, &exact));
    // A little that keeps the position out of distress.
    assert!(due(2_499, 1_000, &CALM) && !due(2_500, 1_000, &CALM));
    let paused = Conditions {
        pause_flags: PAUSE_REMOVE_MARGIN,
        ..CALM
    };
    assert!(!due(60_001, 100_000, &paused) && due(45_000, 100_000, &paused));
}

#[test]
fn margin_comes_before_a_liquidation_of_the_pool() {
    let mut market = Synthetic::at(ENTRY);
    market.back(100_000, Some((50, ENTRY, 2_000)));
    assert_eq!(
        tasks(&market, &CALM),
        [Task::SyncPool, Task::Liquidate, Task::UnwindPool]
    );
    let jobs = market.evaluate().jobs;
    let effect = Effect::Sync {
        moved_atoms: 48_000,
    };
    assert_eq!(sent(market.plan(&jobs[0])).effect, effect);
}
