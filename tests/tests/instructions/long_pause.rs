//! The longer pause: it waits as a staged change, ends, and keeps nobody in. docs/SECURITY.md, pauses.

use ballast_client::instructions::admin::SetPause;
use ballast_state::error::BallastError;
use ballast_state::exchange::{Delays, Role};
use ballast_state::pause::{
    LONGEST_STAGED_PAUSE_SLOTS, PAUSE_DELEVERAGE, PAUSE_DEPOSIT, PAUSE_LIQUIDATE, PAUSE_OPEN,
    PAUSE_REMOVE_MARGIN, PAUSE_TRADE, PAUSE_WITHDRAW, STAGED_PAUSE_FLAGS,
};
use ballast_state::staged::Change;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::event;
use crate::support::{done, refused, Venue, START, USD};

/// An open venue whose changes wait as `deploy` has it, and its guardian.
fn governed() -> (Venue, Keypair) {
    let mut venue = Venue::open();
    let guardian = venue.sandbox.funded_keypair();
    done(venue.sandbox.hand_over(Role::Guardian, &guardian));
    done(venue.sandbox.raise_delays(Delays::DEFAULT));
    (venue, guardian)
}

/// Lets slots and their time pass; the price is as before, and of now.
fn on(venue: &mut Venue, slots: u64) {
    let (slot, time) = (venue.sandbox.slot(), venue.sandbox.time());
    let seconds = i64::try_from(slots * 2 / 5).unwrap();
    venue.sandbox.set_clock(slot + slots, time + seconds);
    venue.price(START);
}

#[test]
pub fn a_longer_pause_waits_ends_and_lets_everybody_out() {
    let (mut venue, guardian) = governed();
    let (market, alice) = (venue.market.clone(), venue.alice.clone());
    let change = Change::Pause {
        flags: STAGED_PAUSE_FLAGS,
        slots: LONGEST_STAGED_PAUSE_SLOTS,
    };
    refused(&mut venue.sandbox, BallastError::NotAdmin, |s| {
        s.send_staging(change, None, &guardian)
    });
    let staged = venue.sandbox.stage(change, None).unwrap();
    on(&mut venue, Delays::DEFAULT.admin_slots - 1);
    refused(&mut venue.sandbox, BallastError::StagedTooEarly, |s| {
        s.apply(&staged, None)
    });
    let mut taken_back = venue.sandbox.fork();
    done(taken_back.cancel_staged(&staged, &guardian));
    assert_eq!(taken_back.exchange().pause_flags, 0);
    on(&mut venue, 1);
    let end = venue.sandbox.slot() + LONGEST_STAGED_PAUSE_SLOTS;
    let paused = event!(done(venue.sandbox.apply(&staged, None)), PauseSet);
    assert_eq!((paused.flags_before, paused.until_slot), (0, end));
    assert_eq!(paused.flags_after, PAUSE_OPEN | PAUSE_REMOVE_MARGIN);
    assert_eq!(paused.by, venue.sandbox.admin());
    let exchange = venue.sandbox.exchange();
    assert_eq!(exchange.paused_until(PAUSE_OPEN, venue.sandbox.slot()), end);
    // Neither authority lifts it at once by lifting its own.
    for key in [&guardian, &venue.sandbox.admin_keypair()] {
        let lift = SetPause {
            authority: key.pubkey(),
            flags: 0,
            slots: 0,
        };
        done(venue.sandbox.send(&[lift.instruction()], &[key]));
    }
    for slots in [0, LONGEST_STAGED_PAUSE_SLOTS - 1] {
        on(&mut venue, slots);
        let (bob, paused) = (venue.bob.clone(), BallastError::Paused);
        refused(&mut venue.sandbox, paused, |s| {
            let opening = crate::support::terms(100, START, 2 * USD, 2 * USD);
            s.block_trade(&market, &alice, &bob, opening)
        });
        refused(&mut venue.sandbox, paused, |s| {
            s.remove_margin(&market, &bob, USD)
        });
        // Closing, and with it all that was put in, is not.
        done(venue.trade(-100, START, 0, 0));
        done(venue.sandbox.withdraw(&bob, USD));
        done(venue.sandbox.deposit(&bob, USD));
        done(venue.sandbox.add_margin(&market, &bob, USD));
    }
    on(&mut venue, 1);
    done(venue.trade(100, START, 2 * USD, 2 * USD));
    venue.conserves();
}

#[test]
pub fn a_longer_pause_that_keeps_somebody_in_is_not_staged() {
    let (mut venue, _) = governed();
    let admin = venue.sandbox.admin_keypair();
    let most = LONGEST_STAGED_PAUSE_SLOTS;
    let kept_in = [
        PAUSE_DEPOSIT,
        PAUSE_WITHDRAW,
        PAUSE_TRADE,
        PAUSE_LIQUIDATE,
        PAUSE_DELEVERAGE,
        1 << 7,
    ];
    let kept_in = kept_in.map(|flag| (flag | PAUSE_OPEN, 1));
    let others = [(PAUSE_OPEN, 0), (PAUSE_OPEN, most + 1), (0, 1)];
    for (flags, slots) in kept_in.into_iter().chain(others) {
        refused(&mut venue.sandbox, BallastError::LongPauseInvalid, |s| {
            s.send_staging(Change::Pause { flags, slots }, None, &admin)
        });
    }
}

#[test]
fn a_longer_pause_is_lifted_by_a_change_that_waits_and_stands_beside_the_others() {
    let mut venue = Venue::open();
    let pause = |flags, slots| Change::Pause { flags, slots };
    done(venue.sandbox.change(pause(PAUSE_OPEN, 10_000), None));
    done(venue.sandbox.set_pause(PAUSE_WITHDRAW));
    let in_force = |venue: &Venue| venue.sandbox.exchange().pauses(venue.sandbox.slot());
    assert_eq!(in_force(&venue), PAUSE_OPEN | PAUSE_WITHDRAW);
    done(venue.sandbox.raise_delays(Delays::DEFAULT));
    let staged = venue.sandbox.stage(pause(0, 0), None).unwrap();
    refused(&mut venue.sandbox, BallastError::StagedTooEarly, |s| {
        s.apply(&staged, None)
    });
    done(venue.sandbox.set_pause(0));
    assert_eq!(in_force(&venue), PAUSE_OPEN);
    // One staged meanwhile takes its place, and begins when it takes effect.
    venue.sandbox.advance_slots(Delays::DEFAULT.admin_slots);
    let lifted = event!(done(venue.sandbox.apply(&staged, None)), PauseSet);
    assert_eq!((lifted.flags_after, lifted.until_slot), (0, 0));
    assert_eq!(venue.sandbox.exchange().pause_flags, 0);
}
