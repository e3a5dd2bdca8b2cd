//! What each guard of a session alone refuses.

use ballast_client::instructions::adl_session::SessionKeys;
use ballast_engine::queue::QueueHeader;
use ballast_engine::units::Side;
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;
use ballast_state::trader::Trader;

use crate::adl::Crash;
use crate::event;
use crate::support::{done, forge, refused, refused_forged, watched, USD};

/// A session of Alice's position whose walk is at its end.
fn complete(crash: &mut Crash) -> SessionKeys {
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
    let sandbox = &mut crash.venue.sandbox;
    let opened = sandbox.open_adl_session(&market, &alice);
    let (session, _) = opened.unwrap_or_else(|error| panic!("{error}"));
    let advanced = done(sandbox.advance_adl_session(&market, &session, 10_000, Vec::new()));
    assert!(event!(advanced, AdlSessionAdvanced).complete);
    session
}

#[track_caller]
fn is_stale(crash: &mut Crash, session: &SessionKeys) {
    let (market, keeper) = (crash.venue.market.clone(), crash.keeper.clone());
    let selected = crash.venue.sandbox.selected(&market, session);
    refused_forged(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionStale,
        |s| s.execute_adl_session(&market, session, &keeper, &selected),
    );
}

fn forge_alice(crash: &mut Crash, change: impl FnOnce(&mut PositionSlot)) {
    let alice = crash.venue.alice.address;
    forge::<Trader>(&mut crash.venue.sandbox, &alice, |trader| {
        change(&mut trader.positions[0])
    });
}

fn forge_passes(crash: &mut Crash, change: impl FnOnce(&mut u32)) {
    let queue = crash.venue.market.keys.queue_short;
    forge::<QueueHeader>(&mut crash.venue.sandbox, &queue, |header| {
        change(&mut header.adl_epoch)
    });
}

/// The rent goes to who paid it, whoever closes the session and whoever is named.
#[test]
fn the_rent_of_a_closed_session_goes_to_its_payer() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = complete(&mut crash);
    crash.venue.sandbox.advance_slots(151);
    let stranger = SessionKeys {
        payer: crash.dave.address,
        ..session
    };
    refused(
        &mut crash.venue.sandbox,
        BallastError::AdlSessionMismatch,
        |s| s.close_adl_session(&market, &stranger),
    );
    let closed = done(crash.venue.sandbox.close_adl_session(&market, &session));
    assert!(!event!(closed, AdlSessionClosed).executed);
}

/// A session is of the pass in which it was opened: what it selected says nothing about another.
#[test]
fn another_pass_ends_a_session() {
    let mut crash = Crash::new(10_000);
    let market = crash.venue.market.clone();
    let session = complete(&mut crash);
    forge_passes(&mut crash, |passes| *passes += 1);
    is_stale(&mut crash, &session);
    let closed = done(crash.venue.sandbox.close_adl_session(&market, &session));
    assert!(!event!(closed, AdlSessionClosed).executed);
}

/// Insurance that has waited out the grace period and then pays everything leaves nobody to cut.
#[test]
fn no_session_is_opened_where_insurance_pays_everything() {
    let mut crash = Crash::new(10_000);
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.address);
    let sandbox = &mut crash.venue.sandbox;
    let donor = sandbox.create_wallet(20 * USD).unwrap();
    done(sandbox.donate_insurance(&market, &donor, 20 * USD));
    done(sandbox.flag_bankruptcy(&market, &alice));
    let grace = market.config.risk.adl.grace_slots;
    watched(sandbox, &market, &alice, 189_000, grace + 1);
    refused(
        &mut crash.venue.sandbox,
        BallastError::InsuranceCanPay,
        |s| {
            s.open_adl_session(&market, &alice)
                .map(|(_, outcome)| outcome)
        },
    );
    let list = crash.list();
    let round = done(crash.call(&list));
    assert_eq!(
        event!(round, AutoDeleveraged).insurance_paid_atoms,
        10 * USD
    );
}

/// Each figure of the bankrupt position counts by itself, also where the close price stays as it
/// was.
#[test]
fn each_change_of_the_bankrupt_makes_a_session_stale() {
    let changes: [fn(&mut PositionSlot); 4] = [
        |slot| slot.bankruptcy_id += 1,
        // As much more paid as there is more margin.
        |slot| {
            slot.entry_quote += 1;
            slot.margin += 1;
        },
        |slot| slot.margin += 1,
        |slot| slot.entry_quote += 1,
    ];
    for change in changes {
        let mut crash = Crash::new(10_000);
        let session = complete(&mut crash);
        forge_alice(&mut crash, change);
        is_stale(&mut crash, &session);
    }
}

/// A session that selected nobody opens a pass only for the position and in the pass it was opened
/// for.
#[test]
fn an_empty_session_opens_no_pass_once_it_is_stale() {
    let empty = || {
        let mut crash = Crash::new(5_000);
        let mut list = crash.list();
        list.push(crash.venue.bob.address);
        done(crash.call(&list));
        let session = complete(&mut crash);
        let found = crash.venue.sandbox.adl_session(&session).selection;
        assert_eq!(found.members(), []);
        (crash, session)
    };
    let passes = |crash: &Crash| {
        let queue = crash.venue.sandbox.queue(&crash.venue.market, Side::Short);
        queue.queue().unwrap().header().adl_epoch
    };
    let (mut crash, session) = empty();
    forge_passes(&mut crash, |passes| *passes += 1);
    is_stale(&mut crash, &session);

    let (mut crash, session) = empty();
    let (market, alice) = (crash.venue.market.clone(), crash.venue.alice.clone());
    let before = passes(&crash);
    assert!(crash.venue.free(&alice) > 0);
    done(crash.venue.sandbox.add_margin(&market, &alice, 1));
    is_stale(&mut crash, &session);
    assert_eq!(passes(&crash), before);
    let closed = done(crash.venue.sandbox.close_adl_session(&market, &session));
    assert!(!event!(closed, AdlSessionClosed).pass_opened);
}

/// What insurance has paid others meanwhile it cannot pay again: as many lots are closed as it pays
/// the share of, and where that is none the session may be closed at once.
#[test]
fn a_session_closes_what_insurance_still_pays_for() {
    let spent = |left: u64| {
        let mut crash = Crash::new(10_000);
        let session = complete(&mut crash);
        let market = crash.venue.market.keys.market;
        forge::<Market>(&mut crash.venue.sandbox, &market, |market| {
            assert_eq!(market.insurance.balance, 202_000);
            market.fees_atoms += market.insurance.balance - left;
            market.insurance.balance = left;
        });
        (crash, session)
    };
    let (mut crash, session) = spent(101_000);
    let (market, keeper) = (crash.venue.market.clone(), crash.keeper.clone());
    let sandbox = &mut crash.venue.sandbox;
    refused(sandbox, BallastError::AdlSessionLive, |s| {
        s.close_adl_session(&market, &session)
    });
    let list = sandbox.selected(&market, &session);
    let executed = done(sandbox.execute_adl_session(&market, &session, &keeper, &list));
    let [BallastEvent::AutoDeleveraged(event), _] = executed.events.as_slice() else {
        panic!("{:?}", executed.events);
    };
    assert_eq!(
        (event.lots_closed, event.insurance_paid_atoms),
        (5_000, 101_000)
    );
    crash.venue.conserves();

    let (mut crash, session) = spent(0);
    is_stale(&mut crash, &session);
    done(crash.venue.sandbox.close_adl_session(&market, &session));
}
