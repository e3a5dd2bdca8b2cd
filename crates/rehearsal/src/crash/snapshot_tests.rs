//! A forecast's world against the built program: along one path, without makers, takers and stops, both do
//! the same to every account, to the lot and to the atom.

use std::collections::BTreeMap;

use ballast_risk::adl::forecast::Source;
use ballast_risk::adl::snapshot::{Snapshot, Step};
use ballast_risk::adl::world::World;
use ballast_risk::adl::Levels;
use ballast_sandbox::world::default_program_path;
use ballast_state::Pubkey;
use clap::Parser;

use super::snapshot::snapshot;
use super::stage::Stage;
use crate::args::RehearseArgs;
use crate::plan::Plan;
use crate::rehearse::play_watched;
use crate::score::forecasters::{foresee, Forecaster};

/// What a rehearsal cuts, by trader: lots and profit given up.
type Cuts = BTreeMap<Pubkey, (u64, i64)>;

struct Played {
    start: Snapshot,
    steps: Vec<Step>,
    end: Stage,
    cuts: Cuts,
}

fn step(stage: &Stage) -> Step {
    Step {
        now: stage.moment().expect("a price").now(),
        price: stage.quoted().expect("a price"),
    }
}

fn play(options: &[&str]) -> Played {
    let common = ["ballast-rehearsal", "--market-makers", "0"];
    let args = common.iter().chain(options);
    let args = RehearseArgs {
        program: default_program_path(),
        ..RehearseArgs::try_parse_from(args).expect("options")
    };
    let plan = Plan::of(&args).expect("a plan");
    let (mut start, mut steps) = (None, Vec::new());
    let (end, diary) = play_watched(&args, &plan, |stage, played| {
        match played {
            0 => start = Some(snapshot(stage, &plan.market)?),
            _ => steps.push(step(stage)),
        }
        Ok(())
    })
    .expect("a rehearsal");
    assert!(diary.refusals.is_empty(), "{:?}", diary.refusals);
    steps.push(step(&end));
    let mut cuts = Cuts::new();
    for cut in diary.rounds.iter().flat_map(|round| &round.cut) {
        let sum = cuts.entry(cut.trader.parse().expect("a key")).or_default();
        *sum = (sum.0 + cut.lots, sum.1 + cut.gave_up_atoms);
    }
    Played {
        start: start.expect("a beginning"),
        steps,
        end,
        cuts,
    }
}

/// Which forecasters say of every trader, told the prices that come, what the program then does: who is cut, and
/// what that costs.
fn right(played: &Played) -> Vec<Forecaster> {
    let people: Vec<Pubkey> = played.end.traders.iter().map(|one| one.address).collect();
    let source = Source::Given(&played.steps);
    let foreseen = foresee(&played.start, &source, 1, &people).expect("a forecast");
    let is_right = |forecaster: &usize| {
        foreseen.iter().all(|(position, said)| {
            let (said, cut) = (&said[*forecaster], played.cuts.get(&position.trader));
            let loss = cut.map(|cut| cut.1 as f64 / position.notional);
            // Of one path nothing is surely known not to happen.
            (said.probability == 1.0) == cut.is_some() && said.losses.first().copied() == loss
        })
    };
    let all = 0..Forecaster::ALL.len();
    all.filter(is_right).map(|at| Forecaster::ALL[at]).collect()
}

/// Plays the path again in a world; returns the lots that were cut.
fn compare(played: &Played, options: &[&str]) -> u64 {
    let levels = Levels::of(&played.start).expect("levels");
    let mut world = World::new(&played.start, &levels).expect("a world");
    world.play(&played.steps).expect("a path");
    let market = played.end.state();
    assert_eq!(world.market().insurance, market.insurance, "{options:?}");
    assert_eq!(world.market().held, market.held);
    assert_eq!(world.market().adl_rounds, market.adl_rounds);
    assert_eq!(world.market().funding.index, market.funding.index);
    assert_eq!(world.market().open_interest_lots, market.open_interest_lots);
    let mut cut = 0;
    for (place, account) in world.accounts().iter().enumerate() {
        let trader = &account.trader;
        let fate = world.fate(place);
        let gave_up = i64::try_from(fate.gave_up).expect("atoms");
        let expected = played.cuts.get(trader).copied().unwrap_or_default();
        assert_eq!((fate.cut_lots, gave_up), expected, "{options:?} {trader}");
        let settled = market.settled(&account.slot).expect("a position");
        let open = played.end.open_position(trader).expect("an account");
        let position = open.map_or(Default::default(), |open| open.position);
        let found = |position: &ballast_engine::position::Position| {
            let lots = position.lots.get();
            (lots, position.entry_quote.get(), position.margin.get())
        };
        assert_eq!(found(&settled), found(&position), "{options:?} {trader}");
        // Rewards for deleveraging leave the world, and go to this account of the rehearsal.
        if *trader != played.end.deleverager.address {
            let free = played.end.sandbox.trader(trader).free;
            assert_eq!(account.free, free, "{options:?} {trader}");
        }
        cut += fate.cut_lots;
    }
    cut
}

#[test]
fn along_one_path_the_world_does_what_the_program_does_and_only_the_right_forecaster_says_so() {
    let mut cut = 0;
    for options in [
        &["--traders", "60", "--seed", "1", "--insurance-bps", "5"][..],
        &["--traders", "40", "--seed", "2", "--insurance-bps", "0"],
        &[
            "--traders",
            "50",
            "--seed",
            "3",
            "--insurance-bps",
            "20",
            "--adl-step-bps",
            "2000",
        ],
        &[
            "--traders",
            "60",
            "--seed",
            "4",
            "--insurance-bps",
            "5",
            "--pool",
            "300",
            "--stake",
            "20",
        ],
    ] {
        let played = play(options);
        let lots = compare(&played, options);
        cut += lots;
        if lots > 0 {
            assert_eq!(right(&played), [Forecaster::Simulation], "{options:?}");
        }
    }
    assert!(cut > 0, "nobody was cut: nothing was compared");
}
