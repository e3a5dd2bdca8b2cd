//! A crash from start to end, worked off by keepers.

use ballast_keeper::evaluate::Task;
use ballast_keeper::plan::{Effect, Plan, PlanOptions, Planned};
use ballast_keeper::repair::{repair, Verdict};
use ballast_sandbox::MarketConfig;
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;

use crate::venue::{Venue, START, USD};

/// A market of longs of 3x to 20x and shorts against them, with bids below the price and little
/// insurance.
fn market() -> Venue {
    let mut config = MarketConfig::sol();
    config.risk.insurance_fee_share_bps = 0;
    config.risk.liquidation_fee_bps = 5;
    config.risk.price_band_bps = 2_000;
    let mut venue = Venue::new(&config);
    for n in 0_u32..24 {
        let leverage = [3, 5, 10, 15, 18][n as usize % 5];
        venue.open(5_000 + 1_000 * i64::from(n), leverage, 0);
    }
    for n in 0_u32..16 {
        let leverage = [2, 4, 8][n as usize % 3];
        venue.open(-4_000 - 500 * i64::from(n), leverage, 10);
    }
    // More than the keepers can take over.
    venue.open(900_000, 8, 0);
    for n in 0..10 {
        venue.quote(OrderSide::Bid, START - 2_000 - 1_500 * n, 4_000);
    }
    venue.insure(500);
    venue
}

fn count(done: &[Plan], is: impl Fn(&Plan) -> bool) -> usize {
    done.iter().filter(|plan| is(plan)).count()
}

#[test]
fn keepers_work_a_crash_off_and_nothing_is_done_twice() {
    let mut venue = market();
    let keeper = venue.sandbox.create_trader(6_000 * USD).unwrap();
    let options = PlanOptions::default();
    assert!(venue.work(&keeper, &options).done.is_empty(), "all is well");
    let mut done = Vec::new();
    for ticks in [194_000, 191_000, 184_000, 176_000, 171_000] {
        venue.price(12, ticks);
        done.extend(venue.work(&keeper, &options).done);
    }
    // The ladder's interval lets the rest of the steps through.
    while venue.evaluate().counts.waiting > 0 {
        venue.price(12, 171_000);
        done.extend(venue.work(&keeper, &options).done);
    }
    let left = venue.evaluate();
    assert_eq!((left.counts.bankrupt, left.counts.faulty), (0, 0));
    assert!(left.counts.positions < 41, "some are gone");

    let book =
        |plan: &Plan| matches!(plan.effect, Effect::Liquidation { book_lots, .. } if book_lots > 0);
    let taken = |plan: &Plan| matches!(plan.effect, Effect::Liquidation { taken, .. } if !taken.lots.is_zero());
    let rescued = |plan: &Plan| matches!(plan.effect, Effect::Liquidation { insurance_atoms, .. } if insurance_atoms > 0);
    let cut = |plan: &Plan| matches!(plan.effect, Effect::Deleveraging { .. });
    let flagged = |plan: &Plan| plan.task == Task::Flag;
    let figures = [
        ("into the book", count(&done, book)),
        ("taken over", count(&done, taken)),
        ("rescued", count(&done, rescued)),
        ("deleveraged", count(&done, cut)),
        ("flagged", count(&done, flagged)),
    ];
    for (what, number) in figures {
        println!("{what}: {number}");
        assert!(number > 0, "nothing was {what}");
    }

    let again = venue.work(&keeper, &options);
    assert!(again.done.is_empty(), "{:?}", again.done);
    assert!(venue.sandbox.conservation().holds());
}

/// A second keeper that read the same accounts loses every race: each of its calls passes
/// harmlessly or fails with an error that means that, and no money is lost.
#[test]
fn a_keeper_that_is_late_does_no_harm() {
    let mut venue = market();
    let keepers = [0; 2].map(|_| venue.sandbox.create_trader(20_000 * USD).unwrap());
    let options = PlanOptions::default();
    venue.price(12, 175_000);
    let jobs = venue.evaluate().jobs;
    let late: Vec<_> = jobs
        .iter()
        .filter_map(|job| match venue.plan(job, &keepers[1], &options) {
            Planned::Send(plan) => Some((*job, plan)),
            Planned::Nothing(_) => None,
        })
        .collect();
    assert!(late.len() > 5);
    venue.work(&keepers[0], &options);
    let mut lost = 0;
    for (job, plan) in late {
        let Err(error) = venue.execute(&plan, &keepers[1]) else {
            continue;
        };
        lost += 1;
        let known = error.number.and_then(BallastError::of_number);
        let verdict = repair(
            job.task,
            known.expect("an error of the program"),
            &error.logs,
        );
        assert!(
            matches!(verdict, Verdict::Done | Verdict::Refetch { .. }),
            "{error} is {verdict:?}"
        );
    }
    assert!(lost > 0);
    assert!(venue.sandbox.conservation().holds());
    // What the late one has changed is looked at once, and then there is nothing left.
    venue.work(&keepers[0], &options);
    assert!(venue.work(&keepers[0], &options).done.is_empty());
}
