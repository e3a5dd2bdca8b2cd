//! Profit taken out of a market that is short is held until somebody has paid for it.

use ballast_sandbox::{Sandbox, TraderCookie, TxResult};
use ballast_state::error::BallastError;
use ballast_state::events::{BallastEvent, ProfitHeld};

use crate::event;
use crate::support::{done, quiet, refused, terms, Venue, TEN, USD};

/// Alice long and bob short 10 SOL at $200, the price at $186: alice lacks $40, bob has won $140.
/// Carol has $1,000.
fn gap() -> (Venue, TraderCookie) {
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(186_000);
    (venue, carol)
}

/// Bob buys lots back from somebody at the mark.
fn buys_back(venue: &mut Venue, from: &TraderCookie, lots: i64, margin: u64) -> TxResult {
    let terms = terms(lots, 186_000, margin, 500 * USD);
    venue
        .sandbox
        .block_trade(&venue.market, &venue.bob, from, terms)
}

#[track_caller]
fn held(result: TxResult) -> Vec<ProfitHeld> {
    let events = done(result).events;
    let held = events.iter().filter_map(|event| match event {
        BallastEvent::ProfitHeld(event) => Some(event.as_ref().clone()),
        _ => None,
    });
    held.collect()
}

fn in_market(venue: &Venue) -> u64 {
    venue.sandbox.market(&venue.market).held.atoms
}

#[test]
pub fn a_winner_who_closes_across_a_gap_does_not_leave_with_what_the_loser_lacks() {
    let (mut venue, carol) = gap();
    let event = held(buys_back(&mut venue, &carol, TEN, 0)).remove(0);
    // His fee of $0.93 brought insurance from $0.20 to $0.386.
    assert_eq!(event.shortfall_atoms, 40_000_000 - 386_000);
    assert_eq!(event.parts.len(), 1);
    assert_eq!(event.parts[0].trader, venue.bob.address);
    assert_eq!(event.parts[0].profit_atoms, 140_000_000 - 930_000);
    assert_eq!(event.parts[0].held_atoms, 39_614_000);
    assert_eq!(in_market(&venue), 39_614_000);
    let free = 500_000_000 + 640_000_000 - 930_000 - 39_614_000;
    assert_eq!(venue.free(&venue.bob), free);
    venue.conserves();
    // The rest is his, and the slot waits for what is held.
    done(venue.sandbox.withdraw(&venue.bob, free.unsigned_abs()));
    let slot = venue.position(&venue.bob);
    assert_eq!(
        (slot.lots, slot.paid_in, slot.held_shares),
        (0, 0, 39_614_000)
    );
    refused(&mut venue.sandbox, BallastError::TraderNotEmpty, |s| {
        s.close_trader(&venue.bob)
    });
}

#[test]
pub fn nobody_without_profit_in_the_market_is_held_back() {
    let (mut venue, carol) = gap();
    let dave = venue.sandbox.create_trader(1_000 * USD).unwrap();
    done(venue.sandbox.block_trade(
        &venue.market,
        &carol,
        &dave,
        terms(TEN, 186_000, 400 * USD, 400 * USD),
    ));
    // Both take out what they put in, and no more.
    let back = terms(-TEN, 186_000, 0, 0);
    let trade = venue
        .sandbox
        .block_trade(&venue.market, &carol, &dave, back);
    assert!(held(trade).is_empty());
    for trader in [&carol, &dave] {
        let free = venue.free(trader).unsigned_abs();
        assert!(free > 998 * USD);
        done(venue.sandbox.withdraw(trader, free));
    }
    assert_eq!(in_market(&venue), 0);
}

#[test]
pub fn closing_in_parts_holds_as_much_as_closing_at_once() {
    let (mut venue, carol) = gap();
    let mut parts = Vec::new();
    for lots in [1_000_u32, 4_000, 5_000] {
        let terms = terms(lots.into(), 186_000, 0, u64::from(lots) * 50_000);
        let trade = venue
            .sandbox
            .block_trade(&venue.market, &venue.bob, &carol, terms);
        parts.extend(held(trade));
    }
    // What was put in comes out first: $500 for nine tenths of $640.
    let sums: Vec<_> = parts.iter().map(|event| event.held_after_atoms).collect();
    assert_eq!(sums, [39_614_000]);
    venue.conserves();
}

#[test]
pub fn what_is_held_becomes_free_once_the_market_is_not_short_of_it_at_a_newer_price() {
    let (mut venue, carol) = gap();
    held(buys_back(&mut venue, &carol, TEN, 0));
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    let not_due = |venue: &mut Venue| {
        refused(&mut venue.sandbox, BallastError::ProfitNotDue, |s| {
            s.release_profit(&market, &[bob.address])
        });
    };
    not_due(&mut venue);
    // A newer price in the same slot, there and when it is used again later; a price of the same second
    // in a later slot; a newer one at which as much is missing.
    let mut same_slot = venue.sandbox.fork();
    same_slot.advance_seconds(1);
    same_slot.set_price(&market, 191_000);
    let releases = |sandbox: &mut Sandbox| {
        refused(sandbox, BallastError::ProfitNotDue, |s| {
            s.release_profit(&market, &[bob.address])
        });
    };
    releases(&mut same_slot);
    done(same_slot.accrue_funding(&market));
    same_slot.advance_slots(1);
    releases(&mut same_slot);
    venue.sandbox.advance_slots(1);
    venue.price(191_000);
    not_due(&mut venue);
    venue.sandbox.advance_seconds(1);
    venue.price(186_000);
    not_due(&mut venue);
    // Short of $10 less $0.386.
    venue.price(189_000);
    let before = venue.free(&bob);
    let event = event!(
        done(venue.sandbox.release_profit(&market, &[bob.address])),
        ProfitReleased
    );
    assert_eq!(event.shortfall_atoms, 9_614_000);
    assert_eq!(event.parts[0].atoms, 30_000_000);
    assert_eq!(venue.free(&bob) - before, 30_000_000);
    // At $190 nobody lacks anything.
    venue.sandbox.advance_seconds(1);
    venue.price(190_000);
    done(venue.sandbox.release_profit(&market, &[bob.address]));
    assert_eq!(in_market(&venue), 0);
    assert!(venue.sandbox.position(&market, &bob.address).is_none());
    venue.conserves();
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.release_profit(&market, &[bob.address])
    });
}

#[test]
pub fn profit_is_not_put_into_a_new_position_while_the_market_is_short() {
    let (mut venue, carol) = gap();
    let free = venue.free(&venue.bob).unsigned_abs();
    done(venue.sandbox.withdraw(&venue.bob, free));
    // He turns round: his $640 would all be margin of a long of 10 SOL.
    let turn = |margin| terms(2 * TEN, 186_000, margin, 900 * USD);
    refused(&mut venue.sandbox, BallastError::ProfitIsHeld, |s| {
        s.block_trade(&venue.market, &venue.bob, &carol, turn(630 * USD))
    });
    let trade = venue
        .sandbox
        .block_trade(&venue.market, &venue.bob, &carol, turn(590 * USD));
    let event = held(trade).remove(0);
    // His fee of $1.86 brought insurance to $0.572.
    assert_eq!(event.parts[0].held_atoms, 40_000_000 - 572_000);
    assert_eq!(venue.position(&venue.bob).paid_in, 590_000_000);
    venue.conserves();
}

#[test]
pub fn the_trade_price_counts_where_it_is_worse_than_the_mark() {
    // The mark is still $200, where nobody lacks anything; the trade is at $186.
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(195_000);
    let event = held(buys_back(&mut venue, &carol, TEN, 0)).remove(0);
    assert_eq!(event.shortfall_atoms, 39_614_000);
}

#[test]
pub fn an_honest_maker_is_not_cut_for_what_the_winner_holds() {
    let (mut venue, carol) = gap();
    held(buys_back(&mut venue, &carol, TEN, 0));
    let before = venue.position(&carol);
    // Insurance and held profit cover alice: carol takes over at the mark, and loses nothing by it.
    let outcome = done(
        venue
            .sandbox
            .liquidate(&venue.market, &venue.alice.address, &carol, 0),
    );
    let event = event!(outcome, PositionLiquidated);
    assert_eq!(event.lots, -TEN);
    assert_eq!(
        (event.insurance_paid_atoms, event.held_paid_atoms),
        (386_000, 39_614_000)
    );
    assert_eq!((before.lots, in_market(&venue)), (-TEN, 0));
    assert_eq!(venue.sandbox.market(&venue.market).insurance.balance, 0);
    venue.conserves();
    // Nothing is left for him, and anybody tidies up.
    venue.sandbox.advance_seconds(1);
    venue.sandbox.advance_slots(1);
    venue.price(200_000);
    let bob = venue.bob.address;
    let event = event!(
        done(venue.sandbox.release_profit(&venue.market, &[bob])),
        ProfitReleased
    );
    assert_eq!(event.parts[0].atoms, 0);
    assert!(venue.sandbox.position(&venue.market, &bob).is_none());
}

#[test]
pub fn a_winner_that_moves_its_position_away_pays_all_the_same() {
    let mut config = quiet();
    config.risk.adl.max_close_bps = 10_000;
    config.risk.taker_fee_bps = 0;
    let mut venue = Venue::open_with(&config);
    let dave = venue.sandbox.create_trader(1_000 * USD).unwrap();
    venue.price(189_000);
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    // He stays and is cut: sold at $200, bought back at $190.
    let mut stayed = venue.sandbox.fork();
    done(stayed.auto_deleverage(&market, &alice.address, &dave, &[bob.address]));
    assert_eq!(stayed.trader(&bob.address).free, 1_100_000_000);
    // He goes to an account of his own at the mark, which is not cut.
    let away = terms(TEN, 189_000, 0, 500 * USD);
    done(venue.sandbox.block_trade(&market, &bob, &dave, away));
    assert_eq!(venue.free(&bob), 1_100_000_000);
    assert_eq!(in_market(&venue), 10_000_000);
    refused(&mut venue.sandbox, BallastError::InsuranceCanPay, |s| {
        s.auto_deleverage(&market, &alice.address, &bob, &[dave.address])
    });
    let outcome = done(venue.sandbox.liquidate(&market, &alice.address, &dave, 0));
    assert_eq!(
        event!(outcome, PositionLiquidated).held_paid_atoms,
        10_000_000
    );
    assert_eq!(venue.free(&bob) + venue.free(&dave), 2_100_000_000);
    venue.conserves();
}

#[test]
pub fn a_stranger_put_off_the_release_of_others() {
    let (mut venue, carol) = gap();
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    let dave = venue.sandbox.create_trader(1_000 * USD).unwrap();
    held(buys_back(&mut venue, &carol, TEN, 0));
    let bought = terms(1_000, 186_000, 100 * USD, 100 * USD);
    done(venue.sandbox.block_trade(&market, &dave, &carol, bought));
    venue.sandbox.advance_seconds(1);
    venue.sandbox.advance_slots(1);
    venue.price(189_000);
    // He has profit of his own held in the slot of the release, at its price.
    let sold = terms(-1_000, 189_000, 0, 100 * USD);
    let own = venue.sandbox.block_trade(&market, &dave, &carol, sold);
    assert_eq!(held(own)[0].parts[0].trader, dave.address);
    refused(&mut venue.sandbox, BallastError::ProfitNotDue, |s| {
        s.release_profit(&market, &[dave.address])
    });
    let both = [dave.address, bob.address];
    let outcome = done(venue.sandbox.release_profit(&market, &both));
    let event = event!(outcome, ProfitReleased);
    assert_eq!(event.parts.len(), 1);
    assert_eq!(event.parts[0].trader, bob.address);
    assert_eq!(event.parts[0].atoms, 39_614_000 - event.shortfall_atoms);
    venue.conserves();
    // His own is due at the next price.
    venue.sandbox.advance_seconds(1);
    venue.sandbox.advance_slots(1);
    venue.price(190_000);
    let outcome = done(venue.sandbox.release_profit(&market, &both));
    assert_eq!(event!(outcome, ProfitReleased).parts.len(), 2);
    assert_eq!(in_market(&venue), 0);
}

#[test]
pub fn releasing_twice_leaves_nobody_else_with_the_deficit() {
    let mut venue = Venue::open();
    let (market, bob) = (venue.market.clone(), venue.bob.clone());
    let [carol, dave] = [1_000 * USD; 2].map(|atoms| venue.sandbox.create_trader(atoms).unwrap());
    // Half of the short is dave's. Both close across the gap.
    let half = terms(-TEN / 2, 200_000, 250 * USD, 0);
    done(venue.sandbox.block_trade(&market, &dave, &bob, half));
    venue.price(186_000);
    for winner in [&bob, &dave] {
        let back = terms(TEN / 2, 186_000, 0, 250 * USD);
        done(venue.sandbox.block_trade(&market, winner, &carol, back));
    }
    let all = in_market(&venue);
    venue.sandbox.advance_seconds(1);
    venue.sandbox.advance_slots(1);
    venue.price(188_000);
    let twice = [bob.address, bob.address];
    let outcome = done(venue.sandbox.release_profit(&market, &twice));
    let event = event!(outcome, ProfitReleased);
    assert_eq!(event.parts.len(), 1);
    refused(&mut venue.sandbox, BallastError::ProfitNotDue, |s| {
        s.release_profit(&market, &twice)
    });
    let outcome = done(venue.sandbox.release_profit(&market, &[dave.address]));
    let other = event!(outcome, ProfitReleased);
    // What is missing stays of each, in whatever order they come.
    let short_of = event.shortfall_atoms;
    assert_eq!(other.shortfall_atoms, short_of);
    assert_eq!(in_market(&venue), 2 * short_of);
    assert_eq!(
        event.parts[0].atoms + other.parts[0].atoms,
        all - 2 * short_of
    );
    venue.conserves();
}
