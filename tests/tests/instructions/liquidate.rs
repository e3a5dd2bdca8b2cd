//! Liquidation, step by step.

use ballast_client::instructions::anyone;
use ballast_sandbox::{Sandbox, TraderCookie};
use ballast_state::error::BallastError;

use crate::event;
use crate::support::{done, quiet, refused, terms, watched, Venue, START, TEN, USD};

/// The open venue at this price with a liquidator that has $1,000.
fn falling(price: u64) -> (Venue, TraderCookie) {
    let mut venue = Venue::open();
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(price);
    (venue, keeper)
}

fn step(venue: &mut Venue, keeper: &TraderCookie) -> ballast_sandbox::TxResult {
    let victim = venue.alice.address;
    venue
        .sandbox
        .liquidate(&venue.market, &victim, keeper, 100 * USD)
}

#[test]
pub fn a_step_closes_what_the_ladder_allows() {
    // At $194: equity $40 of $48.50 maintenance, above two thirds: a fifth may close.
    let (mut venue, keeper) = falling(194_000);
    let outcome = done(step(&mut venue, &keeper));
    let event = event!(outcome, PositionLiquidated);
    assert_eq!((event.lots, event.quote_atoms), (-2_000, -387_030_000));
    assert_eq!(
        (event.discount_atoms, event.insurance_fee_atoms),
        (970_000, 1_940_000)
    );
    assert_eq!(
        (event.equity_before_atoms, event.maintenance_before_atoms),
        (40_000_000, 48_500_000)
    );
    assert_eq!((event.insurance_paid_atoms, event.reward_atoms), (0, 0));
    assert_eq!(
        (event.insurance_before_atoms, event.insurance_after_atoms),
        (200_000, 2_140_000)
    );
    let left = venue.position(&venue.alice);
    // Sold at a loss of 12.97, paid 1.94 to insurance; no margin is set free.
    assert_eq!(
        (left.lots, left.entry_quote, left.margin),
        (8_000, 1_600_000_000, 85_090_000)
    );
    assert_eq!(left.last_step_slot, venue.sandbox.slot());
    assert_eq!(left.flagged_slot, venue.sandbox.slot());
    assert_eq!(venue.free(&venue.alice), 899_000_000);
    let taken = venue.position(&keeper);
    assert_eq!(
        (taken.lots, taken.entry_quote, taken.margin),
        (2_000, 387_030_000, 100_000_000)
    );
    assert_eq!(venue.free(&keeper), 900_000_000);
    let market = venue.sandbox.market(&venue.market);
    assert_eq!(
        (market.liquidations, market.open_interest_lots),
        (1, 10_000)
    );
    venue.conserves();
}

#[test]
pub fn the_next_step_waits_for_the_ladder() {
    let (mut venue, keeper) = falling(194_000);
    done(step(&mut venue, &keeper));
    refused(&mut venue.sandbox, BallastError::LadderInterval, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    venue.sandbox.advance_slots(9);
    refused(&mut venue.sandbox, BallastError::LadderInterval, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    venue.sandbox.advance_slots(1);
    done(step(&mut venue, &keeper));
    venue.conserves();
}

#[test]
pub fn everything_closes_below_the_last_step() {
    // At $190.500: equity $5 of $47.625 maintenance.
    let (mut venue, keeper) = falling(190_500);
    let outcome = done(step(&mut venue, &keeper));
    let event = event!(outcome, PositionLiquidated);
    // The discount of 25 bps is 4,762,500, and the fee has what the equity leaves.
    assert_eq!(
        (event.lots, event.discount_atoms, event.insurance_fee_atoms),
        (-TEN, 4_762_500, 237_500)
    );
    assert!(venue
        .sandbox
        .position(&venue.market, &venue.alice.address)
        .is_none());
    assert_eq!(venue.free(&venue.alice), 899_000_000);
    assert_eq!(
        venue.sandbox.market(&venue.market).insurance.balance,
        437_500
    );
    venue.conserves();
}

#[test]
pub fn the_discount_rises_from_the_flag_on() {
    for (slots, discount) in [
        (0, 970_000),
        (75, 1_940_000),
        (150, 2_910_000),
        (1_000, 2_910_000),
    ] {
        let (mut venue, keeper) = falling(194_000);
        done(
            venue
                .sandbox
                .flag_bankruptcy(&venue.market, &venue.alice.address),
        );
        let (market, alice) = (venue.market.clone(), venue.alice.address);
        watched(&mut venue.sandbox, &market, &alice, 194_000, slots);
        let outcome = done(step(&mut venue, &keeper));
        assert_eq!(event!(outcome, PositionLiquidated).discount_atoms, discount);
        venue.conserves();
    }
}

#[test]
pub fn insurance_pays_a_deficit_exactly() {
    let (mut venue, keeper) = falling(189_000);
    refused(&mut venue.sandbox, BallastError::InsuranceCannotPay, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    let donor = venue.sandbox.create_wallet(10 * USD).unwrap();
    // One atom short.
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 9_799_999),
    );
    refused(&mut venue.sandbox, BallastError::InsuranceCannotPay, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    done(venue.sandbox.donate_insurance(&venue.market, &donor, 1));
    let outcome = done(step(&mut venue, &keeper));
    let event = event!(outcome, PositionLiquidated);
    assert_eq!((event.lots, event.quote_atoms), (-TEN, -1_890_000_000));
    assert_eq!(
        (event.insurance_paid_atoms, event.insurance_after_atoms),
        (10_000_000, 0)
    );
    assert_eq!((event.discount_atoms, event.insurance_fee_atoms), (0, 0));
    // The fee bucket has 0.8 of the reward of 1.
    assert_eq!(event.reward_atoms, 800_000);
    assert_eq!(venue.free(&keeper), 900_800_000);
    assert_eq!(venue.sandbox.market(&venue.market).fees_atoms, 0);
    assert_eq!(venue.free(&venue.alice), 899_000_000);
    venue.conserves();
}

#[test]
pub fn a_rescue_lifts_the_flag_with_the_position() {
    let (mut venue, keeper) = falling(189_000);
    done(
        venue
            .sandbox
            .flag_bankruptcy(&venue.market, &venue.alice.address),
    );
    assert_ne!(venue.position(&venue.alice).bankrupt_slot, 0);
    let donor = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 10 * USD),
    );
    done(step(&mut venue, &keeper));
    done(venue.sandbox.withdraw(&venue.bob, 1));
    venue.conserves();
}

#[test]
pub fn insurance_is_capped_by_its_window() {
    let mut config = quiet();
    config.risk.insurance_draw_cap_bps = 5_000;
    let mut venue = Venue::open_with(&config);
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let donor = venue.sandbox.create_wallet(20 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 19_799_999),
    );
    venue.price(189_000);
    // Half of 19.999999 is one atom short of 10.
    refused(&mut venue.sandbox, BallastError::InsuranceCannotPay, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    done(venue.sandbox.donate_insurance(&venue.market, &donor, 1));
    done(step(&mut venue, &keeper));
    let insurance = venue.sandbox.market(&venue.market).insurance;
    assert_eq!(
        (insurance.balance, insurance.drawn),
        (10 * USD, [10 * USD, 0])
    );
    venue.conserves();
}

#[test]
pub fn a_healthy_position_is_left_alone() {
    let (mut venue, keeper) = falling(194_872);
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 0)
    });
    let bob = venue.bob.address;
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &bob, &keeper, 0)
    });
    let nobody = venue.sandbox.create_trader(0).unwrap();
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.liquidate(&venue.market, &nobody.address, &keeper, 0)
    });
}

#[test]
pub fn nobody_liquidates_himself_or_with_anothers_account() {
    let (mut venue, keeper) = falling(194_000);
    refused(&mut venue.sandbox, BallastError::TradersNotDistinct, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &venue.alice, 0)
    });
    let thief = &venue.bob.wallet.keypair;
    let instruction = anyone::Liquidate {
        authority: venue.bob.wallet.address(),
        keys: venue.market.keys,
        trader: venue.alice.address,
        liquidator: keeper.address,
        offer: anyone::Takeover::with_margin(0),
        makers: &[],
    }
    .instruction();
    refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
        s.send(&[instruction], &[thief])
    });
}

#[test]
pub fn the_liquidator_can_afford_what_it_takes_over() {
    let (mut venue, keeper) = falling(194_000);
    let call = |s: &mut Sandbox, margin: u64| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, margin)
    };
    let sandbox = &mut venue.sandbox;
    // $388 at the mark need $19.40, of which the discount is $0.97.
    refused(sandbox, BallastError::BelowInitialMargin, |s| {
        call(s, 18_429_999)
    });
    refused(sandbox, BallastError::InsufficientCollateral, |s| {
        call(s, 1_000 * USD + 1)
    });
    refused(sandbox, BallastError::Overflow, |s| call(s, u64::MAX));
    done(call(sandbox, 18_430_000));
    venue.conserves();
}

#[test]
pub fn a_liquidator_on_the_other_side_closes_its_own() {
    // Bob is short; taking the long's lots over reduces him and he locks nothing.
    let (mut venue, _) = falling(194_000);
    let bob = venue.bob.clone();
    done(step(&mut venue, &bob));
    let short = venue.position(&bob);
    assert_eq!((short.lots, short.margin), (-8_000, 400_000_000));
    // A fifth of his margin, and a gain of $400 - $387.03.
    assert_eq!(venue.free(&bob), 500_000_000 + 100_000_000 + 12_970_000);
    assert_eq!(
        venue.sandbox.market(&venue.market).open_interest_lots,
        8_000
    );
    venue.conserves();
}

#[test]
pub fn a_short_is_liquidated_the_same_way_up() {
    let mut venue = Venue::new();
    done(venue.trade(-TEN, START, 100 * USD, 500 * USD));
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(206_000);
    let outcome = done(step(&mut venue, &keeper));
    let event = event!(outcome, PositionLiquidated);
    // Equity $40 of $51.50; the fifth costs $412 and 25 bps more.
    assert_eq!((event.lots, event.quote_atoms), (2_000, 413_030_000));
    assert_eq!(event.insurance_fee_atoms, 2_060_000);
    let left = venue.position(&venue.alice);
    assert_eq!(
        (left.lots, left.entry_quote, left.margin),
        (-8_000, -1_600_000_000, 84_910_000)
    );
    venue.conserves();
}

#[test]
pub fn unpaid_funding_counts_before_anything_is_decided() {
    // Shorts pay longs 1% an hour: a long below maintenance is healthy once it is paid.
    let mut config = quiet();
    config.risk.funding_rate_ppm_per_hour = -10_000;
    config.risk.impact_notional_atoms = 0;
    let mut venue = Venue::open_with(&config);
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(194_500);
    let mut now = venue.sandbox.fork();
    done(now.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD));
    venue.sandbox.advance_seconds(3_600);
    venue.price(194_500);
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
}

#[test]
pub fn a_liquidator_in_sixteen_other_markets_has_no_slot() {
    let mut config = quiet();
    config.queue_capacity = 16;
    let mut venue = Venue::open_with(&config);
    let keeper = venue.sandbox.create_trader(1_000 * USD).unwrap();
    for _ in 0..16 {
        let market = venue.sandbox.create_market(&config).unwrap();
        let small = terms(100, START, 2 * USD, 2 * USD);
        let maker = venue.sandbox.create_trader(100 * USD).unwrap();
        done(venue.sandbox.block_trade(&market, &keeper, &maker, small));
    }
    venue.price(194_000);
    refused(&mut venue.sandbox, BallastError::NoFreeSlot, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
}

#[test]
pub fn a_delegate_liquidates_for_the_owner() {
    let (mut venue, keeper) = falling(194_000);
    let bot = venue.sandbox.funded_keypair();
    let bot_key = solana_signer::Signer::pubkey(&bot);
    let (keys, victim) = (venue.market.keys, venue.alice.address);
    let instruction = anyone::Liquidate {
        authority: bot_key,
        keys,
        trader: victim,
        liquidator: keeper.address,
        offer: anyone::Takeover::with_margin(100 * USD),
        makers: &[],
    }
    .instruction();
    refused(&mut venue.sandbox, BallastError::NotTraderAuthority, |s| {
        s.send(std::slice::from_ref(&instruction), &[&bot])
    });
    done(venue.sandbox.set_delegate(&keeper, Some(bot_key)));
    done(venue.sandbox.send(&[instruction], &[&bot]));
    assert_eq!(venue.position(&keeper).lots, 2_000);
    venue.conserves();
}
