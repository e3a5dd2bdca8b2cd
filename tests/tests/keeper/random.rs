//! Crashes drawn from a seed: whatever the keeper plans passes, and in the end nothing is left that
//! could be done.

use ballast_engine::pool::PoolParams;
use ballast_keeper::plan::{Effect, PlanOptions};
use ballast_sandbox::MarketConfig;
use ballast_state::book_account::OrderSide;
use ballast_state::trigger::TriggerKind;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::venue::{Venue, START, USD};

/// What the crashes of all seeds came to.
#[derive(Default, Debug)]
struct Tally {
    book: usize,
    taken: usize,
    rounds: usize,
    flags: usize,
    triggers: usize,
    steps: usize,
    poor: usize,
    pool: usize,
    unwinds: usize,
    syncs: usize,
    without_pool: usize,
}

fn venue(dice: &mut ChaCha8Rng) -> Venue {
    let mut config = MarketConfig::sol();
    config.risk.adl.rank_tolerance_bps = [0, 500][dice.gen_range(0..2)];
    config.risk.adl.max_close_bps = [3_000, 5_000, 10_000][dice.gen_range(0..3)];
    config.risk.liquidation_fee_bps = 5;
    config.risk.insurance_fee_share_bps = 0;
    config.risk.price_band_bps = 2_000;
    config.risk.min_order_atoms = 1;
    let mut venue = Venue::new(&config);
    for _ in 0..30 {
        let lots = dice.gen_range(50..40_000);
        let sign = if dice.gen_bool(0.7) { 1 } else { -1 };
        let trader = venue.open(sign * lots, dice.gen_range(2..20), dice.gen_range(0..50));
        if dice.gen_bool(0.4) {
            let below = START - dice.gen_range(1_000..30_000);
            let kind = match sign {
                1 => TriggerKind::StopLoss,
                _ => TriggerKind::TakeProfit,
            };
            venue.place_trigger(&trader, kind, below);
        }
    }
    for _ in 0..dice.gen_range(0..30) {
        let price = START - dice.gen_range(100..35_000);
        venue.quote(OrderSide::Bid, price, dice.gen_range(20..8_000));
    }
    venue.insure(dice.gen_range(1..2_000));
    venue
}

/// Gives the market a pool that closes its position within a few prices.
fn back(venue: &mut Venue, dice: &mut ChaCha8Rng) {
    let market = venue.market.clone();
    let params = PoolParams {
        cap_bps: dice.gen_range(2_000..=10_000),
        margin_bps: dice.gen_range(1_000..=20_000),
        auction_slots: 10,
        take_cap_bps: 100_000,
        drawdown_bps: 10_000,
        reserve_first_bps: 10,
        reserve_last_bps: 25,
        slip_bps: 8,
        ..PoolParams::for_market(&venue.sandbox.market(&market).risk)
    };
    venue.sandbox.create_pool(&market, params).unwrap();
    venue
        .sandbox
        .depositor(&market, dice.gen_range(5_000..60_000) * USD);
}

#[test]
fn whatever_is_planned_passes() {
    let mut tally = Tally::default();
    for seed in 0..16 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut venue = venue(&mut dice);
        // Every third has protective steps while there is no pool.
        if seed < 8 {
            for number in (0..venue.people.len()).step_by(3) {
                venue.protect(number);
            }
        }
        if seed >= 8 {
            back(&mut venue, &mut dice);
        }
        let means = dice.gen_range(0..if seed < 8 { 20_000 } else { 500 });
        let keeper = venue.sandbox.create_trader(means * USD);
        let keeper = keeper.unwrap();
        let options = PlanOptions {
            max_counterparties: dice.gen_range(1..12),
            spares: dice.gen_range(0..6),
            ..PlanOptions::default()
        };
        let mut ticks = START;
        // A pool closes its position once the price is calm.
        let rounds = if seed < 8 { 12 } else { 20 };
        for round in 0..rounds {
            let moves = if round < 12 { 960..1_015 } else { 995..1_006 };
            ticks = ticks * dice.gen_range(moves) / 1_000;
            venue.price(dice.gen_range(1..30), ticks);
            if seed >= 8 && dice.gen_bool(0.5) {
                let price = ticks - ticks / 2_000;
                venue.quote(OrderSide::Bid, price, dice.gen_range(20..4_000));
            }
            let worked = venue.work(&keeper, &options);
            tally.poor += worked.poor;
            tally.without_pool += worked.without_pool;
            for plan in worked.done {
                match plan.effect {
                    Effect::Trigger { .. } => tally.triggers += 1,
                    Effect::Protection { .. } => tally.steps += 1,
                    Effect::Flags => tally.flags += 1,
                    Effect::Deleveraging { .. } => tally.rounds += 1,
                    Effect::Unwind { .. } => tally.unwinds += 1,
                    Effect::Sync { .. } => tally.syncs += 1,
                    Effect::Liquidation { pool_lots, .. } if pool_lots > 0 => tally.pool += 1,
                    Effect::Liquidation { book_lots, .. } if book_lots > 0 => tally.book += 1,
                    Effect::Liquidation { .. } => tally.taken += 1,
                    Effect::Funding
                    | Effect::Session(_)
                    | Effect::End
                    | Effect::Marks
                    | Effect::Records { .. } => {}
                }
            }
        }
        assert_eq!(venue.evaluate().counts.faulty, 0);
    }
    println!("{tally:?}");
    let Tally {
        book,
        taken,
        rounds,
        flags,
        triggers,
        steps,
        poor,
        pool,
        unwinds,
        syncs,
        without_pool,
    } = tally;
    assert!(unwinds > 0 && syncs > 0);
    assert!([book, taken, rounds, flags, triggers, steps, pool]
        .iter()
        .all(|count| *count > 5));
    assert!(without_pool < pool / 10, "the pool takes what is foreseen");
    assert!(poor > 0, "orders were removed instead of filled");
}
