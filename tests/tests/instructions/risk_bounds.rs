//! A stolen risk key: what its parameters cannot do, whatever they are. docs/RISK_BOUNDS.md.

use ballast_engine::fixtures::risk::{sol_market, tier};
use ballast_engine::risk::{gap_bps, RiskParams, RiskTier};
use ballast_state::error::BallastError;
use ballast_state::order_args::PlaceOrderArgs;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::orders::{ask, bid, ioc};
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

fn one_tier(initial: u32, maintenance: u32) -> RiskParams {
    let mut risk = sol_market();
    risk.tiers = [RiskTier::default(); 4];
    risk.tiers[0] = tier(10_000_000_000_000, initial, maintenance);
    risk.tier_count = 1;
    risk
}

#[track_caller]
fn refuses(venue: &mut Venue, error: BallastError, risk: RiskParams) {
    refused(&mut venue.sandbox, error, |s| {
        s.set_market_risk(&venue.market, risk)
    });
}

/// At 2 basis points $40,000 opened $100 million against itself, and a move of 0.12% was withdrawn
/// by the winner: three times what the pair had put in.
#[test]
pub fn a_pair_at_a_margin_of_two_basis_points_cannot_be_opened() {
    let mut venue = Venue::with(&quiet());
    let mut thin = one_tier(2, 1);
    refuses(&mut venue, BallastError::RiskTiers, thin);
    thin.liquidation_discount_bps = 0;
    thin.liquidation_discount_max_bps = 0;
    thin.liquidation_fee_bps = 0;
    for (initial, maintenance) in [(2, 1), (100, 50), (499, 250), (500, 249)] {
        thin.tiers[0] = tier(10_000_000_000_000, initial, maintenance);
        refuses(&mut venue, BallastError::RiskTiers, thin);
    }
    thin.tiers[0] = tier(10_000_000_000_000, 500, 250);
    done(venue.sandbox.set_market_risk(&venue.market, thin));
    // The thief's pair with the least margin there is, 200 SOL on $2,000 each.
    let winner = venue.sandbox.create_trader(2_100 * USD).unwrap();
    let loser = venue.sandbox.create_trader(2_100 * USD).unwrap();
    let pair = terms(20 * TEN, START, 2_000 * USD, 2_000 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &winner, &loser, pair),
    );
    let vast = terms(100 * TEN, START, 2_000 * USD, 2_000 * USD);
    refused(
        &mut venue.sandbox,
        BallastError::InsufficientCollateral,
        |s| s.block_trade(&venue.market, &winner, &loser, vast),
    );
    // A gap later the winner sells to whoever is there and takes everything out.
    venue.price(START + START * u64::from(gap_bps(10)) / 10_000);
    let honest = venue.sandbox.create_trader(50_000 * USD).unwrap();
    let at = START + 5_000;
    done(
        venue
            .sandbox
            .place_order(&venue.market, &honest, bid(at, 200_000), &[]),
    );
    let sold = ioc(ask(at, 200_000));
    done(
        venue
            .sandbox
            .place_order(&venue.market, &winner, sold, &[honest.address]),
    );
    let taken = u64::try_from(venue.free(&winner)).unwrap();
    done(venue.sandbox.withdraw(&winner, taken));
    // The other side of it still stands for what it lost.
    let left = venue
        .position(&loser)
        .position()
        .unwrap()
        .equity(mark(at))
        .unwrap()
        .get();
    let left = u64::try_from(left + venue.free(&loser)).unwrap();
    assert!(taken + left <= 4_200 * USD, "{taken} and {left}");
    for owner in [venue.alice.clone(), venue.bob.clone()] {
        let free = u64::try_from(venue.free(&owner)).unwrap();
        done(venue.sandbox.withdraw(&owner, free));
    }
    venue.conserves();
}

fn mark(ticks: u64) -> ballast_engine::units::LotPrice {
    ballast_engine::units::LotPrice::new(ticks).unwrap()
}

/// With maintenance of 99.99% and a discount of 99.98% a healthy position at 4x lost all of its $500.
#[test]
pub fn a_healthy_position_is_not_liquidated_for_its_equity() {
    let mut venue = Venue::with(&quiet());
    done(venue.trade(TEN, START, 500 * USD, 500 * USD));
    let mut greedy = one_tier(10_000, 9_999);
    greedy.liquidation_discount_bps = 9_998;
    greedy.liquidation_discount_max_bps = 9_998;
    greedy.liquidation_fee_bps = 0;
    refuses(&mut venue, BallastError::RiskTiers, greedy);
    greedy.tiers[0] = tier(10_000_000_000_000, 10_000, 5_000);
    refuses(&mut venue, BallastError::RiskLiquidation, greedy);
    // Within the bounds, and not after maintenance of 2.5%.
    greedy.liquidation_discount_bps = 500;
    greedy.liquidation_discount_max_bps = 500;
    refuses(&mut venue, BallastError::RiskLiquidation, greedy);
    greedy.liquidation_discount_bps = 125;
    greedy.liquidation_discount_max_bps = 125;
    greedy.ladder = Default::default();
    greedy.ladder_count = 0;
    done(venue.sandbox.set_market_risk(&venue.market, greedy));
    let thief = venue.sandbox.create_trader(10_000 * USD).unwrap();
    let victim = venue.alice.address;
    done(
        venue
            .sandbox
            .liquidate(&venue.market, &victim, &thief, 2_000 * USD),
    );
    // What was closed cost 1.25%, of $2,000 at most.
    let slot = venue.position(&venue.alice);
    assert!(slot.lots < 10_000, "{slot:?}");
    let held = slot.position().unwrap().equity(mark(START)).unwrap().get();
    let left = held + venue.free(&venue.alice);
    assert!(left >= i64::try_from(974 * USD).unwrap(), "{left}");
    venue.conserves();
}

/// A fee of 2^60 atoms emptied a trader by one expired order.
#[test]
pub fn an_expired_order_costs_a_unit_at_most() {
    let mut config = quiet();
    config.risk.keeper_fee_atoms = USD;
    let mut venue = Venue::with(&config);
    for fee in [1 << 60, USD + 1] {
        let mut risk = config.risk;
        risk.keeper_fee_atoms = fee;
        refuses(&mut venue, BallastError::RiskBook, risk);
    }
    let (alice, bob) = venue.two();
    let brief = PlaceOrderArgs {
        expires_at: venue.sandbox.time() + 2,
        ..ask(START, 1_000)
    };
    venue.place(&bob, brief, &[]);
    venue.place(&venue.alice.clone(), ask(START + 1, 100), &[]);
    venue.sandbox.advance_seconds(3);
    venue.price(START);
    let carol = venue.trader(1_000);
    venue.place(&carol, ioc(bid(START + 1, 100)), &[&bob, &alice]);
    assert_eq!(venue.free(&bob), i64::try_from(999 * USD).unwrap());
    venue.conserves();
}

/// Valid parameters after valid ones: a healthy position is liquidated for half of its equity at most.
#[test]
pub fn no_accepted_change_takes_more_than_half_of_a_healthy_position() {
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let (mut changes, mut liquidations) = (0, 0);
    for _ in 0..40 {
        let mut venue = Venue::with(&quiet());
        let equity = dice.gen_range(101..600);
        done(venue.trade(TEN, START, equity * USD, 900 * USD));
        let maintenance = dice.gen_range(250..5_000);
        let mut risk = one_tier(10_000, maintenance);
        risk.liquidation_discount_max_bps = dice.gen_range(0..=200);
        risk.liquidation_discount_bps = risk.liquidation_discount_max_bps;
        risk.liquidation_fee_bps = dice.gen_range(0..=100);
        risk.liquidation_buffer_bps = dice.gen_range(0..=10_000);
        risk.ladder_interval_slots = 0;
        risk.ladder_count = dice.gen_range(0..=3);
        for step in &mut risk.ladder[risk.ladder_count as usize..] {
            *step = Default::default();
        }
        if venue.sandbox.set_market_risk(&venue.market, risk).is_err() {
            let cost = risk.liquidation_discount_max_bps + risk.liquidation_fee_bps;
            assert!(cost > 125, "{risk:?}");
            continue;
        }
        changes += 1;
        let thief = venue.sandbox.create_trader(10_000 * USD).unwrap();
        let victim = venue.alice.address;
        while venue
            .sandbox
            .liquidate(&venue.market, &victim, &thief, 2_000 * USD)
            .is_ok()
        {
            liquidations += 1;
        }
        let slot = venue.sandbox.position(&venue.market, &victim);
        let held = slot.map_or(0, |slot| {
            slot.position().unwrap().equity(mark(START)).unwrap().get()
        });
        let before = i64::try_from(equity * USD).unwrap();
        let free = i64::try_from((999 - equity) * USD).unwrap();
        let left = held + venue.free(&venue.alice) - free;
        assert!(2 * left >= before, "{left} of {before}: {risk:?}");
        venue.conserves();
    }
    assert!(
        changes > 10 && liquidations > 10,
        "{changes}, {liquidations}"
    );
}
