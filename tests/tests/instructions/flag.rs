//! Flagging positions in trouble.

use ballast_state::error::BallastError;
use bytemuck::bytes_of;

use crate::event;
use crate::support::{done, refused, Venue, START, TEN, USD};

fn flags(venue: &Venue) -> (u64, u64, u64) {
    let slot = venue.position(&venue.alice);
    (slot.flagged_slot, slot.bankrupt_slot, slot.flagged_deficit)
}

fn flag(venue: &mut Venue) -> ballast_sandbox::TxResult {
    venue
        .sandbox
        .flag_bankruptcy(&venue.market, &venue.alice.address)
}

#[test]
pub fn a_flag_follows_the_position_down_and_up_again() {
    let mut venue = Venue::open();
    let first = venue.sandbox.slot();
    venue.price(194_000);
    let outcome = done(flag(&mut venue));
    let event = event!(outcome, PositionFlagged);
    assert_eq!(
        (event.flagged_slot, event.bankrupt_slot, event.uncovered),
        (first, 0, false)
    );
    assert_eq!(
        (event.mark_ticks, event.insurance_available_atoms),
        (194_000, 200_000)
    );
    assert_eq!(flags(&venue), (first, 0, 0));
    venue.sandbox.advance_slots(10);
    venue.price(189_000);
    let outcome = done(flag(&mut venue));
    let event = event!(outcome, PositionFlagged);
    assert_eq!((event.deficit_atoms, event.uncovered), (10_000_000, true));
    assert_eq!(flags(&venue), (first, first + 10, 10_000_000));
    // Back above zero, but below maintenance.
    venue.sandbox.advance_slots(10);
    venue.price(191_000);
    done(flag(&mut venue));
    assert_eq!(flags(&venue), (first, 0, 0));
    venue.price(START);
    let outcome = done(flag(&mut venue));
    assert_eq!(event!(outcome, PositionFlagged).flagged_slot, 0);
    assert_eq!(flags(&venue), (0, 0, 0));
    venue.conserves();
}

#[test]
pub fn a_healthy_position_is_not_flagged() {
    let mut venue = Venue::open();
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.flag_bankruptcy(&venue.market, &venue.alice.address)
    });
    let carol = venue.sandbox.create_trader(0).unwrap();
    refused(&mut venue.sandbox, BallastError::NoPosition, |s| {
        s.flag_bankruptcy(&venue.market, &carol.address)
    });
    // At exactly maintenance it is healthy: 100 - 51.282 against 2.5% of $1,948.718.
    let at = |price: u64| 100 * USD - (START - price) * 10_000;
    let edge = 194_872;
    assert!(at(edge) >= edge * 250);
    assert!(at(edge - 1) < (edge - 1) * 250);
    venue.price(edge);
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.flag_bankruptcy(&venue.market, &venue.alice.address)
    });
    venue.price(edge - 1);
    done(flag(&mut venue));
}

#[test]
pub fn a_flag_tells_whether_insurance_covers_the_deficit() {
    let mut venue = Venue::bankrupt();
    let donor = venue.sandbox.create_wallet(10 * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &donor, 10 * USD - 200_000),
    );
    let outcome = done(flag(&mut venue));
    let event = event!(outcome, PositionFlagged);
    assert_eq!(
        (event.deficit_atoms, event.insurance_available_atoms),
        (10_000_000, 10_000_000)
    );
    assert!(!event.uncovered);
}

#[test]
pub fn a_deficit_that_nobody_covers_holds_nobody_back() {
    let mut venue = Venue::bankrupt();
    let exchange = venue.sandbox.exchange();
    let outcome = done(flag(&mut venue));
    assert!(event!(outcome, PositionFlagged).uncovered);
    // What is free is not claimed by the market's winners: it leaves, hers as well as his.
    for trader in [venue.bob.clone(), venue.alice.clone()] {
        let free = u64::try_from(venue.free(&trader)).unwrap();
        done(venue.sandbox.withdraw(&trader, free));
    }
    // Nobody's bankruptcy writes the account that all markets share.
    assert_eq!(bytes_of(&venue.sandbox.exchange()), bytes_of(&exchange));
    venue.conserves();
}

#[test]
pub fn a_bankrupt_may_add_margin_and_trade_without_asking() {
    let mut venue = Venue::bankrupt();
    done(flag(&mut venue));
    done(
        venue
            .sandbox
            .add_margin(&venue.market, &venue.alice, 300 * USD),
    );
    done(venue.sandbox.remove_margin(&venue.market, &venue.alice, 1));
    done(venue.trade(-TEN, 189_000, 0, 0));
    venue.conserves();
}
