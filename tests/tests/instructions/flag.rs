//! Flagging positions in trouble, and withdrawals that wait for them.

use ballast_engine::distress::WITHDRAWAL_WAIT_SLOTS;
use ballast_state::error::BallastError;

use crate::event;
use crate::support::{done, refused, terms, Venue, START, TEN, USD};

fn flags(venue: &Venue) -> (u64, u64, u64, bool) {
    let slot = venue.position(&venue.alice);
    (
        slot.flagged_slot,
        slot.bankrupt_slot,
        slot.flagged_deficit,
        slot.is_uncovered(),
    )
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
    assert_eq!(flags(&venue), (first, 0, 0, false));
    venue.sandbox.advance_slots(10);
    venue.price(189_000);
    let outcome = done(flag(&mut venue));
    let event = event!(outcome, PositionFlagged);
    assert_eq!((event.deficit_atoms, event.uncovered), (10_000_000, true));
    assert_eq!(flags(&venue), (first, first + 10, 10_000_000, true));
    let exchange = venue.sandbox.exchange();
    assert_eq!(exchange.uncovered_bankruptcies, 1);
    assert_eq!(
        exchange.withdraw_wait_until_slot,
        first + 10 + WITHDRAWAL_WAIT_SLOTS
    );
    // Back above zero, but below maintenance.
    venue.sandbox.advance_slots(10);
    venue.price(191_000);
    done(flag(&mut venue));
    assert_eq!(flags(&venue), (first, 0, 0, false));
    assert_eq!(venue.sandbox.exchange().uncovered_bankruptcies, 0);
    venue.price(START);
    let outcome = done(flag(&mut venue));
    assert_eq!(event!(outcome, PositionFlagged).flagged_slot, 0);
    assert_eq!(flags(&venue), (0, 0, 0, false));
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
pub fn a_deficit_that_insurance_covers_does_not_hold_withdrawals_back() {
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
    done(venue.sandbox.withdraw(&venue.bob, 1));
}

#[test]
pub fn withdrawals_wait_for_an_uncovered_bankruptcy_and_resume() {
    let mut venue = Venue::bankrupt();
    done(flag(&mut venue));
    for trader in [venue.bob.clone(), venue.alice.clone()] {
        refused(&mut venue.sandbox, BallastError::WithdrawalsWait, |s| {
            s.withdraw(&trader, 1)
        });
    }
    // Insurance that can pay ends the wait when the flag is renewed.
    let mut insured = venue.sandbox.fork();
    let donor = insured.create_wallet(10 * USD).unwrap();
    done(insured.donate_insurance(&venue.market, &donor, 10 * USD));
    refused(&mut insured, BallastError::WithdrawalsWait, |s| {
        s.withdraw(&venue.bob, 1)
    });
    done(insured.flag_bankruptcy(&venue.market, &venue.alice.address));
    done(insured.withdraw(&venue.bob, 1));
    // So does a recovery,
    let mut recovered = venue.sandbox.fork();
    recovered.set_price(&venue.market, START);
    done(recovered.flag_bankruptcy(&venue.market, &venue.alice.address));
    done(recovered.withdraw(&venue.bob, 1));
    // margin,
    let mut topped = venue.sandbox.fork();
    done(topped.add_margin(&venue.market, &venue.alice, 200 * USD));
    refused(&mut topped, BallastError::WithdrawalsWait, |s| {
        s.withdraw(&venue.bob, 1)
    });
    done(topped.flag_bankruptcy(&venue.market, &venue.alice.address));
    done(topped.withdraw(&venue.bob, 1));
    // deleveraging,
    let mut closed = venue.sandbox.fork();
    let list = [venue.bob.address];
    while closed
        .position(&venue.market, &venue.alice.address)
        .is_some()
    {
        let lots = TEN.unsigned_abs();
        done(closed.auto_deleverage(&venue.market, &venue.alice.address, &venue.bob, lots, &list));
    }
    done(closed.withdraw(&venue.bob, 1));
    // and time, unless somebody flags again.
    let mut waited = venue.sandbox.fork();
    waited.advance_slots(WITHDRAWAL_WAIT_SLOTS - 1);
    refused(&mut waited, BallastError::WithdrawalsWait, |s| {
        s.withdraw(&venue.bob, 1)
    });
    waited.set_price(&venue.market, 189_000);
    let mut renewed = waited.fork();
    done(renewed.flag_bankruptcy(&venue.market, &venue.alice.address));
    renewed.advance_slots(1);
    refused(&mut renewed, BallastError::WithdrawalsWait, |s| {
        s.withdraw(&venue.bob, 1)
    });
    waited.advance_slots(1);
    done(waited.withdraw(&venue.bob, 1));
}

#[test]
pub fn an_uncovered_position_neither_trades_nor_gives_up_margin() {
    let mut venue = Venue::bankrupt();
    done(flag(&mut venue));
    refused(&mut venue.sandbox, BallastError::BankruptcyFlagged, |s| {
        s.block_trade(
            &venue.market,
            &venue.alice,
            &venue.bob,
            terms(-TEN, 189_000, 0, 0),
        )
    });
    refused(&mut venue.sandbox, BallastError::BankruptcyFlagged, |s| {
        s.block_trade(
            &venue.market,
            &venue.bob,
            &venue.alice,
            terms(TEN, 189_000, 0, 0),
        )
    });
    done(
        venue
            .sandbox
            .add_margin(&venue.market, &venue.alice, 300 * USD),
    );
    refused(&mut venue.sandbox, BallastError::BankruptcyFlagged, |s| {
        s.remove_margin(&venue.market, &venue.alice, 1)
    });
    // The remedy the error names.
    done(flag(&mut venue));
    done(venue.sandbox.remove_margin(&venue.market, &venue.alice, 1));
    done(venue.trade(-TEN, 189_000, 0, 0));
    venue.conserves();
}

#[test]
pub fn two_bankruptcies_are_counted_apart() {
    let mut venue = Venue::open();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let opening = terms(TEN, START, 100 * USD, 300 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &venue.bob, opening),
    );
    venue.price(189_000);
    done(flag(&mut venue));
    done(venue.sandbox.flag_bankruptcy(&venue.market, &carol.address));
    done(flag(&mut venue));
    assert_eq!(venue.sandbox.exchange().uncovered_bankruptcies, 2);
    done(venue.sandbox.add_margin(&venue.market, &carol, 300 * USD));
    done(venue.sandbox.flag_bankruptcy(&venue.market, &carol.address));
    assert_eq!(venue.sandbox.exchange().uncovered_bankruptcies, 1);
    refused(&mut venue.sandbox, BallastError::WithdrawalsWait, |s| {
        s.withdraw(&carol, 1)
    });
}
