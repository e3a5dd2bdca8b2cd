//! The bankrupt of a market that has ended: deleveraged at its last price before anybody is settled.

use ballast_state::error::BallastError;
use ballast_state::market::Market;
use ballast_state::Pubkey;

use crate::adl::Crash;
use crate::event;
use crate::support::{done, forge, refused, refused_forged, USD};

#[test]
pub fn nobody_is_settled_while_somebody_is_bankrupt() {
    let Crash {
        mut venue,
        shorts,
        dave,
        keeper,
    } = Crash::new(5_000);
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    venue.record();
    let begun = venue.end();
    assert_eq!(begun.final_ticks, 189_000);
    for trader in [&alice, &bob, &dave, &shorts[0]] {
        refused(&mut venue.sandbox, BallastError::MarketInsolvent, |s| {
            s.settle_position(&market, &trader.address)
        });
    }
    // The proven order, whole positions, at the last price; insurance pays all it has.
    let list = [&shorts[1], &shorts[0]].map(|short| short.address);
    refused(&mut venue.sandbox, BallastError::AdlListOutOfOrder, |s| {
        s.auto_deleverage(&market, &alice.address, &keeper, &list)
    });
    let all: Vec<Pubkey> = shorts.iter().map(|short| short.address).collect();
    let outcome = venue
        .sandbox
        .auto_deleverage(&market, &alice.address, &keeper, &all);
    let event = event!(done(outcome), AutoDeleveraged);
    assert_eq!((event.lots_closed, event.max_close_bps), (10_000, 10_000));
    assert_eq!(event.insurance_paid_atoms, event.insurance_before_atoms);
    assert_eq!(
        (event.insurance_before_atoms, event.insurance_after_atoms),
        (202_000, 0)
    );
    venue.conserves();
    for trader in [&dave, &bob] {
        venue.settle(trader);
    }
    let everybody: Vec<_> = [&alice, &bob, &dave, &keeper]
        .into_iter()
        .chain(&shorts)
        .collect();
    venue.is_spent(&everybody);
}

/// Insurance of so many dollars, with a cap on what it pays in a window.
fn insured(dollars: u64) -> Crash {
    let mut crash = Crash::new(5_000);
    let venue = &mut crash.venue;
    let wallet = venue.sandbox.create_wallet(dollars * USD).unwrap();
    done(
        venue
            .sandbox
            .donate_insurance(&venue.market, &wallet, dollars * USD),
    );
    crash
}

#[test]
fn insurance_pays_without_its_cap_and_then_nobody_gives_up_anything() {
    let Crash {
        mut venue,
        shorts,
        dave,
        keeper,
    } = insured(20);
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    venue.record();
    venue.end();
    // In two calls, as far as each list reaches.
    let mut paid = 0;
    for short in &shorts {
        let list = [short.address];
        let outcome = venue
            .sandbox
            .auto_deleverage(&market, &alice.address, &keeper, &list);
        let event = event!(done(outcome), AutoDeleveraged);
        assert_eq!(event.gave_up_atoms, 0);
        paid += event.insurance_paid_atoms;
    }
    // Alice lacked $10.
    assert_eq!(paid, 10_000_000);
    for (short, lots) in shorts.iter().zip([4_000, 3_000, 3_000]) {
        // Sold at $200, bought back at $189.
        assert_eq!(venue.free(short), 1_000_000_000 + lots * 11_000, "{lots}");
    }
    for trader in [&dave, &venue.bob.clone()] {
        venue.settle(trader);
    }
    let bob = venue.bob.clone();
    let everybody: Vec<_> = [&alice, &bob, &dave, &keeper]
        .into_iter()
        .chain(&shorts)
        .collect();
    venue.is_spent(&everybody);
}

#[test]
fn a_session_of_before_the_end_cuts_nobody_after_it() {
    let Crash {
        mut venue,
        shorts,
        keeper,
        ..
    } = Crash::new(10_000);
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    venue.record_again(180_000);
    let (session, _) = venue
        .sandbox
        .open_adl_session(&market, &alice.address)
        .unwrap();
    done(
        venue
            .sandbox
            .advance_adl_session(&market, &session, 100, Vec::new()),
    );
    // The market is closed at another price in the same minute: forged, as only days bring it about.
    forge::<Market>(&mut venue.sandbox, &market.keys.market, |it| {
        it.mode = 2;
        it.final_ticks = 189_000;
    });
    let all: Vec<Pubkey> = shorts.iter().map(|short| short.address).collect();
    refused_forged(&mut venue.sandbox, BallastError::AdlSessionStale, |s| {
        s.execute_adl_session(&market, &session, &keeper, &all)
    });
}
