//! Rounds over isolated positions and legs, planned by the client: what is planned the program does, to the
//! atom, and a list without its first member it refuses.

use anchor_lang::prelude::Pubkey;
use ballast_client::cross::{cross_round, CrossRoundInput, CrossRoundPlan, CrossRoundRequest};
use ballast_engine::adl::Stage;
use ballast_engine::units::Side;
use ballast_explain::chain::{explain, rounds, Recorded};
use ballast_explain::situation::Units;
use ballast_sandbox::{MarketConfig, Sandbox, TxOutcome, TxResult};
use ballast_state::error::{BallastError, Result};
use ballast_state::events::{AutoDeleveraged, BallastEvent, CrossRound};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cross_venue::{place, CrossVenue, Reading, START};

/// Most traders in one `refresh_ranks`.
const REFRESHED: usize = 10;

/// Markets whose insurance has next to nothing.
fn config(dice: &mut ChaCha8Rng) -> MarketConfig {
    let mut config = MarketConfig::sol();
    config.risk.insurance_fee_share_bps = 0;
    config.risk.price_band_bps = 2_000;
    config.risk.min_order_atoms = 1;
    config.risk.adl.rank_tolerance_bps = [200, 500][dice.gen_range(0..2)];
    config.risk.adl.max_close_bps = [2_000, 5_000, 10_000][dice.gen_range(0..3)];
    config
}

/// What the rounds of all seeds came to.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    legs: usize,
    isolated: usize,
    bankrupt_legs: usize,
    shortened: usize,
    refreshed: usize,
    witnessed: usize,
    passes: usize,
    equity: usize,
    skipped: usize,
    full: usize,
}

/// Who is bankrupt in the market with this number, isolated or by its account, with its side.
fn bankrupts(venue: &CrossVenue, market: usize, reading: &Reading) -> Vec<(Pubkey, Side)> {
    let site = venue.site(market, reading);
    let mut found = Vec::new();
    for (address, trader) in &reading.traders {
        let key = &site.key;
        let position = match trader.find_leg(key) {
            Some(_) => site.trouble(trader, true).unwrap().forced.position,
            None => match trader.slot(key) {
                Ok(slot) => slot.position().unwrap(),
                Err(_) => continue,
            },
        };
        let position = position.settle(site.touched.funding_index).unwrap();
        let worth = position.equity(site.touched.mark.price).unwrap();
        if let (Some(side), true) = (position.side(), worth.is_negative()) {
            found.push((*address, side));
        }
    }
    found
}

fn planned(
    venue: &CrossVenue,
    market: usize,
    (bankrupt, side): (Pubkey, Side),
    limits: (usize, usize, usize),
) -> Result<CrossRoundPlan> {
    let reading = venue.read();
    let site = venue.site(market, &reading);
    let (isolated, cross) = (&reading.isolated[market], &reading.cross[market]);
    let opposite = place(side.opposite());
    let input = CrossRoundInput {
        site: &site,
        isolated: isolated[opposite].queue().unwrap(),
        cross: cross[opposite].queue().unwrap(),
        draws: cross[0].queue().unwrap().header().draws,
        taker: None,
        traders: &reading.traders,
    };
    let (max_cuts, max_listed, spares) = limits;
    let request = CrossRoundRequest {
        bankrupt,
        max_cuts,
        max_listed,
        spares,
    };
    cross_round(&input, &request)
}

fn send(sandbox: &mut Sandbox, venue: &Sent, plan: &CrossRoundPlan, list: &[Pubkey]) -> TxResult {
    let (market, keeper) = venue;
    sandbox.auto_deleverage_cross(market, &plan.bankrupt, keeper, &plan.queues, list)
}

type Sent = (ballast_sandbox::MarketCookie, ballast_sandbox::TraderCookie);

fn events(outcome: &TxOutcome) -> (&AutoDeleveraged, &CrossRound) {
    let mut round = None;
    let mut cross = None;
    for event in &outcome.events {
        match event {
            BallastEvent::AutoDeleveraged(event) => round = Some(&**event),
            BallastEvent::CrossRound(event) => cross = Some(event),
            _ => {}
        }
    }
    (round.expect("a round"), cross.expect("a round"))
}

/// The program did what the plan says, to the atom.
#[track_caller]
fn as_planned(plan: &CrossRoundPlan, outcome: &TxOutcome) {
    let (round, cross) = events(outcome);
    let happened: Vec<_> = round
        .cuts
        .iter()
        .map(|cut| {
            let lots = (cut.lots_before, cut.lots_closed);
            let atoms = (cut.quote_atoms, cut.gave_up_atoms, cut.payout_atoms);
            (cut.trader, lots, atoms, cut.margin_before)
        })
        .collect();
    let foreseen: Vec<_> = plan
        .cuts
        .iter()
        .map(|cut| {
            let done = &cut.cut;
            let lots = (cut.before.lots.get(), done.lots);
            let atoms = (done.quote.get(), done.gave_up, done.payout.get());
            (cut.trader, lots, atoms, cut.before.margin.get())
        })
        .collect();
    assert_eq!(happened, foreseen);
    let legs: Vec<_> = cross
        .legs
        .iter()
        .map(|leg| (leg.place as usize, leg.shortened, leg.pool_after))
        .collect();
    let foreseen: Vec<_> = plan
        .legs
        .iter()
        .map(|leg| (leg.place, leg.shortened, leg.pool_after.get()))
        .collect();
    assert_eq!(legs, foreseen);
    assert_eq!(cross.by_record, plan.by_record);
    assert_eq!(cross.to_equity, plan.stage == Stage::Equity);
    assert_eq!(round.pass_opened, plan.stage == Stage::NextPass);
    assert_eq!(round.lots_after, plan.bankrupt_after.lots.get());
    let paid = round.insurance_paid_atoms + round.held_paid_atoms;
    assert_eq!(paid, plan.summary.insurance_paid);
    assert_eq!(round.deficit_before_atoms, plan.summary.deficit);
}

/// What the program announces is right by the engine's own rule.
#[track_caller]
fn explained(outcome: &TxOutcome) {
    let config = MarketConfig::sol();
    for (event, cross) in rounds(&outcome.events) {
        assert!(cross.is_some(), "what is said of legs comes right after");
        let explanation = explain(Recorded {
            event,
            cross,
            slot: 0,
            signature: "",
            market: "",
            units: Units {
                tick_nano: config.tick_nano,
                atoms_per_lot_tick: config.atoms_per_lot_tick,
                lot_nano: config.lot_nano,
            },
        });
        let text = || explanation.text(None);
        assert!(explanation.verified(), "{}\n{event:#?}\n{cross:#?}", text());
    }
}

/// Whether the first of the cuts ranks so far above the last that nobody could leave it out: of accounts the
/// proof knows those that are above maintenance.
fn first_counts(venue: &CrossVenue, market: usize, plan: &CrossRoundPlan) -> bool {
    let (Some(first), Some(last)) = (plan.cuts.first(), plan.cuts.last()) else {
        return false;
    };
    let reading = venue.read();
    let site = venue.site(market, &reading);
    let trader = &reading.traders[&first.trader];
    if trader.find_leg(&site.key).is_some() {
        let trouble = site.trouble(trader, true).unwrap();
        if !trouble.values.is_healthy() {
            return false;
        }
    }
    let (first, last) = (&first.cut.ranked, &last.cut.ranked);
    let tolerance = plan.round.rank_tolerance_bps;
    first.class > last.class || first.score.beats(&last.score, tolerance).unwrap()
}

/// A list that leaves out the highest ranked.
fn without_first(venue: &CrossVenue, sent: &Sent, plan: &CrossRoundPlan) {
    let mut fork = venue.sandbox.fork();
    let first = plan.cuts[0].trader;
    let mut rest = plan.counterparties.clone();
    rest.retain(|trader| *trader != first);
    let mut plan = plan.clone();
    // A record that is renewed on the way would be in the way of the others otherwise.
    plan.queues = venue.queues();
    let refusal = send(&mut fork, sent, &plan, &rest).expect_err("the first is left out");
    let skipped = [
        "AdlStaleCounterparty",
        "AdlSkippedCounterparty",
        "AdlListOutOfOrder",
    ];
    assert!(skipped.iter().any(|name| refusal.is(name)), "{refusal}");
}

/// Deleverages one bankrupt as far as a round goes; whether anything came of it.
fn deleverage(
    venue: &mut CrossVenue,
    market: usize,
    bankrupt: (Pubkey, Side),
    limits: (usize, usize, usize),
    tally: &mut Tally,
) -> bool {
    let cookie = venue.markets[market].cookie.clone();
    let all = venue.queues();
    let sent = (cookie.clone(), venue.keeper.clone());
    for _ in 0..40 {
        let plan = match planned(venue, market, bankrupt, limits) {
            Ok(plan) => plan,
            Err(BallastError::NotBankrupt | BallastError::NoPosition) => return false,
            Err(BallastError::AdlListTooLong) => {
                tally.full += 1;
                return false;
            }
            Err(error) => panic!("{}", error.name()),
        };
        if !plan.refresh.is_empty() {
            for some in plan.refresh.chunks(REFRESHED) {
                let sandbox = &mut venue.sandbox;
                match plan.witness {
                    false => sandbox.refresh_ranks(&cookie, &all, some).unwrap(),
                    true => {
                        tally.witnessed += some.len();
                        let bankrupt = &plan.bankrupt;
                        sandbox
                            .witness_ranks(&cookie, bankrupt, &all, some)
                            .unwrap()
                    }
                };
                tally.refreshed += some.len();
            }
            continue;
        }
        if plan.cuts.is_empty() {
            return false;
        }
        if first_counts(venue, market, &plan) && plan.cuts.len() > 1 {
            without_first(venue, &sent, &plan);
            tally.skipped += 1;
        }
        let list = plan.counterparties.clone();
        let outcome = send(&mut venue.sandbox, &sent, &plan, &list);
        let outcome = outcome.unwrap_or_else(|error| panic!("{error}\n{plan:#?}"));
        as_planned(&plan, &outcome);
        explained(&outcome);
        assert!(venue.sandbox.conservation().holds());
        tally.rounds += 1;
        tally.legs += plan.legs.len();
        tally.isolated += plan.cuts.len() - plan.legs.len();
        tally.shortened += plan.legs.iter().filter(|leg| leg.shortened).count();
        tally.passes += usize::from(plan.stage == Stage::NextPass);
        tally.equity += usize::from(plan.stage == Stage::Equity);
        tally.bankrupt_legs += usize::from(plan.queues.len() > 1);
        return true;
    }
    panic!("records are made anew for ever");
}

#[test]
fn a_planned_round_is_what_the_program_does() {
    let mut tally = Tally::default();
    for seed in 0..16 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut venue = CrossVenue::new(&config(&mut dice), 0);
        match seed % 2 {
            0 => venue.crowd(36, &mut dice),
            _ => venue.pairs(20, &mut dice),
        }
        let mut ticks = [START; 2];
        for _ in 0..4 {
            let moves = if dice.gen_bool(0.5) {
                860..990
            } else {
                1_010..1_140
            };
            let factor = dice.gen_range(moves);
            for price in &mut ticks {
                *price = *price * (factor + dice.gen_range(0..15)) / 1_000;
            }
            venue.prices(dice.gen_range(1..40), ticks);
            venue.record();
            for market in 0..2 {
                let mut found = bankrupts(&venue, market, &venue.read());
                found.shuffle(&mut dice);
                for bankrupt in found {
                    let max_cuts = dice.gen_range(1..10);
                    let limits = (max_cuts, dice.gen_range(max_cuts..28), dice.gen_range(0..4));
                    let mut rounds = 0;
                    while rounds < 30
                        && deleverage(&mut venue, market, bankrupt, limits, &mut tally)
                    {
                        rounds += 1;
                    }
                }
            }
        }
    }
    println!("{tally:?}");
    let Tally {
        rounds,
        legs,
        isolated,
        bankrupt_legs,
        refreshed,
        passes,
        skipped,
        ..
    } = tally;
    for count in [
        rounds,
        legs,
        isolated,
        bankrupt_legs,
        refreshed,
        passes,
        skipped,
    ] {
        assert!(count > 5, "{count}");
    }
}

/// Forty accounts win in the market of a deep bankruptcy and are worth 500 atoms more than their maintenance
/// margin: none can bear the cut of a lot, all rank above whoever can, and no list can name them.
#[test]
fn more_thin_accounts_than_a_list_can_name_are_witnessed_and_passed_over() {
    let mut config = config(&mut ChaCha8Rng::seed_from_u64(1));
    config.risk.funding_rate_ppm_per_hour = 0;
    config.risk.max_funding_rate_ppm = 0;
    let mut venue = CrossVenue::new(&config, 0);
    venue.open([900_000, 0], 1, false);
    venue.open([0, -900_000], 1, false);
    let bankrupt = venue.open([20_000, 0], 17, false);
    // Won $30 and lost $44 at the prices to come, at which 2.5% of $170 and of $156 are maintenance.
    let pool = 44_000_000 - 30_000_000 + 8_150_000 + 500;
    let thin: Vec<_> = (0..40).map(|_| venue.hedge(pool).address).collect();
    venue.prices(30, [170_000, 156_000]);
    venue.record();
    let reading = venue.read();
    for address in &thin {
        let trouble = venue
            .site(0, &reading)
            .trouble(&reading.traders[address], true);
        let values = trouble.unwrap().values;
        assert_eq!(values.equity.get(), 8_150_500);
        assert_eq!(values.requirement, 8_150_000);
    }
    let mut tally = Tally::default();
    let subject = (bankrupt.address, Side::Long);
    assert!(deleverage(&mut venue, 0, subject, (8, 12, 0), &mut tally));
    assert_eq!((tally.rounds, tally.witnessed), (1, 40));
    for address in &thin {
        let leg = venue.sandbox.leg(&venue.markets[0].cookie, address);
        assert_eq!(leg.unwrap().lots, -1_000, "nobody of them was cut");
    }
}
