//! Deleveraging over several transactions, step by step as the keeper plans it.

use ballast_keeper::evaluate::{Job, Task};
use ballast_keeper::plan::session::SessionStep;
use ballast_keeper::plan::{Effect, Idle, Plan, Planned};
use ballast_sandbox::{MarketConfig, TraderCookie};

use crate::venue::{Venue, START, USD};

/// A long of 20x that is bankrupt at `ticks`, and shorts against it.
fn bankruptcy(ticks: u64) -> (Venue, TraderCookie, TraderCookie) {
    let mut venue = Venue::new(&MarketConfig::sol());
    let bankrupt = venue.open(6_000, 19, 0);
    for leverage in [2, 4, 8] {
        venue.open(-5_000, leverage, 10);
    }
    let keeper = venue.sandbox.create_trader(0).unwrap();
    venue.price(10, ticks);
    (venue, bankrupt, keeper)
}

fn deleveraging(venue: &Venue) -> Job {
    let jobs = venue.evaluate().jobs;
    *jobs
        .iter()
        .find(|job| job.task == Task::Deleverage)
        .unwrap()
}

#[track_caller]
fn sent(planned: Planned) -> (SessionStep, Plan) {
    match planned {
        Planned::Send(plan) => match plan.effect {
            Effect::Session(step) => (step, *plan),
            other => panic!("{other:?}"),
        },
        Planned::Nothing(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_session_is_opened_walked_and_executed() {
    let (mut venue, bankrupt, keeper) = bankruptcy(180_000);
    let job = deleveraging(&venue);
    let fresh = venue.sandbox.next_keypair();
    let signers = [&keeper.wallet.keypair, &fresh];

    let (step, plan) = sent(venue.plan_session(&job, &keeper, &fresh));
    assert_eq!(step, SessionStep::Open);
    venue.execute_signed(&plan, &signers).unwrap();
    // The opening walks on at once, and here it is at the end already.
    let (step, plan) = sent(venue.plan_session(&job, &keeper, &fresh));
    assert!(matches!(step, SessionStep::Execute { selected } if selected > 0));
    assert_eq!(plan.listed.len(), plan.instructions[0].accounts.len() - 13);
    venue.execute_signed(&plan, &signers).unwrap();

    assert_eq!(
        venue.sandbox.position(&venue.market, &bankrupt.address),
        None
    );
    assert!(venue.sandbox.conservation().holds());
    let again = venue.plan_session(&job, &keeper, &fresh);
    assert_eq!(again, Planned::Nothing(Idle::Gone));
}

#[test]
fn another_keeper_drives_the_session_that_it_finds() {
    let (mut venue, bankrupt, keeper) = bankruptcy(180_000);
    let job = deleveraging(&venue);
    let fresh = venue.sandbox.next_keypair();
    let (_, mut plan) = sent(venue.plan_session(&job, &keeper, &fresh));
    // The first keeper dies before its walk begins.
    plan.instructions.truncate(2);
    venue
        .execute_signed(&plan, &[&keeper.wallet.keypair, &fresh])
        .unwrap();

    let other = venue.sandbox.create_trader(0).unwrap();
    let unused = venue.sandbox.next_keypair();
    let mut steps = Vec::new();
    while venue
        .sandbox
        .position(&venue.market, &bankrupt.address)
        .is_some()
    {
        let (step, plan) = sent(venue.plan_session(&job, &other, &unused));
        venue.execute(&plan, &other).unwrap();
        steps.push(step);
    }
    assert_eq!(steps[0], SessionStep::Advance);
    assert!(matches!(steps[1], SessionStep::Execute { .. }));
    assert_eq!(steps.len(), 2);
    assert!(venue.sandbox.conservation().holds());
}

#[test]
fn a_session_that_came_to_nothing_is_closed() {
    for recovers in [true, false] {
        let (mut venue, bankrupt, keeper) = bankruptcy(180_000);
        let job = deleveraging(&venue);
        let fresh = venue.sandbox.next_keypair();
        let (_, plan) = sent(venue.plan_session(&job, &keeper, &fresh));
        venue
            .execute_signed(&plan, &[&keeper.wallet.keypair, &fresh])
            .unwrap();
        if recovers {
            // Healthy again: the session can only be waited for.
            venue.price(10, START);
            let waiting = venue.plan_session(&job, &keeper, &fresh);
            assert_eq!(waiting, Planned::Nothing(Idle::Gone));
            venue.price(150, START);
        } else {
            venue.price(0, 180_000);
            let owner = bankrupt.clone();
            venue
                .sandbox
                .mint_to(&owner.wallet.tokens, 10 * USD)
                .unwrap();
            venue.sandbox.deposit(&owner, 10 * USD).unwrap();
            let market = venue.market.clone();
            venue.sandbox.add_margin(&market, &owner, USD).unwrap();
        }
        let (step, plan) = sent(venue.plan_session(&job, &keeper, &fresh));
        assert_eq!(step, SessionStep::Close);
        venue.execute(&plan, &keeper).unwrap();
        assert!(venue.sandbox.conservation().holds());
    }
}
