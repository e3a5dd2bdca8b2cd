//! Protective steps: executed by keepers before a position is liquidated, and not for another position.

use ballast_keeper::evaluate::Task;
use ballast_keeper::plan::{Effect, PlanOptions};
use ballast_keeper::repair::{repair, Verdict};
use ballast_sandbox::MarketConfig;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;

use crate::venue::{Venue, USD};

/// Prices at which a long of 10x is below 1.6 and 1.2 times its maintenance margin.
const FIRST: u64 = 187_000;
const SECOND: u64 = 185_200;

fn venue() -> Venue {
    let mut config = MarketConfig::sol();
    config.risk.price_band_bps = 2_000;
    Venue::new(&config)
}

#[test]
fn steps_reduce_a_position_and_close_it_before_anybody_liquidates_it() {
    let mut venue = venue();
    let ann = venue.open(4_000, 10, 20);
    venue.protect(0);
    venue.quote(OrderSide::Bid, 185_000, 10_000);
    let keeper = venue.sandbox.create_trader(0).unwrap();
    let held = |venue: &Venue| {
        let slot = venue.sandbox.position(&venue.market, &ann.address);
        slot.map_or(0, |slot| slot.lots)
    };
    let mut left = Vec::new();
    for ticks in [199_000, FIRST, FIRST, SECOND, SECOND - 1_000] {
        venue.price(12, ticks);
        let done = venue.work(&keeper, &PlanOptions::default()).done;
        assert!(done.iter().all(|plan| plan.task == Task::Protection));
        left.push(held(&venue));
    }
    assert_eq!(left, [4_000, 2_000, 2_000, 0, 0]);
    let keeper = venue.sandbox.trader(&keeper.address);
    assert!(keeper.free > 0, "who executes them is paid");
    assert_eq!(venue.sandbox.market(&venue.market).liquidations, 0);
}

/// The account of the steps alone does not tell that the position has ended that they were set for.
#[test]
fn the_steps_of_a_position_that_has_ended_are_forgotten() {
    let mut venue = venue();
    let ann = venue.open(4_000, 10, 1_000);
    venue.protect(0);
    let (market, house) = (venue.market.clone(), venue.house.clone());
    let again = |venue: &mut Venue, lots, margin| {
        let terms = ballast_sandbox::BlockTrade {
            lots,
            price_ticks: 200_000,
            taker_margin: margin,
            maker_margin: 267 * USD,
        };
        let traded = venue.sandbox.block_trade(&market, &ann, &house, terms);
        traded.unwrap();
    };
    again(&mut venue, -4_000, 0);
    again(&mut venue, 4_000, 80 * USD);
    venue.quote(OrderSide::Bid, 185_000, 10_000);
    let keeper = venue.sandbox.create_trader(0).unwrap();
    venue.price(12, FIRST);
    let mut jobs = venue.evaluate().jobs;
    jobs.retain(|job| job.task == Task::Protection);
    let planned = venue.plan(&jobs[0], &keeper, &PlanOptions::default());
    let ballast_keeper::plan::Planned::Send(plan) = planned else {
        panic!("{planned:?}");
    };
    let refused = venue.execute(&plan, &keeper).unwrap_err();
    let error = refused.number.and_then(BallastError::of_number).unwrap();
    assert_eq!(error, BallastError::ProtectionEnded);
    assert_eq!(repair(plan.task, error, &refused.logs), Verdict::Ended);
    let Effect::Protection { sequence, .. } = plan.effect else {
        panic!("{:?}", plan.effect);
    };
    let mut state = venue.state();
    state.protections.forget(&ann.address, sequence);
    assert!(state.protections.get(&ann.address).is_none());
}
